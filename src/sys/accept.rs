//! `accept` and `accept4` take the next connection that waits at a listener.

use std::os::fd::{AsFd, AsRawFd, RawFd};

use super::sockaddr::RawAddress;
use super::with_address::{tell_connection, written};
use super::{Fd, number};
use crate::addr::Address;
use crate::names::{Errno, Result, SocketFlags};
use crate::trace::call::{Entered, enter};
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};

static ACCEPT: Page = Page {
    name: "accept",
    prototype: "int accept(int sockfd, struct sockaddr *addr, socklen_t *addrlen)",
    parameters: &["sockfd", "addr", "addrlen"],
    fills: &["addr", "addrlen"],
    short: &["sockfd", "addr"],
    waits: Waits::OnDescriptor,
    effect: Effect::Accepts,
    returns: Returns::Descriptor,
    gist: "takes the next connection from a listener's queue",
    result: "A new descriptor for this connection; the peer's address through the pointer. The listener keeps listening.",
    trap: "On a blocking listener it may wait although select reported it ready: the client may have disconnected.",
    errnos: "EAGAIN EINTR ECONNABORTED EMFILE ENFILE ENOBUFS ENOMEM EINVAL EOPNOTSUPP ENOTSOCK",
    systems: "O_NONBLOCK is inherited on the BSDs and macOS, not on Linux; options such as TCP_NODELAY everywhere but in gVisor.",
    man: "accept(2)",
    posix: "accept",
    lab: "accept-inherits",
    lessons: &[&ACCEPTED, &NONE_WAITS, &NO_DESCRIPTOR_LEFT, &GONE_BEFORE],
    ..Page::blank()
};

impl Function {
    /// `int accept(int sockfd, struct sockaddr *addr, socklen_t *addrlen)`
    pub const ACCEPT: Self = Self::on(&ACCEPT);
}

pub(super) static ACCEPTED: Lesson = Lesson {
    when: |call| call.succeeded(),
    says: |call| {
        format!("{} is a new socket, for this client; {} keeps listening", call.returned(), call.fd)
    },
    see: See::Lab("listener-cannot-talk"),
};

pub(super) static NONE_WAITS: Lesson = Lesson {
    when: |call| call.failed(Errno::EAGAIN),
    says: |_| "no client waits any more: the queue is empty".into(),
    see: See::Word("EAGAIN"),
};

pub(super) static NO_DESCRIPTOR_LEFT: Lesson = Lesson {
    when: |call| call.failed(Errno::EMFILE) || call.failed(Errno::ENFILE),
    says: |call| {
        format!(
            "no descriptor is left: the client stays queued (macOS drops it), {} stays ready",
            call.fd
        )
    },
    see: See::Lab("emfile-accept-spin"),
};

pub(super) static GONE_BEFORE: Lesson = Lesson {
    when: |call| call.failed(Errno::ECONNABORTED),
    says: |_| "this client reset before accept; the next one is fine".into(),
    see: See::Lab("accept-after-rst"),
};

/// `int accept(int sockfd, struct sockaddr *addr, socklen_t *addrlen);` takes the next connection that waits at a
/// listener. Returns a new socket for it, and the peer's address.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | no connection waits (non-blocking, or `SO_RCVTIMEO`, which on macOS, the BSDs and gVisor does not end `accept`); this may happen even after readiness, which is only a hint |
/// | `EINTR` | a signal came before a connection did |
/// | `ECONNABORTED` | the waiting connection has gone (the BSDs; Linux and macOS return a socket that is dead) |
/// | `EMFILE` | this process has no descriptor left; the connection stays in the queue (macOS and gVisor drop it) |
/// | `ENFILE` | the whole system has no descriptor left |
/// | `ENOBUFS`, `ENOMEM` | no memory |
/// | `EINVAL` | the socket does not listen |
/// | `EOPNOTSUPP` | this type of socket cannot listen |
/// | `EPROTO`, `ENETDOWN`, `EHOSTUNREACH`, … | (Linux) an error of the new connection: treat it like `EAGAIN` |
/// | `ENOTSOCK` | the descriptor is not a socket |
///
/// The new socket has the listener's options (`TCP_NODELAY`, buffer sizes). Systems differ: on the BSDs and macOS the
/// new socket also inherits `O_NONBLOCK`, on Linux it does not.
///
/// References: [`accept(2)`](https://man7.org/linux/man-pages/man2/accept.2.html);
/// POSIX [`accept`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/accept.html).
pub fn accept(sockfd: impl AsFd) -> Result<(Fd, Address)> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::ACCEPT, || [sockfd.into()]);
    let mut peer = RawAddress::room();
    let result = call.make(|| {
        // SAFETY: `peer` has as much room as its length says; the kernel changes both.
        number(unsafe { libc::accept(sockfd.as_raw_fd(), peer.as_mut_ptr(), peer.len_mut()) })
    });
    accepted(call, result, &mut peer, None)
}

static ACCEPT4: Page = Page {
    name: "accept4",
    prototype: "int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags)",
    parameters: &["sockfd", "addr", "addrlen", "flags"],
    fills: &["addr", "addrlen"],
    short: &["sockfd", "addr"],
    waits: Waits::OnDescriptor,
    effect: Effect::Accepts,
    returns: Returns::Descriptor,
    is_here: cfg!(has_accept4),
    extends: Some("accept"),
    gist: "accept, with flags for the new socket",
    result: "As accept: the new descriptor.",
    trap: "Its flags are SOCK_NONBLOCK and SOCK_CLOEXEC, not O_NONBLOCK and FD_CLOEXEC.",
    errnos: "EAGAIN EINTR ECONNABORTED EMFILE ENFILE EINVAL",
    systems: "Not on macOS.",
    man: "accept4(2)",
    posix: "accept4 (since 2024)",
    lab: "accept-inherits",
    lessons: &[
        &ACCEPTED,
        &Lesson {
            when: |call| call.succeeded() && call.says("SOCK_NONBLOCK"),
            says: |_| "SOCK_NONBLOCK saves two calls of fcntl".into(),
            see: See::Lab("accept-inherits"),
        },
        &NONE_WAITS,
        &NO_DESCRIPTOR_LEFT,
        &GONE_BEFORE,
    ],
    ..Page::blank()
};

impl Function {
    /// `int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags)`
    pub const ACCEPT4: Self = Self::on(&ACCEPT4);
}

/// `int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags);` like [`accept`], but it makes the
/// new socket non-blocking or closed on exec at once, which saves two calls of `fcntl`.
///
/// # Errors
/// As [`accept`], and `EINVAL` for flags that do not exist.
///
/// Systems differ: macOS has no `accept4`. On every system that has it, only `flags` decide whether the new socket is
/// non-blocking.
///
/// References: [`accept4(2)`](https://man7.org/linux/man-pages/man2/accept4.2.html);
/// POSIX (2024) [`accept4`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/accept4.html).
#[cfg(has_accept4)]
pub fn accept4(sockfd: impl AsFd, flags: SocketFlags) -> Result<(Fd, Address)> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::ACCEPT4, || [sockfd.into()]);
    let mut peer = RawAddress::room();
    let result = call.make(|| {
        // SAFETY: `peer` has as much room as its length says; the kernel changes both.
        number(unsafe {
            libc::accept4(sockfd.as_raw_fd(), peer.as_mut_ptr(), peer.len_mut(), flags.bits())
        })
    });
    accepted(call, result, &mut peer, Some(flags))
}

fn accepted(
    call: Entered<'_>,
    result: Result<RawFd>,
    peer: &mut RawAddress,
    flags: Option<SocketFlags>,
) -> Result<(Fd, Address)> {
    let shown = peer.shown();
    let call = call.rest(|| written(&result, peer, &shown));
    let call = match flags {
        None => call,
        Some(flags) => call.rest(|| [flags.named().into()]),
    };
    let raw = call.returns(result)?;
    // SAFETY: the kernel has just made this descriptor for us.
    let fd = unsafe { Fd::own(raw) };
    tell_connection(fd.as_fd(), Some(&shown));
    Ok((fd, shown))
}
