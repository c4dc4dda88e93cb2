//! What the system holds of a connection: bytes that came and were not read, bytes that were sent and have not arrived.

use crate::names::{FIONREAD, IoctlRequest, Result};
use crate::sys::{self, AsFd};

/// Linux counts what the peer's system has not acknowledged, sent or not. (tcp(7) says of SIOCOUTQ, which is the same, that
/// it counts unsent data: that would be SIOCOUTQNSD.)
#[cfg(linux)]
const UNARRIVED: Option<IoctlRequest> = Some(crate::names::TIOCOUTQ);
/// The bytes in the send buffer (sys/filio.h): sent or not, they are kept there until they are acknowledged.
#[cfg(any(freebsd, netbsd))]
const UNARRIVED: Option<IoctlRequest> = Some(crate::names::FIONWRITE);
/// No request of `ioctl` tells it.
#[cfg(any(apple, openbsd))]
const UNARRIVED: Option<IoctlRequest> = None;

/// Whether a connection can be closed without anybody losing anything: nothing that came is unread, or the peer would be
/// sent a reset, which takes from it what has not arrived; and everything has, as far as this system tells.
pub fn is_quiet(socket: impl AsFd) -> bool {
    let socket = socket.as_fd();
    let is_empty = |request| -> Result<bool> {
        let mut bytes = 0;
        sys::ioctl(socket, request, &mut bytes)?;
        Ok(bytes == 0)
    };
    // Where the question itself fails, waiting would not help.
    is_empty(FIONREAD).unwrap_or(true)
        && UNARRIVED.is_none_or(|request| is_empty(request).unwrap_or(true))
}
