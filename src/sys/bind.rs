//! `bind` gives a socket its own address.

use std::os::fd::{AsFd, AsRawFd};

use super::status;
use super::with_address::with_address;
use crate::addr::Address;
use crate::names::{Errno, Result};
use crate::trace::descriptors::DescriptorKind;
use crate::trace::facts::Facts;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page};

static BIND: Page = Page {
    name: "bind",
    prototype: "int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen)",
    parameters: &["sockfd", "addr", "addrlen"],
    short: &["sockfd", "addr"],
    effect: Effect::Binds,
    gist: "gives a socket its local address",
    result: "0. With port 0 the kernel has chosen a free port: getsockname returns it.",
    trap: "Clients need no bind. A socket can be bound only once, and 127.0.0.1 can be reached only from this machine.",
    errnos: "EADDRINUSE EADDRNOTAVAIL EACCES EINVAL EAFNOSUPPORT ENOENT ENOTDIR ENAMETOOLONG ENOTSOCK",
    systems: "A wrong family is EAFNOSUPPORT; EINVAL where the length does not fit either (Linux: too short; FreeBSD: any other), and on \
        Linux on a Unix-domain socket. sun_path is shorter on the others (104).",
    man: "bind(2)",
    posix: "bind",
    lab: "time-wait-bind",
    lessons: &[
        &Lesson {
            when: |call| call.succeeded() && call.port == Some(0),
            says: |_| "port 0: the kernel chooses a free port".into(),
            see: See::Lab("names-appear-late"),
        },
        &Lesson {
            when: |call| {
                call.succeeded()
                    && call.port != Some(0)
                    && call.known.kind != DescriptorKind::Datagram
            },
            says: |call| match call.port {
                Some(port) => {
                    format!("a local address, with port {port}; no client can connect yet")
                }
                None => "a local address; no client can connect yet".into(),
            },
            see: See::Lab("names-appear-late"),
        },
        &Lesson {
            when: |call| {
                call.succeeded()
                    && call.port != Some(0)
                    && call.known.kind == DescriptorKind::Datagram
            },
            says: |_| "a local address: datagrams can arrive from now on".into(),
            see: See::Lab("names-appear-late"),
        },
        &ADDRESS_IN_USE,
        &Lesson {
            when: |call| call.failed(Errno::EADDRINUSE) && binds_a_path(call),
            says: |_| "that path is in use: a socket's file outlives its server".into(),
            see: See::Lab("stale-socket-file"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EACCES),
            says: |_| "no permission: ports below 1,024 are reserved, and a path may be".into(),
            see: See::Word("EACCES"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen)`
    pub const BIND: Self = Self::on(&BIND);
}

/// An address without a port is a path (or an abstract name).
fn binds_a_path(call: &Facts) -> bool {
    call.function == Function::BIND && call.port.is_none()
}

pub(super) static ADDRESS_IN_USE: Lesson = Lesson {
    when: |call| call.failed(Errno::EADDRINUSE) && !binds_a_path(call),
    says: |_| "another socket has this address, or an old connection in TIME_WAIT".into(),
    see: See::Lab("time-wait-bind"),
};

/// `int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);` gives a socket its own address. Port 0 lets
/// the kernel choose one; [`getsockname`](super::getsockname()) returns it.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EADDRINUSE` | another socket has this address, or an old connection of it is in `TIME_WAIT` (see `SO_REUSEADDR`); a Unix-domain path exists |
/// | `EADDRNOTAVAIL` | the address is not one of this machine's |
/// | `EACCES` | the port is reserved; no permission for the path's directory |
/// | `EINVAL` | the socket has an address already; (Linux) the socket is Unix-domain and the address is not, or the address is too short for its family; (FreeBSD) the length is not that of the socket's family |
/// | `EAFNOSUPPORT` | in all other cases, the address is of another family |
/// | `ENOENT` | a directory of the path does not exist |
/// | `ENOTDIR` | a part of the path is not a directory |
/// | `ENAMETOOLONG` | (refused) the path does not fit into `sun_path` |
/// | `ENOTSOCK` | the descriptor is not a socket |
///
/// References: [`bind(2)`](https://man7.org/linux/man-pages/man2/bind.2.html),
/// [`ip(7)`](https://man7.org/linux/man-pages/man7/ip.7.html),
/// [`unix(7)`](https://man7.org/linux/man-pages/man7/unix.7.html);
/// POSIX [`bind`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/bind.html).
pub fn bind(sockfd: impl AsFd, addr: &Address) -> Result<()> {
    let sockfd = sockfd.as_fd();
    with_address(Function::BIND, sockfd, addr, |raw| {
        // SAFETY: the pointer and the length are of one `RawAddress`, which lives through the call.
        status(unsafe { libc::bind(sockfd.as_raw_fd(), raw.as_ptr(), raw.len()) })
    })
}
