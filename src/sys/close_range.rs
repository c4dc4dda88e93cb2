//! `close_range` closes every descriptor of a range, or has exec close them.

// Its page is there on every system.
#![cfg_attr(not(has_close_range), allow(unused_imports))]

use super::status;
use crate::names::{CloseRangeFlags, Errno, Result};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::facts::Facts;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page};

static CLOSE_RANGE: Page = Page {
    name: "close_range",
    prototype: "int close_range(unsigned int first, unsigned int last, int flags)",
    parameters: &["first", "last", "flags"],
    effect: Effect::ClosesRange,
    is_here: cfg!(has_close_range),
    gist: "closes every descriptor of a range, or has exec close them",
    result: "0, even if none of the numbers was open. Errors of the closes within are lost.",
    trap: "A range knows no owners: descriptors of libraries and of other threads are closed too. With \
        CLOSE_RANGE_CLOEXEC only those that are open now are marked, not what is opened later.",
    errnos: "EINVAL ENOSYS",
    systems: "Linux has it since 5.9, with CLOSE_RANGE_CLOEXEC since 5.11. FreeBSD has it since 12.2, and its manual has \
        the flag from 13.1 on. NetBSD's manual has it from 11 on, which is unchecked. Others have at most closefrom.",
    man: "close_range(2)",
    lab: "cloexec-is-not-copied",
    lessons: &[
        &Lesson {
            when: |call| call.succeeded() && !only_marks(call),
            says: |_| {
                "what was open in this range is closed, also what other code of the process used"
                    .into()
            },
            see: See::Word("close_range"),
        },
        &Lesson {
            when: |call| call.succeeded() && only_marks(call),
            says: |_| {
                "exec will close what is open in this range now; what is opened later has no mark"
                    .into()
            },
            see: See::Lab("cloexec-is-not-copied"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EINVAL),
            says: |_| {
                "the first number is above the last, or one of the flags is not possible here"
                    .into()
            },
            see: See::Word("close_range"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `int close_range(unsigned int first, unsigned int last, int flags)`
    pub const CLOSE_RANGE: Self = Self::on(&CLOSE_RANGE);
}

fn only_marks(call: &Facts) -> bool {
    call.says("CLOSE_RANGE_CLOEXEC")
}

/// `int close_range(unsigned int first, unsigned int last, int flags);` with
/// [`CLOSE_RANGE_CLOEXEC`](crate::names::CLOSE_RANGE_CLOEXEC) sets `FD_CLOEXEC` on each descriptor that is open from `first` to
/// `last`, both included: a program that this process starts does not inherit them. Numbers that are not open do not matter,
/// so `u32::MAX` stands for the highest one. A descriptor that is opened later has no mark, whatever its number.
///
/// In C the call closes the descriptors when the flag is missing. Here that is refused: a range has no owner, and the
/// descriptors that code of this process owns ([`Fd`](super::Fd)) would be closed under it. Refused for the same reason is
/// `CLOSE_RANGE_UNSHARE` (Linux), which gives the calling thread numbers of its own, so that a descriptor opened in one thread
/// is another file, or none, in the next. Labs make both calls by
/// [`close_numbers`](super::wild::ownership::close_numbers).
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINVAL` | `first` is above `last`; or (refused) the flags are not `CLOSE_RANGE_CLOEXEC` alone |
/// | `ENOSYS` | a Linux before 5.9 |
///
/// Systems differ: Linux has the call since 5.9 and the flag since 5.11, until which it gives `EINVAL`. FreeBSD has the call
/// since 12.2, and its manual has the flag from 13.1 on. macOS and OpenBSD have no such call; NetBSD's manual has it from 11
/// on, and no wrapper here (unchecked). It is not in POSIX.
///
/// References: [`close_range(2)`](https://man7.org/linux/man-pages/man2/close_range.2.html).
#[cfg(has_close_range)]
pub fn close_range(first: u32, last: u32, flags: CloseRangeFlags) -> Result<()> {
    if flags != crate::names::CLOSE_RANGE_CLOEXEC {
        let call = enter(Function::CLOSE_RANGE, || arguments(first, last, flags));
        return call.refuse(Errno::EINVAL);
    }
    close_range_raw(first, last, flags)
}

#[cfg(has_close_range)]
pub(super) fn close_range_raw(first: u32, last: u32, flags: CloseRangeFlags) -> Result<()> {
    let call = enter(Function::CLOSE_RANGE, || arguments(first, last, flags));
    let result = call.make(|| {
        // The system call itself: glibc has a function for it only since 2.34, and musl has none.
        // SAFETY: takes no pointers. `close_range` passes a flag with which nothing is closed, so that all owners keep what
        // they have; the other caller has a `Wild`, which says that the process has nothing to lose.
        #[cfg(linux)]
        let returned =
            unsafe { libc::syscall(libc::SYS_close_range, first, last, flags.bits()) } as _;
        // SAFETY: as above.
        #[cfg(freebsd)]
        let returned = unsafe { libc::close_range(first, last, flags.bits()) };
        status(returned)
    });
    call.returns(result)
}

/// This system has no such call.
#[cfg(not(has_close_range))]
pub(super) fn close_range_raw(_: u32, _: u32, _: CloseRangeFlags) -> Result<()> {
    Err(Errno::ENOSYS)
}

#[cfg(has_close_range)]
fn arguments(first: u32, last: u32, flags: CloseRangeFlags) -> [Arg<'static>; 3] {
    [Arg::Int(first.into()), Arg::Int(last.into()), flags.named().into()]
}
