//! `connect` connects a socket to a peer.

use std::os::fd::{AsFd, AsRawFd};

use super::status;
use super::with_address::{tell_connection, with_address};
use crate::addr::Address;
use crate::names::{Errno, Result};
use crate::trace::descriptors::DescriptorKind;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Waits};

static CONNECT: Page = Page {
    name: "connect",
    prototype: "int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen)",
    parameters: &["sockfd", "addr", "addrlen"],
    short: &["sockfd", "addr"],
    waits: Waits::OnDescriptor,
    effect: Effect::Connects,
    gist: "connects a socket to an address",
    result: "0: for TCP, the handshake is complete. The peer's program may not have called accept yet.",
    trap: "If it is interrupted or non-blocking, the attempt continues by itself: wait for writability, then read \
        SO_ERROR. After a failure make a new socket. On UDP it sends nothing and only sets the peer.",
    errnos: "EINPROGRESS EALREADY EISCONN ECONNREFUSED ETIMEDOUT EHOSTUNREACH ENETUNREACH EADDRNOTAVAIL EINTR EAGAIN ENOENT EACCES \
        EPROTOTYPE EAFNOSUPPORT ENAMETOOLONG ENOTSOCK",
    systems: "A Unix-domain listener's queue is full: on Linux connect waits, or, non-blocking, gives EAGAIN, and nothing is \
        in progress: poll would say POLLOUT|POLLHUP at once. Call again after a pause. FreeBSD and NetBSD (ran), OpenBSD and macOS (read) give \
        ECONNREFUSED.",
    man: "connect(2)",
    posix: "connect",
    lab: "nb-connect-ok",
    lessons: &[
        &Lesson {
            when: |call| call.succeeded() && call.known.kind != DescriptorKind::Datagram,
            says: |_| "the handshake is complete; the peer's program may not have accepted".into(),
            see: See::Lab("backlog-n-plus-1"),
        },
        &Lesson {
            when: |call| {
                call.succeeded()
                    && call.known.kind == DescriptorKind::Datagram
                    && call.port.is_some()
            },
            says: |call| {
                format!("nothing is sent: {} has a peer now, and receives from no other", call.fd)
            },
            see: See::Lab("udp-connect-filters"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EINPROGRESS),
            says: |call| {
                format!("in progress: wait until {} is writable, then read SO_ERROR", call.fd)
            },
            see: See::Lab("nb-connect-ok"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EAGAIN),
            says: |call| {
                format!(
                    "the queue is full and nothing is in progress: call again later; do not wait for {}",
                    call.fd
                )
            },
            see: See::Lab("connect-says-eagain"),
        },
        &Lesson {
            when: |call| call.failed(Errno::ECONNREFUSED),
            says: |_| "no server listens there".into(),
            see: See::Lab("nb-connect-refused"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen)`
    pub const CONNECT: Self = Self::on(&CONNECT);
}

/// `int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen);` asks for a connection to `addr`. On a
/// datagram socket it only sets the peer.
///
/// A blocking socket waits until the peer's kernel has answered. A non-blocking socket returns `EINPROGRESS`: wait
/// until it is writable, then read `SO_ERROR`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINPROGRESS` | the handshake is in progress (non-blocking) |
/// | `EALREADY` | an earlier `connect` is in progress (non-blocking; on Linux a blocking socket waits for the end of the earlier one, on macOS it gets `EISCONN`, on OpenBSD also `EALREADY` (read)) |
/// | `EISCONN` | the socket is connected already |
/// | `ECONNREFUSED` | no server listens there |
/// | `ETIMEDOUT` | no answer, for minutes |
/// | `EHOSTUNREACH`, `ENETUNREACH` | there is no route to that host or network |
/// | `EADDRNOTAVAIL` | no local port is left for this peer |
/// | `EINTR` | a signal came; the handshake continues: wait until the socket is writable, as after `EINPROGRESS` |
/// | `EAGAIN` | (Linux) a Unix-domain listener's queue is full (non-blocking, or `SO_SNDTIMEO`): nothing is in progress, call again later; the BSDs and macOS return `ECONNREFUSED`, blocking or not |
/// | `ENOENT` | a Unix-domain path does not exist |
/// | `EACCES` | a Unix-domain path may not be written; a broadcast address without `SO_BROADCAST` |
/// | `EPROTOTYPE` | the Unix-domain socket there is of another type |
/// | `EAFNOSUPPORT` | the address is of another family |
/// | `EINVAL` | (Linux) the address is of another family, in the cases in which [`bind`](super::bind()) returns `EINVAL` too |
/// | `ENAMETOOLONG` | (refused) the path does not fit into `sun_path` |
/// | `ENOTSOCK` | the descriptor is not a socket |
///
/// Systems differ: on Linux a socket can try again after a failure. POSIX leaves the socket's state unspecified, so
/// make a new one.
///
/// References: [`connect(2)`](https://man7.org/linux/man-pages/man2/connect.2.html);
/// POSIX [`connect`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/connect.html).
pub fn connect(sockfd: impl AsFd, addr: &Address) -> Result<()> {
    let sockfd = sockfd.as_fd();
    let result = with_address(Function::CONNECT, sockfd, addr, |raw| {
        // SAFETY: the pointer and the length are of one `RawAddress`, which lives through the call.
        status(unsafe { libc::connect(sockfd.as_raw_fd(), raw.as_ptr(), raw.len()) })
    });
    if matches!(result, Ok(()) | Err(Errno::EINPROGRESS | Errno::EINTR)) {
        tell_connection(sockfd, Some(addr));
    }
    result
}
