//! Accepting a connection ready for a loop: non-blocking, and closed when another program is run.

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

/// Accepts one connection and makes it non-blocking: macOS has no `accept4`, and there the new socket is
/// non-blocking already if the listener is. Nothing is left to chance, `SIGPIPE` included.
///
/// # Errors
/// As [`sys::accept`](crate::sys::accept()).
#[cfg(not(has_accept4))]
pub fn accept_nonblocking(listener: impl AsFd) -> Result<(Fd, Address)> {
    let (fd, peer) = sys::accept(listener)?;
    set_nonblocking(&fd)?;
    sys::fcntl_setfd(&fd, sys::FD_CLOEXEC)?;
    // A peer that has reset its connection already makes this fail; the first receive will say so.
    let _ = super::sigpipe::suppress_sigpipe(&fd);
    Ok((fd, peer))
}

/// Makes a socket non-blocking and keeps its other flags: read, then set.
///
/// # Errors
/// As [`sys::fcntl_setfl`].
pub fn set_nonblocking(fd: impl AsFd) -> Result<()> {
    let fd = fd.as_fd();
    let flags = sys::fcntl_getfl(fd)?;
    sys::fcntl_setfl(fd, flags | sys::O_NONBLOCK)
}
