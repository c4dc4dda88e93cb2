//! `getsockname` and `getpeername` return the addresses of the two ends.

use std::os::fd::{AsFd, AsRawFd};

use super::status;
use super::with_address::name_of;
use crate::addr::Address;
use crate::names::Result;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page};

static GETSOCKNAME: Page = Page {
    name: "getsockname",
    prototype: "int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen)",
    parameters: &["sockfd", "addr", "addrlen"],
    fills: &["addr", "addrlen"],
    short: &["sockfd", "addr"],
    effect: Effect::TellsName,
    gist: "this end's address",
    result: "0; the address and its real length through the pointers.",
    trap: "Before bind, listen or connect it is 0.0.0.0 and port 0. A buffer that is too small truncates the address, \
        and only the length shows it.",
    errnos: "EINVAL ENOTSOCK",
    systems: "macOS's manual says EINVAL after shutdown; its kernel has no such test (read in xnu 15.4), getpeername has.",
    man: "getsockname(2)",
    posix: "getsockname",
    lab: "names-appear-late",
    lessons: &[&Lesson {
        when: |call| call.succeeded() && call.port.is_some(),
        says: |call| format!("the local address: the port is {}", call.port.unwrap_or(0)),
        see: See::Lab("names-appear-late"),
    }],
    ..Page::blank()
};

impl Function {
    /// `int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen)`
    pub const GETSOCKNAME: Self = Self::on(&GETSOCKNAME);
}

/// `int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen);` the address of this end: the one given to
/// `bind`, or the one that the kernel chose.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINVAL` | (macOS, by its manual) the socket was shut down; the kernel answers nevertheless |
/// | `ENOTSOCK` | the descriptor is not a socket |
///
/// References: [`getsockname(2)`](https://man7.org/linux/man-pages/man2/getsockname.2.html);
/// POSIX [`getsockname`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/getsockname.html).
pub fn getsockname(sockfd: impl AsFd) -> Result<Address> {
    let sockfd = sockfd.as_fd();
    name_of(Function::GETSOCKNAME, sockfd, |raw| {
        // SAFETY: `raw` has as much room as its length says; the kernel changes both.
        status(unsafe { libc::getsockname(sockfd.as_raw_fd(), raw.as_mut_ptr(), raw.len_mut()) })
    })
}

static GETPEERNAME: Page = Page {
    name: "getpeername",
    prototype: "int getpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen)",
    parameters: &["sockfd", "addr", "addrlen"],
    fills: &["addr", "addrlen"],
    short: &["sockfd", "addr"],
    effect: Effect::TellsPeer,
    gist: "the other end's address",
    result: "0; the peer's address and its length.",
    trap: "After a reset there is no peer any more: keep the address from accept if you want to log it.",
    errnos: "ENOTCONN EINVAL ENOTSOCK",
    systems: "FreeBSD says ENOTCONN also when both ends have finished (ran 13.0), macOS EINVAL after shutdown (read in xnu 15.4).",
    man: "getpeername(2)",
    posix: "getpeername",
    lab: "accept-after-rst",
    ..Page::blank()
};

impl Function {
    /// `int getpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen)`
    pub const GETPEERNAME: Self = Self::on(&GETPEERNAME);
}

/// `int getpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen);` the address of the other end.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOTCONN` | the socket is not connected, or no longer |
/// | `EINVAL` | (macOS) the socket was shut down |
/// | `ENOTSOCK` | the descriptor is not a socket |
///
/// References: [`getpeername(2)`](https://man7.org/linux/man-pages/man2/getpeername.2.html);
/// POSIX [`getpeername`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/getpeername.html).
pub fn getpeername(sockfd: impl AsFd) -> Result<Address> {
    let sockfd = sockfd.as_fd();
    name_of(Function::GETPEERNAME, sockfd, |raw| {
        // SAFETY: `raw` has as much room as its length says; the kernel changes both.
        status(unsafe { libc::getpeername(sockfd.as_raw_fd(), raw.as_mut_ptr(), raw.len_mut()) })
    })
}
