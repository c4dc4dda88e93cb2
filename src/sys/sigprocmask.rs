//! `sigprocmask` blocks signals.

use super::SignalSet;
use crate::names::{Errno, Result};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::page::{Function, Page};

static SIGPROCMASK: Page = Page {
    name: "sigprocmask",
    prototype: "int sigprocmask(int how, const sigset_t *set, sigset_t *oldset)",
    parameters: &["how", "set", "oldset"],
    fills: &["oldset"],
    kernel: &["rt_sigprocmask"],
    gist: "blocks and unblocks signals",
    result: "0; the old mask through oldset.",
    trap: "If you unblock and then call select, a signal between the two is missed: pselect closes this gap.",
    systems: "In a process with threads POSIX requires pthread_sigmask, which our wrapper calls.",
    man: "sigprocmask(2)",
    posix: "sigprocmask",
    lab: "signal-race",
    ..Page::blank()
};

impl Function {
    /// `int sigprocmask(int how, const sigset_t *set, sigset_t *oldset)`
    pub const SIGPROCMASK: Self = Self::on(&SIGPROCMASK);
}

/// `int sigprocmask(SIG_SETMASK, const sigset_t *set, sigset_t *oldset);` sets which signals this thread blocks, and
/// returns which it blocked before. (It calls `pthread_sigmask`, which programs with threads must use.)
///
/// # Errors
/// None.
///
/// References: [`sigprocmask(2)`](https://man7.org/linux/man-pages/man2/sigprocmask.2.html),
/// [`pthread_sigmask(3)`](https://man7.org/linux/man-pages/man3/pthread_sigmask.3.html);
/// POSIX [`sigprocmask`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/sigprocmask.html).
pub fn sigprocmask(set: &SignalSet) -> Result<SignalSet> {
    let call = enter(Function::SIGPROCMASK, || {
        [Arg::Word("SIG_SETMASK".into()), Arg::Mask(Some(set.signals()))]
    });
    let mut old = SignalSet::empty();
    let result = call.make(|| {
        // SAFETY: both pointers lead to sets that live through the call.
        match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, set.as_ptr(), &raw mut old.0) } {
            0 => Ok(()),
            // The functions of pthread return the errno itself.
            number => Err(Errno::from_number(number)),
        }
    });
    call.rest(|| [Arg::Mask(Some(old.signals()))]).returns(result)?;
    Ok(old)
}
