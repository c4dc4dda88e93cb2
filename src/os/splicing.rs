//! Moving bytes from a socket into a pipe within the kernel, which only Linux offers.

use crate::names::{Result, SpliceFlags};
use crate::sys::AsFd;

/// Whether this system has `splice`.
pub const HAS_SPLICE: bool = cfg!(linux);

/// The flag that lets `splice` fail with `EAGAIN` rather than wait for the pipe.
#[cfg(linux)]
pub const AT_ONCE: SpliceFlags = crate::names::SPLICE_F_NONBLOCK;

/// The flag that lets `splice` fail with `EAGAIN` rather than wait for the pipe.
#[cfg(not(linux))]
pub const AT_ONCE: SpliceFlags = SpliceFlags::NONE;

/// Moves bytes from a socket into a pipe, or from a pipe into a socket.
///
/// # Errors
/// As [`splice`](crate::sys::splice()).
#[cfg(linux)]
pub fn splice(from: impl AsFd, to: impl AsFd, len: usize, flags: SpliceFlags) -> Result<usize> {
    crate::sys::splice(from, None, to, None, len, flags)
}

/// This system has no such call.
///
/// # Errors
/// Always `ENOSYS`.
#[cfg(not(linux))]
pub fn splice(_: impl AsFd, _: impl AsFd, _: usize, _: SpliceFlags) -> Result<usize> {
    Err(crate::names::Errno::ENOSYS)
}
