//! Sending to a peer that is gone must not kill a server.
//!
//! `send` with `MSG_NOSIGNAL` asks for `EPIPE` alone, call by call. macOS came to it late (with version 11), and an
//! older kernel ignores the flag; there the socket itself is told, once. (Rust programs ignore `SIGPIPE` from
//! their start, so this matters only if it is turned on again.)

use crate::names::Result;
use crate::sys::AsFd;

/// Makes a socket give `EPIPE` without `SIGPIPE`, where `MSG_NOSIGNAL` does not do so by itself.
///
/// # Errors
/// As [`setsockopt`](crate::sys::setsockopt()); macOS gives `EINVAL` for a connection that is already over.
#[cfg(apple)]
pub fn suppress_sigpipe(fd: impl AsFd) -> Result<()> {
    use crate::sys::{SO_NOSIGPIPE, SOL_SOCKET, setsockopt};
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &1)
}

/// Makes a socket give `EPIPE` without `SIGPIPE`, where `MSG_NOSIGNAL` does not do so by itself: nothing to do here.
///
/// # Errors
/// None on this system.
#[cfg(not(apple))]
pub fn suppress_sigpipe(_fd: impl AsFd) -> Result<()> {
    Ok(())
}
