//! Sending to a peer that is gone must not kill a server.
//!
//! `send` with `MSG_NOSIGNAL` returns `EPIPE` without the signal, call by call. macOS has had the flag since version
//! 11, and an older kernel ignores it; there an option of the socket does the same, once. (Rust programs ignore
//! `SIGPIPE` from their start, so this matters only if it is turned on again.)

use crate::names::Result;
use crate::sys::AsFd;

/// Makes sends on a socket return `EPIPE` without `SIGPIPE`, where `MSG_NOSIGNAL` cannot do so.
///
/// # Errors
/// As [`setsockopt`](crate::sys::setsockopt()); macOS gives `EINVAL` for a connection that is already over.
#[cfg(apple)]
pub fn suppress_sigpipe(fd: impl AsFd) -> Result<()> {
    use crate::sys::{SO_NOSIGPIPE, SOL_SOCKET, setsockopt};
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &1)
}

/// `MSG_NOSIGNAL` is enough on this system, so there is nothing to do.
///
/// # Errors
/// None on this system.
#[cfg(not(apple))]
pub fn suppress_sigpipe(_fd: impl AsFd) -> Result<()> {
    Ok(())
}
