//! The calls of a log, held back until it is known between which packets they stand.
//!
//! strace reads the clock when it lets a call begin, and measures how long the call took; so the end that follows from the
//! two is a little early, because strace works in between. What a thread sends until its next call begins is still that call's
//! doing, and the next call is known a moment later.
//!
//! On a busy machine strace may have to wait for a processor in between, for many milliseconds. It works alone, so all of that
//! lies before the next moment that it reads, of whichever thread.

use std::collections::{BTreeSet, HashMap};

use baresock::logs::body::ProcessExit;
use baresock::logs::reader::{LogEvent, LogPlace};
use baresock::packets::cause::LatestEnd;
use baresock::trace::Event;

/// So long an item is held back: a call of the same moment in another thread is in the log by then.
const HELD_NS: u64 = 50_000_000;
/// A call may have returned so much later than its end says, if the thread's next call does not tell.
const MOST_LATE_NS: u64 = 2_000_000;

/// An item of a log that is kept.
#[derive(Debug)]
pub(super) enum HeldItem {
    Call(Box<Event<'static>>),
    Signal {
        pid: u32,
        name: String,
    },
    /// A thread exited.
    Exited {
        pid: u32,
        tid: u32,
        status: i32,
    },
    /// A signal killed a thread.
    Killed {
        pid: u32,
        tid: u32,
        name: String,
    },
}

/// An item with its place.
#[derive(Debug)]
pub(super) struct HeldLine {
    pub(super) item: HeldItem,
    begun: u64,
    line: u64,
    text: String,
    /// The moment that decides its place; of an item without a time, that of the one before.
    pub(super) moment_ns: u64,
}

impl HeldLine {
    pub(super) fn place(&self) -> LogPlace<'_> {
        LogPlace { log: 0, begun: self.begun, line: self.line, text: &self.text }
    }
}

impl HeldItem {
    fn of(told: &LogEvent<'_>) -> Option<Self> {
        Some(match told {
            LogEvent::Call(event) => Self::Call(Box::new((*event).clone().into_owned())),
            LogEvent::Signal { pid, name, stopped: false } => {
                Self::Signal { pid: *pid, name: (*name).to_string() }
            }
            LogEvent::Ended { pid, tid, end: ProcessExit::Exited(status) } => {
                Self::Exited { pid: *pid, tid: *tid, status: *status }
            }
            LogEvent::Ended { pid, tid, end: ProcessExit::Killed(name) } => {
                Self::Killed { pid: *pid, tid: *tid, name: (*name).to_string() }
            }
            _ => return None,
        })
    }

    /// As it was in the log.
    pub(super) fn told(&self) -> LogEvent<'_> {
        match self {
            Self::Call(event) => LogEvent::Call(event),
            Self::Signal { pid, name } => LogEvent::Signal { pid: *pid, name, stopped: false },
            Self::Exited { pid, tid, status } => {
                LogEvent::Ended { pid: *pid, tid: *tid, end: ProcessExit::Exited(*status) }
            }
            Self::Killed { pid, tid, name } => {
                LogEvent::Ended { pid: *pid, tid: *tid, end: ProcessExit::Killed(name) }
            }
        }
    }
}

/// The items that are held back.
#[derive(Debug, Default)]
pub(super) struct HeldLines {
    lines: Vec<HeldLine>,
    newest_ns: u64,
}

impl HeldLines {
    /// Adds an item.
    pub(super) fn add(&mut self, told: &LogEvent<'_>, place: &LogPlace<'_>) {
        let Some(item) = HeldItem::of(told) else { return };
        let moment_ns = match &item {
            // What the child does may come before its parent's call has returned.
            HeldItem::Call(event) if makes_process(event) => event.begin_ns,
            HeldItem::Call(event) => event.moment_ns(),
            _ => self.newest_ns,
        };
        self.newest_ns = self.newest_ns.max(moment_ns);
        let LogPlace { begun, line, text, .. } = *place;
        // Of two threads, strace may write the later call first.
        let at = self.lines.partition_point(|held| held.moment_ns <= moment_ns);
        let text = text.to_string();
        self.lines.insert(at, HeldLine { item, begun, line, text, moment_ns });
    }

    /// Takes those that have been held back long enough, each with the moment when it had returned at the latest.
    pub(super) fn take_due(&mut self) -> Vec<(HeldLine, LatestEnd)> {
        let newest_ns = self.newest_ns;
        let due = self.lines.partition_point(|held| held.moment_ns + HELD_NS < newest_ns);
        self.take(due)
    }

    /// Takes all of them.
    pub(super) fn take_all(&mut self) -> Vec<(HeldLine, LatestEnd)> {
        self.take(self.lines.len())
    }

    fn take(&mut self, count: usize) -> Vec<(HeldLine, LatestEnd)> {
        let begin_ns = |held: &HeldLine| match &held.item {
            HeldItem::Call(event) => Some(event.begin_ns),
            _ => None,
        };
        let all: BTreeSet<u64> = self.lines.iter().filter_map(begin_ns).collect();
        // The next beginning of each thread, found from the end.
        let mut begins: HashMap<u64, u64> = HashMap::new();
        let mut latest: Vec<LatestEnd> = Vec::new();
        for held in self.lines.iter().rev() {
            let HeldItem::Call(event) = &held.item else {
                latest.push(LatestEnd { usual_ns: held.moment_ns, delayed_ns: held.moment_ns });
                continue;
            };
            let next_ns = begins.insert(event.tid, event.begin_ns).unwrap_or(u64::MAX);
            let until = |end_ns: u64| next_ns.min(end_ns).max(event.end_ns);
            let usual_ns = until(event.end_ns + MOST_LATE_NS);
            let next_of_any = all.range(event.begin_ns + 1..).next();
            let delay_ns = next_of_any.map_or(0, |next_ns| next_ns - event.begin_ns);
            let delayed_ns = until(event.end_ns + delay_ns).max(usual_ns);
            latest.push(LatestEnd { usual_ns, delayed_ns });
        }
        latest.reverse();
        self.lines.drain(..count).zip(latest).collect()
    }
}

fn makes_process(event: &Event<'_>) -> bool {
    matches!(event.callee.name(), "fork" | "vfork" | "clone" | "clone3")
}

#[cfg(test)]
mod tests {
    use baresock::trace::Function;
    use baresock::trace::event::Callee;

    use super::*;

    fn call(tid: u64, function: Function, begin_ns: u64, end_ns: u64) -> Event<'static> {
        let mut event = Event::new(Callee::Known(function));
        (event.tid, event.begin_ns, event.end_ns) = (tid, begin_ns, end_ns);
        event
    }

    #[test]
    fn calls_are_ordered_by_their_moments_and_end_before_the_thread_s_next_begins() {
        const MS: u64 = 1_000_000;
        let mut held = HeldLines::default();
        let [send, recv] = [Function::SEND, Function::RECV];
        // In the order of the log.
        for (tid, function, begin, end) in [
            (1, recv, 0, 10),
            (2, send, 2, 12),
            (1, send, 11, 20),
            (2, recv, 13, 14),
            (2, send, 90, 91),
        ] {
            let event = call(tid, function, begin * MS, end * MS);
            held.add(&LogEvent::Call(&event), &LogPlace::default());
        }
        let taken = |lines: Vec<(HeldLine, LatestEnd)>| -> Vec<(u64, [u64; 2])> {
            let ends = |latest: &LatestEnd| [latest.usual_ns / MS, latest.delayed_ns / MS];
            lines.iter().map(|(line, latest)| (line.moment_ns / MS, ends(latest))).collect()
        };
        // strace may have let the fourth begin as late as just before the fifth.
        let due = [(2, [13, 13]), (10, [11, 11]), (11, [22, 22]), (14, [16, 90])];
        assert_eq!(taken(held.take_due()), due);
        assert_eq!(taken(held.take_all()), [(90, [93, 93])]);
        assert_eq!(taken(held.take_all()), []);
    }
}
