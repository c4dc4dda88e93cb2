//! The sources of the traces: threads, each with its calls in order.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::Side;
use crate::trace::Event;
use crate::trace::descriptors::DescriptorTable;

/// One thread of one process in one trace.
#[derive(Debug)]
pub(super) struct Speaker {
    pid: u32,
    tid: u64,
    /// Its name in the text that goes with the trace, if there is one: "client A".
    pub(super) name: Option<&'static str>,
    /// The number of its clock.
    pub(super) clock: usize,
    /// Whether it listens or accepts.
    pub(super) accepts: bool,
    pub(super) connects: bool,
    pub(super) descriptors: DescriptorTable,
}

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name, u64::from(self.pid) == self.tid) {
            (Some(name), _) => f.write_str(name),
            (None, true) => write!(f, "pid {}", self.pid),
            (None, false) => write!(f, "pid {} thread {}", self.pid, self.tid),
        }
    }
}

impl Speaker {
    /// The speaker that made this call.
    pub(super) fn new(call: &Event<'_>, name: Option<&'static str>, clock: usize) -> Self {
        Self {
            pid: call.pid,
            tid: call.tid,
            name,
            clock,
            accepts: false,
            connects: false,
            descriptors: DescriptorTable::default(),
        }
    }

    /// The column for its calls that belong to no connection.
    pub(super) const fn side(&self) -> Side {
        if self.connects && !self.accepts { Side::Left } else { Side::Right }
    }
}

/// A process, a thread, and the clock of its times.
pub(super) type SpeakerKey = (u32, u64, Option<Arc<str>>);

pub(super) fn speaker(call: &Event<'_>) -> SpeakerKey {
    (call.pid, call.tid, call.clock.clone())
}

/// The calls of each thread in the order in which they began, in the places that the thread has in the file: shuffled
/// or sorted lines do not make another trace.
pub(super) fn in_order(trace: Vec<Event<'static>>) -> Vec<Event<'static>> {
    let places: Vec<SpeakerKey> = trace.iter().map(speaker).collect();
    let mut by_speaker: HashMap<SpeakerKey, Vec<Event<'static>>> = HashMap::new();
    for call in trace {
        by_speaker.entry(speaker(&call)).or_default().push(call);
    }
    let ordered = by_speaker.into_iter().map(|(speaker, mut calls)| {
        calls.sort_by_key(|call| call.begin_ns);
        (speaker, VecDeque::from(calls))
    });
    let mut ordered: HashMap<SpeakerKey, VecDeque<Event<'static>>> = ordered.collect();
    let next = |speaker| ordered.get_mut(speaker).and_then(VecDeque::pop_front);
    places.iter().filter_map(next).collect()
}
