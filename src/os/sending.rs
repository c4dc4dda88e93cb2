//! Sending the bytes of a file: where the system has a call for it, they are not copied into this process.

use crate::names::{Errno, MsgFlags, Result};
use crate::sys::AsFd;

/// A flag for bytes that a file follows: where the system supports it, the segment waits for more.
#[cfg(linux)]
pub const MORE_FOLLOWS: MsgFlags = crate::names::MSG_MORE;

/// A flag for bytes that a file follows: this system has none.
#[cfg(not(linux))]
pub const MORE_FOLLOWS: MsgFlags = MsgFlags::NONE;

/// Sends bytes of a file from a position on; 0 if the file ends there.
///
/// # Errors
/// As [`sendfile`](crate::sys::sendfile()). `EINVAL` and `ENOSYS`: not possible with this file, or on this system.
#[cfg(has_sendfile)]
pub fn send_file(socket: impl AsFd, file: impl AsFd, at: u64, len: usize) -> Result<usize> {
    let mut offset = i64::try_from(at).map_err(|_| Errno::EINVAL)?;
    crate::sys::sendfile(socket, file, Some(&mut offset), len)
}

/// This system has no such call, or a different one.
///
/// # Errors
/// Always `ENOSYS`.
#[cfg(not(has_sendfile))]
pub fn send_file(_: impl AsFd, _: impl AsFd, _: u64, _: usize) -> Result<usize> {
    Err(Errno::ENOSYS)
}
