//! Datagrams: one socket for all peers, without connections.

use crate::addr::Address;
use crate::names::{Errno, MSG_NOSIGNAL, MsgFlags, Result};
use crate::sys::{self, BorrowedFd};

/// Receives one datagram into `buffer`; returns its sender and its length. `None` if the sender has no address to
/// answer to (an unnamed Unix-domain socket), or if readiness was only a hint.
pub(super) fn receive_one(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> Result<Option<(Address, usize)>> {
    match sys::recvfrom(fd, buffer, MsgFlags::NONE) {
        Ok((len, from)) => Ok(from.map(|from| (from, len))),
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
        // ECONNREFUSED: no socket had the port that an earlier datagram went to. It concerns no other peer.
        Err(errno) => Err(errno),
    }
}

/// Sends one datagram. If the kernel has no room for it now, the datagram is lost, as datagrams may be.
pub(super) fn send_one(fd: BorrowedFd<'_>, to: &Address, bytes: &[u8]) -> Result<()> {
    match sys::sendto(fd, bytes, MSG_NOSIGNAL, to) {
        Ok(_) | Err(Errno::EAGAIN | Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno),
    }
}
