//! `select` and `pselect`, and the `fd_set` they rewrite.
//!
//! Three things surprise everybody once. The sets are question and answer in one: after the call they
//! hold only what is ready, so they are built anew before every call. `nfds` is not a count but the highest
//! number plus one. And a set is a bitmap of fixed size, so numbers from [`FD_SETSIZE`] on have no place:
//! C's `FD_SET` writes beyond the end then, ours refuses.

mod wide;

use std::fmt;
use std::os::fd::AsFd;

use libc::c_int;

pub use wide::{WideFdSet, select_wide};

use super::number;
use super::signal::SignalSet;
use crate::names::{Errno, Result};
use crate::trace::arg::{Arg, Note};
use crate::trace::call::enter;
use crate::trace::function::Function;
use crate::values::{FdNumber, TimeSpec, TimeVal};

/// How many descriptors, from 0, an `fd_set` has bits for: 1024, and 256 on NetBSD.
pub const FD_SETSIZE: usize = libc::FD_SETSIZE as usize;

/// The words that the bitmap is made of. They matter on big-endian machines, where bit 0 of a 64-bit word
/// is not in its first byte.
#[cfg(any(linux, freebsd))]
pub type Word = libc::c_ulong;
/// The words that the bitmap is made of.
#[cfg(any(apple, openbsd, netbsd))]
pub type Word = u32;

/// How many descriptors one of them has bits for.
pub const WORD_BITS: usize = Word::BITS as usize;
const WORDS: usize = FD_SETSIZE / WORD_BITS;

/// `fd_set`: a bit for each descriptor, a bitmap of [`FD_SETSIZE`] bits.
#[doc(alias = "fd_set")]
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FdSet {
    words: [Word; WORDS],
}

const _: () = assert!(size_of::<FdSet>() == size_of::<libc::fd_set>());
const _: () = assert!(align_of::<FdSet>() >= align_of::<libc::fd_set>());

/// A descriptor's number is [`FD_SETSIZE`] or more: no bit stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeyondSetSize(pub FdNumber);

impl fmt::Display for BeyondSetSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "descriptor {} has no bit in an fd_set of {FD_SETSIZE} (FD_SETSIZE)", self.0)
    }
}

impl std::error::Error for BeyondSetSize {}

impl FdSet {
    /// An empty set.
    pub const fn new() -> Self {
        Self { words: [0; WORDS] }
    }

    /// `void FD_ZERO(fd_set *set);` empties the set.
    #[doc(alias = "FD_ZERO")]
    pub fn zero(&mut self) {
        *self = Self::new();
    }

    /// `void FD_SET(int fd, fd_set *set);` adds a descriptor.
    ///
    /// # Errors
    /// The number is [`FD_SETSIZE`] or more. C's `FD_SET` overwrites what lies behind the set, or aborts.
    #[doc(alias = "FD_SET")]
    #[inline]
    pub fn set(&mut self, fd: impl AsFd) -> std::result::Result<(), BeyondSetSize> {
        let number = FdNumber::of(&fd);
        let (word, bit) = place(number).ok_or(BeyondSetSize(number))?;
        self.words[word] |= bit;
        Ok(())
    }

    /// `void FD_CLR(int fd, fd_set *set);` removes a descriptor.
    #[doc(alias = "FD_CLR")]
    pub fn clr(&mut self, fd: impl AsFd) {
        if let Some((word, bit)) = place(FdNumber::of(&fd)) {
            self.words[word] &= !bit;
        }
    }

    /// `int FD_ISSET(int fd, const fd_set *set);` whether a descriptor is in the set.
    #[doc(alias = "FD_ISSET")]
    #[inline]
    pub fn isset(&self, fd: impl AsFd) -> bool {
        self.contains(FdNumber::of(&fd))
    }

    /// Whether a number is in the set.
    #[inline]
    pub fn contains(&self, number: FdNumber) -> bool {
        place(number).is_some_and(|(word, bit)| self.words[word] & bit != 0)
    }

    /// The numbers in the set, in order. It goes by words, so that an almost empty set costs almost nothing.
    pub fn numbers(&self) -> impl Iterator<Item = FdNumber> + '_ {
        numbers(&self.words)
    }

    /// The highest number in the set plus one: the least `nfds` that covers it.
    pub fn nfds(&self) -> c_int {
        nfds(&self.words)
    }

    fn as_mut_ptr(&mut self) -> *mut libc::fd_set {
        std::ptr::from_mut(self).cast()
    }
}

#[inline]
fn numbers(words: &[Word]) -> impl Iterator<Item = FdNumber> + '_ {
    let (mut at, mut rest) = (0, words.first().copied().unwrap_or(0));
    std::iter::from_fn(move || {
        while rest == 0 {
            at += 1;
            rest = *words.get(at)?;
        }
        let bit = rest.trailing_zeros() as usize;
        rest &= rest - 1;
        Some(FdNumber::new((at * WORD_BITS + bit) as c_int))
    })
}

#[inline]
fn nfds(words: &[Word]) -> c_int {
    let last = words.iter().rposition(|word| *word != 0);
    last.map_or(0, |at| ((at + 1) * WORD_BITS) as c_int - words[at].leading_zeros() as c_int)
}

/// The word that a number's bit is in, and the bit.
#[inline]
fn place(number: FdNumber) -> Option<(usize, Word)> {
    let number = usize::try_from(number.get()).ok().filter(|number| *number < FD_SETSIZE)?;
    Some((number / WORD_BITS, 1 << (number % WORD_BITS)))
}

impl Default for FdSet {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FdSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.numbers()).finish()
    }
}

/// `int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout);` waits until
/// one of the descriptors in the sets is ready, and leaves in the sets those that are. Returns how many bits are set,
/// over all three sets; 0 after the timeout.
///
/// `nfds` is the highest number in any set plus one ([`FdSet::nfds`]). Without a timeout it waits for ever.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EBADF` | a set has a number that is no open descriptor; which one is not said, and the sets are as before |
/// | `EINTR` | a signal came, `SA_RESTART` or not |
/// | `EINVAL` | `nfds` is negative; the timeout makes no sense; (refused) `nfds` is greater than [`FD_SETSIZE`] |
/// | `ENOMEM` | no memory |
///
/// On an error the sets are as they were before the call (POSIX: they shall not be modified; Linux's manual page says so
/// too). The timeout is not: on Linux it is rewritten all the same.
///
/// Systems differ: Linux rewrites the timeout to what is left of it (through glibc; not through musl); the others
/// leave it alone.
///
/// References: `select(2)`, `select_tut(2)`; POSIX `select`.
pub fn select(
    nfds: c_int,
    readfds: Option<&mut FdSet>,
    writefds: Option<&mut FdSet>,
    exceptfds: Option<&mut FdSet>,
    timeout: Option<&mut TimeVal>,
) -> Result<usize> {
    let mut sets = [readfds, writefds, exceptfds];
    let call = enter(Function::Select, || {
        let [read, write, except] = shown(nfds, &sets).map(Arg::set);
        [nfds.into(), read, write, except, Arg::TimeVal(timeout.as_deref().copied())]
    });
    if nfds > FD_SETSIZE as c_int {
        return call.refuse(Errno::EINVAL);
    }
    let call = call.by_libc_if(is_judged_by_libc(timeout.as_deref()));

    let mut time = timeout.as_deref().map(|time| c_timeval(*time));
    let time_ptr = time.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
    let asked = call.is_spurious().then(|| sets.each_ref().map(|set| set.as_deref().copied()));
    let result = call.make(|| {
        let [read, write, except] = pointers(&mut sets);
        // SAFETY: `nfds` is at most FD_SETSIZE, so the kernel stays within the sets; every pointer is NULL
        // or exclusively ours until the call returns.
        number(unsafe { libc::select(nfds, read, write, except, time_ptr) })
    });
    let result =
        result.map(|ready| asked.map_or(ready as usize, |asked| all_ready(&mut sets, asked)));
    let left = rewrite(timeout, time);
    call.returns_noting(result, |_| Note::select(shown(nfds, &sets), left))
}

/// Whether libc judges or changes this timeout before the kernel sees it, as glibc and musl do.
fn is_judged_by_libc(timeout: Option<&TimeVal>) -> bool {
    let is_irregular = |time: &TimeVal| !(0..1_000_000).contains(&time.tv_usec) || time.tv_sec < 0;
    timeout.is_some_and(is_irregular) && cfg!(linux)
}

/// Gives the caller the timeout as the call left it; returns it where it means what is left of the time.
fn rewrite(timeout: Option<&mut TimeVal>, time: Option<libc::timeval>) -> Option<TimeVal> {
    let (timeout, time) = timeout.zip(time)?;
    *timeout = TimeVal { tv_sec: time.tv_sec as _, tv_usec: time.tv_usec as _ };
    Some(*timeout).filter(|_| cfg!(all(linux, target_env = "gnu")))
}

/// `int pselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timespec *timeout, const
/// sigset_t *sigmask);` like [`select`], with the signals of `sigmask` blocked while it waits instead of those that
/// are blocked now: switching and beginning to wait are one step, so a signal cannot slip in between. The timeout
/// is left alone.
///
/// # Errors
/// As [`select`].
///
/// References: `pselect(2)`; POSIX `pselect`.
pub fn pselect(
    nfds: c_int,
    readfds: Option<&mut FdSet>,
    writefds: Option<&mut FdSet>,
    exceptfds: Option<&mut FdSet>,
    timeout: Option<&TimeSpec>,
    sigmask: Option<&SignalSet>,
) -> Result<usize> {
    let mut sets = [readfds, writefds, exceptfds];
    let call = enter(Function::Pselect, || {
        let [read, write, except] = shown(nfds, &sets).map(Arg::set);
        let mask = Arg::Mask(sigmask.map(SignalSet::signals));
        [nfds.into(), read, write, except, Arg::TimeSpec(timeout.copied()), mask]
    });
    if nfds > FD_SETSIZE as c_int {
        return call.refuse(Errno::EINVAL);
    }
    let time = timeout.map(|time| c_timespec(*time));
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

/// For a rule that says so: whoever was asked about in the first two sets is ready. Returns how many bits that makes.
fn all_ready(sets: &mut [Option<&mut FdSet>; 3], asked: [Option<FdSet>; 3]) -> usize {
    for (set, asked) in sets.iter_mut().zip(asked).take(2) {
        if let (Some(set), Some(asked)) = (set, asked) {
            **set = asked;
        }
    }
    sets.iter().flatten().map(|set| set.numbers().count()).sum()
}

fn pointers(sets: &mut [Option<&mut FdSet>; 3]) -> [*mut libc::fd_set; 3] {
    sets.each_mut().map(|set| set.as_deref_mut().map_or(std::ptr::null_mut(), FdSet::as_mut_ptr))
}

/// The members of the sets for the trace: those below `nfds`, for the kernel looks at no others.
fn shown(nfds: c_int, sets: &[Option<&mut FdSet>; 3]) -> [Option<Vec<FdNumber>>; 3] {
    sets.each_ref().map(|set| {
        set.as_deref().map(|set| set.numbers().take_while(|fd| fd.get() < nfds).collect())
    })
}

pub(super) fn c_timeval(time: TimeVal) -> libc::timeval {
    libc::timeval { tv_sec: time.tv_sec as _, tv_usec: time.tv_usec as _ }
}

pub(super) fn c_timespec(time: TimeSpec) -> libc::timespec {
    libc::timespec { tv_sec: time.tv_sec as _, tv_nsec: time.tv_nsec as _ }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;
    use crate::names::{AF_UNIX, MsgFlags, Protocol, SOCK_STREAM};
    use crate::sys::{fcntl_dupfd, pipe, send, socketpair};

    #[test]
    fn a_set_has_the_numbers_that_were_set() {
        let [a, b] = pipe().unwrap();
        let mut set = FdSet::new();
        set.set(&a).unwrap();
        set.set(&b).unwrap();
        let mut expected = [a.number(), b.number()];
        expected.sort();
        assert_eq!(set.numbers().collect::<Vec<_>>(), expected);
        assert_eq!(set.nfds(), expected[1].get() + 1);
        set.clr(&a);
        assert!(!set.isset(&a) && set.isset(&b));
        set.zero();
        assert_eq!((set.nfds(), set.numbers().count()), (0, 0));
    }

    #[test]
    fn the_bits_are_where_c_puts_them() {
        let [a, _b] = pipe().unwrap();
        let far = fcntl_dupfd(&a, 77).unwrap();
        let mut ours = FdSet::new();
        ours.set(&far).unwrap();
        let mut theirs = nix::sys::select::FdSet::new();
        theirs.insert(far.as_fd());
        let highest = theirs.highest().map(|fd| fd.as_raw_fd());
        assert_eq!(highest, ours.numbers().last().map(FdNumber::get));
    }

    #[test]
    fn a_set_refuses_what_it_has_no_bit_for() {
        crate::os::limits::raise_descriptor_limit().unwrap();
        let [a, _b] = pipe().unwrap();
        let last = fcntl_dupfd(&a, FD_SETSIZE as c_int - 1).unwrap();
        let beyond = fcntl_dupfd(&a, FD_SETSIZE as c_int).unwrap();
        let mut set = FdSet::new();
        assert_eq!(set.set(&last), Ok(()));
        assert_eq!(set.set(&beyond), Err(BeyondSetSize(beyond.number())));
        assert!(!set.isset(&beyond));
        assert_eq!(set.nfds(), FD_SETSIZE as c_int);
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
