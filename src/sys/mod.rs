//! The wrappers: one safe function for each function of C, with its name, the order of its arguments and
//! the meaning of its result. This is the only place with `unsafe`.
//!
//! A wrapper does what the C function does and nothing else: it does not try again after `EINTR`, adds no
//! flag, and decides nothing. What C returns through a pointer is returned or rewritten in view. Each
//! one tells its call to [`crate::trace`].
//!
//! What C leaves to care, types take over here:
//!
//! - a descriptor is *owned* ([`Fd`], closed once) or *borrowed* ([`BorrowedFd`], alive while in use);
//! - a buffer is a slice, which knows its length;
//! - an address is an [`Address`], an option's value has the option's type;
//! - `errno` comes with the failure ([`Errno`]) instead of in a variable that the next call overwrites.
//!
//! In the order of reading: `fd`, `sockaddr`, `socket`, `io`, `message`, `option`, `select`, `poll`,
//! `signal`, `resolve`, `inet`. Then `state`, which looks at a socket for the trace, and [`wild`], for labs alone.

mod fd;
mod inet;
mod io;
mod message;
mod option;
mod poll;
mod resolve;
mod select;
mod signal;
mod sockaddr;
mod socket;
mod state;
pub mod wild;

pub use std::os::fd::{AsFd, BorrowedFd};

pub use crate::addr::{Address, UnixName};
pub use crate::names::*;
pub use crate::values::*;
pub use fd::*;
pub use inet::*;
pub use io::*;
pub use message::*;
pub use option::*;
pub use poll::*;
pub use resolve::*;
pub use select::*;
pub use signal::*;
pub use sockaddr::{SUN_PATH_LEN, sockaddr_bytes};
pub use socket::*;
pub use state::socket_state;

use libc::{c_int, ssize_t};

/// C's -1, with errno, as an error; any other number as it is. Called at once after the call, since
/// whatever comes between may change errno.
#[inline]
fn number(returned: c_int) -> Result<c_int> {
    if returned == -1 { Err(Errno::last()) } else { Ok(returned) }
}

/// The same for functions that return 0.
#[inline]
fn status(returned: c_int) -> Result<()> {
    number(returned).map(drop)
}

/// The same for functions that return a count of bytes.
#[inline]
fn count(returned: ssize_t) -> Result<usize> {
    usize::try_from(returned).map_err(|_| Errno::last())
}
