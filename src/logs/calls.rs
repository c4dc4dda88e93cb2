//! The calls of one log, complete and in order: lines are read, cleaned, taken apart, and put together if they came in
//! pieces.

use std::io::{self, Read};

use super::answer::RawCall;
use super::body::{LineBody, ProcessExit};
use super::clean::{Habits, clean, unreadable};
use super::clock::Clock;
use super::halves::{HalfCall, Halves, Origin, cut, headless, is_new, whole};
use super::line::{LogLine, Stamp};
use super::lines::Lines;

/// Counts of what was read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Lines.
    pub lines: u64,
    /// Calls, counted as the kernel sees them: a restarted call counts again, as in `strace -c`.
    pub calls: u64,
    /// Calls that had not returned when their process or the log ended.
    pub unfinished: u64,
    /// Second halves of calls whose first halves are not in the log.
    pub headless: u64,
    /// Signals.
    pub signals: u64,
    /// Lines that this reader does not understand.
    pub not_understood: u64,
    /// Lines that are too long; they count among those not understood.
    pub too_long: u64,
}

impl std::ops::Add for LogCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            lines: self.lines + other.lines,
            calls: self.calls + other.calls,
            unfinished: self.unfinished + other.unfinished,
            headless: self.headless + other.headless,
            signals: self.signals + other.signals,
            not_understood: self.not_understood + other.not_understood,
            too_long: self.too_long + other.too_long,
        }
    }
}

/// One item of a log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LogItem<'a> {
    /// A call, from its name to its answer.
    Call(RawCall<'a>),
    /// A call that never returned: from its name to where it stops.
    Unfinished(&'a str),
    /// A signal; see [`LineBody::Signal`].
    Signal {
        /// `SIGPIPE`.
        name: &'a str,
        /// Whether it stopped the process.
        stopped: bool,
    },
    /// The process ended.
    Ended(ProcessExit<'a>),
    /// strace starts to follow a process.
    Attached(u32),
    /// strace stops following a process.
    Detached(u32),
    /// A line of a JSON trace.
    Json,
    /// A line that is not understood.
    Text,
}

/// The line, the time, and the calling thread.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Where<'a> {
    /// The process or thread; 0 if the log does not say.
    pub pid: u32,
    /// The line in which a call began, from 1.
    pub begun: u64,
    /// The line in which it returned.
    pub line: u64,
    /// When the call began, in nanoseconds; 0 if unknown.
    pub time: u64,
    /// When the line of its return was written, if that is another line; otherwise 0.
    pub returned: u64,
    /// The line as in the log, joined if it was in pieces.
    pub text: &'a str,
    /// The thread that is creating another thread or process at the moment, and whether it will be a thread.
    pub making: Option<(u32, bool)>,
}

/// Reads the calls of one log.
#[derive(Debug)]
pub struct CallReader<R> {
    lines: Lines<R>,
    habits: Option<Habits>,
    halves: Halves,
    counts: LogCounts,
    /// The process of all lines that do not name one (a file of `-ff`).
    pid: u32,
    clock: Clock,
    scratch: String,
}

impl<R: Read> CallReader<R> {
    /// The calls in `from`; lines that do not name a process belong to `pid`, or 0 if it is unknown.
    pub fn new(from: R, pid: u32) -> Self {
        Self {
            lines: Lines::new(from),
            habits: None,
            halves: Halves::default(),
            counts: LogCounts::default(),
            pid,
            clock: Clock::default(),
            scratch: String::new(),
        }
    }

    /// What was read, so far.
    pub const fn counts(&self) -> LogCounts {
        self.counts
    }

    /// When the next line was written, if it says so; `None` at the end, or if it only says how much later than another
    /// line.
    ///
    /// # Errors
    /// The error of reading.
    pub fn next_time(&mut self) -> io::Result<Option<u64>> {
        let Self { lines, habits, clock, scratch, .. } = self;
        let text = clean(lines.peek_line()?, habits.unwrap_or_default(), scratch);
        Ok(match LogLine::parse(text).time {
            None | Some(Stamp::SincePrevious(_)) => None,
            // The time that the line will have when it is read.
            Some(stamp) => Some({ *clock }.time(stamp)),
        })
    }

    /// The call whose line has begun and not ended, in a log that is still being written: that call waits.
    pub fn waiting(&mut self, tell: impl FnOnce(&str, &Where<'_>)) {
        let Self { lines, habits, counts, pid, clock, scratch, .. } = self;
        let beginning = lines.beginning();
        if memchr::memchr(b'\n', beginning).is_some() {
            return;
        }
        let text = clean(beginning, habits.unwrap_or_default(), scratch);
        let line = LogLine::parse(text);
        let LineBody::Open { text, attached: None } = line.body else { return };
        let time = line.time.map_or(0, |stamp| { *clock }.time(stamp));
        let pid = line.pid.unwrap_or(*pid);
        let number = counts.lines + 1;
        tell(text, &Where { pid, begun: number, line: number, time, text, ..Where::default() });
    }

    /// Reads a line and reports its content: nothing, one item or several. False at the end of the log.
    ///
    /// # Errors
    /// The error of reading.
    pub fn read_line(&mut self, mut tell: impl FnMut(LogItem<'_>, &Where<'_>)) -> io::Result<bool> {
        let habits = match self.habits {
            Some(habits) => habits,
            None => {
                let sample = self.lines.sample()?;
                if let Some(why) = unreadable(sample) {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
                *self.habits.insert(Habits::of(sample))
            }
        };
        let Self { lines, halves, counts, pid, clock, scratch, .. } = self;
        let mut teller = LineTeller { tell: &mut tell, counts, clock, pid: *pid };
        let Some(found) = lines.next_line()? else {
            teller.give_up_all(halves);
            return Ok(false);
        };
        teller.counts.lines += 1;
        if found.is_too_long {
            teller.counts.too_long += 1;
            let beginning = String::from_utf8_lossy(&found.bytes[..TEXT_BYTES]);
            teller.text(&beginning);
            return Ok(true);
        }
        let text = clean(found.bytes, habits, scratch);
        if !text.is_empty() {
            teller.line(text, halves);
        }
        Ok(true)
    }
}

/// How many bytes are shown of a line that is too long.
const TEXT_BYTES: usize = 1 << 10;

/// Reports the content of one line.
struct LineTeller<'t, F> {
    tell: &'t mut F,
    counts: &'t mut LogCounts,
    clock: &'t mut Clock,
    /// The process of lines that do not name one.
    pid: u32,
}

impl<F: FnMut(LogItem<'_>, &Where<'_>)> LineTeller<'_, F> {
    fn line(&mut self, text: &str, halves: &mut Halves) {
        let line = LogLine::parse(text);
        if halves.open.is_some() {
            if !is_new(&line.body) && halves.go_on(text) {
                self.open(halves);
                return;
            }
            if let Some(open) = halves.open.take() {
                self.give_up(open, halves);
            }
        }
        let number = self.counts.lines;
        let time = line.time.map_or(0, |stamp| self.clock.time(stamp));
        let origin = Origin { pid: line.pid, line: number, time };
        let place = Where {
            pid: line.pid.unwrap_or(self.pid),
            begun: number,
            line: number,
            time,
            returned: 0,
            text,
            making: halves.making(),
        };
        match line.body {
            LineBody::Call(call) => self.call(call, &place),
            LineBody::Begun(begun) => {
                if let Some(old) = halves.begin(origin, begun) {
                    self.give_up(old, halves);
                }
            }
            LineBody::Resumed { name, rest } => {
                self.resumed((name, rest), line.pid, &place, halves)
            }
            LineBody::Open { text, attached } => {
                halves.open(origin, text);
                if let Some(pid) = attached {
                    (self.tell)(LogItem::Attached(pid), &place);
                }
            }
            LineBody::Signal { name, stopped } => {
                self.counts.signals += 1;
                (self.tell)(LogItem::Signal { name, stopped }, &place);
            }
            LineBody::Ended(end) => {
                if let Some(half) = halves.take(line.pid) {
                    self.give_up(half, halves);
                }
                (self.tell)(LogItem::Ended(end), &place);
            }
            LineBody::Attached(pid) => (self.tell)(LogItem::Attached(pid), &place),
            LineBody::Detached(pid) => (self.tell)(LogItem::Detached(pid), &place),
            LineBody::Json => (self.tell)(LogItem::Json, &place),
            LineBody::Remark => {}
            LineBody::Text => self.text(text),
        }
    }

    fn call(&mut self, call: RawCall<'_>, place: &Where<'_>) {
        self.counts.calls += 1;
        (self.tell)(LogItem::Call(call), place);
    }

    /// Continues a wrapped call by one more line.
    fn open(&mut self, halves: &mut Halves) {
        let Some(half) = halves.take_whole() else { return };
        match half.text.strip_suffix("<unfinished ...>") {
            Some(begun) => {
                if let Some(old) = halves.begin(half.origin, begun) {
                    self.give_up(old, halves);
                }
            }
            None => self.joined(&half, None),
        }
        halves.recycle(half);
    }

    fn resumed(
        &mut self,
        (name, rest): (&str, &str),
        pid: Option<u32>,
        place: &Where<'_>,
        halves: &mut Halves,
    ) {
        let joined = halves.take(pid).map(|mut half| (half.join(name, rest), half));
        match joined {
            Some((true, half)) if whole(&half.text).is_some() => {
                self.joined(&half, Some(place));
                halves.recycle(half);
                return;
            }
            // The second half was wrapped.
            Some((true, half)) => {
                halves.open = Some(half);
                return;
            }
            Some((false, half)) => self.give_up(half, halves),
            None => {}
        }
        match headless(name, rest) {
            Some(call) => {
                self.counts.headless += 1;
                self.call(call, place);
            }
            None => self.text(place.text),
        }
    }

    /// A call that is complete now.
    fn joined(&mut self, half: &HalfCall, end: Option<&Where<'_>>) {
        let Some(call) = whole(&half.text) else { return };
        let place = Where {
            pid: half.origin.pid.unwrap_or(self.pid),
            begun: half.origin.line,
            line: end.map_or(self.counts.lines, |end| end.line),
            time: half.origin.time,
            returned: end.map_or(0, |end| end.time),
            text: &half.text,
            making: None,
        };
        self.call(call, &place);
    }

    /// A call whose rest will not come.
    fn give_up(&mut self, half: HalfCall, halves: &mut Halves) {
        let place = Where {
            pid: half.origin.pid.unwrap_or(self.pid),
            begun: half.origin.line,
            line: half.origin.line,
            time: half.origin.time,
            returned: 0,
            text: &half.text,
            making: None,
        };
        match cut(&half.text) {
            // The result was cut, but the number is there.
            Some(call) => self.call(call, &place),
            None => {
                self.counts.unfinished += 1;
                (self.tell)(LogItem::Unfinished(&half.text), &place);
            }
        }
        halves.recycle(half);
    }

    fn give_up_all(&mut self, halves: &mut Halves) {
        if let Some(open) = halves.open.take() {
            self.give_up(open, halves);
        }
        for half in halves.take_all() {
            self.give_up(half, halves);
        }
    }

    fn text(&mut self, text: &str) {
        self.counts.not_understood += 1;
        let pid = self.pid;
        let line = self.counts.lines;
        let place = Where { pid, begun: line, line, time: 0, returned: 0, text, making: None };
        (self.tell)(LogItem::Text, &place);
    }
}
