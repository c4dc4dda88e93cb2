//! Reads a log to its end: every call as an [`Event`], and everything between the calls.

use std::io::{self, Read};

use super::answer::{CallResult, RawCall};
use super::body::ProcessExit;
use super::calls::{CallReader, LogCounts, LogItem, Where};
use super::events::event;
use super::halves::whole;
use super::processes::{Processes, makes};
use super::restarts::Restarts;
use super::values::Store;
use crate::packets::json::is_packet;
use crate::trace::event::Event;

/// One item of a log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LogEvent<'a> {
    /// A call as the program made it: complete, with libc's names. A call that never returned has no outcome.
    Call(&'a Event<'a>),
    /// A signal arrived.
    Signal {
        /// The process that received it.
        pid: u32,
        /// `SIGPIPE`.
        name: &'a str,
        /// Whether it stopped the process.
        stopped: bool,
    },
    /// A thread ended; with it the process, if their numbers are equal.
    Ended {
        /// The process.
        pid: u32,
        /// The thread.
        tid: u32,
        /// How it ended.
        end: ProcessExit<'a>,
    },
    /// strace starts to follow this process, which existed before or was just created.
    Attached(u32),
    /// strace stops following this process, which goes on.
    Detached(u32),
    /// A line that is not understood.
    Text(&'a str),
}

/// The place in a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogPlace<'a> {
    /// The number of the log, from 0.
    pub log: usize,
    /// The line in which a call began, from 1.
    pub begun: u64,
    /// The line in which it returned.
    pub line: u64,
    /// The line as in the log, joined if it was in pieces.
    pub text: &'a str,
}

/// Reads one log, or several as one.
#[derive(Debug)]
pub struct LogReader<R> {
    logs: Vec<OpenLog<R>>,
    /// Whether the lines of several logs can be merged by time: every log has times.
    by_time: Option<bool>,
    teller: EventMaker,
}

#[derive(Debug)]
struct OpenLog<R> {
    calls: CallReader<R>,
    restarts: Restarts,
    is_over: bool,
}

/// What is needed to make an event from a call.
#[derive(Debug, Default)]
struct EventMaker {
    log: usize,
    seq: u64,
    store: Store,
    processes: Processes,
}

impl<R: Read> LogReader<R> {
    /// Reads these logs. Lines that do not name a process belong to the process given with the log; 0 is a process of
    /// unknown number.
    pub fn new(logs: impl IntoIterator<Item = (R, u32)>) -> Self {
        let log = |(from, pid)| OpenLog {
            calls: CallReader::new(from, pid),
            restarts: Restarts::default(),
            is_over: false,
        };
        Self {
            logs: logs.into_iter().map(log).collect(),
            by_time: None,
            teller: EventMaker::default(),
        }
    }

    /// What was read, so far.
    pub fn counts(&self) -> LogCounts {
        self.logs.iter().fold(LogCounts::default(), |sum, log| sum + log.calls.counts())
    }

    /// Reads a line and reports its content: nothing, one item or several. False at the end of all logs.
    ///
    /// # Errors
    /// The error of reading.
    pub fn read_line(
        &mut self,
        mut tell: impl FnMut(&LogEvent<'_>, &LogPlace<'_>),
    ) -> io::Result<bool> {
        let Some(at) = self.next_log()? else { return Ok(false) };
        let Self { logs, teller, .. } = self;
        let OpenLog { calls, restarts, is_over } = &mut logs[at];
        teller.log = at;
        let goes_on = calls.read_line(|said, place| {
            restarts.take(said, place, |said, place| teller.said(said, place, &mut tell));
        })?;
        if !goes_on {
            *is_over = true;
            restarts.end_all(|said, place| teller.said(said, place, &mut tell));
        }
        Ok(true)
    }

    /// The call that waits at the moment, if the line of one has begun and not ended: for a log that is still being
    /// written.
    pub fn waiting(&mut self, mut tell: impl FnMut(&LogEvent<'_>, &LogPlace<'_>)) {
        let Self { logs, teller, .. } = self;
        for log in logs.iter_mut().filter(|log| !log.is_over) {
            log.calls.waiting(|text, place| {
                let ids = teller.processes.of_line(place.pid, place.making);
                let seq = teller.seq;
                teller.unfinished(text, ids, place, &mut tell);
                // It is reported again when it has returned.
                teller.seq = seq;
            });
        }
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// The error of reading.
    pub fn read_all(
        &mut self,
        mut tell: impl FnMut(&LogEvent<'_>, &LogPlace<'_>),
    ) -> io::Result<()> {
        while self.read_line(&mut tell)? {}
        Ok(())
    }

    /// The log that comes next: the one with the earliest line, or the first one that has not ended.
    fn next_log(&mut self) -> io::Result<Option<usize>> {
        let first = self.logs.iter().position(|log| !log.is_over);
        if self.logs.len() < 2 || self.by_time == Some(false) {
            return Ok(first);
        }
        let mut earliest: Option<(u64, usize)> = None;
        for (at, log) in self.logs.iter_mut().enumerate().filter(|(_, log)| !log.is_over) {
            match log.calls.next_time()? {
                Some(time) if earliest.is_none_or(|(least, _)| time < least) => {
                    earliest = Some((time, at));
                }
                Some(_) => {}
                None if self.by_time.is_none() => {
                    self.by_time = Some(false);
                    return Ok(first);
                }
                // A line without a time follows the one before it.
                None => return Ok(Some(at)),
            }
        }
        self.by_time = Some(true);
        Ok(earliest.map(|(_, at)| at).or(first))
    }
}

impl EventMaker {
    fn said(
        &mut self,
        said: LogItem<'_>,
        place: &Where<'_>,
        tell: &mut impl FnMut(&LogEvent<'_>, &LogPlace<'_>),
    ) {
        if said == LogItem::Json {
            return self.recorded(place, tell);
        }
        let (pid, tid) = self.processes.of_line(place.pid, place.making);
        let told = match said {
            LogItem::Call(call) => {
                if makes(call.name) {
                    self.processes.made(&call, pid);
                }
                return self.call(&call, (pid, tid), place, tell);
            }
            LogItem::Unfinished(text) => return self.unfinished(text, (pid, tid), place, tell),
            LogItem::Signal { name, stopped } => LogEvent::Signal { pid, name, stopped },
            LogItem::Ended(end) => {
                self.processes.ended(tid);
                LogEvent::Ended { pid, tid, end }
            }
            LogItem::Attached(pid) => {
                self.processes.attached(pid, place.making);
                LogEvent::Attached(pid)
            }
            LogItem::Detached(pid) => LogEvent::Detached(pid),
            LogItem::Text | LogItem::Json => LogEvent::Text(place.text),
        };
        tell(&told, &self.place(place));
    }

    /// A line of a JSON trace contains the complete event.
    fn recorded(&mut self, place: &Where<'_>, tell: &mut impl FnMut(&LogEvent<'_>, &LogPlace<'_>)) {
        match Event::from_json(place.text) {
            Ok(event) => tell(&LogEvent::Call(&event), &self.place(place)),
            // The reports are about calls; a packet is left out.
            Err(_) if is_packet(place.text) => {}
            Err(_) => tell(&LogEvent::Text(place.text), &self.place(place)),
        }
    }

    fn call(
        &mut self,
        call: &RawCall<'_>,
        (pid, tid): (u32, u32),
        place: &Where<'_>,
        tell: &mut impl FnMut(&LogEvent<'_>, &LogPlace<'_>),
    ) {
        let at = self.place(place);
        let begin_ns = place.time;
        let end_ns =
            call.took_ns.map_or(place.returned, |took| begin_ns.saturating_add(took)).max(begin_ns);
        let mut event =
            event(call, &mut self.store.room(call.arguments.len() + call.answer.rest.len()));
        (event.pid, event.tid) = (pid, u64::from(tid));
        (event.begin_ns, event.end_ns) = (begin_ns, end_ns);
        event.seq = self.seq;
        self.seq += 1;
        tell(&LogEvent::Call(&event), &at);
    }

    /// A call of which only the name is known, and perhaps the descriptor.
    fn unfinished(
        &mut self,
        text: &str,
        ids: (u32, u32),
        place: &Where<'_>,
        tell: &mut impl FnMut(&LogEvent<'_>, &LogPlace<'_>),
    ) {
        let answer = CallResult { value: None, error: None, rest: "" };
        let call = whole(text).or_else(|| {
            let (name, arguments) = text.split_once('(')?;
            let arguments = arguments.trim_ascii_end().trim_end_matches(',');
            Some(RawCall { name, arguments, answer, took_ns: None })
        });
        if let Some(call) = call {
            self.call(&RawCall { answer, ..call }, ids, place, tell);
        }
    }

    const fn place<'a>(&self, place: &Where<'a>) -> LogPlace<'a> {
        LogPlace { log: self.log, begun: place.begun, line: place.line, text: place.text }
    }
}
