//! The receiving half of a connection: bytes that arrived and are not yet used, and whether more can arrive.

use super::ends::Ends;
use crate::names::{Errno, MsgFlags, Result};
use crate::os::receiving::recv_and_close_passed;
use crate::sys;

/// The result of a receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// This many bytes arrived.
    Bytes(usize),
    /// The peer has closed its half: no more bytes will arrive.
    Finished,
    /// Nothing arrived: readiness was only a hint.
    Nothing,
}

/// The state of the bytes that a peer sends.
#[derive(Debug, Default)]
pub struct ReceivingHalf {
    /// Received bytes that the service has not used: the beginning of a message.
    leftover: Vec<u8>,
    peer_finished: bool,
    /// The peer may pass descriptors, and a plain `recv` would put them into our table.
    closes_passed: bool,
}

impl ReceivingHalf {
    /// The receiving half for a peer that may pass descriptors, on a system where a plain `recv` would keep them.
    pub(super) fn that_closes_passed() -> Self {
        Self { closes_passed: true, ..Self::default() }
    }

    #[cfg(test)]
    pub(super) fn closes_passed(&self) -> bool {
        self.closes_passed
    }

    /// Receives once into `buf`.
    ///
    /// # Errors
    /// An errno that ends this connection; `EAGAIN` and `EINTR` do not.
    #[inline]
    pub fn receive(&mut self, ends: &Ends, buf: &mut [u8]) -> Result<Incoming> {
        let received = match ends {
            Ends::Socket(fd) if self.closes_passed => recv_and_close_passed(fd, buf),
            Ends::Socket(fd) | Ends::Datagrams(fd) => sys::recv(fd, buf, MsgFlags::NONE),
            Ends::Files(files) => {
                files.input.as_ref().map_or(Err(Errno::EBADF), |fd| sys::read(fd, buf))
            }
        };
        match received {
            Ok(0) if !matches!(ends, Ends::Datagrams(_)) => {
                self.peer_finished = true;
                Ok(Incoming::Finished)
            }
            Ok(len) => Ok(Incoming::Bytes(len)),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Incoming::Nothing),
            Err(errno) => Err(errno),
        }
    }

    /// Whether the peer has finished sending.
    #[inline]
    pub const fn peer_finished(&self) -> bool {
        self.peer_finished
    }

    /// Whether there are bytes that were received and not used.
    #[inline]
    pub const fn has_leftover(&self) -> bool {
        !self.leftover.is_empty()
    }

    /// How many bytes were received and not used.
    pub const fn leftover(&self) -> usize {
        self.leftover.len()
    }

    /// Takes the unused bytes, to put them before the next ones.
    pub fn take_leftover(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.leftover)
    }

    /// Takes the unused bytes with these new ones after them.
    pub fn take_joined(&mut self, new: &[u8]) -> Vec<u8> {
        let mut joined = self.take_leftover();
        joined.extend_from_slice(new);
        joined
    }

    /// Keeps the unused bytes. They are presented again when more bytes arrive.
    pub fn keep_leftover(&mut self, bytes: Vec<u8>) {
        self.leftover = bytes;
    }
}
