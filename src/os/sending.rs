//! Sending what stands in a file: where the system has a call for it, the bytes do not come into this process.

use crate::names::{Errno, MsgFlags, Result};
use crate::sys::AsFd;

/// For what is sent just before a file: a packet waits for what comes next, where the system can be told so.
#[cfg(linux)]
pub const MORE_FOLLOWS: MsgFlags = crate::names::MSG_MORE;

/// For what is sent just before a file: a packet waits for what comes next, where the system can be told so.
#[cfg(not(linux))]
pub const MORE_FOLLOWS: MsgFlags = MsgFlags::NONE;

/// Sends bytes of a file, from a place on, over a socket; 0 if the file ends there.
///
/// # Errors
/// As [`sendfile`](crate::sys::sendfile()). `EINVAL` and `ENOSYS` say that it cannot be done with this file, or on this system.
#[cfg(has_sendfile)]
pub fn send_file(socket: impl AsFd, file: impl AsFd, at: u64, len: usize) -> Result<usize> {
    let mut offset = i64::try_from(at).map_err(|_| Errno::EINVAL)?;
    crate::sys::sendfile(socket, file, Some(&mut offset), len)
}

/// This system has no such call, or another one.
///
/// # Errors
/// Always `ENOSYS`.
#[cfg(not(has_sendfile))]
pub fn send_file(_: impl AsFd, _: impl AsFd, _: u64, _: usize) -> Result<usize> {
    Err(Errno::ENOSYS)
}
