//! Holding small pieces back until they fill a packet, or until one says that that was all.

use crate::names::Result;
use crate::sys::AsFd;

/// From now on partial packets wait (Linux: 200 ms at most).
///
/// # Errors
/// As [`setsockopt`](crate::sys::setsockopt()).
#[cfg(linux)]
pub fn cork(fd: impl AsFd) -> Result<()> {
    use crate::names::{SOL_TCP, TCP_CORK};
    crate::sys::setsockopt(fd, SOL_TCP, TCP_CORK, &1)
}

/// Sends what has waited, and lets no partial packet wait any more.
///
/// # Errors
/// As [`setsockopt`](crate::sys::setsockopt()).
#[cfg(linux)]
pub fn uncork(fd: impl AsFd) -> Result<()> {
    use crate::names::{SOL_TCP, TCP_CORK};
    crate::sys::setsockopt(fd, SOL_TCP, TCP_CORK, &0)
}

/// This system has another option (`TCP_NOPUSH`), which has no such limit; NetBSD has none.
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
