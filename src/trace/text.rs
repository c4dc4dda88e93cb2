//! Calls as lines of text.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use super::arg::{Arg, Note, ValueLimits};
use super::ends::{EndNames, EndNotation};
use super::event::{Event, Mark, Outcome, States};
use super::line::LineBuffer;
use super::notation::{write_arg, write_note};
use super::output::{Output, OutputShare, Pace};
use super::page::Effect;
use super::tracer::{PacketWords, Sink};
use super::wrapping::wrapped;
use crate::values::FdNumber;

const FUNCTION: &str = "\x1b[1m";
/// Bright red: dark red is hard to read on black.
const FAILURE: &str = "\x1b[91m";
const REMARK: &str = "\x1b[36m";
const PACKET: &str = "\x1b[35m";
const PLAIN: &str = "\x1b[0m";

/// Remarks are indented below their call.
const INDENT: &str = "    ";

/// How lines of text are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextOptions {
    /// How much of strings and arrays is shown.
    pub limits: ValueLimits,
    /// Whether each line begins with the time of day, in seconds since 1970 (strace's `-ttt`).
    pub time: bool,
    /// Which time that is.
    pub times: TimesOf,
    /// Whether each line ends with how long the call took (strace's `-T`).
    pub duration: bool,
    /// What follows each descriptor (strace's `-yy`).
    pub ends: EndNotation,
    /// Whether names and failures are coloured.
    pub color: bool,
    /// Remarks are wrapped at this many columns; `None`: one line each.
    pub columns: Option<usize>,
}

/// Which time is shown before a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimesOf {
    /// The present: the call is made now.
    #[default]
    Now,
    /// The time in the event: the call was made elsewhere.
    Events,
}

/// A call as a line of text in strace's notation.
#[derive(Debug)]
pub struct TextLine {
    options: TextOptions,
    /// The line so far; reused for every line.
    line: LineBuffer,
    /// How many of the arguments are written; `None` before the name is.
    arguments: Option<usize>,
    /// Whether a comma follows them already.
    has_comma: bool,
    /// The ends of descriptors, if they are to be written.
    ends: Option<EndNames>,
}

impl TextLine {
    /// Lines with these options.
    pub fn new(options: TextOptions) -> Self {
        let ends = EndNames::new(options.ends);
        Self { options, line: LineBuffer::new(), arguments: None, has_comma: false, ends }
    }

    /// Begins the line of a call that begins.
    pub fn begin(&mut self, event: &Event<'_>) {
        self.line.clear();
        self.arguments = None;
        self.has_comma = false;
        if !self.options.time {
            return;
        }
        if self.options.times == TimesOf::Events {
            self.write_time_of_log(event.begin_ns);
        } else {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let _ = write!(self.line, "{}.{:06} ", now.as_secs(), now.subsec_micros());
        }
    }

    /// Writes when a call of a log began: since 1970, or by the clock of a log without dates. Some logs have no times.
    fn write_time_of_log(&mut self, begin_ns: u64) {
        const DATED: u64 = 100_000_000;
        if begin_ns == 0 {
            return;
        }
        let seconds = begin_ns / 1_000_000_000;
        let micros = begin_ns / 1_000 % 1_000_000;
        let _ = if seconds >= DATED {
            write!(self.line, "{seconds}.{micros:06} ")
        } else {
            let hours = seconds / 3_600 % 24;
            let minutes = seconds / 60 % 60;
            write!(self.line, "{hours:02}:{minutes:02}:{:02}.{micros:06} ", seconds % 60)
        };
    }

    /// The line as far as it is known before the call returns.
    pub fn first_half(&mut self, event: &Event<'_>) -> &str {
        self.write_first_half(event);
        self.line.as_str()
    }

    fn write_first_half(&mut self, event: &Event<'_>) {
        self.write_arguments(event);
        // The missing argument may be one that the call fills in, or an optional one: the third argument of fcntl(2).
        let next = event.callee.parameters().get(event.args.len());
        let fills = event.function().map_or(&[][..], |function| function.page().fills);
        let more_will_follow = next.is_some_and(|next| fills.contains(next));
        if more_will_follow && !event.args.is_empty() && !self.has_comma {
            self.line.push_str(", ");
            self.has_comma = true;
        }
    }

    /// The whole line.
    pub fn whole(&mut self, event: &Event<'_>) -> &str {
        self.write_whole(event);
        self.line.as_str()
    }

    fn write_whole(&mut self, event: &Event<'_>) {
        self.write_arguments(event);
        if let Some(ends) = &mut self.ends {
            ends.learn(event);
        }
        self.write_outcome(event);
    }

    fn write_arguments(&mut self, event: &Event<'_>) {
        if self.arguments.is_none() {
            self.styled(FUNCTION, event.callee.name());
            self.line.push(b'(');
        }
        let written = self.arguments.replace(event.args.len()).unwrap_or(0);
        let mut needs_comma = written > 0 && !std::mem::take(&mut self.has_comma);
        for arg in event.args.get(written..).unwrap_or_default() {
            if needs_comma {
                self.line.push_str(", ");
            }
            needs_comma = true;
            write_arg(&mut self.line, arg, self.options.limits);
            if let (Some(ends), Arg::Fd(fd)) = (&self.ends, arg) {
                ends.write(&mut self.line, *fd);
            }
        }
    }

    fn styled(&mut self, style: &str, text: &str) {
        if self.options.color {
            let _ = write!(self.line, "{style}{text}{PLAIN}");
        } else {
            self.line.push_str(text);
        }
    }

    fn write_outcome(&mut self, event: &Event<'_>) {
        self.line.push_str(") = ");
        match event.outcome {
            Outcome::Unknown => self.line.push(b'?'),
            Outcome::Error(errno) => {
                let text = format!("-1 {errno}");
                self.styled(FAILURE, &text);
            }
            Outcome::Value(value) => {
                self.write_value(value, &event.note);
                let makes_fd = matches!(event.callee.effect(), Effect::Accepts | Effect::Copies);
                if let (Some(ends), true) = (&self.ends, makes_fd) {
                    ends.write(&mut self.line, FdNumber::new(value as i32));
                }
                write_note(&mut self.line, &event.note, value, self.options.limits);
            }
        }
        match event.mark {
            Mark::None => {}
            Mark::Refused => self.line.push_str(" (refused)"),
            Mark::Libc => self.line.push_str(" (libc)"),
            Mark::Injected => self.line.push_str(" (INJECTED)"),
        }
        if event.function().is_some_and(|function| function.page().is_library) {
            self.line.push_str(" (library)");
        }
        let _ = match event.states {
            States { after: Some(after), .. } => write!(self.line, "   {after}"),
            States { before: Some(before), after: None } => write!(self.line, "   was {before}"),
            States { before: None, after: None } => Ok(()),
        };
        if self.options.duration {
            let took_us = event.end_ns.saturating_sub(event.begin_ns) / 1_000;
            let _ = write!(self.line, " <{}.{:06}>", took_us / 1_000_000, took_us % 1_000_000);
        }
    }

    fn write_value(&mut self, value: i64, note: &Note<'_>) {
        let _ = match note {
            Note::OpenFlags(_) | Note::FdFlags(_) if value != 0 => write!(self.line, "{value:#x}"),
            Note::Code(code, _) => write!(self.line, "{code}"),
            _ => return self.line.decimal(value),
        };
    }
}

/// Writes calls as lines of text, and remarks below them.
#[derive(Debug)]
pub struct TextSink {
    output: Output,
    writer: OutputShare,
    pace: Pace,
    line: TextLine,
    /// How many bytes of the line are on the terminal already.
    written: usize,
}

impl TextSink {
    /// Writes lines to `output`.
    pub fn new(output: Output, options: TextOptions) -> Self {
        let writer = output.writer();
        let pace = output.pace();
        Self { output, writer, pace, line: TextLine::new(options), written: 0 }
    }
}

impl TextSink {
    /// Something else is to be written while a call waits: cut the call's line, as strace does.
    fn leave_half(&mut self) {
        if std::mem::take(&mut self.written) > 0 {
            self.output.cut_half_line(self.writer);
        }
    }
}

impl Sink for TextSink {
    fn begin(&mut self, event: &Event<'_>) {
        self.leave_half();
        self.line.begin(event);
    }

    fn wait(&mut self, event: &Event<'_>) {
        if self.pace == Pace::Live {
            let half = self.line.first_half(event);
            self.output.half_line(self.writer, half);
            self.written = half.len();
        } else {
            self.output.flush();
        }
    }

    fn end(&mut self, event: &Event<'_>) {
        self.line.write_whole(event);
        let whole = self.line.line.as_bytes();
        if self.written == 0 {
            self.output.line(self.writer, whole);
        } else {
            let resumed = format!("<... {} resumed>", event.callee);
            self.output.rest_of_line(self.writer, &resumed, &whole[self.written..]);
            self.written = 0;
        }
    }

    fn remark(&mut self, text: &str) {
        let columns = self.line.options.columns.unwrap_or(usize::MAX);
        wrapped(text, columns.saturating_sub(INDENT.len())).into_iter().for_each(|part| {
            self.drawing(part);
        });
    }

    fn drawing(&mut self, line: &str) {
        self.leave_half();
        self.line.line.clear();
        self.line.line.push_str(INDENT);
        self.line.styled(REMARK, line);
        self.output.line(self.writer, &self.line.line);
    }

    fn packet(&mut self, packet: &PacketWords<'_>) {
        self.leave_half();
        let indent = if packet.is_caused { INDENT } else { "" };
        self.line.line.clear();
        self.line.line.push_str(indent);
        self.line.styled(PACKET, packet.line);
        self.output.line(self.writer, &self.line.line);
        let indent = format!("{indent}{INDENT}");
        let columns = self.line.options.columns.unwrap_or(usize::MAX);
        for part in wrapped(packet.means.unwrap_or_default(), columns.saturating_sub(indent.len()))
        {
            self.line.line.clear();
            self.line.line.push_str(&indent);
            self.line.styled(REMARK, part);
            self.output.line(self.writer, &self.line.line);
        }
    }

    fn flush(&mut self) {
        self.output.flush();
    }

    fn wants_times(&self) -> bool {
        self.line.options.duration
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::names::{
        AF_UNIX, Errno, MSG_NOSIGNAL, MsgFlags, O_NONBLOCK, Protocol, SOCK_DGRAM, SOCK_STREAM,
    };
    use crate::sys;
    use crate::trace::{Tracer, install};

    /// An output for a test: records each write separately.
    #[derive(Clone, Default)]
    struct Writes(Arc<Mutex<Vec<String>>>);

    impl io::Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The writes that these calls cause.
    fn writes_of(pace: Pace, calls: impl FnOnce()) -> Vec<String> {
        let writes = Writes::default();
        let output = Output::new(writes.clone(), "a test", pace);
        let traced = install(Tracer::new(TextSink::new(output, TextOptions::default())));
        calls();
        drop(traced);
        writes.0.lock().unwrap().clone()
    }

    #[test]
    fn a_line_in_two_halves_is_the_line_in_one_piece() {
        let calls = || {
            let kind = SOCK_DGRAM;
            let [one, other] = sys::socketpair(AF_UNIX, kind, Protocol::default()).unwrap();
            sys::send(&one, b"a", MSG_NOSIGNAL).unwrap();
            sys::recvfrom(&other, &mut [0; 5], MsgFlags::NONE).unwrap();
        };
        // Descriptor numbers and addresses differ from run to run.
        let plain =
            |writes: &[String]| writes.concat().replace(|c: char| c.is_ascii_hexdigit(), "");
        let halves = writes_of(Pace::Live, calls);
        assert!(halves.iter().any(|half| half.ends_with(", ")), "no call waits: {halves:?}");
        assert_eq!(plain(&halves), plain(&writes_of(Pace::Collected, calls)));
    }

    #[test]
    fn calls_that_cannot_wait_are_collected() {
        let writes = writes_of(Pace::Collected, || {
            let pair = sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
            for end in &pair {
                sys::fcntl_setfl(end, sys::fcntl_getfl(end).unwrap() | O_NONBLOCK).unwrap();
            }
            let [one, other] = pair;
            for _ in 0..100 {
                sys::send(&one, b"a", MSG_NOSIGNAL).unwrap();
                sys::recv(&other, &mut [0; 5], MsgFlags::NONE).unwrap();
            }
            assert_eq!(sys::recv(&other, &mut [0; 5], MsgFlags::NONE), Err(Errno::EAGAIN));
        });
        assert_eq!(writes.len(), 1, "{writes:?}");
    }
}
