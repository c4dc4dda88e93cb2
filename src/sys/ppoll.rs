//! `ppoll`: `poll` with a signal mask during the wait, and nanoseconds.

// Its page exists on every system.
#![cfg_attr(not(has_ppoll), allow(unused_imports))]

use libc::nfds_t;

use super::poll::{all_ready, answered};
use super::select::c_timespec;
use super::{PollFd, SignalSet, number};
use crate::names::Result;
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::page::{Effect, Function, Page, Returns, Waits};
use crate::values::TimeSpec;

static PPOLL: Page = Page {
    name: "ppoll",
    prototype: "int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *tmo_p, const sigset_t *sigmask)",
    parameters: &["fds", "nfds", "tmo_p", "sigmask"],
    waits: Waits::Always,
    effect: Effect::Polls,
    returns: Returns::Number,
    is_here: cfg!(has_ppoll),
    kernel: &["ppoll_time64"],
    gist: "poll, with a signal mask and nanoseconds",
    result: "As poll.",
    trap: "A NULL timeout waits forever, where poll takes -1.",
    errnos: "EINTR EINVAL ENOMEM",
    systems: "Not on macOS.",
    man: "ppoll(2)",
    posix: "ppoll (since 2024)",
    lab: "signal-race",
    lessons: super::poll::LESSONS,
    ..Page::blank()
};

impl Function {
    /// `int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *tmo_p, const sigset_t *sigmask)`
    pub const PPOLL: Self = Self::on(&PPOLL);
}

/// `int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *tmo_p, const sigset_t *sigmask);` is to
/// [`poll`](super::poll()) what [`pselect`](super::pselect()) is to [`select`](super::select()).
///
/// # Errors
/// As [`poll`](super::poll()), and `EINVAL` for a timeout that is out of range, and `EOVERFLOW` (refused) for one that does
/// not fit in C's fields, which have 32 bits in a 32-bit program.
///
/// Systems differ: macOS has no `ppoll`.
///
/// References: [`ppoll(2)`](https://man7.org/linux/man-pages/man2/ppoll.2.html);
/// POSIX (2024) [`ppoll`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/ppoll.html).
#[cfg(has_ppoll)]
pub fn ppoll(
    fds: &mut [PollFd<'_>],
    tmo_p: Option<&TimeSpec>,
    sigmask: Option<&SignalSet>,
) -> Result<usize> {
    let call = enter(Function::PPOLL, || {
        let rows = fds.iter().map(PollFd::as_row).collect();
        let mask = Arg::Mask(sigmask.map(SignalSet::signals));
        [Arg::rows(rows), fds.len().into(), Arg::TimeSpec(tmo_p.copied()), mask]
    });
    let time = match tmo_p.copied().map(c_timespec).transpose() {
        Ok(time) => time,
        Err(errno) => return call.refuse(errno),
    };
    let time_ptr = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let mask_ptr = sigmask.map_or(std::ptr::null(), SignalSet::as_ptr);
    let result = call.make(|| {
        let (rows, nfds) = (fds.as_mut_ptr().cast(), fds.len() as nfds_t);
        // SAFETY: `PollFd` is a `pollfd` in memory, and `fds` has `nfds` of them, exclusively ours; the other
        // two pointers are NULL or lead to values that live through the call.
        number(unsafe { libc::ppoll(rows, nfds, time_ptr, mask_ptr) })
    });
    let spurious = call.is_spurious();
    let result = result.map(|ready| if spurious { all_ready(fds) } else { ready as usize });
    call.returns_noting(result, |_| answered(fds))
}
