//! Holding small pieces back until they fill a packet, or until one says that that was all.

use crate::names::Result;
use crate::sys::AsFd;

/// From now on partial packets wait (Linux: 200 ms at most); `false` sends what has waited.
///
/// # Errors
/// As [`setsockopt`](crate::sys::setsockopt()).
#[cfg(linux)]
pub fn cork(fd: impl AsFd, holds: bool) -> Result<()> {
    use crate::names::{SOL_TCP, TCP_CORK};
    crate::sys::setsockopt(fd, SOL_TCP, TCP_CORK, &holds.into())
}

/// This system has another option (`TCP_NOPUSH`), which has no such limit; NetBSD has none.
///
/// # Errors
/// Always `ENOPROTOOPT`.
#[cfg(not(linux))]
pub fn cork(_: impl AsFd, _: bool) -> Result<()> {
    Err(crate::names::Errno::ENOPROTOOPT)
}
