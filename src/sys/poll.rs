//! `poll`, and the rows it answers.
//!
//! A row holds question and answer side by side: the caller sets `events`, and `poll` writes `revents`. So the rows
//! need not be built again, descriptors may have any number, and the answer is richer than select's three sets; but the
//! kernel scans all rows in every call.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{c_int, nfds_t};

use super::number;
use crate::names::{Errno, POLLERR, POLLHUP, POLLNVAL, POLLOUT, PollEvents, Result};
use crate::trace::arg::{Arg, Note};
use crate::trace::call::enter;
use crate::trace::facts::Facts;
use crate::trace::figures::{counted, grouped};
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};
use crate::values::{FdNumber, PollRow};

/// `struct pollfd`: one row of `poll`. It borrows its descriptor, which therefore cannot be closed while the row
/// exists.
#[doc(alias = "pollfd")]
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct PollFd<'fd> {
    row: libc::pollfd,
    borrowed: PhantomData<BorrowedFd<'fd>>,
}

impl<'fd> PollFd<'fd> {
    /// A row that asks for `events`.
    #[inline]
    pub fn new(fd: BorrowedFd<'fd>, events: PollEvents) -> Self {
        let row = libc::pollfd { fd: fd.as_raw_fd(), events: events.bits() as _, revents: 0 };
        Self { row, borrowed: PhantomData }
    }

    /// A row that `poll` skips: its descriptor is -1.
    pub const fn skipped() -> Self {
        Self { row: libc::pollfd { fd: -1, events: 0, revents: 0 }, borrowed: PhantomData }
    }

    /// The number of its descriptor.
    pub const fn fd(&self) -> FdNumber {
        FdNumber::new(self.row.fd)
    }

    /// The events that the caller asks for.
    pub const fn events(&self) -> PollEvents {
        PollEvents::from_bits(self.row.events as c_int)
    }

    /// The events that `poll` returned.
    #[inline]
    pub const fn revents(&self) -> PollEvents {
        PollEvents::from_bits(self.row.revents as c_int)
    }

    /// Changes the question.
    pub fn set_events(&mut self, events: PollEvents) {
        self.row.events = events.bits() as _;
    }

    pub(super) fn as_row(&self) -> PollRow {
        PollRow { fd: self.fd(), events: self.events(), revents: self.revents() }
    }
}

impl fmt::Debug for PollFd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_row().fmt(f)
    }
}

static POLL: Page = Page {
    name: "poll",
    prototype: "int poll(struct pollfd *fds, nfds_t nfds, int timeout)",
    parameters: &["fds", "nfds", "timeout"],
    waits: Waits::Always,
    effect: Effect::Polls,
    returns: Returns::Number,
    kernel: &["ppoll", "ppoll_time64"],
    gist: "waits until a descriptor is ready; each has a row",
    result: "How many rows have an answer in revents; 0 when the time is up.",
    trap: "POLLERR, POLLHUP and POLLNVAL are reported unasked: a loop that checks only POLLIN spins. The timeout is in milliseconds, -1 means forever.",
    errnos: "EINTR EINVAL ENOMEM",
    systems: "On macOS poll cannot watch /dev/tty, directories, disks and most other devices; it can watch pseudo-terminals (read in \
        xnu 15.4).",
    man: "poll(2)",
    posix: "poll",
    lab: "poll-array-rules",
    lessons: LESSONS,
    ..Page::blank()
};

impl Function {
    /// `int poll(struct pollfd *fds, nfds_t nfds, int timeout)`
    pub const POLL: Self = Self::on(&POLL);
}

fn row(call: &Facts, bits: PollEvents) -> i32 {
    call.row_with(bits).unwrap_or(-1)
}

/// The descriptor of the first row whose peer has closed its half, on a system that reports this. (`POLLRDHUP` is looked
/// up by name, because not every system has the constant.)
fn rdhup(call: &Facts) -> Option<i32> {
    let known = PollEvents::CONSTANTS.iter().find(|bit| bit.name == "POLLRDHUP")?;
    call.row_with(PollEvents::from_bits(known.value as i32))
}

/// The lessons that `poll` and `ppoll` share.
pub(super) static LESSONS: &[&Lesson] = &[
    &Lesson {
        when: |call| call.number() > 0,
        says: |call| {
            format!("{} of questions; poll does not change events", counted(call.number(), "row"))
        },
        see: See::Lab("poll-array-rules"),
    },
    &Lesson {
        when: |call| call.returned() > 0 && call.returned() < call.number(),
        says: |call| {
            let ready = grouped(call.returned());
            let rows = grouped(call.number());
            format!("{ready} of {rows} ready; the others have revents 0")
        },
        see: See::Lab("poll-array-rules"),
    },
    &Lesson {
        when: |call| call.row_with(POLLOUT).is_some(),
        says: |call| {
            format!(
                "POLLOUT: send on {} would not wait: there is room, or an error",
                row(call, POLLOUT)
            )
        },
        see: See::Lab("writable-hysteresis"),
    },
    &Lesson {
        when: |call| call.row_with(POLLHUP).is_some(),
        says: |call| {
            format!(
                "POLLHUP, unasked: {} is closed in both directions, or was never connected",
                row(call, POLLHUP)
            )
        },
        see: See::Lab("readiness-matrix"),
    },
    &Lesson {
        when: |call| call.row_with(POLLERR).is_some(),
        says: |call| {
            format!("POLLERR, unasked: the next call on {} returns the error", row(call, POLLERR))
        },
        see: See::Lab("readiness-matrix"),
    },
    &Lesson {
        when: |call| rdhup(call).is_some(),
        says: |call| {
            format!("POLLRDHUP: the peer of {} has finished sending", rdhup(call).unwrap_or(-1))
        },
        see: See::Lab("readiness-matrix"),
    },
    &Lesson {
        when: |call| call.row_with(POLLNVAL).is_some(),
        says: |call| format!("POLLNVAL: {} is not open", row(call, POLLNVAL)),
        see: See::Lab("bad-fd-poisons-select"),
    },
    &Lesson {
        when: |call| call.result() == Some(0),
        says: |call| format!("nothing ready in {}: every revents is 0", call.patience()),
        see: See::Lab("poll-array-rules"),
    },
    &Lesson {
        when: |call| call.failed(Errno::EINTR),
        says: |_| "a signal arrived before any descriptor was ready".into(),
        see: See::Lab("eintr-despite-sa-restart"),
    },
];

/// `int poll(struct pollfd *fds, nfds_t nfds, int timeout);` waits until at least one row is ready; returns how many
/// are, 0 after the timeout. A timeout of -1 waits forever.
///
/// `POLLERR`, `POLLHUP` and `POLLNVAL` are reported without being asked for. A closed descriptor is not an error of the
/// call: its row gets `POLLNVAL`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINTR` | a signal came, with `SA_RESTART` or without |
/// | `EINVAL` | more rows than this process may have descriptors (FreeBSD and NetBSD allow more) |
/// | `ENOMEM` | no memory (`EAGAIN` on some systems) |
///
/// Systems differ: on Linux every negative timeout waits forever; the BSDs return `EINVAL` for one below -1, and macOS
/// takes it for a very long one.
///
/// References: [`poll(2)`](https://man7.org/linux/man-pages/man2/poll.2.html);
/// POSIX [`poll`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/poll.html).
// In the loop an untraced call is then no more than the test of a flag and the call itself.
#[inline(always)]
pub fn poll(fds: &mut [PollFd<'_>], timeout_ms: c_int) -> Result<usize> {
    let call = enter(Function::POLL, || {
        let rows = fds.iter().map(PollFd::as_row).collect();
        [Arg::rows(rows), fds.len().into(), Arg::Millis(timeout_ms)]
    });
    let result = call.make(|| {
        // SAFETY: `PollFd` is a `pollfd` in memory, and `fds` has `len` of them, exclusively ours.
        number(unsafe { libc::poll(fds.as_mut_ptr().cast(), fds.len() as nfds_t, timeout_ms) })
    });
    let spurious = call.is_spurious();
    let result = result.map(|ready| if spurious { all_ready(fds) } else { ready as usize });
    call.returns_noting(result, |_| answered(fds))
}

/// For a rule of `--inject`: every row answers what it asked. Returns how many rows have an answer.
#[cold]
pub(super) fn all_ready(fds: &mut [PollFd<'_>]) -> usize {
    for row in fds.iter_mut().filter(|row| row.row.fd >= 0) {
        row.row.revents |= row.row.events;
    }
    fds.iter().filter(|row| row.row.revents != 0).count()
}

pub(super) fn answered(fds: &[PollFd<'_>]) -> Note<'static> {
    Note::Poll(fds.iter().map(PollFd::as_row).filter(|row| row.revents.bits() != 0).collect())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::names::{AF_UNIX, MsgFlags, POLLIN, POLLOUT, Protocol, SOCK_STREAM};
    use crate::sys::{send, socketpair};

    #[test]
    fn each_row_is_answered_for_itself() {
        let [a, b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        send(&a, b"x", MsgFlags::NONE).unwrap();
        let mut rows = [
            PollFd::new(a.as_fd(), POLLIN),
            PollFd::new(b.as_fd(), POLLIN | POLLOUT),
            PollFd::skipped(),
        ];
        assert_eq!(poll(&mut rows, -1), Ok(1));
        assert_eq!(rows[0].revents(), PollEvents::NONE);
        assert_eq!(rows[1].revents(), POLLIN | POLLOUT);
        assert_eq!(rows[1].events(), POLLIN | POLLOUT);
        assert_eq!(rows[2].revents(), PollEvents::NONE);
    }

    #[test]
    fn a_timeout_is_no_error() {
        let [a, _b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        assert_eq!(poll(&mut [PollFd::new(a.as_fd(), POLLIN)], 0), Ok(0));
        assert_eq!(poll(&mut [], 1), Ok(0));
    }
}
