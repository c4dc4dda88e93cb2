//! What the system holds of a connection: bytes that came and were not read, bytes that were sent and have not arrived.

use crate::names::FIONREAD;
use crate::sys::{self, AsFd};

/// How many bytes that were sent have not arrived, if the system tells.
#[cfg(linux)]
pub fn unarrived(socket: impl AsFd) -> Option<usize> {
    // Linux counts what the peer's system has not acknowledged, sent or not. (tcp(7) says of SIOCOUTQ, which is the same,
    // that it counts unsent data: that would be SIOCOUTQNSD.)
    let mut bytes = 0;
    sys::ioctl(socket, crate::names::TIOCOUTQ, &mut bytes).ok()?;
    usize::try_from(bytes).ok()
}

/// How many bytes that were sent have not arrived, if the system tells.
#[cfg(any(freebsd, netbsd))]
pub fn unarrived(socket: impl AsFd) -> Option<usize> {
    // The bytes in the send buffer (sys/filio.h): sent or not, they are kept there until they are acknowledged.
    let mut bytes = 0;
    sys::ioctl(socket, crate::names::FIONWRITE, &mut bytes).ok()?;
    usize::try_from(bytes).ok()
}

/// How many bytes that were sent have not arrived, if the system tells.
#[cfg(apple)]
pub fn unarrived(socket: impl AsFd) -> Option<usize> {
    // TIOCOUTQ is for terminals there (read in xnu 15.4: soo_ioctl knows no such request); the option counts the bytes in
    // the send buffer.
    let number = crate::values::FdNumber::from(socket.as_fd());
    let state = crate::sys::socket_state(number)?;
    usize::try_from(state.unacknowledged?).ok()
}

/// OpenBSD does not tell.
#[cfg(openbsd)]
pub fn unarrived(_: impl AsFd) -> Option<usize> {
    None
}

/// Whether a connection can be closed without anything getting lost: nothing that came is unread, or the peer would be
/// sent a reset, which takes from it what has not arrived; and everything has, as far as this system tells.
pub fn is_quiet(socket: impl AsFd) -> bool {
    let socket = socket.as_fd();
    let mut unread = 0;
    // Where the question itself fails, waiting would not help.
    let is_read = sys::ioctl(socket, FIONREAD, &mut unread).is_err() || unread == 0;
    is_read && unarrived(socket).is_none_or(|bytes| bytes == 0)
}
