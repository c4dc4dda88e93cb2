//! `sigaction` sets the action of a signal.

use libc::c_int;

use super::signal::{Handler, SignalSet};
use super::status;
use crate::names::{Result, SaFlags, Signal};
use crate::trace::arg::{self, Arg};
use crate::trace::call::enter;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Function, Page};

/// `struct sigaction`: what happens when a signal arrives.
#[derive(Clone, Copy, Debug)]
pub struct SigAction {
    /// The handler.
    pub handler: Handler,
    /// The signals that are blocked while the handler runs.
    pub mask: SignalSet,
    /// Flags: `SA_RESTART` restarts an interrupted call where that is possible (never `select`, never `poll`).
    pub flags: SaFlags,
}

impl SigAction {
    /// The action with this handler, no flags and no mask.
    pub fn new(handler: Handler) -> Self {
        Self { handler, mask: SignalSet::empty(), flags: SaFlags::NONE }
    }

    fn shown(&self) -> arg::SignalAction {
        let handler = match self.handler {
            Handler::Default => arg::SignalHandler::Default,
            Handler::Ignore => arg::SignalHandler::Ignore,
            other => arg::SignalHandler::Function(other.to_c()),
        };
        arg::SignalAction { handler, mask: self.mask.signals(), flags: self.flags }
    }

    fn to_c(self) -> libc::sigaction {
        // SAFETY: a sigaction is plain data; zeros are "default action, no flags".
        let mut c: libc::sigaction = unsafe { std::mem::zeroed() };
        c.sa_sigaction = self.handler.to_c();
        c.sa_mask = self.mask.0;
        c.sa_flags = self.flags.bits() as _;
        c
    }

    fn from_c(c: &libc::sigaction) -> Self {
        // libc sets SA_RESTORER by itself on Linux; the flag has no name here.
        let known = SaFlags::CONSTANTS.iter().fold(0, |bits, flag| bits | flag.value as c_int);
        let flags = SaFlags::from_bits(c.sa_flags as c_int & known);
        Self { handler: Handler::from_c(c.sa_sigaction), mask: SignalSet(c.sa_mask), flags }
    }
}

static SIGACTION: Page = Page {
    name: "sigaction",
    prototype: "int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact)",
    parameters: &["signum", "act", "oldact"],
    fills: &["oldact"],
    short: &["signum"],
    kernel: &["rt_sigaction"],
    gist: "sets the action of a signal",
    result: "0; the previous action through oldact.",
    trap: "A handler may call only a few functions: write one byte into a pipe and return. A handled signal interrupts select and poll.",
    errnos: "EINVAL",
    man: "sigaction(2)",
    posix: "sigaction",
    lab: "eintr-despite-sa-restart",
    lessons: &[&Lesson {
        when: |call| call.succeeded() && call.sets_handler(),
        says: |call| format!("{} will call a function from now on", call.named("SIG")),
        see: See::Lab("signal-race"),
    }],
    ..Page::blank()
};

impl Function {
    /// `int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact)`
    pub const SIGACTION: Self = Self::on(&SIGACTION);
}

/// `int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact);` sets what happens when a signal
/// arrives, and returns the action that was set before.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINVAL` | no such signal; or SIGKILL or SIGSTOP, which cannot be caught |
///
/// References: [`sigaction(2)`](https://man7.org/linux/man-pages/man2/sigaction.2.html),
/// [`signal-safety(7)`](https://man7.org/linux/man-pages/man7/signal-safety.7.html);
/// POSIX [`sigaction`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/sigaction.html).
pub fn sigaction(
    signum: Signal,
    act: Option<&SigAction>,
    oldact: Option<&mut SigAction>,
) -> Result<()> {
    let call = enter(Function::SIGACTION, || {
        [signum.named().into(), Arg::Action(act.map(SigAction::shown).map(Box::new))]
    });
    let call = call.by_libc_if(is_kept_by_libc(signum));
    let new = act.map(|act| act.to_c());
    let mut old = SigAction::new(Handler::Default).to_c();
    let new_ptr = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let old_ptr = if oldact.is_some() { &raw mut old } else { std::ptr::null_mut() };
    let result = call.make(|| {
        // SAFETY: both pointers are NULL or lead to structures that live through the call; the handlers
        // that a `Handler` can name do only what is safe in a handler.
        status(unsafe { libc::sigaction(signum.bits(), new_ptr, old_ptr) })
    });
    let found = oldact.is_some().then(|| SigAction::from_c(&old));
    let call = call.rest(|| {
        [match (&result, &found) {
            (Err(_), Some(_)) => Arg::Pointer(&raw const old as usize),
            (_, found) => Arg::Action(found.as_ref().map(SigAction::shown).map(Box::new)),
        }]
    });
    if let (Some(oldact), Some(found), Ok(())) = (oldact, found, result) {
        *oldact = found;
    }
    call.returns(result)
}

/// Whether libc itself returns `EINVAL`: for a number that is not a signal, and for the signals below `SIGRTMIN` that
/// its threads use.
#[cfg(linux)]
fn is_kept_by_libc(signum: Signal) -> bool {
    let number = signum.bits();
    !(1..=libc::SIGRTMAX()).contains(&number) || (32..libc::SIGRTMIN()).contains(&number)
}

/// Other systems were not checked.
#[cfg(not(linux))]
fn is_kept_by_libc(_: Signal) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{Errno, SIGKILL, SIGUSR2};

    #[test]
    fn a_handler_that_was_set_is_found_and_put_back() {
        let mut before = SigAction::new(Handler::Default);
        let act = SigAction::new(Handler::Interrupt);
        sigaction(SIGUSR2, Some(&act), Some(&mut before)).unwrap();
        let mut now = SigAction::new(Handler::Default);
        sigaction(SIGUSR2, Some(&before), Some(&mut now)).unwrap();
        assert_eq!(now.handler, Handler::Interrupt);
        assert_eq!(sigaction(SIGKILL, Some(&act), None), Err(Errno::EINVAL));
    }
}
