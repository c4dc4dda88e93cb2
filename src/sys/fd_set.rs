//! `fd_set`, the bitmap in which `select` gets its question and returns its answer.

use std::fmt;
use std::os::fd::AsFd;

use libc::c_int;

use crate::values::FdNumber;

/// How many descriptors, from 0 on, an `fd_set` has bits for: 1024, and 256 on NetBSD.
pub const FD_SETSIZE: usize = libc::FD_SETSIZE as usize;

/// The words of the bitmap. Their size matters on big-endian machines, where bit 0 of a 64-bit word is not in its first
/// byte.
#[cfg(any(linux, freebsd))]
pub type Word = libc::c_ulong;

/// The words of the bitmap.
#[cfg(any(apple, openbsd, netbsd))]
pub type Word = u32;

/// How many descriptors a word has bits for.
pub const WORD_BITS: usize = Word::BITS as usize;

const WORDS: usize = FD_SETSIZE / WORD_BITS;

/// `fd_set`: a bit for each descriptor, a bitmap of [`FD_SETSIZE`] bits.
#[doc(alias = "fd_set")]
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FdSet {
    pub(super) words: [Word; WORDS],
}

const _: () = assert!(size_of::<FdSet>() == size_of::<libc::fd_set>());

const _: () = assert!(align_of::<FdSet>() >= align_of::<libc::fd_set>());

/// A descriptor's number is [`FD_SETSIZE`] or more: the set has no bit for it.
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
    /// The number is [`FD_SETSIZE`] or more. C's `FD_SET` writes past the end of the set, or aborts.
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

    /// The numbers in the set, in order. It skips whole words, so an almost empty set costs almost nothing.
    pub fn numbers(&self) -> impl Iterator<Item = FdNumber> + '_ {
        numbers(&self.words)
    }

    /// The highest number in the set plus one: the smallest `nfds` that covers the set.
    pub fn nfds(&self) -> c_int {
        nfds(&self.words)
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::fd_set {
        std::ptr::from_mut(self).cast()
    }
}

#[inline]
pub(super) fn numbers(words: &[Word]) -> impl Iterator<Item = FdNumber> + '_ {
    let mut at = 0;
    let mut rest = words.first().copied().unwrap_or(0);
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
pub(super) fn nfds(words: &[Word]) -> c_int {
    let last = words.iter().rposition(|word| *word != 0);
    last.map_or(0, |at| ((at + 1) * WORD_BITS) as c_int - words[at].leading_zeros() as c_int)
}

/// The word that contains a number's bit, and the bit.
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

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;
    use crate::sys::{fcntl_dupfd, pipe};

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
}
