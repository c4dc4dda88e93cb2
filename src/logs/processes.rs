//! Which threads belong to one process, learnt from the calls that create them.

use std::collections::HashMap;

use super::answer::RawCall;

/// How many threads and processes are remembered at a time.
const MOST: usize = 100_000;

/// The process of each thread that was seen.
#[derive(Debug, Default)]
pub(super) struct Processes {
    of: HashMap<u32, u32>,
    /// The last one asked for: most lines belong to the thread of the line before.
    last: Option<(u32, (u32, u32))>,
    /// On a terminal, strace names the process only while there are several. Before that the first process is 0; this
    /// is its id, once it was named.
    first: Option<u32>,
    has_nameless: bool,
    /// The first process has ended, so lines without a process may belong to another one.
    first_is_over: bool,
}

impl Processes {
    /// The process and the thread of a line that names this thread, or none (0). A new thread belongs to the process
    /// that is creating one at the moment, if there is one: `making` says which thread that is, and what it creates.
    pub(super) fn of_line(&mut self, named: u32, making: Option<(u32, bool)>) -> (u32, u32) {
        if let Some((last, found)) = self.last
            && last == named
        {
            return found;
        }
        let tid = self.thread(named, making);
        let known = self.of.get(&tid).copied();
        let process = known.unwrap_or_else(|| match making {
            Some((parent, true)) if tid != 0 => self.of.get(&parent).copied().unwrap_or(parent),
            _ => tid,
        });
        if known.is_none() && self.of.len() < MOST {
            self.of.insert(tid, process);
        }
        self.last = Some((named, (process, tid)));
        (process, tid)
    }

    fn thread(&mut self, named: u32, making: Option<(u32, bool)>) -> u32 {
        if named == 0 {
            self.has_nameless = true;
            // There is only one candidate left.
            let mut others = self.of.keys().filter(|tid| **tid != 0);
            return match (self.first_is_over, others.next(), others.next()) {
                (true, Some(only), None) => *only,
                _ => 0,
            };
        }
        let is_new = !self.of.contains_key(&named) && making.is_none();
        if self.has_nameless && self.first.is_none() && is_new {
            self.first = Some(named);
        }
        if self.first == Some(named) { 0 } else { named }
    }

    /// strace starts to follow a process.
    pub(super) fn attached(&mut self, pid: u32, making: Option<(u32, bool)>) {
        self.of_line(pid, making.or(Some((pid, false))));
    }

    /// Learns from a call that created a thread or a process.
    pub(super) fn made(&mut self, call: &RawCall<'_>, process: u32) {
        let child = call.answer.value.and_then(|child| u32::try_from(child).ok());
        if let Some(child) = child.filter(|child| *child > 0 && self.of.len() < MOST) {
            let of = if is_thread(call.arguments) { process } else { child };
            self.of.insert(child, of);
            self.last = None;
        }
    }

    /// Forgets a thread that has ended.
    pub(super) fn ended(&mut self, tid: u32) {
        self.of.remove(&tid);
        self.first_is_over |= tid == 0;
        self.last = None;
    }
}

/// Whether a call creates threads or processes.
pub(super) fn makes(name: &str) -> bool {
    matches!(name, "clone" | "clone3" | "fork" | "vfork")
}

/// Whether the call creates a thread of the same process.
pub(super) fn is_thread(arguments: &str) -> bool {
    arguments.contains("CLONE_THREAD")
}
