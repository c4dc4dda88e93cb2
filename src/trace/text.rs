//! Calls as lines of text.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use anstyle::{AnsiColor, Style};

use super::arg::{Arg, Limits};
use super::notation::{decimal, write_arg, write_note};
use super::output::{Output, Pace, Writer};
use super::tracer::{Call, Ended, Mark, Outcome, Sink, States};

const FUNCTION: Style = Style::new().bold();
/// The dark red is hard to read on black.
const FAILURE: Style = AnsiColor::BrightRed.on_default();
const REMARK: Style = AnsiColor::Cyan.on_default();

/// Remarks stand under their call, a little to the right.
const INDENT: &str = "    ";

/// How lines of text are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextOptions {
    /// How much of strings and arrays is shown.
    pub limits: Limits,
    /// Each line begins with the time of day, in seconds since 1970 (strace's `-ttt`).
    pub time: bool,
    /// Each line ends with how long the call took (strace's `-T`).
    pub duration: bool,
    /// Names and failures are coloured.
    pub color: bool,
    /// Remarks are broken into lines of this many columns; without, each is one line.
    pub columns: Option<usize>,
}

/// Writes calls as lines of text in strace's notation.
#[derive(Debug)]
pub struct TextSink {
    output: Output,
    writer: Writer,
    pace: Pace,
    options: TextOptions,
    /// The line so far; used again for every line.
    line: String,
    arguments: usize,
    /// How much of the line stands on the terminal already.
    written: usize,
}

impl TextSink {
    /// Lines go to `output`.
    pub fn new(output: Output, options: TextOptions) -> Self {
        let (writer, pace) = (output.writer(), output.pace());
        Self { output, writer, pace, options, line: String::new(), arguments: 0, written: 0 }
    }

    fn write_arguments(&mut self, args: &[Arg<'_>]) {
        for arg in args {
            if self.arguments > 0 {
                self.line.push_str(", ");
            }
            write_arg(&mut self.line, arg, self.options.limits);
            self.arguments += 1;
        }
    }

    fn styled(&mut self, style: Style, text: &str) {
        if self.options.color {
            let _ = write!(self.line, "{style}{text}{style:#}");
        } else {
            self.line.push_str(text);
        }
    }

    fn write_outcome(&mut self, ended: &Ended<'_>) {
        self.line.push_str(") = ");
        match ended.outcome {
            Outcome::Unknown => self.line.push('?'),
            Outcome::Error(errno) => {
                let text = format!("-1 {errno}");
                self.styled(FAILURE, &text);
            }
            Outcome::Value(value) => {
                self.write_value(value, ended);
                write_note(&mut self.line, ended.note, value, self.options.limits);
            }
        }
        self.line.push_str(match ended.mark {
            Mark::None => "",
            Mark::Refused => " (refused)",
            Mark::Libc => " (libc)",
            Mark::Injected => " (INJECTED)",
        });
        if ended.call.function.page().is_library {
            self.line.push_str(" (library)");
        }
        let _ = match ended.states {
            States { after: Some(after), .. } => write!(self.line, "   {after}"),
            States { before: Some(before), after: None } => write!(self.line, "   was {before}"),
            States { before: None, after: None } => Ok(()),
        };
        if self.options.duration {
            let took_us = ended.end_ns.saturating_sub(ended.call.begin_ns) / 1_000;
            let _ = write!(self.line, " <{}.{:06}>", took_us / 1_000_000, took_us % 1_000_000);
        }
    }

    fn write_value(&mut self, value: i64, ended: &Ended<'_>) {
        use super::arg::Note;
        let _ = match ended.note {
            Note::OpenFlags(_) | Note::FdFlags(_) if value != 0 => write!(self.line, "{value:#x}"),
            Note::Code(code, _) => write!(self.line, "{code}"),
            _ => return decimal(&mut self.line, value),
        };
    }
}

impl Sink for TextSink {
    fn begin(&mut self, call: &Call, args: &[Arg<'_>]) {
        self.line.clear();
        self.arguments = 0;
        self.written = 0;
        if self.options.time {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let _ = write!(self.line, "{}.{:06} ", now.as_secs(), now.subsec_micros());
        }
        self.styled(FUNCTION, call.function.name());
        self.line.push('(');
        self.write_arguments(args);
        if !call.may_wait {
            return;
        }
        if self.pace == Pace::Live {
            if args.len() < call.function.page().parameters.len() {
                self.line.push_str(", ");
            }
            self.output.half_line(self.writer, &self.line);
            self.written = self.line.len();
        } else {
            self.output.flush();
        }
    }

    fn rest(&mut self, args: &[Arg<'_>]) {
        if self.written == self.line.len() && !args.is_empty() {
            // Half the line is on the terminal, and ends with its comma already.
            self.arguments = 0;
        }
        self.write_arguments(args);
    }

    fn end(&mut self, ended: &Ended<'_>) {
        self.write_outcome(ended);
        if self.written == 0 {
            self.output.line(self.writer, &self.line);
        } else {
            let resumed = format!("<... {} resumed>", ended.call.function.name());
            self.output.rest_of_line(self.writer, &resumed, &self.line[self.written..]);
        }
    }

    fn remark(&mut self, text: &str) {
        let columns = self.options.columns.unwrap_or(usize::MAX);
        for part in wrapped(text, columns.saturating_sub(INDENT.len())) {
            self.line.clear();
            self.line.push_str(INDENT);
            self.styled(REMARK, part);
            self.output.line(self.writer, &self.line);
        }
    }

    fn drawing(&mut self, line: &str) {
        self.line.clear();
        self.line.push_str(INDENT);
        self.styled(REMARK, line);
        self.output.line(self.writer, &self.line);
    }

    fn flush(&mut self) {
        self.output.flush();
    }

    fn wants_times(&self) -> bool {
        self.options.duration
    }
}

/// Breaks a text between words into lines of at most `columns` characters; where it can be, not within parentheses. A
/// longer word has a line of its own.
pub fn wrapped(text: &str, columns: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let fits = match rest.char_indices().nth(columns) {
            None => rest.len(),
            Some((end, _)) => {
                let next = &rest[end..];
                let space = if next.starts_with(' ') { Some(end) } else { rest[..end].rfind(' ') };
                let before = space.map(|space| before_parenthesis(rest, space));
                before.or_else(|| rest[end..].find(' ').map(|at| end + at)).unwrap_or(rest.len())
            }
        };
        lines.push(rest[..fits].trim_end());
        rest = rest[fits..].trim_start();
    }
    lines
}

/// A place to break a line: this space, or the one before the parenthesis that it stands in.
fn before_parenthesis(text: &str, space: usize) -> usize {
    let open = text[..space].rfind(" (").filter(|open| !text[*open..space].contains(')'));
    open.filter(|open| *open > 0).unwrap_or(space)
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

    /// Where a trace goes that a test looks into: each write by itself.
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

    /// What is written of the calls that are made, in how many pieces.
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
        // The numbers and the place in memory differ from run to run.
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

    #[test]
    fn a_text_is_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 100), ["one two three"]);
        assert_eq!(wrapped("extraordinary one", 4), ["extraordinary", "one"]);
        assert_eq!(wrapped("a extraordinary", 4), ["a", "extraordinary"]);
        assert_eq!(wrapped("", 4), [""; 0]);
        assert_eq!(wrapped("one two (three four)", 14), ["one two", "(three four)"]);
        assert_eq!(wrapped("one (two) three", 14), ["one (two)", "three"]);
        assert_eq!(wrapped("(one two) three", 5), ["(one", "two)", "three"]);
        assert_eq!(wrapped("größer größer", 6), ["größer", "größer"]);
    }
}
