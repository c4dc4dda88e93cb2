//! The keyboard of a terminal, key by key: of the controlling terminal, independent of standard input; or of standard input.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};

use nix::libc::cc_t;
use nix::sys::signal::{Signal, raise};
use nix::sys::termios::{
    FlushArg, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcflush, tcgetattr, tcsetattr,
};

use crate::names::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use crate::sys::{Handler, SigAction, hold_terminal, release_terminal, sigaction};
use crate::trace::suspended;

/// The escape character, which begins the sequence of an arrow key.
const ESCAPE: u8 = 0x1b;

/// The keyboard of a terminal.
#[derive(Debug)]
pub struct Keyboard {
    terminal: KeySource,
    /// Keys that were typed ahead: they are read here, and no other reader of the terminal gets them.
    typed: VecDeque<u8>,
    /// The settings of the terminal before it was held.
    found: Option<Termios>,
}

/// The result of waiting for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character; 0 for a key with a sequence, such as an arrow.
    Typed(u8),
    /// A signal came instead: from the keyboard (Ctrl-C), or from another process to one of our handlers.
    Interrupted,
    /// The terminal is closed.
    Closed,
}

/// Where keys are read.
#[derive(Debug)]
enum KeySource {
    Terminal(File),
    /// Not a copy of its descriptor, whose number would be missing among the descriptors of a trace.
    StandardInput(io::Stdin),
}

impl AsFd for KeySource {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Terminal(file) => file.as_fd(),
            Self::StandardInput(stdin) => stdin.as_fd(),
        }
    }
}

impl Read for KeySource {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Terminal(file) => file.read(room),
            Self::StandardInput(stdin) => stdin.read(room),
        }
    }
}

impl Keyboard {
    /// Opens the controlling terminal.
    ///
    /// # Errors
    /// There is no controlling terminal (ENXIO), or it may not be opened.
    pub fn open() -> io::Result<Self> {
        Ok(Self::of(KeySource::Terminal(File::open("/dev/tty")?)))
    }

    /// The keyboard of standard input, which is a terminal.
    pub fn of_standard_input() -> Self {
        Self::of(KeySource::StandardInput(io::stdin()))
    }

    fn of(terminal: KeySource) -> Self {
        Self { terminal, typed: VecDeque::new(), found: None }
    }

    /// From now until [`Keyboard::release`] the terminal delivers each key at once and does not echo it. If a signal ends the
    /// process in the meantime, as `kill` does from another terminal, the terminal gets its settings back.
    pub fn hold(&mut self) {
        let Ok(found) = tcgetattr(&self.terminal) else { return };
        let mut held = found.clone();
        let line_by_line =
            LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG | LocalFlags::IEXTEN;
        held.local_flags.remove(line_by_line);
        held.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        held.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        hold_terminal(self.terminal.as_fd(), found.clone().into());
        replace_handlers(Handler::Default, Handler::RestoreTerminal);
        self.found = Some(found);
        // Keys that were typed already stay (TCSAFLUSH would drop them).
        let _ = tcsetattr(&self.terminal, SetArg::TCSANOW, &held);
    }

    /// Restores the settings of the terminal. Call it before a call that may wait: a signal may end the process during
    /// the wait, and the shell must find its terminal in order.
    pub fn release(&mut self) {
        if let Some(found) = self.found.take() {
            let _ = tcsetattr(&self.terminal, SetArg::TCSANOW, &found);
            replace_handlers(Handler::RestoreTerminal, Handler::Default);
            release_terminal();
        }
    }

    /// Discards the keys that were typed and not read yet, so that no other reader of the terminal, such as the shell, gets
    /// them.
    pub fn discard_typed(&mut self) {
        self.typed.clear();
        // If that fails, the shell gets them.
        let _ = tcflush(&self.terminal, FlushArg::TCIFLUSH);
    }

    /// Waits for a key. The terminal must be held.
    pub fn read_key(&mut self) -> Key {
        loop {
            if self.typed.is_empty() {
                let mut room = [0; 64];
                match self.terminal.read(&mut room) {
                    Ok(count @ 1..) => self.typed.extend(&room[..count]),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {
                        return Key::Interrupted;
                    }
                    _ => return Key::Closed,
                }
            }
            match self.typed.pop_front().unwrap_or_default() {
                ESCAPE => {
                    self.skip_sequence();
                    return Key::Typed(0);
                }
                key => match self.signal_of(key) {
                    None => return Key::Typed(key),
                    Some(signal) => {
                        self.release();
                        // This is what the terminal itself would have done. A handler, if there is one, has run
                        // afterwards.
                        let _ = raise(signal);
                        if signal != Signal::SIGTSTP {
                            return Key::Interrupted;
                        }
                        self.hold();
                    }
                },
            }
        }
    }

    /// The signal that this key sends with the terminal's present settings.
    fn signal_of(&self, key: u8) -> Option<Signal> {
        let set = self.found.as_ref()?;
        let is =
            |index: SpecialCharacterIndices| set.control_chars[index as usize] == cc_t::from(key);
        let signals = [
            (SpecialCharacterIndices::VINTR, Signal::SIGINT),
            (SpecialCharacterIndices::VQUIT, Signal::SIGQUIT),
            (SpecialCharacterIndices::VSUSP, Signal::SIGTSTP),
        ];
        signals.into_iter().find(|(index, _)| is(*index)).map(|(_, signal)| signal)
    }

    /// Skips the rest of an escape sequence: `[` or `O`, and everything up to the first letter.
    fn skip_sequence(&mut self) {
        if !matches!(self.typed.front(), Some(b'[' | b'O')) {
            return;
        }
        self.typed.pop_front();
        while let Some(byte) = self.typed.pop_front() {
            if (0x40..=0x7e).contains(&byte) {
                return;
            }
        }
    }
}

/// The handlers of the signals that end this process and can be caught. The calls are no subject of a trace.
fn replace_handlers(from: Handler, to: Handler) {
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        let mut action = SigAction::new(Handler::Default);
        let found = suspended(|| sigaction(signal, None, Some(&mut action)));
        if found.is_ok() && action.handler == from {
            // If it cannot be set, the signal does what it did before.
            let _ = suspended(|| sigaction(signal, Some(&SigAction::new(to)), None));
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.release();
    }
}
