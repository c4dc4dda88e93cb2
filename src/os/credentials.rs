//! The sender of a message, received with each message.

use crate::names::Result;
use crate::sys::AsFd;

/// From now on `recvmsg` on this socket returns the sender's process, user and group with each message (`SO_PASSCRED`).
///
/// # Errors
/// As [`setsockopt`](crate::sys::setsockopt()); `EOPNOTSUPP` on Linux 6.18 for sockets that are not of the Unix domain, where
/// 6.12 takes it without effect.
#[cfg(linux)]
pub fn pass_credentials(fd: impl AsFd) -> Result<()> {
    use crate::names::{SO_PASSCRED, SOL_SOCKET};
    crate::sys::setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &1)
}

/// This system has another option for this purpose, or none.
///
/// # Errors
/// Always `ENOPROTOOPT`.
#[cfg(not(linux))]
pub fn pass_credentials(_: impl AsFd) -> Result<()> {
    Err(crate::names::Errno::ENOPROTOOPT)
}
