//! Which threads are of one process, learnt from the calls that make them.

use std::collections::HashMap;

use super::answer::RawCall;

/// How many threads and processes are remembered at a time.
const MOST: usize = 100_000;

/// The process of each thread that was seen.
#[derive(Debug, Default)]
pub(super) struct Processes {
    of: HashMap<u32, u32>,
    /// The last that was asked for: most lines are of the thread of the line before.
    last: (u32, u32),
}

impl Processes {
    /// The process of a thread. One that was not seen before is a thread of the process that is making one just now, if
    /// there is one: `pending` says which call of which thread has not returned.
    pub(super) fn process(
        &mut self,
        tid: u32,
        pending: impl FnOnce() -> Option<(u32, bool)>,
    ) -> u32 {
        if self.last.0 == tid {
            return self.last.1;
        }
        let known = self.of.get(&tid).copied();
        let process = known.unwrap_or_else(|| match pending() {
            Some((parent, true)) => self.of.get(&parent).copied().unwrap_or(parent),
            _ => tid,
        });
        if known.is_none() && self.of.len() < MOST {
            self.of.insert(tid, process);
        }
        self.last = (tid, process);
        process
    }

    /// Learns from a call that made a thread or a process.
    pub(super) fn made(&mut self, call: &RawCall<'_>, process: u32) {
        let Some(child) = call.answer.value.and_then(|child| u32::try_from(child).ok()) else {
            return;
        };
        if makes(call.name) && child > 0 && self.of.len() < MOST {
            let of = if is_thread(call.arguments) { process } else { child };
            self.of.insert(child, of);
            self.last = (child, of);
        }
    }

    /// Forgets a thread that has ended.
    pub(super) fn ended(&mut self, tid: u32) {
        self.of.remove(&tid);
        self.last = (0, 0);
    }
}

/// Whether a call makes threads or processes.
pub(super) fn makes(name: &str) -> bool {
    matches!(name, "clone" | "clone3" | "fork" | "vfork")
}

/// Whether what is made is a thread of the same process.
pub(super) fn is_thread(arguments: &str) -> bool {
    arguments.contains("CLONE_THREAD")
}
