//! `setsockopt` sets an option of a socket.

use std::os::fd::{AsFd, AsRawFd};

use libc::socklen_t;

use super::{OptionValue, status};
use crate::names::{Level, OptionName, Result};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::figures::bytes;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page};

static SETSOCKOPT: Page = Page {
    name: "setsockopt",
    prototype: "int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen)",
    parameters: &["sockfd", "level", "optname", "optval", "optlen"],
    short: &["sockfd", "optname", "optval"],
    effect: Effect::SetsOption,
    gist: "sets an option of a socket",
    result: "0. The kernel may change the value: read it back.",
    trap: "Order matters: SO_REUSEADDR and IPV6_V6ONLY before bind, SO_RCVBUF before connect or listen.",
    errnos: "ENOPROTOOPT EINVAL EDOM EPERM EOPNOTSUPP EISCONN ENOTSOCK",
    systems: "After the connection has ended macOS gives EINVAL (read), and FreeBSD ECONNRESET to options of TCP after a reset \
        (ran 13.0). A buffer size that is too large is ENOBUFS on the BSDs.",
    man: "setsockopt(2)",
    posix: "setsockopt",
    lab: "sockbuf-doubling",
    lessons: &[
        &Lesson {
            when: |call| {
                call.succeeded() && call.option_is("SO_REUSEADDR") && call.value != Some(0)
            },
            says: |_| "in TCP, old connections will not block bind after a restart".into(),
            see: See::Lab("time-wait-bind"),
        },
        &Lesson {
            when: |call| call.succeeded() && call.option_is("SO_SNDBUF"),
            says: |call| {
                let asked = bytes(call.value.unwrap_or(0));
                format!("asks for a send buffer of {asked}; getsockopt tells what it is now")
            },
            see: See::Lab("sockbuf-doubling"),
        },
        &Lesson {
            when: |call| call.succeeded() && call.option_is("IPV6_V6ONLY") && call.value != Some(0),
            says: |_| "IPv6 only: IPv4 needs a second socket".into(),
            see: See::Lab("dual-stack"),
        },
        &Lesson {
            when: |call| call.succeeded() && call.option_is("IPV6_V6ONLY") && call.value == Some(0),
            says: |_| "IPv4 peers may connect too, as ::ffff: and their address".into(),
            see: See::Lab("dual-stack"),
        },
        &Lesson {
            when: |call| {
                call.succeeded()
                    && call.linger.is_some_and(|it| it.l_onoff != 0 && it.l_linger == 0)
            },
            says: |_| "close will discard unsent bytes, and send a reset".into(),
            see: See::Lab("linger-zero"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen)`
    pub const SETSOCKOPT: Self = Self::on(&SETSOCKOPT);
}

/// `int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen);` sets an option.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOPROTOOPT` | this level has no such option, or the option can only be read |
/// | `EINVAL` | the value is out of range, or it is too late for the option (`IPV6_V6ONLY` after `bind`) |
/// | `EDOM` | a timeout's microseconds are out of range |
/// | `EPERM` | the option needs a privilege (`EACCES` on some systems) |
/// | `EOPNOTSUPP` | this kind of socket does not have the option (Unix-domain sockets at the TCP level) |
/// | `EISCONN` | too late for the option: the socket is connected |
/// | `ENOTSOCK` | the descriptor is not a socket |
/// | `EOVERFLOW` | (refused) a time does not fit in C's fields: those of a 32-bit program have 32 bits, and those for microseconds on macOS and NetBSD always |
///
/// References: [`setsockopt(2)`](https://man7.org/linux/man-pages/man2/setsockopt.2.html),
/// [`socket(7)`](https://man7.org/linux/man-pages/man7/socket.7.html),
/// [`tcp(7)`](https://man7.org/linux/man-pages/man7/tcp.7.html),
/// [`ip(7)`](https://man7.org/linux/man-pages/man7/ip.7.html);
/// POSIX [`setsockopt`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/setsockopt.html).
pub fn setsockopt<T: OptionValue>(
    sockfd: impl AsFd,
    level: Level,
    optname: OptionName<T>,
    optval: &T,
) -> Result<()> {
    let sockfd = sockfd.as_fd();
    let c = optval.to_c();
    let len = size_of::<T::C>() as socklen_t;
    let call = enter(Function::SETSOCKOPT, || {
        let name = Arg::OptionName(level, optname.number());
        let value = Arg::Value(optval.shown());
        [sockfd.into(), level.named().into(), name, value, Arg::Int(len.into())]
    });
    let c = match c {
        Ok(c) => c,
        Err(errno) => return call.refuse(errno),
    };
    let result = call.make(|| {
        let value = std::ptr::from_ref(&c).cast();
        // SAFETY: the kernel reads `len` bytes, which is the size of `c`.
        status(unsafe {
            libc::setsockopt(sockfd.as_raw_fd(), level.bits(), optname.number(), value, len)
        })
    });
    call.returns(result)
}
