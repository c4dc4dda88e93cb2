//! The keyboard of the terminal that this process is controlled from, key by key, whatever standard input is.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, Read};

use nix::libc::cc_t;
use nix::sys::signal::{Signal, raise};
use nix::sys::termios::{
    LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};

/// The escape character, with which the sequence of an arrow key begins.
const ESCAPE: u8 = 0x1b;

/// The keyboard of the controlling terminal.
#[derive(Debug)]
pub struct Keyboard {
    terminal: File,
    /// What was typed ahead: it counts as keys, and reaches no other reader of the terminal.
    typed: VecDeque<u8>,
    /// The settings that the terminal had before it was held.
    found: Option<Termios>,
}

/// What a wait for a key gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// This character; 0 for a key that has a sequence instead, such as an arrow.
    Typed(u8),
    /// A signal has come instead: from the keyboard (Ctrl-C), or from another process to a handler of ours.
    Interrupted,
    /// The terminal is closed.
    Closed,
}

impl Keyboard {
    /// The terminal that controls this process.
    ///
    /// # Errors
    /// There is none (ENXIO), or it may not be opened.
    pub fn open() -> io::Result<Self> {
        Ok(Self { terminal: File::open("/dev/tty")?, typed: VecDeque::new(), found: None })
    }

    /// From now on the terminal gives each key at once and does not show it, until [`Keyboard::release`].
    pub fn hold(&mut self) {
        let Ok(found) = tcgetattr(&self.terminal) else { return };
        let mut held = found.clone();
        let line_by_line =
            LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG | LocalFlags::IEXTEN;
        held.local_flags.remove(line_by_line);
        held.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        held.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        self.found = Some(found);
        // What was typed already stays (TCSAFLUSH would drop it).
        let _ = tcsetattr(&self.terminal, SetArg::TCSANOW, &held);
    }

    /// The terminal is again as it was found. A call that waits may be interrupted and end the process, and the shell gets its
    /// terminal in order.
    pub fn release(&mut self) {
        if let Some(found) = self.found.take() {
            let _ = tcsetattr(&self.terminal, SetArg::TCSANOW, &found);
        }
    }

    /// Waits for a key of the terminal, which is held.
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
                        // As the terminal itself would have done. What handler there is has run afterwards.
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

    /// The signal that this key sends, as the terminal is set.
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

    /// Takes away what follows an escape character: `[` or `O`, and all up to the first letter.
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

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.release();
    }
}
