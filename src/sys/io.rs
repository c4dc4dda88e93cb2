//! Moving bytes: `send`, `recv`, `sendto`, `recvfrom`, `sockatmark`, `read`, `write`, `sendfile`.
//!
//! Two results deserve attention every time. A *short* count, less than was asked, is ordinary: the rest is
//! the caller's to send or to wait for. And 0 from a receive is the peer's end of file, once it has
//! finished sending.

use std::borrow::Cow;
use std::os::fd::{AsFd, AsRawFd};

use super::sockaddr::RawAddress;
use super::socket::written;
use super::{count, number};
use crate::addr::Address;
use crate::names::{MsgFlags, Result};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::function::Function;

/// `ssize_t send(int sockfd, const void *buf, size_t len, int flags);` puts bytes into the socket's send buffer and
/// says how many: perhaps fewer than were given. That they were taken does not say that they have arrived.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | the send buffer is full (non-blocking, or `SO_SNDTIMEO`) |
/// | `EINTR` | a signal came before any byte was taken |
/// | `EPIPE` | the connection can no longer be sent on; also `SIGPIPE`, unless `MSG_NOSIGNAL` |
/// | `ECONNRESET` | the peer reset the connection |
/// | `ENOTCONN` | the socket is not connected (`EPIPE` for TCP on Linux) |
/// | `EDESTADDRREQ` | a datagram socket without a peer |
/// | `ECONNREFUSED` | (UDP) an earlier datagram found nobody |
/// | `EMSGSIZE` | the datagram is too long |
/// | `ENOBUFS` | no memory (the BSDs: the interface's queue is full) |
/// | `ETIMEDOUT` | the peer has not acknowledged for minutes |
/// | `EHOSTUNREACH` | there is no way to the host any more |
/// | `EOPNOTSUPP` | this socket does not know the flag |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// References: `send(2)`; POSIX `send`.
#[inline]
pub fn send(sockfd: impl AsFd, buf: &[u8], flags: MsgFlags) -> Result<usize> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::Send, || {
        [sockfd.into(), Arg::bytes(buf), buf.len().into(), flags.named().into()]
    });
    let len = call.length(buf.len());
    let result = call.make(|| {
        // SAFETY: the kernel reads `len` bytes, at most all, of `buf`, which lives through the call.
        count(unsafe { libc::send(sockfd.as_raw_fd(), buf.as_ptr().cast(), len, flags.bits()) })
    });
    call.returns(result)
}

/// `ssize_t recv(int sockfd, void *buf, size_t len, int flags);` takes what has arrived, at most `buf.len()` bytes;
/// 0 is the peer's end of file (or a datagram without bytes, or a `buf` without room).
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | nothing is there (non-blocking, `MSG_DONTWAIT`, or `SO_RCVTIMEO`) |
/// | `EINTR` | a signal came before any byte did |
/// | `ECONNRESET` | the peer reset the connection |
/// | `ENOTCONN` | the socket is not connected |
/// | `ECONNREFUSED` | (UDP) an earlier datagram found nobody |
/// | `ETIMEDOUT` | the peer has not acknowledged for minutes, or keepalive found it gone |
/// | `EHOSTUNREACH` | there is no way to the host any more |
/// | `ENOMEM`, `ENOBUFS` | no memory |
/// | `EINVAL` | `MSG_OOB` without an urgent byte |
/// | `EOPNOTSUPP` | this socket does not know the flag |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// References: `recv(2)`; POSIX `recv`.
#[inline]
pub fn recv(sockfd: impl AsFd, buf: &mut [u8], flags: MsgFlags) -> Result<usize> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::Recv, || [sockfd.into()]);
    let len = buf.len();
    let result = call.make(|| {
        let room = call.length(len);
        // SAFETY: the kernel writes at most `room` bytes to `buf`, which has at least that many.
        count(unsafe {
            libc::recv(sockfd.as_raw_fd(), buf.as_mut_ptr().cast(), room, flags.bits())
        })
    });
    call.rest(|| [filled(&result, buf), len.into(), flags.named().into()]).returns(result)
}

/// `ssize_t sendto(int sockfd, const void *buf, size_t len, int flags, const struct sockaddr *dest_addr, socklen_t
/// addrlen);` sends one datagram to an address.
///
/// # Errors
/// As [`send`], and
///
/// | errno | when |
/// |---|---|
/// | `EISCONN` | an address on a socket that is connected (not on Linux for UDP, which sends there, nor for TCP, which does not look at it) |
/// | `EACCES` | a broadcast address without `SO_BROADCAST` |
/// | `EINVAL` | port 0, or a wrong length (Linux) |
/// | `EAFNOSUPPORT` | the address is of another family |
/// | `ENETUNREACH` | there is no way to that network |
/// | `ENAMETOOLONG` | (refused) the path does not fit into `sun_path` |
///
/// References: `sendto(2)`; POSIX `sendto`.
pub fn sendto(
    sockfd: impl AsFd,
    buf: &[u8],
    flags: MsgFlags,
    dest_addr: &Address,
) -> Result<usize> {
    let sockfd = sockfd.as_fd();
    let raw = RawAddress::encode(dest_addr);
    let addrlen = raw.as_ref().map_or(0, RawAddress::len);
    let read = raw.as_ref().map_or(Cow::Borrowed(dest_addr), |raw| raw.as_read(dest_addr));
    let call = enter(Function::Sendto, || {
        let (bytes, len) = (Arg::bytes(buf), buf.len().into());
        let (to, addrlen) = (Arg::address(&read), Arg::Int(addrlen.into()));
        [sockfd.into(), bytes, len, flags.named().into(), to, addrlen]
    });
    let raw = match raw {
        Ok(raw) => raw,
        Err(errno) => return call.refuse(errno),
    };
    let result = call.make(|| {
        let (data, len) = (buf.as_ptr().cast(), call.length(buf.len()));
        // SAFETY: the kernel reads `len` bytes, at most all, of `buf` and `raw`'s bytes, which live through the call.
        count(unsafe {
            libc::sendto(sockfd.as_raw_fd(), data, len, flags.bits(), raw.as_ptr(), raw.len())
        })
    });
    call.returns(result)
}

/// `ssize_t recvfrom(int sockfd, void *buf, size_t len, int flags, struct sockaddr *src_addr, socklen_t *addrlen);`
/// takes one datagram and says where it came from. What does not fit into `buf` is lost. A connected stream
/// has no address to tell.
///
/// # Errors
/// As [`recv`].
///
/// References: `recvfrom(2)`; POSIX `recvfrom`.
pub fn recvfrom(
    sockfd: impl AsFd,
    buf: &mut [u8],
    flags: MsgFlags,
) -> Result<(usize, Option<Address>)> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::Recvfrom, || [sockfd.into()]);
    let len = buf.len();
    let mut raw = RawAddress::room();
    let result = call.make(|| {
        let (data, room) = (buf.as_mut_ptr().cast(), call.length(len));
        let (from, from_len) = (raw.as_mut_ptr(), raw.len_mut());
        // SAFETY: the kernel writes at most `room` bytes to `buf`, which has at least that many, and to `raw` what
        // its length allows.
        count(unsafe {
            libc::recvfrom(sockfd.as_raw_fd(), data, room, flags.bits(), from, from_len)
        })
    });
    let shown = raw.shown();
    let call = call.rest(|| [filled(&result, buf), len.into(), flags.named().into()]);
    let from = match (&result, raw.decode()) {
        // Where no address was written, the trace shows the pointer, as strace does.
        (Ok(_), None) => call.rest(|| [Arg::Pointer(raw.as_ptr() as usize), zero_length()]),
        _ => call.rest(|| written(&result, &raw, &shown)),
    };
    let received = from.returns(result)?;
    Ok((received, raw.decode()))
}

fn zero_length() -> Arg<'static> {
    Arg::Length { given: RawAddress::room().len().into(), returned: 0 }
}

/// `int sockatmark(int sockfd);` whether the next byte to be received is the one behind the urgent mark. `recv` never
/// reads across the mark, so who asks before each `recv` finds it.
///
/// On Linux it is made of `ioctl` with `SIOCATMARK`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOTTY` | the descriptor is no socket, or its socket has no urgent mark (UDP); POSIX says so of the first |
///
/// References: `sockatmark(3)`; POSIX `sockatmark`.
pub fn sockatmark(sockfd: impl AsFd) -> Result<bool> {
    // The libc crate leaves it out.
    unsafe extern "C" {
        fn sockatmark(sockfd: libc::c_int) -> libc::c_int;
    }
    let sockfd = sockfd.as_fd();
    let call = enter(Function::Sockatmark, || [sockfd.into()]);
    let result = call.make(|| {
        // SAFETY: the prototype is POSIX's; it takes no pointers.
        number(unsafe { sockatmark(sockfd.as_raw_fd()) }).map(|answer| answer != 0)
    });
    call.returns(result)
}

/// `ssize_t read(int fd, void *buf, size_t count);` [`recv`] without flags, for any kind of descriptor.
///
/// # Errors
/// As [`recv`], and
///
/// | errno | when |
/// |---|---|
/// | `EIO` | the terminal is gone, or this process is in its background |
/// | `EISDIR` | it is a directory |
/// | `EBADF` | it is not open for reading |
///
/// References: `read(2)`; POSIX `read`.
pub fn read(fd: impl AsFd, buf: &mut [u8]) -> Result<usize> {
    let fd = fd.as_fd();
    let call = enter(Function::Read, || [fd.into()]);
    let len = buf.len();
    let result = call.make(|| {
        let room = call.length(len);
        // SAFETY: the kernel writes at most `room` bytes to `buf`, which has at least that many.
        count(unsafe { libc::read(fd.as_raw_fd(), buf.as_mut_ptr().cast(), room) })
    });
    call.rest(|| [filled(&result, buf), len.into()]).returns(result)
}

/// `ssize_t write(int fd, const void *buf, size_t count);` [`send`] without flags, for any kind of descriptor: so it
/// cannot say `MSG_NOSIGNAL`.
///
/// # Errors
/// As [`send`], and
///
/// | errno | when |
/// |---|---|
/// | `ENOSPC` | the disk is full |
/// | `EFBIG` | the file would be too large |
/// | `EIO` | the device failed |
/// | `EBADF` | it is not open for writing |
///
/// References: `write(2)`; POSIX `write`.
pub fn write(fd: impl AsFd, buf: &[u8]) -> Result<usize> {
    let fd = fd.as_fd();
    let call = enter(Function::Write, || [fd.into(), Arg::bytes(buf), buf.len().into()]);
    let result = call.make(|| {
        let len = call.length(buf.len());
        // SAFETY: the kernel reads `len` bytes, at most all, of `buf`, which lives through the call.
        count(unsafe { libc::write(fd.as_raw_fd(), buf.as_ptr().cast(), len) })
    });
    call.returns(result)
}

/// `ssize_t sendfile(int out_fd, int in_fd, off_t *offset, size_t count);` sends bytes of a file without bringing them
/// into this process: perhaps fewer than were asked for, and 0 at the file's end.
///
/// With an `offset` the bytes are taken from there, the offset is moved behind them, and the file's own position stays;
/// without one it is the position that moves. (The offset has 64 bits, as in C with `_FILE_OFFSET_BITS=64`.)
///
/// What is on its way is the file's own memory: bytes that are changed before the peer's system has them may arrive
/// changed. There are no flags, so it cannot say `MSG_NOSIGNAL`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | the send buffer is full (non-blocking, or `SO_SNDTIMEO`) |
/// | `EINTR` | a signal came before any byte was taken |
/// | `EPIPE` | the connection can no longer be sent on, or is not connected; also `SIGPIPE` |
/// | `EDESTADDRREQ` | a datagram socket without a peer |
/// | `EINVAL` | bytes cannot be taken from `in_fd` in this way: it is a socket, a directory, some file of `/proc`; or the offset is negative; or `out_fd` appends (`O_APPEND`) |
/// | `ESPIPE` | an offset, and `in_fd` has no position: a pipe |
/// | `EBADF` | `in_fd` is not open for reading, or `out_fd` not for writing |
/// | `EOVERFLOW` | the offset and `count` are beyond every file |
/// | `EIO` | the file could not be read |
/// | `ENOMEM` | no memory |
///
/// Systems differ: this is Linux's. The functions of this name on FreeBSD and macOS take the file first and other
/// arguments, and are not wrapped; NetBSD and OpenBSD have none. POSIX does not know it.
///
/// References: `sendfile(2)`.
#[cfg(has_sendfile)]
pub fn sendfile(
    out_fd: impl AsFd,
    in_fd: impl AsFd,
    mut offset: Option<&mut i64>,
    count: usize,
) -> Result<usize> {
    let (out_fd, in_fd) = (out_fd.as_fd(), in_fd.as_fd());
    let call = enter(Function::Sendfile, || [out_fd.into(), in_fd.into()]);
    let given = offset.as_deref().copied();
    let offset_ptr = offset.as_deref_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
    let result = call.make(|| {
        let (len, in_raw) = (call.length(count), in_fd.as_raw_fd());
        // SAFETY: `offset_ptr` is NULL or leads to a number that is exclusively ours.
        super::count(unsafe { libc::sendfile64(out_fd.as_raw_fd(), in_raw, offset_ptr, len) })
    });
    let sent_any = result.is_ok_and(|sent| sent > 0);
    let shown = match given {
        None => Arg::Pointer(0),
        Some(given) => Arg::Offset { given, returned: offset.map(|at| *at).filter(|_| sent_any) },
    };
    call.rest(|| [shown, count.into()]).returns(result)
}

/// The bytes that a call wrote; after a failure, where they would have stood.
fn filled<'a>(result: &Result<usize>, buf: &'a [u8]) -> Arg<'a> {
    match result {
        // MSG_TRUNC returns the length of the whole datagram, which may be more than fitted.
        Ok(received) => Arg::bytes(&buf[..buf.len().min(*received)]),
        Err(_) => Arg::Pointer(buf.as_ptr() as usize),
    }
}
