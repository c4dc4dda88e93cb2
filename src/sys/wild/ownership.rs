//! Descriptors without an owner: numbers that are closed, alone or in a range, and numbers that are taken on trust.

use std::os::fd::RawFd;

use super::Wild;
use crate::names::{CloseRangeFlags, Result};
use crate::sys::close_range::close_range_raw;
use crate::sys::fd::Fd;
use crate::sys::status;
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::page::Function;
use crate::values::FdNumber;

/// `int close(int fd);` on a number, whatever it refers to now. The safe wrapper consumes the owner ([`Fd`]) instead,
/// so that a descriptor cannot be closed twice.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EBADF` | no descriptor with this number is open; if one is, it is closed, although other code may own it |
///
/// References: [`close(2)`](https://man7.org/linux/man-pages/man2/close.2.html);
/// POSIX [`close`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/close.html).
pub fn close_number(_: Wild, fd: FdNumber) -> Result<()> {
    let call = enter(Function::CLOSE, || [Arg::Fd(fd)]);
    let result = call.make(|| {
        // SAFETY: takes no pointers. The number may belong to code that still uses it: the caller wants to show
        // this, in a process that does nothing else.
        status(unsafe { libc::close(fd.get()) })
    });
    call.returns(result)
}

/// `int close_range(unsigned int first, unsigned int last, int flags);` with any flags, so that it can close descriptors that
/// code of this process owns. The safe wrapper only marks them.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINVAL` | `first` is above `last`, or the system does not know a flag |
/// | `EMFILE`, `ENOMEM` | with `CLOSE_RANGE_UNSHARE`: the copy of the table has no room (Linux) |
/// | `ENOSYS` | this system has no such call |
///
/// References: [`close_range(2)`](https://man7.org/linux/man-pages/man2/close_range.2.html);
/// not in POSIX.
pub fn close_numbers(_: Wild, first: u32, last: u32, flags: CloseRangeFlags) -> Result<()> {
    close_range_raw(first, last, flags)
}

/// A descriptor that this process inherited: its parent left it open and passed its number. The function cannot check
/// that this is the right descriptor, nor that it has no owner here.
pub fn inherited(_: Wild, number: u16) -> Fd {
    // SAFETY: a process that a lab has started opens nothing before it asks for what it has inherited, so the number has
    // no owner here; if it were not open, the calls on it would say so.
    unsafe { Fd::own(RawFd::from(number)) }
}
