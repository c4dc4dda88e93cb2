//! Datagrams: one socket for all peers, and no connection to any.

use crate::addr::Address;
use crate::names::{Errno, MSG_NOSIGNAL, MsgFlags, Result};
use crate::sys::{self, BorrowedFd};

/// Receives one datagram: its sender, and how many bytes of it stand in `buffer`. None if its sender has no name that
/// could be answered (an unnamed Unix-domain socket), or if readiness was only a hint.
pub(super) fn receive_one(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> Result<Option<(Address, usize)>> {
    match sys::recvfrom(fd, buffer, MsgFlags::NONE) {
        Ok((len, from)) => Ok(from.map(|from| (from, len))),
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
        // It means that no socket had the port of an earlier datagram, and concerns no other peer.
        Err(errno) => Err(errno),
    }
}

/// Sends one datagram. If there is no room for it now, it is lost, as datagrams may be.
pub(super) fn send_one(fd: BorrowedFd<'_>, to: &Address, bytes: &[u8]) -> Result<()> {
    match sys::sendto(fd, bytes, MSG_NOSIGNAL, to) {
        Ok(_) | Err(Errno::EAGAIN | Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno),
    }
}
