//! `pselect`: `select` with a signal mask during the wait.

use libc::c_int;

use super::fd_set::{FD_SETSIZE, FdSet};
use super::select::{all_ready, c_timespec, pointers, shown};
use super::{SignalSet, number};
use crate::names::{Errno, Result};
use crate::trace::arg::{Arg, Note};
use crate::trace::call::enter;
use crate::trace::page::{Effect, Function, Page, Returns, Waits};
use crate::values::TimeSpec;

static PSELECT: Page = Page {
    name: "pselect",
    prototype: "int pselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timespec *timeout, const sigset_t *sigmask)",
    parameters: &["nfds", "readfds", "writefds", "exceptfds", "timeout", "sigmask"],
    waits: Waits::Always,
    effect: Effect::Selects,
    returns: Returns::Number,
    kernel: &["pselect6", "pselect6_time64"],
    gist: "select, with a signal mask for as long as it waits",
    result: "As select; the timeout is left alone.",
    trap: "Block the signals before: only then can none arrive between the check and the wait.",
    errnos: "EBADF EINTR EINVAL ENOMEM",
    man: "pselect(2)",
    posix: "pselect",
    lab: "signal-race",
    lessons: super::select::LESSONS,
    ..Page::blank()
};

impl Function {
    /// `int pselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timespec *timeout, const sigset_t *sigmask)`
    pub const PSELECT: Self = Self::on(&PSELECT);
}

/// `int pselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timespec *timeout, const
/// sigset_t *sigmask);` like [`select`](super::select()), but during the wait the signals in `sigmask` are blocked
/// instead of those blocked now. Changing the mask and beginning to wait are one step, so no signal can arrive in
/// between unnoticed. The timeout is not modified.
///
/// # Errors
/// As [`select`](super::select()).
///
/// References: [`pselect(2)`](https://man7.org/linux/man-pages/man2/pselect.2.html);
/// POSIX [`pselect`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/pselect.html).
pub fn pselect(
    nfds: c_int,
    readfds: Option<&mut FdSet>,
    writefds: Option<&mut FdSet>,
    exceptfds: Option<&mut FdSet>,
    timeout: Option<&TimeSpec>,
    sigmask: Option<&SignalSet>,
) -> Result<usize> {
    let mut sets = [readfds, writefds, exceptfds];
    let call = enter(Function::PSELECT, || {
        let [read, write, except] = shown(nfds, &sets).map(Arg::set);
        let mask = Arg::Mask(sigmask.map(SignalSet::signals));
        [nfds.into(), read, write, except, Arg::TimeSpec(timeout.copied()), mask]
    });
    if nfds > FD_SETSIZE as c_int {
        return call.refuse(Errno::EINVAL);
    }
    let time = match timeout.copied().map(c_timespec).transpose() {
        Ok(time) => time,
        Err(errno) => return call.refuse(errno),
    };
    let time_ptr = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let mask_ptr = sigmask.map_or(std::ptr::null(), SignalSet::as_ptr);
    let asked = call.is_spurious().then(|| sets.each_ref().map(|set| set.as_deref().copied()));
    let result = call.make(|| {
        let [read, write, except] = pointers(&mut sets);
        // SAFETY: `nfds` is at most FD_SETSIZE, so the kernel stays within the sets; every pointer is NULL
        // or leads to a value that lives through the call, the sets exclusively ours.
        number(unsafe { libc::pselect(nfds, read, write, except, time_ptr, mask_ptr) })
    });
    let result =
        result.map(|ready| asked.map_or(ready as usize, |asked| all_ready(&mut sets, asked)));
    call.returns_noting(result, |_| Note::select(shown(nfds, &sets), None))
}
