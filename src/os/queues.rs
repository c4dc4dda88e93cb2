//! What the kernel holds for a connection: bytes received and not read, bytes sent and not acknowledged.

use crate::names::FIONREAD;
use crate::sys::{self, AsFd};

/// How many sent bytes have not arrived, if the system tells.
#[cfg(linux)]
pub fn unarrived(socket: impl AsFd) -> Option<usize> {
    // Linux counts bytes that the peer's kernel has not acknowledged, whether sent or not. (tcp(7) says that SIOCOUTQ,
    // the same request, counts unsent data: that would be SIOCOUTQNSD.)
    let mut bytes = 0;
    sys::ioctl(socket, crate::names::TIOCOUTQ, &mut bytes).ok()?;
    usize::try_from(bytes).ok()
}

/// How many sent bytes have not arrived, if the system tells.
#[cfg(any(freebsd, netbsd))]
pub fn unarrived(socket: impl AsFd) -> Option<usize> {
    // The bytes in the send buffer (sys/filio.h): they stay there until they are acknowledged.
    let mut bytes = 0;
    sys::ioctl(socket, crate::names::FIONWRITE, &mut bytes).ok()?;
    usize::try_from(bytes).ok()
}

/// How many sent bytes have not arrived, if the system tells.
#[cfg(apple)]
pub fn unarrived(socket: impl AsFd) -> Option<usize> {
    // On macOS, TIOCOUTQ is for terminals only (read in xnu 15.4: soo_ioctl knows no such request); the option counts
    // the bytes in the send buffer.
    let number = crate::values::FdNumber::from(socket.as_fd());
    let state = crate::sys::socket_state(number)?;
    usize::try_from(state.unacknowledged?).ok()
}

/// OpenBSD does not tell.
#[cfg(openbsd)]
pub fn unarrived(_: impl AsFd) -> Option<usize> {
    None
}

/// Whether a connection can be closed without losing bytes: all received bytes are read (otherwise the peer would get a
/// reset, which destroys bytes on their way to it), and all sent bytes have arrived, as far as this system tells.
pub fn is_quiet(socket: impl AsFd) -> bool {
    let socket = socket.as_fd();
    let mut unread = 0;
    // If the request itself fails, waiting would not help.
    let is_read = sys::ioctl(socket, FIONREAD, &mut unread).is_err() || unread == 0;
    is_read && unarrived(socket).is_none_or(|bytes| bytes == 0)
}
