//! Descriptors without an owner: numbers that are closed, and numbers that are believed.

use std::os::fd::RawFd;

use super::Wild;
use crate::names::Result;
use crate::sys::fd::Fd;
use crate::sys::status;
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::page::Function;
use crate::values::FdNumber;

/// `int close(int fd);` on a number, whatever it refers to now. The safe wrapper takes an [`Fd`] from its owner
/// instead, so that it cannot be closed again.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EBADF` | nothing is open under that number; if something is, it is closed, although it may be a stranger's |
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

/// A descriptor that this process inherited: its parent left it open, and passed its number. It cannot be checked that
/// this is the right one, nor that it has no owner here.
pub fn inherited(_: Wild, number: u16) -> Fd {
    // SAFETY: a process that a lab has started opens nothing before it asks for what it has inherited, so the number has
    // no owner here; if it were not open, the calls on it would say so.
    unsafe { Fd::own(RawFd::from(number)) }
}
