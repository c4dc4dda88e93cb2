//! Calls that a signal interrupted: how they ended.
//!
//! strace writes `? ERESTARTSYS` when a signal ends a wait, because the kernel has not decided yet what the program
//! gets. Then come the signal, the calls of its handler, and `rt_sigreturn`, whose result decides: with `-1 EINTR` the
//! call has failed, otherwise the kernel restarts it, and strace writes it a second time. In either case the program
//! made one call.

use std::collections::HashMap;

use super::answer::{CallResult, RawCall};
use super::calls::{LogItem, Where};
use super::halves::whole;
use crate::trace::Function;

/// How many processes may be interrupted at a time. Further interrupted calls are left out, unless they are restarted.
const MOST: usize = 10_000;

/// The calls that were interrupted and are not decided.
#[derive(Debug, Default)]
pub struct Restarts {
    of: HashMap<u32, Interrupted>,
    /// Whether the log contains `rt_sigreturn`: it may have been made without (`-e trace=network`).
    has_decisions: bool,
}

#[derive(Debug)]
struct Interrupted {
    text: String,
    begun: u64,
    time: u64,
    /// It will be restarted.
    again: bool,
}

const FAILED: CallResult<'_> =
    CallResult { value: Some(-1), error: Some("EINTR"), rest: "EINTR (Interrupted system call)" };

impl Restarts {
    /// Passes on the items of a log, except interrupted calls: those are passed on once it is known how they ended.
    pub fn take(
        &mut self,
        said: LogItem<'_>,
        place: &Where<'_>,
        mut tell: impl FnMut(LogItem<'_>, &Where<'_>),
    ) {
        let LogItem::Call(call) = said else {
            if matches!(said, LogItem::Ended(_) | LogItem::Unfinished(_)) && !self.of.is_empty() {
                self.end(place.pid, &mut tell);
            }
            return tell(said, place);
        };
        if call.answer.value.is_none()
            && call.answer.error.is_some_and(|error| error.starts_with("ERESTART"))
        {
            return self.interrupted(call, place, &mut tell);
        }
        let is_decision = call.name.ends_with("sigreturn");
        self.has_decisions |= is_decision;
        if !self.of.is_empty()
            && let Some(before) = self.of.get_mut(&place.pid)
        {
            if is_decision {
                before.again = call.answer.value != Some(-1) || call.answer.error != Some("EINTR");
                if !before.again {
                    self.fail(place, &mut tell);
                }
            } else if before.is_begun_again(call) {
                return self.begun_again(call, place, &mut tell);
            } else if before.again || !self.has_decisions {
                self.fail(place, &mut tell);
            }
        }
        tell(said, place);
    }

    /// At the end of a log: interrupted calls have not returned.
    pub fn end_all(&mut self, mut tell: impl FnMut(LogItem<'_>, &Where<'_>)) {
        let mut pids: Vec<_> = self.of.keys().copied().collect();
        pids.sort_unstable();
        for pid in pids {
            self.end(pid, &mut tell);
        }
    }

    fn interrupted(
        &mut self,
        call: RawCall<'_>,
        place: &Where<'_>,
        tell: &mut impl FnMut(LogItem<'_>, &Where<'_>),
    ) {
        if let Some(before) = self.of.get_mut(&place.pid) {
            if before.is_begun_again(call) {
                // Interrupted again.
                before.again = false;
                return;
            }
            self.fail(place, tell);
        }
        if self.of.len() < MOST {
            let text = place.text.to_string();
            // The text may begin with process and time.
            let text = match text.find(call.name) {
                Some(at) => text[at..].to_string(),
                None => text,
            };
            self.of.insert(
                place.pid,
                Interrupted { text, begun: place.begun, time: place.time, again: false },
            );
        }
    }

    /// The call has failed with EINTR.
    fn fail(&mut self, place: &Where<'_>, tell: &mut impl FnMut(LogItem<'_>, &Where<'_>)) {
        let Some(before) = self.of.remove(&place.pid) else { return };
        let Some(call) = whole(&before.text) else { return };
        tell(LogItem::Call(RawCall { answer: FAILED, ..call }), &before.place(place));
    }

    fn begun_again(
        &mut self,
        call: RawCall<'_>,
        place: &Where<'_>,
        tell: &mut impl FnMut(LogItem<'_>, &Where<'_>),
    ) {
        let Some(before) = self.of.remove(&place.pid) else { return };
        let Some(first) = whole(&before.text) else { return };
        // The time of these calls runs on while they are interrupted: when restarted, they show the time left, or only
        // that they continue. The first line has their arguments.
        let waits = Function::all().any(|function| {
            function.page().waits_for_many() && function.page().is_called(first.name)
        });
        let call = if waits {
            RawCall { answer: call.answer, took_ns: None, ..first }
        } else {
            RawCall { took_ns: None, ..call }
        };
        tell(LogItem::Call(call), &Where { text: place.text, ..before.place(place) });
    }

    fn end(&mut self, pid: u32, tell: &mut impl FnMut(LogItem<'_>, &Where<'_>)) {
        let Some(before) = self.of.remove(&pid) else { return };
        let place = Where { pid, line: before.begun, ..Where::default() };
        tell(LogItem::Unfinished(&before.text), &before.place(&place));
    }
}

impl Interrupted {
    /// Whether a call is this one restarted.
    fn is_begun_again(&self, call: RawCall<'_>) -> bool {
        let Some(first) = whole(&self.text) else { return false };
        if call.name == "restart_syscall" {
            return true;
        }
        let question =
            |arguments: &str| arguments.find([',', ' ']).map_or(arguments.len(), |at| at);
        let same_first = first.arguments[..question(first.arguments)]
            == call.arguments[..question(call.arguments)];
        first.name == call.name && same_first
    }

    fn place<'a>(&'a self, end: &Where<'a>) -> Where<'a> {
        Where {
            pid: end.pid,
            begun: self.begun,
            line: end.line,
            time: self.time,
            returned: if end.returned > 0 { end.returned } else { end.time },
            text: &self.text,
            making: None,
        }
    }
}
