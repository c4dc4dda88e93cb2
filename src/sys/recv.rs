//! `recv` and `recvfrom` receive the bytes that have arrived.
//!
//! A short receive, with fewer bytes than the buffer has room for, is ordinary: the rest may still be on its way. A
//! result of 0 is end of file: the peer has closed its half.

use std::os::fd::{AsFd, AsRawFd};

use super::count;
use super::sockaddr::RawAddress;
use super::with_address::written;
use crate::addr::Address;
use crate::names::{Errno, MsgFlags, Result};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::facts::Facts;
use crate::trace::figures::bytes;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};

static RECV: Page = Page {
    name: "recv",
    prototype: "ssize_t recv(int sockfd, void *buf, size_t len, int flags)",
    parameters: &["sockfd", "buf", "len", "flags"],
    fills: &["buf"],
    short: &["sockfd", "buf"],
    waits: Waits::OnDescriptor,
    effect: Effect::Receives,
    returns: Returns::Bytes,
    kernel: &["recvfrom"],
    gist: "receives bytes that have arrived",
    result: "How many; any number from 1 to len. 0 on a stream: end of file, the peer has finished sending.",
    trap: "One recv is not one send: messages arrive joined or in pieces. On a datagram socket 0 is an empty message, not the end.",
    errnos: "EAGAIN EINTR ECONNRESET ENOTCONN ECONNREFUSED ETIMEDOUT EHOSTUNREACH ENOMEM EINVAL EOPNOTSUPP ENOTSOCK",
    systems: "Descriptors that a Unix-domain peer passes are closed by recv and read (on NetBSD some time later), but kept, nameless, on \
        macOS (read in xnu 15.4): there only recvmsg with room for them can close them.",
    man: "recv(2)",
    posix: "recv",
    lab: "no-message-boundaries",
    lessons: &[
        &Lesson {
            when: |call| call.is_stream() && call.returned() > 0 && call.returned() < call.number(),
            says: |call| format!("{}; messages have no boundaries here", bytes(call.returned())),
            see: See::Lab("no-message-boundaries"),
        },
        &AS_MUCH_AS_ASKED,
        &Lesson {
            when: Facts::is_the_end,
            says: |_| "0 is the end of file: the peer has finished sending".into(),
            see: See::Lab("half-close"),
        },
        &Lesson {
            when: |call| call.result() == Some(0) && call.number() == 0,
            says: |_| "0 of 0 bytes is not the end; without data recv would still wait".into(),
            see: See::Lab("recv-of-nothing"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EAGAIN),
            says: |_| "nothing to receive now; readiness is only a hint".into(),
            see: See::Lab("readiness-is-a-hint"),
        },
        &RESET,
        &INTERRUPTED,
        &REFUSED,
    ],
    ..Page::blank()
};

impl Function {
    /// `ssize_t recv(int sockfd, void *buf, size_t len, int flags)`
    pub const RECV: Self = Self::on(&RECV);
}

pub(super) static AS_MUCH_AS_ASKED: Lesson = Lesson {
    when: |call| call.is_stream() && call.returned() > 0 && call.returned() == call.number(),
    says: |call| format!("{}, as many as asked for: more may wait", bytes(call.returned())),
    see: See::Lab("level-and-lowat"),
};

pub(super) static RESET: Lesson = Lesson {
    when: |call| call.failed(Errno::ECONNRESET),
    says: |_| "the peer has reset the connection: it is over".into(),
    see: See::Lab("rst-on-unread"),
};

pub(super) static INTERRUPTED: Lesson = Lesson {
    when: |call| call.failed(Errno::EINTR),
    says: |_| "a signal arrived before any byte: call again".into(),
    see: See::Lab("eintr-despite-sa-restart"),
};

pub(super) static REFUSED: Lesson = Lesson {
    when: Facts::is_refused_datagram,
    says: |_| "no socket had the port of an earlier datagram".into(),
    see: See::Lab("udp-refused-later"),
};

/// `ssize_t recv(int sockfd, void *buf, size_t len, int flags);` receives bytes that have arrived, at most `buf.len()`;
/// 0 means end of file (or an empty datagram, or an empty `buf`).
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | no byte has arrived (non-blocking, `MSG_DONTWAIT`, or `SO_RCVTIMEO`) |
/// | `EINTR` | a signal came before any byte did |
/// | `ECONNRESET` | the peer reset the connection |
/// | `ENOTCONN` | the socket is not connected |
/// | `ECONNREFUSED` | (UDP) no socket had the port of an earlier datagram |
/// | `ETIMEDOUT` | the peer has not acknowledged for minutes, or keepalive found that it is gone |
/// | `EHOSTUNREACH` | there is no longer a route to the host |
/// | `ENOMEM`, `ENOBUFS` | no memory |
/// | `EINVAL` | `MSG_OOB` without an urgent byte |
/// | `EOPNOTSUPP` | this kind of socket does not support the flag |
/// | `ENOTSOCK` | the descriptor is not a socket |
///
/// References: [`recv(2)`](https://man7.org/linux/man-pages/man2/recv.2.html);
/// POSIX [`recv`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/recv.html).
// In the loop an untraced call is then no more than the test of a flag and the call itself.
#[inline(always)]
pub fn recv(sockfd: impl AsFd, buf: &mut [u8], flags: MsgFlags) -> Result<usize> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::RECV, || [sockfd.into()]);
    let len = buf.len();
    let result = call.make(|| {
        let room = call.length(len);
        // SAFETY: the kernel writes at most `room` bytes to `buf`, which has at least that many.
        count(unsafe {
            libc::recv(sockfd.as_raw_fd(), buf.as_mut_ptr().cast(), room, flags.bits())
        })
    });
    call.rest(|| [filled(result, buf), len.into(), flags.named().into()]).returns(result)
}

static RECVFROM: Page = Page {
    name: "recvfrom",
    prototype: "ssize_t recvfrom(int sockfd, void *buf, size_t len, int flags, struct sockaddr *src_addr, socklen_t *addrlen)",
    parameters: &["sockfd", "buf", "len", "flags", "src_addr", "addrlen"],
    fills: &["buf", "src_addr", "addrlen"],
    short: &["sockfd", "buf"],
    waits: Waits::OnDescriptor,
    effect: Effect::Receives,
    returns: Returns::Bytes,
    gist: "takes a datagram and its sender's address",
    result: "The bytes that fitted. The rest of that datagram is lost.",
    trap: "The sender's address is copied from the packet; it can be forged.",
    errnos: "EAGAIN EINTR ECONNREFUSED ENOTCONN ENOTSOCK",
    man: "recvfrom(2)",
    posix: "recvfrom",
    lab: "datagram-truncation",
    lessons: &[
        &Lesson {
            when: |call| call.returned() > 0 && call.returned() < call.number(),
            says: |call| {
                format!("one datagram of {}, whole, and where it is from", bytes(call.returned()))
            },
            see: See::Lab("datagram-truncation"),
        },
        &Lesson {
            when: |call| call.returned() > 0 && call.returned() == call.number(),
            says: |call| {
                format!("{} fill the buffer: what did not fit is lost", bytes(call.returned()))
            },
            see: See::Lab("datagram-truncation"),
        },
        &Lesson {
            when: |call| call.result() == Some(0) && !call.is_stream(),
            says: |_| "an empty datagram, which is not the end".into(),
            see: See::Lab("zero-is-three-things"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EAGAIN),
            says: |_| "no datagram waits: the queue is empty".into(),
            see: See::Word("EAGAIN"),
        },
        &REFUSED,
    ],
    ..Page::blank()
};

impl Function {
    /// `ssize_t recvfrom(int sockfd, void *buf, size_t len, int flags, struct sockaddr *src_addr, socklen_t *addrlen)`
    pub const RECVFROM: Self = Self::on(&RECVFROM);
}

/// `ssize_t recvfrom(int sockfd, void *buf, size_t len, int flags, struct sockaddr *src_addr, socklen_t *addrlen);`
/// receives one datagram and its sender's address. Bytes that do not fit into `buf` are lost. On a connected stream no
/// address is returned.
///
/// # Errors
/// As [`recv`].
///
/// References: [`recvfrom(2)`](https://man7.org/linux/man-pages/man2/recvfrom.2.html);
/// POSIX [`recvfrom`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/recvfrom.html).
pub fn recvfrom(
    sockfd: impl AsFd,
    buf: &mut [u8],
    flags: MsgFlags,
) -> Result<(usize, Option<Address>)> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::RECVFROM, || [sockfd.into()]);
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
    let call = call.rest(|| [filled(result, buf), len.into(), flags.named().into()]);
    let from = match (&result, raw.decode()) {
        // If no address was written, the trace shows the pointer, as strace does.
        (Ok(_), None) => call.rest(|| [Arg::Pointer(raw.as_ptr() as usize), zero_length()]),
        _ => call.rest(|| written(&result, &raw, &shown)),
    };
    let received = from.returns(result)?;
    Ok((received, raw.decode()))
}

fn zero_length() -> Arg<'static> {
    Arg::Length { given: RawAddress::room().len().into(), returned: 0 }
}

/// The bytes that a call wrote; after a failure, where it would have written them.
pub(super) fn filled(result: Result<usize>, buf: &[u8]) -> Arg<'_> {
    match result {
        // MSG_TRUNC returns the length of the whole datagram, which may be more than the buffer holds.
        Ok(received) => Arg::bytes(&buf[..buf.len().min(received)]),
        Err(_) => Arg::Pointer(buf.as_ptr() as usize),
    }
}
