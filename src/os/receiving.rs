//! Descriptors that arrive with a receive although the caller did not ask for any.

use crate::names::{MsgFlags, Result};
use crate::sys::{self, AsFd, MAX_PASSED};
use crate::trace;

/// Whether `recv` and `read` install the descriptors that a Unix-domain peer passes in this process's table, where the
/// program never learns their numbers. macOS does so (read in xnu 15.4, uipc_socket.c: soreceive_ctl); Linux, FreeBSD
/// and OpenBSD close them, and NetBSD does later, when some local socket is closed.
pub const RECV_KEEPS_DESCRIPTORS: bool = cfg!(apple);

/// Receives like [`recv`](sys::recv()), and closes the descriptors that a peer has passed. Where `recv` itself keeps
/// them ([`RECV_KEEPS_DESCRIPTORS`]), any client of a Unix-domain server could otherwise fill the server's table, 254
/// at a time.
///
/// # Errors
/// As [`recvmsg`](sys::recvmsg()).
pub fn recv_and_close_passed(fd: impl AsFd, buf: &mut [u8]) -> Result<usize> {
    let received = sys::recvmsg(fd, &mut [buf], MAX_PASSED, MsgFlags::NONE)?;
    if !received.fds.is_empty() {
        trace::intent(
            "the peer has passed descriptors that this program does not want: they are closed",
        );
    }
    Ok(received.len)
}
