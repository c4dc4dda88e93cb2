//! Corking: holding back small pieces until they fill a segment, or until the caller says that no more follow.

use crate::names::Result;
use crate::sys::AsFd;

/// From now on partial segments wait (Linux: 200 ms at most).
///
/// # Errors
/// As [`setsockopt`](crate::sys::setsockopt()).
#[cfg(linux)]
pub fn cork(fd: impl AsFd) -> Result<()> {
    use crate::names::{SOL_TCP, TCP_CORK};
    crate::sys::setsockopt(fd, SOL_TCP, TCP_CORK, &1)
}

/// Sends what is waiting; from now on no partial segment waits.
///
/// # Errors
/// As [`setsockopt`](crate::sys::setsockopt()).
#[cfg(linux)]
pub fn uncork(fd: impl AsFd) -> Result<()> {
    use crate::names::{SOL_TCP, TCP_CORK};
    crate::sys::setsockopt(fd, SOL_TCP, TCP_CORK, &0)
}

/// This system has another option (`TCP_NOPUSH`), or none (NetBSD). The former holds segments back without the limit of
/// 200 ms. On macOS clearing it sends nothing: the peer would wait for the last segment until the next send.
///
/// # Errors
/// Always `ENOPROTOOPT`.
#[cfg(not(linux))]
pub fn cork(_: impl AsFd) -> Result<()> {
    Err(crate::names::Errno::ENOPROTOOPT)
}

/// See [`cork`].
///
/// # Errors
/// Always `ENOPROTOOPT`.
#[cfg(not(linux))]
pub fn uncork(_: impl AsFd) -> Result<()> {
    Err(crate::names::Errno::ENOPROTOOPT)
}
