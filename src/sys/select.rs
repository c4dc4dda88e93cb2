//! `select`, and what `pselect` shares with it.
//!
//! Three things surprise everyone once. The sets are question and answer in one: after the call they hold only the
//! ready descriptors, so build them again before every call. `nfds` is not a count but the highest descriptor plus one.
//! And a set is a bitmap of fixed size, so descriptors from [`FD_SETSIZE`] on have no bit: C's `FD_SET` then writes
//! past the end, ours refuses.

mod wide;

use libc::c_int;

pub use wide::{WideFdSet, select_wide};

use super::fd_set::{FD_SETSIZE, FdSet};
use super::number;
use crate::names::{Errno, Result};
use crate::trace::arg::{Arg, Note};
use crate::trace::call::enter;
use crate::trace::facts::Facts;
use crate::trace::figures::grouped;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};
use crate::values::{FdNumber, TimeSpec, TimeVal};

static SELECT: Page = Page {
    name: "select",
    prototype: "int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout)",
    parameters: &["nfds", "readfds", "writefds", "exceptfds", "timeout"],
    waits: Waits::Always,
    effect: Effect::Selects,
    returns: Returns::Number,
    kernel: &["_newselect", "pselect6", "pselect6_time64"],
    gist: "waits until one of many descriptors is ready",
    result: "How many bits are set in the three sets together; 0 when the time is up. The sets now hold the answer.",
    trap: "Question and answer share the sets, and on Linux the timeout: set all of them again each time. nfds is the \
        highest descriptor plus one. A descriptor of FD_SETSIZE or more does not fit.",
    errnos: "EBADF EINTR EINVAL ENOMEM",
    systems: "Linux writes the remaining time back (not with musl); macOS and the BSDs do not.",
    man: "select(2)",
    posix: "select",
    lab: "select-eats-its-sets",
    lessons: LESSONS,
    ..Page::blank()
};

impl Function {
    /// `int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout)`
    pub const SELECT: Self = Self::on(&SELECT);
}

/// The ready descriptors, if all of them are ready.
fn ready(call: &Facts) -> String {
    match call.found.iter().find(|set| set.count == 1) {
        Some(only) if call.returned() == 1 => format!("{only} is ready"),
        _ => format!("all {} are ready", grouped(call.returned())),
    }
}

/// The lessons that `select` and `pselect` share.
pub(super) static LESSONS: &[&Lesson] = &[
    &Lesson {
        when: |call| call.asked[0].count > 0 && call.asked[1].count == 0,
        says: |call| {
            let nfds = call.number();
            format!("can {} be read? nfds {nfds} is the highest number + 1", call.asked[0])
        },
        see: See::Lab("nfds-and-count"),
    },
    &Lesson {
        when: |call| call.asked[1].count > 0,
        says: |call| {
            let [read, write, _] = call.asked;
            match read.count {
                0 => format!("is there room to send on {write}?"),
                _ => format!("can {read} be read? Is there room to send on {write}?"),
            }
        },
        see: See::Lab("writable-hysteresis"),
    },
    &Lesson {
        when: |call| call.returned() > 0 && call.bits_left() == call.bits_asked(),
        says: |call| format!("{}: ready descriptors stay in their set", ready(call)),
        see: See::Lab("select-eats-its-sets"),
    },
    &Lesson {
        when: |call| call.returned() > 0 && call.bits_left() < call.bits_asked(),
        says: |call| {
            let ready = grouped(call.returned());
            let asked = grouped(call.bits_asked() as i64);
            format!("{ready} of {asked} ready: the other bits are cleared; set them again")
        },
        see: See::Lab("select-eats-its-sets"),
    },
    &Lesson {
        when: |call| call.found[1].count > 0,
        says: |call| {
            format!("out: send on {} would not wait: there is room, or an error", call.found[1])
        },
        see: See::Lab("writable-hysteresis"),
    },
    &Lesson {
        when: |call| call.result() == Some(0),
        says: |call| format!("nothing ready in {}: the sets are empty now", call.patience()),
        see: See::Lab("select-eats-its-sets"),
    },
    &Lesson {
        when: |call| call.left.is_some(),
        says: |call| format!("Linux leaves {} in the timeout: set it again", call.patience_left()),
        see: See::Lab("timeout-mutates"),
    },
    &Lesson {
        when: |call| call.failed(Errno::EINTR),
        says: |_| "a signal arrived first: the sets do not say what is ready".into(),
        see: See::Lab("eintr-despite-sa-restart"),
    },
    &Lesson {
        when: |call| call.failed(Errno::EBADF),
        says: |_| "one descriptor is not open; select does not say which".into(),
        see: See::Lab("bad-fd-poisons-select"),
    },
];

/// `int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout);` waits until
/// one of the descriptors in the sets is ready, and leaves the ready ones in the sets. Returns how many bits are set in
/// all three sets together; 0 after the timeout.
///
/// `nfds` is the highest number in any set plus one ([`FdSet::nfds`]). Without a timeout it waits forever.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EBADF` | a set contains a number that is not an open descriptor; the call does not say which, and leaves the sets as they were |
/// | `EINTR` | a signal came, with `SA_RESTART` or without |
/// | `EINVAL` | `nfds` is negative; the timeout is out of range; (refused) `nfds` is greater than [`FD_SETSIZE`] |
/// | `ENOMEM` | no memory |
/// | `EOVERFLOW` | (refused) the timeout does not fit in C's fields: those of a 32-bit program have 32 bits, and those for microseconds on macOS and NetBSD always |
///
/// On an error the sets are as they were before the call (POSIX: they shall not be modified; Linux's manual page
/// agrees). The timeout may change: Linux rewrites it even then.
///
/// Systems differ: Linux rewrites the timeout to the time left (through glibc; not through musl); the other systems do
/// not modify it.
///
/// References: [`select(2)`](https://man7.org/linux/man-pages/man2/select.2.html),
/// [`select_tut(2)`](https://man7.org/linux/man-pages/man2/select_tut.2.html);
/// POSIX [`select`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/select.html).
// In the loop an untraced call is then no more than the test of a flag and the call itself.
#[inline(always)]
pub fn select(
    nfds: c_int,
    readfds: Option<&mut FdSet>,
    writefds: Option<&mut FdSet>,
    exceptfds: Option<&mut FdSet>,
    timeout: Option<&mut TimeVal>,
) -> Result<usize> {
    let mut sets = [readfds, writefds, exceptfds];
    let call = enter(Function::SELECT, || {
        let [read, write, except] = shown(nfds, &sets).map(Arg::set);
        [nfds.into(), read, write, except, Arg::TimeVal(timeout.as_deref().copied())]
    });
    if nfds > FD_SETSIZE as c_int {
        return call.refuse(Errno::EINVAL);
    }
    let call = call.by_libc_if(is_judged_by_libc(timeout.as_deref()));

    let mut time = match timeout.as_deref().copied().map(c_timeval).transpose() {
        Ok(time) => time,
        Err(errno) => return call.refuse(errno),
    };
    let time_ptr = time.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
    // In a box, so that a call without rules moves no sets.
    let asked =
        call.is_spurious().then(|| Box::new(sets.each_ref().map(|set| set.as_deref().copied())));
    let result = call.make(|| {
        let [read, write, except] = pointers(&mut sets);
        // SAFETY: `nfds` is at most FD_SETSIZE, so the kernel stays within the sets; every pointer is NULL
        // or exclusively ours until the call returns.
        number(unsafe { libc::select(nfds, read, write, except, time_ptr) })
    });
    let result =
        result.map(|ready| asked.map_or(ready as usize, |asked| all_ready(&mut sets, *asked)));
    let left = rewrite(timeout, time);
    call.returns_noting(result, |_| Note::select(shown(nfds, &sets), left))
}

/// Whether libc checks or changes this timeout before the kernel sees it, as glibc and musl do.
fn is_judged_by_libc(timeout: Option<&TimeVal>) -> bool {
    let is_irregular = |time: &TimeVal| !(0..1_000_000).contains(&time.tv_usec) || time.tv_sec < 0;
    timeout.is_some_and(is_irregular) && cfg!(linux)
}

/// Copies the timeout back to the caller, as the call left it; returns it if it is the time left.
fn rewrite(timeout: Option<&mut TimeVal>, time: Option<libc::timeval>) -> Option<TimeVal> {
    let (timeout, time) = timeout.zip(time)?;
    *timeout = TimeVal { tv_sec: time.tv_sec as _, tv_usec: time.tv_usec as _ };
    Some(*timeout).filter(|_| cfg!(all(linux, target_env = "gnu")))
}

/// For a rule of `--inject`: every descriptor of the first two sets is ready. Returns the number of bits.
#[cold]
pub(super) fn all_ready(sets: &mut [Option<&mut FdSet>; 3], asked: [Option<FdSet>; 3]) -> usize {
    for (set, asked) in sets.iter_mut().zip(asked).take(2) {
        if let (Some(set), Some(asked)) = (set, asked) {
            **set = asked;
        }
    }
    sets.iter().flatten().map(|set| set.numbers().count()).sum()
}

pub(super) fn pointers(sets: &mut [Option<&mut FdSet>; 3]) -> [*mut libc::fd_set; 3] {
    sets.each_mut().map(|set| set.as_deref_mut().map_or(std::ptr::null_mut(), FdSet::as_mut_ptr))
}

/// The members of the sets for the trace: those below `nfds`, because the kernel looks at no others.
pub(super) fn shown(nfds: c_int, sets: &[Option<&mut FdSet>; 3]) -> [Option<Vec<FdNumber>>; 3] {
    sets.each_ref().map(|set| {
        let set = set.as_deref()?;
        let asked = || set.numbers().take_while(|fd| fd.get() < nfds);
        // Counting takes less time than a list that grows.
        let mut members = Vec::with_capacity(asked().count());
        members.extend(asked());
        Some(members)
    })
}

pub(super) fn c_timeval(time: TimeVal) -> Result<libc::timeval> {
    Ok(libc::timeval { tv_sec: fitting(time.tv_sec)?, tv_usec: fitting(time.tv_usec)? })
}

pub(super) fn c_timespec(time: TimeSpec) -> Result<libc::timespec> {
    Ok(libc::timespec { tv_sec: fitting(time.tv_sec)?, tv_nsec: fitting(time.tv_nsec)? })
}

/// A number in a field of C's structure. Where the field is narrower (each is in a 32-bit program, and that of microseconds
/// always is on macOS and NetBSD), only the lower part
/// of a large number would fit: the call would wait for another time than it was asked to.
#[inline]
fn fitting<C: TryFrom<i64>>(number: i64) -> Result<C> {
    C::try_from(number).or(Err(Errno::EOVERFLOW))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{AF_UNIX, MsgFlags, Protocol, SO_RCVTIMEO, SOCK_STREAM, SOL_SOCKET};
    #[cfg(has_ppoll)]
    use crate::sys::{AsFd, POLLIN, PollFd, ppoll};
    #[cfg(has_mmsg)]
    use crate::sys::{IncomingMessage, recvmmsg};
    use crate::sys::{pselect, send, setsockopt, socketpair};

    /// With select, with a signal's mask (pselect and ppoll), with several messages, and as an option's value.
    #[test]
    fn a_time_that_does_not_fit_in_a_32_bit_field_is_refused_and_not_cut() {
        assert_eq!(fitting::<i32>(i32::MAX.into()), Ok(i32::MAX));
        // Its lower half is 1.
        const BEYOND: i64 = (1 << 32) + 1;
        assert_eq!(fitting::<i32>(BEYOND), Err(Errno::EOVERFLOW));
        assert_eq!(fitting::<i64>(BEYOND), Ok(BEYOND));

        let [a, b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        send(&a, b"x", MsgFlags::NONE).unwrap();
        let fields = c_timeval(TimeVal { tv_sec: 0, tv_usec: 0 }).unwrap();
        let is_narrow = size_of_val(&fields.tv_sec) < size_of::<i64>();
        let expected = |ready| if is_narrow { Err(Errno::EOVERFLOW) } else { Ok(ready) };
        let mut set = FdSet::new();
        set.set(&b).unwrap();
        let nfds = set.nfds();
        let mut long = TimeVal { tv_sec: BEYOND, tv_usec: 0 };
        assert_eq!(select(nfds, Some(&mut set), None, None, Some(&mut long)), expected(1));
        let long = TimeSpec { tv_sec: BEYOND, tv_nsec: 0 };
        assert_eq!(pselect(nfds, Some(&mut set), None, None, Some(&long), None), expected(1));
        #[cfg(has_ppoll)]
        {
            let mut rows = [PollFd::new(b.as_fd(), POLLIN)];
            assert_eq!(ppoll(&mut rows, Some(&long), None), expected(1));
        }
        #[cfg(has_mmsg)]
        {
            let mut buf = [0; 1];
            let mut places = [IncomingMessage::new(&mut buf)];
            let received = recvmmsg(&b, &mut places, MsgFlags::NONE, Some(&mut { long }));
            assert_eq!(received, expected(1));
        }
        let long = TimeVal { tv_sec: BEYOND, tv_usec: 0 };
        let set = setsockopt(&a, SOL_SOCKET, SO_RCVTIMEO, &long);
        assert_eq!(set.map(|()| 1), expected(1));
        let is_narrow = size_of_val(&fields.tv_usec) < size_of::<i64>();
        assert_eq!(c_timeval(TimeVal { tv_sec: 0, tv_usec: BEYOND }).is_err(), is_narrow);
    }

    #[test]
    fn select_leaves_in_its_sets_what_is_ready() {
        let [a, b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        send(&a, b"x", MsgFlags::NONE).unwrap();
        let (mut readable, mut writable) = (FdSet::new(), FdSet::new());
        for fd in [&a, &b] {
            readable.set(fd).unwrap();
            writable.set(fd).unwrap();
        }
        let nfds = readable.nfds();
        let ready = select(nfds, Some(&mut readable), Some(&mut writable), None, None).unwrap();
        assert_eq!(ready, 3);
        assert_eq!((readable.isset(&a), readable.isset(&b)), (false, true));
        assert!(writable.isset(&a) && writable.isset(&b));
    }

    #[test]
    fn the_timeout_is_rewritten_on_linux_with_glibc_only() {
        let [a, b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        send(&a, b"x", MsgFlags::NONE).unwrap();
        let mut set = FdSet::new();
        set.set(&b).unwrap();
        let mut timeout = TimeVal { tv_sec: 5, tv_usec: 0 };
        assert_eq!(select(set.nfds(), Some(&mut set), None, None, Some(&mut timeout)), Ok(1));
        let rewritten = timeout != TimeVal { tv_sec: 5, tv_usec: 0 };
        assert_eq!(rewritten, cfg!(all(linux, target_env = "gnu")));
    }

    #[test]
    fn an_nfds_beyond_the_sets_is_refused() {
        let mut set = FdSet::new();
        let zero = TimeSpec::default();
        assert_eq!(select(1025, Some(&mut set), None, None, None), Err(Errno::EINVAL));
        assert_eq!(
            pselect(1025, Some(&mut set), None, None, Some(&zero), None),
            Err(Errno::EINVAL)
        );
        assert_eq!(select(-1, None, None, None, None), Err(Errno::EINVAL));
        assert_eq!(select(0, None, None, None, Some(&mut TimeVal::default())), Ok(0));
    }
}
