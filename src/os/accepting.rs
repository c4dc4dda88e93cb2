//! Accepting a connection for a loop: non-blocking, and closed on exec.

use crate::addr::Address;
use crate::names::Result;
use crate::sys::{self, AsFd, Fd};

/// Accepts one connection and makes it non-blocking: one call where the system has `accept4`.
///
/// # Errors
/// As [`sys::accept`](crate::sys::accept()).
#[cfg(has_accept4)]
pub fn accept_nonblocking(listener: impl AsFd) -> Result<(Fd, Address)> {
    sys::accept4(listener, sys::SOCK_CLOEXEC | sys::SOCK_NONBLOCK)
}

/// Accepts one connection and makes it non-blocking. macOS has no `accept4`; there the new socket is non-blocking
/// already if the listener is, and this sets every flag explicitly, against `SIGPIPE` too.
///
/// # Errors
/// As [`sys::accept`](crate::sys::accept()).
#[cfg(not(has_accept4))]
pub fn accept_nonblocking(listener: impl AsFd) -> Result<(Fd, Address)> {
    let (fd, peer) = sys::accept(listener)?;
    set_nonblocking(&fd)?;
    sys::fcntl_setfd(&fd, sys::FD_CLOEXEC)?;
    // This fails if the peer has already reset its connection; the first receive will report that.
    let _ = super::sigpipe::suppress_sigpipe(&fd);
    Ok((fd, peer))
}

/// Makes a socket non-blocking and keeps its other flags: reads them, then sets them.
///
/// # Errors
/// As [`sys::fcntl_setfl`].
pub fn set_nonblocking(fd: impl AsFd) -> Result<()> {
    let fd = fd.as_fd();
    let flags = sys::fcntl_getfl(fd)?;
    sys::fcntl_setfl(fd, flags | sys::O_NONBLOCK)
}
