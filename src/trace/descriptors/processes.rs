//! The descriptors of several processes, for a log of all of them.

use std::collections::HashMap;

use super::DescriptorTable;
use crate::trace::arg::Arg;
use crate::trace::event::{Event, Outcome};

/// How many processes are remembered at a time. When a log has more, all are forgotten and it starts again.
const MOST: usize = 4_096;

/// A table for each process. A child begins with a copy of its parent's, as after `fork`.
#[derive(Debug, Default)]
pub struct DescriptorTables(HashMap<u32, DescriptorTable>);

impl DescriptorTables {
    /// The descriptors of the process that made the call.
    pub fn of(&mut self, event: &Event<'_>) -> &mut DescriptorTable {
        if self.0.len() >= MOST && !self.0.contains_key(&event.pid) {
            self.0.clear();
        }
        self.0.entry(event.pid).or_default()
    }

    /// Learns from a call.
    pub fn learn(&mut self, event: &Event<'_>) {
        let table = self.of(event);
        table.learn(event);
        let Outcome::Value(value) = event.outcome else { return };
        match event.callee.name() {
            "execve" | "execveat" => table.exec(),
            "fork" | "vfork" | "clone" | "clone3" if !makes_thread(event) => {
                let child = table.fork();
                // The child's first line may come before the end of its parent's call.
                if let Some(pid) = u32::try_from(value).ok().filter(|pid| *pid > 0) {
                    self.0.entry(pid).or_insert(child);
                }
            }
            _ => {}
        }
    }
}

/// Whether the call creates a thread of the same process.
fn makes_thread(event: &Event<'_>) -> bool {
    event.args.iter().any(|arg| match arg {
        Arg::Text(text) | Arg::Word(text) => text.contains("CLONE_THREAD"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::event::Callee;
    use crate::values::FdNumber;

    fn call<'a>(pid: u32, name: &'static str, args: Vec<Arg<'a>>, value: i64) -> Event<'a> {
        let mut event = Event::new(Callee::of(name));
        event.args.extend(args);
        (event.pid, event.outcome) = (pid, Outcome::Value(value));
        event
    }

    #[test]
    fn a_child_has_copies_and_other_processes_have_their_own() {
        let fd = |number| Arg::Fd(FdNumber::new(number));
        let mut tables = DescriptorTables::default();
        let send =
            |pid, moved| call(pid, "send", vec![fd(5), Arg::bytes(b"x"), Arg::Int(9)], moved);
        tables.learn(&call(1, "socket", vec![], 5));
        tables.learn(&call(1, "fork", vec![], 2));
        tables.learn(&send(1, 3));
        tables.learn(&send(2, 4));
        tables.learn(&send(7, 1));
        let mut sent = |pid| {
            let event = send(pid, 0);
            tables.of(&event).known(FdNumber::new(5)).unwrap().bytes_out
        };
        assert_eq!((sent(1), sent(2), sent(7)), (7, 7, 1));
    }
}
