//! Descriptors that arrive with a receive although the caller did not ask for any.

use crate::addr::Address;
use crate::names::{MsgFlags, Result};
use crate::sys::{self, AsFd, MAX_PASSED};
use crate::trace;

/// What `recv` and `read` do with the descriptors that a Unix-domain peer passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassedDescriptors {
    /// The kernel closes them: Linux, FreeBSD and OpenBSD at once, NetBSD later, when some local socket is closed.
    AreClosed,
    /// The kernel installs them in this process's table, and the program never learns their numbers: macOS (read in xnu
    /// 15.4, uipc_socket.c: soreceive_ctl).
    StayOpen,
}

impl PassedDescriptors {
    /// What happens to them on this system.
    pub const HERE: Self = if cfg!(apple) { Self::StayOpen } else { Self::AreClosed };

    /// Whether a peer in the domain of this address can fill the table of a process that receives with a plain `recv`.
    pub const fn can_fill_the_table(self, address: &Address) -> bool {
        matches!((self, address), (Self::StayOpen, Address::Unix(_)))
    }
}

/// Receives like [`recv`](sys::recv()), and closes the descriptors that a peer has passed. Where `recv` itself keeps
/// them open ([`PassedDescriptors`]), any client of a Unix-domain server could otherwise fill the server's table, 254
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
