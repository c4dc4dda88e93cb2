//! Errors of sent datagrams, reported to a socket that is not connected.

use crate::names::Result;
use crate::sys::AsFd;

/// From now on this IPv4 socket reports the errors of its datagrams, whatever their destination (`IP_RECVERR`).
///
/// # Errors
/// As [`setsockopt`](crate::sys::setsockopt()).
#[cfg(linux)]
pub fn hear_errors(socket: impl AsFd) -> Result<()> {
    use crate::names::{IP_RECVERR, SOL_IP};
    crate::sys::setsockopt(socket, SOL_IP, IP_RECVERR, &1)
}

/// This system has no such option.
///
/// # Errors
/// Always `ENOPROTOOPT`.
#[cfg(not(linux))]
pub fn hear_errors(_: impl AsFd) -> Result<()> {
    Err(crate::names::Errno::ENOPROTOOPT)
}
