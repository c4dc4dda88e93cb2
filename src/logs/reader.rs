//! Reading a log to its end: every call as an [`Event`], and what is between them.

use std::io::{self, Read};
use std::sync::Arc;

use super::answer::{Answer, RawCall};
use super::body::End;
use super::calls::{Calls, Counts, Said, Where};
use super::events::event;
use super::processes::{Processes, makes};
use super::restarts::Restarts;
use super::values::Store;
use crate::trace::event::Event;

/// What a log tells, one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told<'a> {
    /// A call, as the program made it: in one piece, with the names of libc. One that never returned has no outcome.
    Call(&'a Event<'a>),
    /// A signal arrived.
    Signal {
        /// In this process.
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
        /// How.
        end: End<'a>,
    },
    /// strace begins to follow this process, which had begun before or has just been made.
    Attached(u32),
    /// strace lets go of this process, which goes on.
    Detached(u32),
    /// A line that is not understood.
    Text(&'a str),
}

/// Where a log tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// Which of several logs, from 0.
    pub log: usize,
    /// The line in which a call began, from 1.
    pub begun: u64,
    /// The line in which it returned.
    pub line: u64,
    /// The line as the log has it, joined if it was in pieces.
    pub text: &'a str,
}

/// Reads one log.
#[derive(Debug)]
pub struct LogReader<R> {
    calls: Calls<R>,
    restarts: Restarts,
    teller: Teller,
}

/// What is needed to make an event of a call.
#[derive(Debug)]
struct Teller {
    log: usize,
    seq: u64,
    store: Store,
    clock_name: Option<Arc<str>>,
    processes: Processes,
}

impl<R: Read> LogReader<R> {
    /// Reads what `from` has, as log number `log`. Lines that do not say whose they are are those of the process `pid`.
    pub fn new(from: R, log: usize, pid: u32) -> Self {
        let teller = Teller {
            log,
            seq: 0,
            store: Store::default(),
            clock_name: None,
            processes: Processes::default(),
        };
        Self { calls: Calls::new(from, pid), restarts: Restarts::default(), teller }
    }

    /// What was read, so far.
    pub const fn counts(&self) -> Counts {
        self.calls.counts()
    }

    /// Reads a line, and tells what it says: nothing, one thing or several. False at the end of the log.
    ///
    /// # Errors
    /// What reading gave.
    pub fn read_line(&mut self, mut tell: impl FnMut(&Told<'_>, &Place<'_>)) -> io::Result<bool> {
        let Self { calls, restarts, teller } = self;
        let goes_on = calls.read_line(|said, place| {
            restarts.take(said, place, |said, place| teller.said(said, place, &mut tell));
        })?;
        if !goes_on {
            restarts.end_all(|said, place| teller.said(said, place, &mut tell));
        }
        Ok(goes_on)
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// What reading gave.
    pub fn read_all(&mut self, mut tell: impl FnMut(&Told<'_>, &Place<'_>)) -> io::Result<()> {
        while self.read_line(&mut tell)? {}
        Ok(())
    }
}

impl Teller {
    fn said(
        &mut self,
        said: Said<'_>,
        place: &Where<'_>,
        tell: &mut impl FnMut(&Told<'_>, &Place<'_>),
    ) {
        let tid = place.pid;
        let pid = self.processes.process(tid, || place.making);
        let told = match said {
            Said::Call(call) => {
                if makes(call.name) {
                    self.processes.made(&call, pid);
                }
                return self.call(&call, (pid, tid), place, tell);
            }
            Said::Unfinished(text) => return self.unfinished(text, (pid, tid), place, tell),
            Said::Signal { name, stopped } => Told::Signal { pid, name, stopped },
            Said::Ended(end) => {
                self.processes.ended(tid);
                Told::Ended { pid, tid, end }
            }
            Said::Attached(pid) => Told::Attached(pid),
            Said::Detached(pid) => Told::Detached(pid),
            Said::Text => Told::Text(place.text),
        };
        tell(&told, &self.place(place));
    }

    fn call(
        &mut self,
        call: &RawCall<'_>,
        (pid, tid): (u32, u32),
        place: &Where<'_>,
        tell: &mut impl FnMut(&Told<'_>, &Place<'_>),
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
        event.clock.clone_from(&self.clock_name);
        self.seq += 1;
        tell(&Told::Call(&event), &at);
    }

    /// A call of which no more is known than its name, and perhaps its descriptor.
    fn unfinished(
        &mut self,
        text: &str,
        ids: (u32, u32),
        place: &Where<'_>,
        tell: &mut impl FnMut(&Told<'_>, &Place<'_>),
    ) {
        let Some((name, arguments)) = text.split_once('(') else { return };
        let answer = Answer { value: None, error: None, rest: "" };
        let arguments = arguments.trim_ascii_end().trim_end_matches(',');
        self.call(&RawCall { name, arguments, answer, took_ns: None }, ids, place, tell);
    }

    const fn place<'a>(&self, place: &Where<'a>) -> Place<'a> {
        Place { log: self.log, begun: place.begun, line: place.line, text: place.text }
    }
}
