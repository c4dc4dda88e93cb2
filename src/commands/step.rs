//! `--step`: the program stops before each call until a key says how to go on.

use std::fmt::Write;
use std::io::{self, IsTerminal};

use baresock::explain::has_lab;
use baresock::explain::words::{Article, find};
use baresock::names::SIGINT;
use baresock::os::keyboard::{Key, Keyboard};
use baresock::os::output::Colors;
use baresock::sys::{kill, socket_state};
use baresock::trace::descriptors::{DescriptorKind, DescriptorTable, OpenFile};
use baresock::trace::output::{Output, OutputShare};
use baresock::trace::wrapping::wrapped;
use baresock::trace::{Event, PacketWords, Sink, suspended};
use baresock::values::FdNumber;

use super::columns::columns;
use super::failure::Failure;

/// The help for the keys.
const KEYS: &str = "Enter, n: make this call; d: go on to the next call of this descriptor; c: go on without stopping; \
    e: explain this call; s: show all descriptors; q: quit";

/// The process whose calls are stepped: only our own descriptors can be queried.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    /// This process makes the calls.
    Ours,
    /// The process of a lab makes the calls. To quit, it must be ended, and this program with it.
    ALabs {
        /// Ends both; it does not return.
        end: fn(),
    },
}

/// Stops before calls, as the keys say.
#[derive(Debug)]
pub(crate) struct Stepper {
    /// `None` once the program runs on.
    keyboard: Option<Keyboard>,
    /// Stop at the next call of this descriptor.
    until: Option<FdNumber>,
    descriptors: DescriptorTable,
    whose: Whose,
    has_said_keys: bool,
}

impl Stepper {
    /// Stops before the first call.
    ///
    /// # Errors
    /// `to`, where the calls are shown, is not a terminal; or the process has no controlling terminal.
    pub(crate) fn new(to: &impl IsTerminal, what: &str, whose: Whose) -> Result<Self, Failure> {
        if !to.is_terminal() {
            return Err(Failure::usage(format_args!(
                "--step waits for a key before each call that it shows on {what}, which is not a terminal"
            )));
        }
        let keyboard =
            Keyboard::open().map_err(|error| Failure::from_std("open /dev/tty", &error))?;
        Ok(Self {
            keyboard: Some(keyboard),
            until: None,
            descriptors: DescriptorTable::default(),
            whose,
            has_said_keys: false,
        })
    }

    /// Whether to stop before this call.
    pub(crate) fn stops_at(&self, event: &Event<'_>) -> bool {
        self.keyboard.is_some() && (self.until.is_none() || event.fd() == self.until)
    }

    /// Stops before this call until a key says to go on. `tell` writes lines, and then the call's line as far as it is
    /// known.
    pub(crate) fn stand(&mut self, event: &Event<'_>, mut tell: impl FnMut(&[String])) {
        self.until = None;
        // Held before anything is shown, so that no key that follows is echoed.
        self.keyboard.iter_mut().for_each(Keyboard::hold);
        match std::mem::replace(&mut self.has_said_keys, true) {
            true => tell(&[]),
            false => tell(&indented(KEYS)),
        }
        while let Some(keyboard) = &mut self.keyboard {
            match keyboard.read_key() {
                Key::Typed(b'\r' | b'\n' | b' ' | b'n') => break,
                Key::Typed(b'd') if event.fd().is_some() => {
                    self.until = event.fd();
                    break;
                }
                Key::Typed(b'd') => tell(&indented("This call has no descriptor.")),
                Key::Typed(b'e') => tell(&explained(event)),
                Key::Typed(b's') => tell(&self.shown()),
                key @ (Key::Typed(b'q') | Key::Interrupted) => {
                    self.keyboard = None;
                    match (self.whose, key) {
                        // The lab must not go on until another thread knows about the signal.
                        (Whose::ALabs { end }, _) => end(),
                        // Like Ctrl-C: a server shuts down gracefully, any other program ends. It cannot fail.
                        (Whose::Ours, Key::Typed(_)) => {
                            let _ = suspended(|| kill(std::process::id(), SIGINT));
                        }
                        // One of our handlers has run already.
                        (Whose::Ours, _) => {}
                    }
                }
                Key::Typed(b'c') | Key::Closed => self.keyboard = None,
                Key::Typed(_) => tell(&indented(KEYS)),
            }
        }
        self.keyboard.iter_mut().for_each(Keyboard::release);
    }

    /// Learns from a call.
    pub(crate) fn learn(&mut self, event: &Event<'_>) {
        self.descriptors.learn(event);
    }

    /// The kind of each descriptor, one line each.
    fn shown(&self) -> Vec<String> {
        let line = |(fd, file): (FdNumber, OpenFile)| {
            let mut line = format!("    {fd}: {}", described(&file));
            let state = match self.whose {
                Whose::Ours => socket_state(fd),
                Whose::ALabs { .. } => None,
            };
            if let Some(state) = state {
                let _ = write!(line, "; {state}");
            }
            line
        };
        let lines: Vec<String> = self.descriptors.open().map(line).collect();
        if lines.is_empty() { indented("No descriptor has been made yet.") } else { lines }
    }
}

/// A descriptor in words, as far as the calls have shown.
fn described(file: &OpenFile) -> String {
    let mut out = match file.kind {
        DescriptorKind::Unknown => "was there before",
        DescriptorKind::Socket => "socket",
        DescriptorKind::Datagram => "datagram socket",
        DescriptorKind::Listener => "listener",
        DescriptorKind::Connection => "connection",
        DescriptorKind::Pipe => "pipe",
    }
    .to_string();
    if let Some(local) = &file.local {
        let _ = write!(out, " {local}");
    }
    if let Some(peer) = &file.peer {
        let _ = write!(out, " to {peer}");
    }
    if file.nonblocking == Some(true) {
        out.push_str(", nonblocking");
    }
    if (file.bytes_in, file.bytes_out) != (0, 0) {
        let _ = write!(out, ", {} bytes received, {} sent", file.bytes_in, file.bytes_out);
    }
    let ends = [
        (file.peer_finished, ", the peer has finished"),
        (file.finished, ", sending is shut down"),
        (file.broken, ", broken"),
    ];
    ends.iter().filter(|(is_so, _)| *is_so).for_each(|(_, words)| out.push_str(words));
    if file.copies > 0 {
        let _ = write!(out, ", {} more descriptors lead to it", file.copies);
    }
    out
}

/// The page of this call.
fn explained(event: &Event<'_>) -> Vec<String> {
    let entries = find(event.callee.name());
    let text = |entry| Article::new(entry, has_lab).text(Colors::Plain, columns());
    let pages = entries.into_iter().map(text);
    pages
        .flat_map(|page| page.lines().map(|line| format!("    {line}")).collect::<Vec<_>>())
        .collect()
}

fn indented(text: &str) -> Vec<String> {
    let lines = wrapped(text, columns().saturating_sub(4));
    lines.into_iter().map(|line| format!("    {line}")).collect()
}

/// Passes calls on to another sink, which writes to a terminal, and stops before each.
pub(crate) struct Stepped<S> {
    to: S,
    stepper: Stepper,
    output: Output,
    writer: OutputShare,
    /// Whether the line of this call has begun.
    is_shown: bool,
}

impl<S: Sink> Stepped<S> {
    /// Stops before the calls that `to` writes to `output`.
    pub(crate) fn new(to: S, stepper: Stepper, output: &Output) -> Self {
        Self { to, stepper, output: output.clone(), writer: output.writer(), is_shown: false }
    }
}

impl<S: Sink> Sink for Stepped<S> {
    fn begin(&mut self, event: &Event<'_>) {
        self.to.begin(event);
        self.is_shown = self.stepper.stops_at(event);
        if self.is_shown {
            let Self { to, stepper, output, writer, .. } = self;
            stepper.stand(event, |lines| {
                lines.iter().for_each(|line| output.line(*writer, line));
                to.wait(event);
            });
        }
    }

    fn wait(&mut self, event: &Event<'_>) {
        if !self.is_shown {
            self.to.wait(event);
        }
    }

    fn end(&mut self, event: &Event<'_>) {
        self.to.end(event);
        self.stepper.learn(event);
    }

    fn remark(&mut self, text: &str) {
        self.to.remark(text);
    }

    fn drawing(&mut self, line: &str) {
        self.to.drawing(line);
    }

    fn intent(&mut self, words: &'static str) {
        self.to.intent(words);
    }

    fn packet(&mut self, packet: &PacketWords<'_>) {
        self.to.packet(packet);
    }

    fn flush(&mut self) {
        self.to.flush();
    }

    fn wants_times(&self) -> bool {
        self.to.wants_times()
    }

    fn wants_connections(&self) -> bool {
        self.to.wants_connections()
    }
}

/// Where `--step` shows the calls: on the trace's terminal.
pub(crate) fn on_standard_error() -> Result<Stepper, Failure> {
    Stepper::new(&io::stderr(), "standard error", Whose::Ours)
}
