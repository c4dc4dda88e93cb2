//! `select` beyond `FD_SETSIZE`: a set of any length.
//!
//! `FD_SETSIZE` is a limit of the C library's header, not of the kernel: the type `fd_set` ends there, while `nfds`
//! tells the call how far to read. So some programs (libevent among them) make bitmaps of their own and pass them as
//! `fd_set *`. POSIX leaves that undefined, and each system decides for itself:
//!
//! | system | `nfds` beyond `FD_SETSIZE` |
//! |---|---|
//! | Linux (glibc, musl) | taken: the kernel looks at `nfds` bits, at most as many as the process has descriptors |
//! | FreeBSD, OpenBSD, NetBSD | taken: select(2) names a larger `FD_SETSIZE`, set before the header is read |
//! | macOS | `EINVAL`, unless the program was built with `_DARWIN_UNLIMITED_SELECT`; this one was not |
//!
//! It exists to be measured (`baresock compare`) and shown (the lab fdsetsize-overflow). No other code uses it: a
//! program with so many descriptors should use `poll`.

use std::fmt;
use std::os::fd::AsFd;

use libc::c_int;

use super::super::fd_set::{WORD_BITS, Word, nfds, numbers};
use super::super::number;
use super::{c_timeval, is_judged_by_libc, rewrite};
use crate::names::{Errno, Result};
use crate::trace::arg::{Arg, Note};
use crate::trace::call::enter;
use crate::trace::page::Function;
use crate::values::{FdNumber, TimeVal};

/// A bitmap like `fd_set` without a fixed length: it grows with the highest number that is set.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct WideFdSet {
    words: Vec<Word>,
}

impl WideFdSet {
    /// An empty set.
    pub const fn new() -> Self {
        Self { words: Vec::new() }
    }

    /// Makes room for `nfds` bits: every set of a call needs as many bits as `nfds` says.
    pub fn widen(&mut self, nfds: c_int) {
        let words = usize::try_from(nfds).unwrap_or(0).div_ceil(WORD_BITS);
        self.words.resize(self.words.len().max(words), 0);
    }

    /// Empties the set; its room stays.
    pub fn zero(&mut self) {
        self.words.fill(0);
    }

    /// Adds a descriptor.
    pub fn set(&mut self, fd: impl AsFd) {
        let number = FdNumber::of(&fd).get();
        self.widen(number + 1);
        let (word, bit) = place(FdNumber::new(number));
        self.words[word] |= bit;
    }

    /// Removes a descriptor.
    pub fn clr(&mut self, fd: impl AsFd) {
        let (word, bit) = place(FdNumber::of(&fd));
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    /// Whether a descriptor is in the set.
    pub fn isset(&self, fd: impl AsFd) -> bool {
        let (word, bit) = place(FdNumber::of(&fd));
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The numbers in the set, in order.
    pub fn numbers(&self) -> impl Iterator<Item = FdNumber> + '_ {
        numbers(&self.words)
    }

    /// The highest number in the set plus one.
    pub fn nfds(&self) -> c_int {
        nfds(&self.words)
    }

    /// Copies the members of another set. Where there is enough room already, it does not allocate.
    pub fn copy_from(&mut self, other: &Self) {
        self.words.clone_from(&other.words);
    }

    fn covers(&self, nfds: c_int) -> bool {
        usize::try_from(nfds).is_ok_and(|nfds| nfds <= self.words.len() * WORD_BITS)
    }
}

/// The word that contains a number's bit, and the bit. The number belongs to an open descriptor, so it is not negative.
fn place(number: FdNumber) -> (usize, Word) {
    let number = number.get().unsigned_abs() as usize;
    (number / WORD_BITS, 1 << (number % WORD_BITS))
}

impl fmt::Debug for WideFdSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.numbers()).finish()
    }
}

/// `int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout);` is
/// [`select`](super::select()) with sets that may be longer than an `fd_set`. The trace shows it as `select`, because
/// that is the function called.
///
/// # Errors
/// As [`select`](super::select()), and
///
/// | errno | when |
/// |---|---|
/// | `EINVAL` | this system does not take `nfds` beyond `FD_SETSIZE`; (refused) a set has fewer than `nfds` bits |
///
/// References: [`select(2)`](https://man7.org/linux/man-pages/man2/select.2.html);
/// beyond `FD_SETSIZE` not in POSIX.
pub fn select_wide(
    nfds: c_int,
    readfds: Option<&mut WideFdSet>,
    writefds: Option<&mut WideFdSet>,
    exceptfds: Option<&mut WideFdSet>,
    timeout: Option<&mut TimeVal>,
) -> Result<usize> {
    let mut sets = [readfds, writefds, exceptfds];
    let call = enter(Function::SELECT, || {
        let [read, write, except] = shown(nfds, &sets).map(Arg::set);
        [nfds.into(), read, write, except, Arg::TimeVal(timeout.as_deref().copied())]
    });
    // A negative nfds is passed on: the kernel decides, and reads no bit.
    if nfds > 0 && sets.iter().flatten().any(|set| !set.covers(nfds)) {
        return call.refuse(Errno::EINVAL);
    }
    let call = call.by_libc_if(is_judged_by_libc(timeout.as_deref()));
    let mut time = match timeout.as_deref().copied().map(c_timeval).transpose() {
        Ok(time) => time,
        Err(errno) => return call.refuse(errno),
    };
    let time_ptr = time.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
    let asked = call.is_spurious().then(|| sets.each_ref().map(|set| set.as_deref().cloned()));
    let result = call.make(|| {
        let [read, write, except] = sets.each_mut().map(|set| {
            set.as_deref_mut().map_or(std::ptr::null_mut(), |set| set.words.as_mut_ptr().cast())
        });
        // SAFETY: every set that is not NULL has at least `nfds` bits in whole words, which is as far as the kernel reads
        // and writes; libc only passes the pointers on. All of them are exclusively ours until the call returns.
        number(unsafe { libc::select(nfds, read, write, except, time_ptr) })
    });
    let result =
        result.map(|ready| asked.map_or(ready as usize, |asked| all_ready(&mut sets, asked)));
    let left = rewrite(timeout, time);
    call.returns_noting(result, |_| Note::select(shown(nfds, &sets), left))
}

/// For a rule of `--inject`: every descriptor of the first two sets is ready. Returns the number of bits.
fn all_ready(sets: &mut [Option<&mut WideFdSet>; 3], asked: [Option<WideFdSet>; 3]) -> usize {
    for (set, asked) in sets.iter_mut().zip(asked).take(2) {
        if let (Some(set), Some(asked)) = (set, asked) {
            **set = asked;
        }
    }
    sets.iter().flatten().map(|set| set.numbers().count()).sum()
}

/// The members of the sets for the trace: those below `nfds`.
fn shown(nfds: c_int, sets: &[Option<&mut WideFdSet>; 3]) -> [Option<Vec<FdNumber>>; 3] {
    sets.each_ref().map(|set| {
        set.as_deref().map(|set| set.numbers().take_while(|fd| fd.get() < nfds).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{AF_UNIX, MsgFlags, Protocol, SOCK_STREAM};
    use crate::sys::{FD_SETSIZE, FdSet, fcntl_dupfd, send, socketpair};

    #[test]
    fn a_wide_set_has_its_bits_where_an_fd_set_has_them() {
        let [a, _b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        let far = fcntl_dupfd(&a, 99).unwrap();
        let (mut narrow, mut wide) = (FdSet::new(), WideFdSet::new());
        for fd in [&a, &far] {
            narrow.set(fd).unwrap();
            wide.set(fd);
        }
        assert_eq!(wide.words[..], narrow.words[..wide.words.len()]);
        assert_eq!(wide.nfds(), narrow.nfds());
        assert!(wide.numbers().eq(narrow.numbers()));
        wide.clr(&far);
        assert!(wide.isset(&a) && !wide.isset(&far));
    }

    /// Where the system accepts it, it answers for numbers beyond an `fd_set`; where not, it returns an error.
    #[test]
    fn beyond_the_set_size_the_system_answers_or_refuses() {
        crate::os::limits::raise_descriptor_limit().unwrap();
        let [a, b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        let beyond = FD_SETSIZE as c_int + 500;
        let [loud, quiet] = [fcntl_dupfd(&b, beyond), fcntl_dupfd(&a, beyond + 1)];
        let (Ok(loud), Ok(quiet)) = (loud, quiet) else {
            eprintln!("skipped: no descriptors beyond FD_SETSIZE can be had here");
            return;
        };
        send(&a, b"x", MsgFlags::NONE).unwrap();
        let mut set = WideFdSet::new();
        set.set(&loud);
        set.set(&quiet);
        match select_wide(set.nfds(), Some(&mut set), None, None, None) {
            Ok(ready) => assert_eq!((ready, set.isset(&loud), set.isset(&quiet)), (1, true, false)),
            Err(errno) => assert_eq!(errno, Errno::EINVAL),
        }
    }

    #[test]
    fn a_set_shorter_than_nfds_is_refused() {
        let mut short = WideFdSet::new();
        short.widen(64);
        let mut none = TimeVal::default();
        let beyond = FD_SETSIZE as c_int * 2;
        let result = select_wide(beyond, Some(&mut short), None, None, Some(&mut none));
        assert_eq!(result, Err(Errno::EINVAL));
        assert_eq!(select_wide(64, Some(&mut short), None, None, Some(&mut none)), Ok(0));
    }
}
