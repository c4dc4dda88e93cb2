//! `shutdown` closes one half of a connection, or both.

use std::os::fd::{AsFd, AsRawFd};

use super::status;
use crate::names::{Result, ShutdownHow};
use crate::trace::call::enter;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page};

static SHUTDOWN: Page = Page {
    name: "shutdown",
    prototype: "int shutdown(int sockfd, int how)",
    parameters: &["sockfd", "how"],
    effect: Effect::ShutsDown,
    gist: "ends one direction of a connection, or both",
    result: "0. The descriptor is still open and must still be closed.",
    trap: "Unlike close it acts on the connection itself: for all duplicates and all processes, at once.",
    errnos: "ENOTCONN EINVAL ENOTSOCK",
    systems: "Shutting down the same half twice changes nothing on Linux and OpenBSD (read). On FreeBSD (ran) and NetBSD \
        (read) a second SHUT_WR after the FIN was acknowledged succeeds and ends receiving, too; on macOS it fails with \
        ENOTCONN (read).",
    man: "shutdown(2)",
    posix: "shutdown",
    lab: "half-close",
    lessons: &[
        &Lesson {
            when: |call| call.succeeded() && call.says("SHUT_WR"),
            says: |_| "the peer will read 0; it may still send".into(),
            see: See::Lab("half-close"),
        },
        &Lesson {
            when: |call| call.succeeded() && call.says("SHUT_RD"),
            says: |_| "on this side only: the peer is not informed, and may keep sending".into(),
            see: See::Lab("shut-rd-is-local"),
        },
        &Lesson {
            when: |call| call.succeeded() && call.says("SHUT_RDWR"),
            says: |call| format!("both halves end, for every copy of {}", call.fd),
            see: See::Lab("close-is-refcount"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `int shutdown(int sockfd, int how)`
    pub const SHUTDOWN: Self = Self::on(&SHUTDOWN);
}

/// `int shutdown(int sockfd, int how);` closes one half of a connection, or both, at once and for every descriptor of
/// the socket. The descriptor stays open.
///
/// `SHUT_WR` sends a FIN after the unsent bytes: the peer reads end of file, and may keep sending.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOTCONN` | the socket is not connected, or no longer; (macOS) that half is shut down already; (FreeBSD, macOS) the socket is a listener, or its Unix-domain peer has closed |
/// | `EINVAL` | `how` is none of the three |
/// | `ENOTSOCK` | the descriptor is not a socket |
///
/// References: [`shutdown(2)`](https://man7.org/linux/man-pages/man2/shutdown.2.html);
/// POSIX [`shutdown`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/shutdown.html).
pub fn shutdown(sockfd: impl AsFd, how: ShutdownHow) -> Result<()> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::SHUTDOWN, || [sockfd.into(), how.named().into()]);
    let result = call.make(|| {
        // SAFETY: takes no pointers.
        status(unsafe { libc::shutdown(sockfd.as_raw_fd(), how.bits()) })
    });
    call.returns(result)
}
