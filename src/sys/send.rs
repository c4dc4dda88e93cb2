//! `send` and `sendto` give bytes to the kernel.
//!
//! A short write, with fewer bytes taken than given, is ordinary: the caller sends the rest.

use std::borrow::Cow;
use std::os::fd::{AsFd, AsRawFd};

use super::count;
use super::sockaddr::RawAddress;
use crate::addr::Address;
use crate::names::{Errno, MsgFlags, Result};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::facts::Facts;
use crate::trace::figures::{bytes, grouped};
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};

static SEND: Page = Page {
    name: "send",
    prototype: "ssize_t send(int sockfd, const void *buf, size_t len, int flags)",
    parameters: &["sockfd", "buf", "len", "flags"],
    short: &["sockfd", "buf"],
    waits: Waits::OnDescriptor,
    effect: Effect::Sends,
    returns: Returns::Bytes,
    kernel: &["sendto"],
    gist: "hands bytes to the kernel for the peer",
    result: "How many bytes were taken, perhaps fewer than offered: a short write.",
    trap: "Taken is not delivered: the bytes are in the kernel's buffer. The program must send the rest when the \
        socket is writable again.",
    errnos: "EAGAIN EINTR EPIPE ECONNRESET ENOTCONN EDESTADDRREQ ECONNREFUSED EMSGSIZE ENOBUFS ETIMEDOUT EHOSTUNREACH EOPNOTSUPP ENOTSOCK",
    systems: "On Linux a blocking send returns short only after a signal, a timeout, or the end of the connection \
        midway. On macOS and NetBSD only O_NONBLOCK keeps it from waiting: they ignore MSG_DONTWAIT here.",
    man: "send(2)",
    posix: "send",
    lab: "partial-send",
    lessons: &[
        &super::recv::INTERRUPTED,
        &Lesson {
            when: |call| {
                call.is_stream() && call.returned() > 0 && call.returned() == call.number()
            },
            says: |call| {
                format!("{} in the send buffer; arrival is not reported", bytes(call.returned()))
            },
            see: See::Lab("send-is-a-copy"),
        },
        &Lesson {
            when: Facts::is_short,
            says: |call| {
                let taken = grouped(call.returned());
                let given = bytes(call.number());
                format!("took {taken} of {given}: the send buffer is full")
            },
            see: See::Lab("partial-send"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EAGAIN),
            says: |call| format!("took none of {}: the send buffer is full", bytes(call.number())),
            see: See::Lab("partial-send"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EPIPE) && call.says("MSG_NOSIGNAL"),
            says: |_| "sending is no longer possible; MSG_NOSIGNAL: no SIGPIPE".into(),
            see: See::Lab("sigpipe-or-not"),
        },
        &BROKEN_PIPE,
        &RESET_BEFORE_SENDING,
        &REFUSED,
    ],
    ..Page::blank()
};

impl Function {
    /// `ssize_t send(int sockfd, const void *buf, size_t len, int flags)`
    pub const SEND: Self = Self::on(&SEND);
}

pub(super) static BROKEN_PIPE: Lesson = Lesson {
    when: |call| call.failed(Errno::EPIPE) && !call.says("MSG_NOSIGNAL"),
    says: |_| "sending is no longer possible; SIGPIPE was raised too".into(),
    see: See::Lab("sigpipe-or-not"),
};

pub(super) static RESET_BEFORE_SENDING: Lesson = Lesson {
    when: |call| call.failed(Errno::ECONNRESET),
    says: |_| "the peer has reset the connection: these bytes are lost".into(),
    see: See::Lab("rst-on-unread"),
};

pub(super) static REFUSED: Lesson = Lesson {
    when: Facts::is_refused_datagram,
    says: |_| {
        "no socket had the port of an earlier datagram, or in the Unix domain of this one".into()
    },
    see: See::Lab("udp-refused-later"),
};

/// `ssize_t send(int sockfd, const void *buf, size_t len, int flags);` copies bytes into the socket's send buffer and
/// returns how many, which may be fewer than given. It does not say that the bytes have reached the peer.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | the send buffer is full (non-blocking, `SO_SNDTIMEO`, or `MSG_DONTWAIT`, which macOS and NetBSD ignore) |
/// | `EINTR` | a signal came before any byte was taken |
/// | `EPIPE` | the connection can no longer be used for sending; also `SIGPIPE`, unless `MSG_NOSIGNAL` |
/// | `ECONNRESET` | the peer reset the connection (the BSDs and macOS: `EPIPE`) |
/// | `ENOTCONN` | the socket is not connected (`EPIPE` for TCP on Linux) |
/// | `EDESTADDRREQ` | a datagram socket without a peer |
/// | `ECONNREFUSED` | (UDP) no socket had the port of an earlier datagram |
/// | `EMSGSIZE` | the datagram is too long |
/// | `ENOBUFS` | no memory (the BSDs and macOS: the queue of the interface, or of a Unix-domain datagram socket, is full) |
/// | `ETIMEDOUT` | the peer has not acknowledged for minutes |
/// | `EHOSTUNREACH` | there is no longer a route to the host |
/// | `EOPNOTSUPP` | this kind of socket does not support the flag |
/// | `ENOTSOCK` | the descriptor is not a socket |
///
/// References: [`send(2)`](https://man7.org/linux/man-pages/man2/send.2.html);
/// POSIX [`send`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/send.html).
// In the loop an untraced call is then no more than the test of a flag and the call itself.
#[inline(always)]
pub fn send(sockfd: impl AsFd, buf: &[u8], flags: MsgFlags) -> Result<usize> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::SEND, || {
        [sockfd.into(), Arg::bytes(buf), buf.len().into(), flags.named().into()]
    });
    let len = call.length(buf.len());
    let result = call.make(|| {
        // SAFETY: the kernel reads `len` bytes, at most all, of `buf`, which lives through the call.
        count(unsafe { libc::send(sockfd.as_raw_fd(), buf.as_ptr().cast(), len, flags.bits()) })
    });
    call.returns(result)
}

static SENDTO: Page = Page {
    name: "sendto",
    prototype: "ssize_t sendto(int sockfd, const void *buf, size_t len, int flags, const struct sockaddr *dest_addr, socklen_t addrlen)",
    parameters: &["sockfd", "buf", "len", "flags", "dest_addr", "addrlen"],
    short: &["sockfd", "buf"],
    waits: Waits::OnDescriptor,
    effect: Effect::Sends,
    returns: Returns::Bytes,
    gist: "sends a datagram to an address",
    result: "The whole length, or -1: a datagram is sent whole or not at all.",
    trap: "Success means that the datagram left, not that it arrived. Only a connected socket learns of a refusal, in a later call.",
    errnos: "EAGAIN EISCONN EACCES EINVAL EAFNOSUPPORT ENETUNREACH EMSGSIZE ENAMETOOLONG ENOTSOCK",
    man: "sendto(2)",
    posix: "sendto",
    lab: "udp-refused-later",
    lessons: &[
        &Lesson {
            when: |call| call.succeeded(),
            says: |call| {
                format!("one datagram of {}; arrival is not reported", bytes(call.returned()))
            },
            see: See::Lab("udp-drops-silently"),
        },
        &REFUSED,
    ],
    ..Page::blank()
};

impl Function {
    /// `ssize_t sendto(int sockfd, const void *buf, size_t len, int flags, const struct sockaddr *dest_addr, socklen_t addrlen)`
    pub const SENDTO: Self = Self::on(&SENDTO);
}

/// `ssize_t sendto(int sockfd, const void *buf, size_t len, int flags, const struct sockaddr *dest_addr, socklen_t
/// addrlen);` sends one datagram to an address.
///
/// # Errors
/// As [`send`], and
///
/// | errno | when |
/// |---|---|
/// | `EISCONN` | an address on a connected socket (not on Linux: with UDP it sends to that address, with TCP it ignores the address) |
/// | `EACCES` | a broadcast address without `SO_BROADCAST` |
/// | `EINVAL` | port 0, or a wrong length (Linux) |
/// | `EAFNOSUPPORT` | the address is of another family |
/// | `ENETUNREACH` | there is no route to that network |
/// | `ENAMETOOLONG` | (refused) the path does not fit into `sun_path` |
///
/// References: [`sendto(2)`](https://man7.org/linux/man-pages/man2/sendto.2.html);
/// POSIX [`sendto`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/sendto.html).
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
    let call = enter(Function::SENDTO, || {
        let bytes = Arg::bytes(buf);
        let len = buf.len().into();
        let to = Arg::address(&read);
        let addrlen = Arg::Int(addrlen.into());
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
