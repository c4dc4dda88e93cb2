//! `listen` turns a socket into a listener.

use std::os::fd::{AsFd, AsRawFd};

use libc::c_int;

use super::status;
use crate::names::Result;
use crate::trace::call::enter;
use crate::trace::figures::grouped;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page};

static LISTEN: Page = Page {
    name: "listen",
    prototype: "int listen(int sockfd, int backlog)",
    parameters: &["sockfd", "backlog"],
    effect: Effect::Listens,
    gist: "turns a socket into a listener",
    result: "0. From now on the kernel completes handshakes, whether or not the program calls accept.",
    trap: "backlog bounds the queue of connections that wait for accept, not the number of clients. A listener never receives or sends.",
    errnos: "EADDRINUSE EINVAL EOPNOTSUPP EDESTADDRREQ ENOTSOCK",
    systems: "Linux queues backlog + 1, at most net.core.somaxconn + 1, and ignores further SYNs. FreeBSD queues 1.5 times as many \
        and one, and resets further clients; NetBSD backlog + 1, at most 129; OpenBSD at least 80; macOS backlog, at most 128, which 0 means, too. \
        Where the queue is full, TCP clients wait for an answer to their SYN; those of Unix-domain sockets wait in connect, or \
        get EAGAIN if they are non-blocking (Linux), or ECONNREFUSED (FreeBSD and NetBSD, where it ran; OpenBSD \
        and macOS, read).",
    man: "listen(2)",
    posix: "listen",
    lab: "backlog-n-plus-1",
    lessons: &[
        &super::bind::ADDRESS_IN_USE,
        &Lesson {
            when: |call| call.succeeded(),
            says: |call| {
                let backlog = grouped(call.number());
                format!(
                    "a listener: it only produces connected sockets, and asks for a queue of {backlog}"
                )
            },
            see: See::Lab("listener-cannot-talk"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `int listen(int sockfd, int backlog)`
    pub const LISTEN: Self = Self::on(&LISTEN);
}

/// `int listen(int sockfd, int backlog);` turns a socket into a listener: from now on it only accepts connections. Up
/// to `backlog` connections (Linux: one more) wait to be accepted; the kernel has a limit of its own.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EADDRINUSE` | another socket listens there |
/// | `EINVAL` | the socket is connected (`EISCONN` on some systems) |
/// | `EOPNOTSUPP` | this type of socket cannot listen |
/// | `EDESTADDRREQ` | the socket has no address and its domain cannot choose one (not on Linux, which returns `EINVAL`) |
/// | `ENOTSOCK` | the descriptor is not a socket |
///
/// References: [`listen(2)`](https://man7.org/linux/man-pages/man2/listen.2.html);
/// POSIX [`listen`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/listen.html).
pub fn listen(sockfd: impl AsFd, backlog: c_int) -> Result<()> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::LISTEN, || [sockfd.into(), backlog.into()]);
    let result = call.make(|| {
        // SAFETY: takes no pointers.
        status(unsafe { libc::listen(sockfd.as_raw_fd(), backlog) })
    });
    call.returns(result)
}
