//! `listen` makes a socket a listener.

use std::os::fd::{AsFd, AsRawFd};

use libc::c_int;

use super::status;
use crate::names::Result;
use crate::trace::call::enter;
use crate::trace::page::{Effect, Function, Page};

static LISTEN: Page = Page {
    name: "listen",
    prototype: "int listen(int sockfd, int backlog)",
    parameters: &["sockfd", "backlog"],
    effect: Effect::Listens,
    ..Page::blank()
};

impl Function {
    /// `int listen(int sockfd, int backlog)`
    pub const LISTEN: Self = Self::on(&LISTEN);
}

/// `int listen(int sockfd, int backlog);` makes a socket a listener: from now on it only makes other sockets.
/// Up to `backlog` connections (Linux: one more) wait to be accepted; the system has a limit of its own.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EADDRINUSE` | another socket listens there |
/// | `EINVAL` | the socket is connected (`EISCONN` on some systems) |
/// | `EOPNOTSUPP` | this type of socket cannot listen |
/// | `EDESTADDRREQ` | the socket has no name and its domain cannot choose one (elsewhere than Linux; there `EINVAL`) |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// References: `listen(2)`; POSIX `listen`.
pub fn listen(sockfd: impl AsFd, backlog: c_int) -> Result<()> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::LISTEN, || [sockfd.into(), backlog.into()]);
    let result = call.make(|| {
        // SAFETY: takes no pointers.
        status(unsafe { libc::listen(sockfd.as_raw_fd(), backlog) })
    });
    call.returns(result)
}
