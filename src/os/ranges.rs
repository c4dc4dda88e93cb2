//! Marking the descriptors of a range for exec, which only some systems can do in one call.

use crate::names::{CloseRangeFlags, Result};

/// The flag with which `close_range` marks descriptors and closes none.
#[cfg(has_close_range)]
pub const MARK: CloseRangeFlags = crate::names::CLOSE_RANGE_CLOEXEC;

/// The flag with which `close_range` marks descriptors and closes none.
#[cfg(not(has_close_range))]
pub const MARK: CloseRangeFlags = CloseRangeFlags::NONE;

/// Marks the descriptors from `first` to `last` with `FD_CLOEXEC`.
///
/// # Errors
/// As [`close_range`](crate::sys::close_range()).
#[cfg(has_close_range)]
pub fn close_range(first: u32, last: u32, flags: CloseRangeFlags) -> Result<()> {
    crate::sys::close_range(first, last, flags)
}

/// This system has no such call.
///
/// # Errors
/// Always `ENOSYS`.
#[cfg(not(has_close_range))]
pub fn close_range(_: u32, _: u32, _: CloseRangeFlags) -> Result<()> {
    Err(crate::names::Errno::ENOSYS)
}
