//! A call of a lab that does not return: an alarm interrupts it, so that the lab can report it and go on.
//!
//! On another system the event that a call waits for may never happen: `accept` has no time limit there, `send` waits
//! although it was told not to. The alarm is a signal whose handler does nothing, without `SA_RESTART`, so the call
//! returns `EINTR`.

use std::time::Duration;

use baresock::labs::run::LabEvent;
use baresock::names::{Errno, Result, SIGALRM};
use baresock::sys::wild::Wild;
use baresock::sys::wild::alarm::set_alarm;
use baresock::sys::{Handler, SigAction, sigaction};
use baresock::trace::page::{Effect, Waits};
use baresock::trace::{Event, Function, Outcome};

/// The longest time for a call. No lab lets one wait longer than six seconds.
const LIMIT: Duration = Duration::from_secs(8);
/// After this many such calls the lab ends: later calls would only wait again.
const ENOUGH: u32 = 2;

/// Watches the calls of a lab.
#[derive(Debug)]
pub(super) struct OverdueWatch {
    wild: Wild,
    interrupted: u32,
}

impl OverdueWatch {
    /// From now on the alarm interrupts a call instead of ending the process.
    ///
    /// # Errors
    /// As [`sigaction`].
    pub(super) fn new(wild: Wild) -> Result<Self> {
        sigaction(SIGALRM, Some(&SigAction::new(Handler::Interrupt)), None)?;
        Ok(Self { wild, interrupted: 0 })
    }

    /// A call begins.
    pub(super) fn begin(&self, event: &Event<'_>) {
        if event.function().is_some_and(may_stand) {
            // It cannot fail, because the time is in range.
            let _ = set_alarm(self.wild, LIMIT);
        }
    }

    /// A call has returned; the event to report if the alarm ended it.
    pub(super) fn end(&mut self, event: &Event<'_>) -> Option<LabEvent> {
        event.function().filter(|function| may_stand(*function))?;
        let _ = set_alarm(self.wild, Duration::ZERO);
        let took = Duration::from_nanos(event.end_ns.saturating_sub(event.begin_ns));
        if took < LIMIT || event.outcome != Outcome::Error(Errno::EINTR) {
            return None;
        }
        self.interrupted += 1;
        let function = &event.callee;
        let call = match event.fd() {
            Some(fd) => format!("{function}({fd}, …)"),
            None => format!("{function}(…)"),
        };
        Some(LabEvent::Overdue { call, seconds: took.as_secs() })
    }

    /// Whether the lab should end.
    pub(super) fn has_seen_enough(&self) -> bool {
        self.interrupted >= ENOUGH
    }
}

/// `close` is among them: with `SO_LINGER` it waits for the peer.
fn may_stand(function: Function) -> bool {
    let page = function.page();
    page.waits != Waits::Never || page.effect == Effect::Closes
}
