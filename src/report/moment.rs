//! One call as the advice sees it, and how a call is remembered for the end.

use std::fmt::Write;

use crate::names::Errno;
use crate::trace::arg::{Note, ValueLimits};
use crate::trace::line::LineBuffer;
use crate::trace::notation::{write_arg, write_note};
use crate::trace::{Event, Outcome};
use crate::values::FdNumber;

use super::did::Did;
use super::reading;
use super::world::{ProcessId, SocketId};

/// One call, with its subject.
#[derive(Debug)]
pub struct Moment<'m> {
    /// The call.
    pub event: &'m Event<'m>,
    /// The line of the log where it begins; 0 if unknown.
    pub begun: u64,
    /// The line of the log where it ends.
    pub line: u64,
    /// The text of that line, if there is one.
    pub text: &'m str,
    /// What happened.
    pub did: &'m Did<'m>,
    /// The descriptor that it is about; -1 if there is none.
    pub fd: i32,
    /// The socket of that descriptor, if it is one.
    pub socket: Option<SocketId>,
    /// The socket that `accept` or `socket` created.
    pub made: Option<SocketId>,
    /// The caller.
    pub process: ProcessId,
}

impl Moment<'_> {
    /// How many bytes were moved, how many descriptors are ready, or whatever the call counts. `None` if it failed.
    pub fn count(&self) -> Option<u64> {
        self.event.value().and_then(|value| value.try_into().ok())
    }

    /// Whether it failed with this errno.
    pub fn failed(&self, errno: Errno) -> bool {
        self.event.errno() == Some(errno)
    }

    /// Whether it had not returned at the end of the log.
    pub fn is_unfinished(&self) -> bool {
        self.event.outcome == Outcome::Unknown
    }

    /// How long it took, in microseconds, if the log shows it.
    pub fn took_us(&self) -> Option<u64> {
        let Event { begin_ns, end_ns, .. } = self.event;
        (*begin_ns > 0 && end_ns > begin_ns).then(|| (end_ns - begin_ns) / 1_000)
    }

    /// The call in a few bytes, for something that may become evidence.
    pub fn mark(&self) -> SeenCall {
        let Event { begin_ns, end_ns, .. } = *self.event;
        let name = self.event.function().map_or_else(
            || reading::known_name(self.event.callee.name()),
            crate::trace::Function::name,
        );
        // Here `self.fd` is the descriptor that the wait reported, which is not an argument of the call.
        let is_of_wait = matches!(self.did, Did::Ready(_));
        let fd = if is_of_wait { self.event.fd().map_or(-1, FdNumber::get) } else { self.fd };
        // The log shows only some lines later how an interrupted call ended.
        let is_interrupted = self.failed(Errno::EINTR) && self.begun > 0;
        SeenCall {
            line: if is_interrupted { self.begun } else { self.line },
            begin_ns,
            end_ns,
            name,
            fd,
            outcome: self.event.outcome,
            text: None,
        }
    }

    /// The call with its whole line, for rare events.
    pub fn quote(&self) -> SeenCall {
        // The second half of a call in two lines does not contain its arguments.
        let is_in_two_lines = self.begun != 0 && self.begun != self.line;
        let text = match self.text {
            "" => written(self.event),
            _ if is_in_two_lines => written(self.event),
            text => shortened(text),
        };
        SeenCall { text: Some(text.into()), ..self.mark() }
    }
}

/// A call that was seen. Its text is kept if the call is rare, and otherwise made from the other fields.
#[derive(Clone, Debug)]
pub struct SeenCall {
    /// Its line.
    pub line: u64,
    /// When it began; 0 if unknown.
    pub begin_ns: u64,
    /// When it ended.
    pub end_ns: u64,
    name: &'static str,
    fd: i32,
    outcome: Outcome,
    text: Option<Box<str>>,
}

impl SeenCall {
    /// The call in strace's notation, with dots for parts that were not kept.
    pub fn text(&self) -> String {
        if let Some(text) = &self.text {
            return text.to_string();
        }
        let name = if self.name.is_empty() { "…" } else { self.name };
        let fd = if self.fd < 0 { String::new() } else { format!("{}, ", self.fd) };
        let fd = if self.name == "close" { fd.replace(", ", "") } else { format!("{fd}…") };
        match self.outcome {
            Outcome::Value(value) => format!("{name}({fd}) = {value}"),
            Outcome::Error(errno) => format!("{name}({fd}) = -1 {errno}"),
            Outcome::Unknown => format!("{name}({fd}) = ?"),
        }
    }
}

const LIMITS: ValueLimits = ValueLimits { bytes: 32, items: 8, ..ValueLimits::NONE };

/// The longest text that is kept of a line.
const LONGEST: usize = 400;

/// The line without process and time, which the report has already.
fn shortened(text: &str) -> String {
    let text = text
        .strip_prefix("[pid")
        .and_then(|rest| rest.split_once(']'))
        .map_or(text, |(_, rest)| rest);
    let before = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '.' | ':');
    let text = text.trim_start_matches(before);
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let dots = if end < text.len() { "…" } else { "" };
    format!("{}{dots}", &text[..end])
}

/// An event as a line of strace.
fn written(event: &Event<'_>) -> String {
    let name = event.callee.name();
    if name.starts_with(['-', '+']) {
        return name.to_string();
    }
    let mut line = LineBuffer::new();
    line.push_str(name);
    line.push(b'(');
    for (at, arg) in event.args.iter().enumerate() {
        line.push_str(if at > 0 { ", " } else { "" });
        write_arg(&mut line, arg, LIMITS);
    }
    let _ = match event.outcome {
        Outcome::Value(value) => write!(line, ") = {value}"),
        Outcome::Error(errno) => write!(line, ") = -1 {errno}"),
        Outcome::Unknown => write!(line, ") = ?"),
    };
    if let (Outcome::Value(value), false) = (event.outcome, event.note == Note::None) {
        write_note(&mut line, &event.note, value, LIMITS);
    }
    line.into()
}
