//! Waiting for descriptors without owning them: sets without a bounds check, rows and calls with numbers that other
//! code may close.

use libc::{c_int, nfds_t};

use super::Wild;
use crate::names::{Errno, MsgFlags, PollEvents, Result};
use crate::sys::select::c_timeval;
use crate::sys::{count, number};
use crate::trace::arg::{Arg, Note};
use crate::trace::call::enter;
use crate::trace::page::Function;
use crate::values::{FdNumber, PollRow, TimeVal};

pub use crate::sys::fd_set::{WORD_BITS, Word};

/// `void FD_SET(int fd, fd_set *set);` adds a number as C's macro does, without checking where the set ends. `memory`
/// is the set and the memory after it.
///
/// # Errors
/// None in C. Here `EINVAL` if the number has no bit in `memory` either.
///
/// References: [`select(2)`](https://man7.org/linux/man-pages/man2/select.2.html);
/// POSIX [`select`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/select.html).
pub fn fd_set(_: Wild, fd: FdNumber, memory: &mut [Word]) -> Result<()> {
    let number = usize::try_from(fd.get()).map_err(|_| Errno::EINVAL)?;
    let word = memory.get_mut(number / WORD_BITS).ok_or(Errno::EINVAL)?;
    *word |= 1 << (number % WORD_BITS);
    Ok(())
}

/// `int FD_ISSET(int fd, const fd_set *set);` whether a number's bit is set; like C's macro, it reads wherever that bit
/// would be.
///
/// # Errors
/// None in C. Here a number without a bit in `memory` counts as not set.
///
/// References: [`select(2)`](https://man7.org/linux/man-pages/man2/select.2.html);
/// POSIX [`select`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/select.html).
pub fn fd_isset(_: Wild, fd: FdNumber, memory: &[Word]) -> bool {
    let number = usize::try_from(fd.get()).unwrap_or(usize::MAX);
    memory.get(number / WORD_BITS).is_some_and(|word| word & (1 << (number % WORD_BITS)) != 0)
}

/// `int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout);` with an
/// `nfds` that may be greater than `FD_SETSIZE`, and numbers that may not be open. The kernel reads and writes as many
/// bits as `nfds` says, wherever the set ends.
///
/// # Errors
/// As [`select`](crate::sys::select()); (refused) `EINVAL` if `nfds` goes beyond `readfds`, which would be unrelated
/// memory.
///
/// References: [`select(2)`](https://man7.org/linux/man-pages/man2/select.2.html);
/// POSIX [`select`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/select.html).
pub fn select(_: Wild, nfds: c_int, readfds: &mut [Word], timeout: &mut TimeVal) -> Result<usize> {
    let call = enter(Function::SELECT, || {
        let none = || Arg::Set(None);
        let time = Arg::TimeVal(Some(*timeout));
        [nfds.into(), Arg::set(Some(numbers(nfds, readfds))), none(), none(), time]
    });
    if usize::try_from(nfds).is_ok_and(|bits| bits > readfds.len() * WORD_BITS) {
        return call.refuse(Errno::EINVAL);
    }
    let mut time = match c_timeval(*timeout) {
        Ok(time) => time,
        Err(errno) => return call.refuse(errno),
    };
    let result = call.make(|| {
        let set = readfds.as_mut_ptr().cast();
        let null = std::ptr::null_mut();
        // SAFETY: the kernel reads and writes `nfds` bits, in whole words, of `readfds`, which has that many and is
        // exclusively ours; so is `time`.
        number(unsafe { libc::select(nfds, set, null, null, &raw mut time) })
    });
    *timeout = TimeVal { tv_sec: time.tv_sec as _, tv_usec: time.tv_usec as _ };
    let left = Some(*timeout).filter(|_| cfg!(all(linux, target_env = "gnu")));
    call.returns_noting(result.map(|ready| ready as usize), |_| {
        Note::select([Some(numbers(nfds, readfds)), None, None], left)
    })
}

/// The numbers in a set that the kernel looks at.
fn numbers(nfds: c_int, memory: &[Word]) -> Vec<FdNumber> {
    let is_set = |number: &c_int| {
        let number = *number as usize;
        memory.get(number / WORD_BITS).is_some_and(|word| word & (1 << (number % WORD_BITS)) != 0)
    };
    (0..nfds).filter(is_set).map(FdNumber::new).collect()
}

/// `int poll(struct pollfd *fds, nfds_t nfds, int timeout);` with rows whose descriptors may be closed.
///
/// # Errors
/// As [`poll`](crate::sys::poll()).
///
/// References: [`poll(2)`](https://man7.org/linux/man-pages/man2/poll.2.html);
/// POSIX [`poll`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/poll.html).
pub fn poll(_: Wild, fds: &mut [PollRow], timeout_ms: c_int) -> Result<usize> {
    let call = enter(Function::POLL, || {
        [Arg::rows(fds.to_vec()), fds.len().into(), Arg::Millis(timeout_ms)]
    });
    let mut rows: Vec<libc::pollfd> = fds
        .iter()
        .map(|row| libc::pollfd { fd: row.fd.get(), events: row.events.bits() as _, revents: 0 })
        .collect();
    let result = call.make(|| {
        // SAFETY: `rows` has so many rows and is exclusively ours.
        number(unsafe { libc::poll(rows.as_mut_ptr(), rows.len() as nfds_t, timeout_ms) })
    });
    for (row, answered) in fds.iter_mut().zip(&rows) {
        row.revents = PollEvents::from_bits(answered.revents.into());
    }
    let answered = || fds.iter().filter(|row| row.revents.bits() != 0).copied().collect();
    call.returns_noting(result.map(|ready| ready as usize), |_| Note::Poll(answered()))
}

/// `ssize_t recv(int sockfd, void *buf, size_t len, int flags);` on a number that another thread may close in the
/// meantime.
///
/// # Errors
/// As [`recv`](crate::sys::recv()), and `EBADF` if the number is closed already.
///
/// References: [`recv(2)`](https://man7.org/linux/man-pages/man2/recv.2.html);
/// POSIX [`recv`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/recv.html).
pub fn recv(_: Wild, sockfd: FdNumber, buf: &mut [u8], flags: MsgFlags) -> Result<usize> {
    let call = enter(Function::RECV, || [Arg::Fd(sockfd)]);
    let len = buf.len();
    let result = call.make(|| {
        let room = call.length(len);
        // SAFETY: the kernel writes at most `room` bytes to `buf`, which has at least that many. A number that is not
        // open gives EBADF; one that was given to a stranger takes the stranger's bytes, which is the misuse.
        count(unsafe { libc::recv(sockfd.get(), buf.as_mut_ptr().cast(), room, flags.bits()) })
    });
    let filled = match &result {
        Ok(received) => Arg::bytes(&buf[..len.min(*received)]),
        Err(_) => Arg::Pointer(buf.as_ptr() as usize),
    };
    call.rest(|| [filled, len.into(), flags.named().into()]).returns(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wild_set_has_the_bits_of_a_tame_one_and_more() {
        let wild = Wild(());
        let mut memory = [0; 2048 / WORD_BITS];
        fd_set(wild, FdNumber::new(1600), &mut memory).unwrap();
        fd_set(wild, FdNumber::new(3), &mut memory).unwrap();
        assert!(fd_isset(wild, FdNumber::new(1600), &memory));
        assert_eq!(numbers(1601, &memory), [FdNumber::new(3), FdNumber::new(1600)]);
        assert_eq!(numbers(1600, &memory), [FdNumber::new(3)]);
        let mut time = TimeVal::default();
        assert_eq!(select(wild, 2049, &mut memory, &mut time), Err(Errno::EINVAL));
    }
}
