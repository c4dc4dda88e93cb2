//! A call of a lab that does not return: an alarm interrupts it, so that the lab says so, and goes on.
//!
//! What a call waits for may never happen on another system: an `accept` there knows no time limit, a `send` waits although
//! it was told not to. The alarm is a signal whose handler does nothing, without `SA_RESTART`, so the call gives `EINTR`.

use std::time::Duration;

use baresock::labs::run::Event;
use baresock::names::{Errno, Result, SIGALRM};
use baresock::sys::wild::Wild;
use baresock::sys::wild::alarm::set_alarm;
use baresock::sys::{Handler, SigAction, sigaction};
use baresock::trace::Function;
use baresock::trace::page::{Effect, Waits};
use baresock::trace::tracer::{Call, Ended, Outcome};

/// The longest that a call may take. No lab tells one to wait longer than six seconds.
const LIMIT: Duration = Duration::from_secs(8);
/// With so many of these calls a lab has ended: what comes after them could only wait again.
const ENOUGH: u32 = 2;

/// Watches the calls of a lab.
#[derive(Debug)]
pub(super) struct Watch {
    wild: Wild,
    interrupted: u32,
}

impl Watch {
    /// From now on the alarm interrupts instead of ending the process.
    ///
    /// # Errors
    /// As [`sigaction`].
    pub(super) fn new(wild: Wild) -> Result<Self> {
        sigaction(SIGALRM, Some(&SigAction::new(Handler::Interrupt)), None)?;
        Ok(Self { wild, interrupted: 0 })
    }

    /// A call begins.
    pub(super) fn begin(&self, call: &Call) {
        if may_stand(call.function) {
            // It cannot fail: the time makes sense.
            let _ = set_alarm(self.wild, LIMIT);
        }
    }

    /// It has returned; what is to be told if it was the alarm that ended it.
    pub(super) fn end(&mut self, ended: &Ended<'_>) -> Option<Event> {
        if !may_stand(ended.call.function) {
            return None;
        }
        let _ = set_alarm(self.wild, Duration::ZERO);
        let took = Duration::from_nanos(ended.end_ns.saturating_sub(ended.call.begin_ns));
        if took < LIMIT || ended.outcome != Outcome::Error(Errno::EINTR) {
            return None;
        }
        self.interrupted += 1;
        let (function, fd) = (ended.call.function, ended.call.fd);
        let call = match fd {
            Some(fd) => format!("{function}({}, …)", fd.get()),
            None => format!("{function}(…)"),
        };
        Some(Event::Overdue { call, seconds: took.as_secs() })
    }

    /// Whether the lab had better end.
    pub(super) fn has_seen_enough(&self) -> bool {
        self.interrupted >= ENOUGH
    }
}

/// `close` is among them: with `SO_LINGER` it waits for the peer.
fn may_stand(function: Function) -> bool {
    let page = function.page();
    page.waits != Waits::Never || page.effect == Effect::Closes
}
