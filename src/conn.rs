//! One connection: what came in and is not yet used, what must go out and is not yet sent, and which half is
//! closed. An idle connection holds no memory for either.
//!
//! The descriptors ([`Ends`]) stand apart from the rest ([`Conn`]): the loop walks over all descriptors each turn,
//! and over the rest only where something happens.

use std::io;

use crate::names::{Errno, MSG_NOSIGNAL, MsgFlags, Result, SHUT_WR};
use crate::sys::{self, AsFd, BorrowedFd, Fd, PIPE_BUF};

/// The descriptors of a connection.
#[derive(Debug)]
pub enum Ends {
    /// A socket: one descriptor, both ways.
    Socket(Fd),
    /// A datagram socket that has a peer: each receive is one datagram, perhaps without a byte, and nobody says that
    /// it was the last.
    Datagrams(Fd),
    /// A terminal, a pipe or a file: one to read from, one to write to.
    Files(Box<Files>),
}

/// Descriptors that are no socket's, either of which may be missing.
#[derive(Debug, Default)]
pub struct Files {
    /// Where bytes come from.
    pub input: Option<File>,
    /// Where bytes go.
    pub output: Option<File>,
}

/// A descriptor that is no socket's.
#[derive(Debug)]
pub enum File {
    /// One of our own.
    Own(Fd),
    /// Descriptor 0. It was given to this process, and is never closed.
    Stdin(io::Stdin),
    /// Descriptor 1. It was given to this process, and is never closed.
    Stdout(io::Stdout),
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Own(fd) => fd.as_fd(),
            Self::Stdin(stdin) => stdin.as_fd(),
            Self::Stdout(stdout) => stdout.as_fd(),
        }
    }
}

impl From<Fd> for File {
    fn from(fd: Fd) -> Self {
        Self::Own(fd)
    }
}

/// The most that is sent as one datagram; what is longer becomes several. (UDP takes 65,507 bytes, but macOS no more
/// than 9,216 as it comes.)
const DATAGRAM_BYTES: usize = 8192;

impl Ends {
    /// Whether our half can be ended and the peer's end of file waited for.
    pub const fn has_halves(&self) -> bool {
        matches!(self, Self::Socket(_))
    }

    /// Where to receive from.
    pub fn input(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Socket(fd) | Self::Datagrams(fd) => Some(fd.as_fd()),
            Self::Files(files) => files.input.as_ref().map(AsFd::as_fd),
        }
    }

    /// Where to send to.
    pub fn output(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Socket(fd) | Self::Datagrams(fd) => Some(fd.as_fd()),
            Self::Files(files) => files.output.as_ref().map(AsFd::as_fd),
        }
    }

    #[inline]
    fn receive(&self, buf: &mut [u8]) -> Result<usize> {
        match self {
            Self::Socket(fd) | Self::Datagrams(fd) => sys::recv(fd, buf, MsgFlags::NONE),
            Self::Files(files) => {
                files.input.as_ref().map_or(Err(Errno::EBADF), |fd| sys::read(fd, buf))
            }
        }
    }

    #[inline]
    fn send(&self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Socket(fd) => sys::send(fd, bytes, MSG_NOSIGNAL),
            Self::Datagrams(fd) => {
                sys::send(fd, &bytes[..bytes.len().min(DATAGRAM_BYTES)], MSG_NOSIGNAL)
            }
            // The descriptor may be blocking and shared with a shell; so much a writable pipe takes without waiting.
            Self::Files(files) => {
                let some = &bytes[..bytes.len().min(PIPE_BUF)];
                files.output.as_ref().map_or(Err(Errno::EPIPE), |fd| sys::write(fd, some))
            }
        }
    }

    fn end_sending(&mut self) -> Result<()> {
        match self {
            Self::Socket(fd) => sys::shutdown(fd, SHUT_WR),
            Self::Datagrams(_) => Ok(()),
            Self::Files(files) => match files.output.take() {
                Some(File::Own(fd)) => sys::close(fd),
                _ => Ok(()),
            },
        }
    }
}

/// What a receive gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// So many bytes.
    Bytes(usize),
    /// The peer has finished: no byte will come any more.
    Finished,
    /// Nothing now: readiness was only a hint.
    Nothing,
}

/// Everything about a connection but its descriptors.
#[derive(Debug, Default)]
pub struct Conn {
    /// Received, given to the service, and not used by it: the beginning of a message.
    leftover: Vec<u8>,
    /// Taken over for sending; the part before `sent` is sent.
    outgoing: Vec<u8>,
    sent: usize,
    peer_finished: bool,
    finishing: Finishing,
}

/// Our own half: whether more may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Finishing {
    /// More may be sent.
    #[default]
    No,
    /// When everything owed is sent, this half is closed.
    WhenSent,
    /// This half is closed.
    Done,
}

impl Conn {
    /// How many bytes are still to be sent.
    #[inline]
    pub fn owed(&self) -> usize {
        self.outgoing.len() - self.sent
    }

    /// Whether the peer has finished sending.
    pub const fn peer_finished(&self) -> bool {
        self.peer_finished
    }

    /// Whether our own half is closed, with everything sent.
    pub fn finished(&self) -> bool {
        self.finishing == Finishing::Done
    }

    /// Receives once into `buf`.
    ///
    /// # Errors
    /// What ends this connection; `EAGAIN` and `EINTR` do not.
    #[inline]
    pub fn receive(&mut self, ends: &Ends, buf: &mut [u8]) -> Result<Incoming> {
        match ends.receive(buf) {
            Ok(0) if !matches!(ends, Ends::Datagrams(_)) => {
                self.peer_finished = true;
                Ok(Incoming::Finished)
            }
            Ok(len) => Ok(Incoming::Bytes(len)),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Incoming::Nothing),
            Err(errno) => Err(errno),
        }
    }

    /// Sends `bytes` after what is owed already. What the system does not take now is owed.
    ///
    /// # Errors
    /// What ends this connection; `EAGAIN` and `EINTR` do not.
    #[inline]
    pub fn send(&mut self, ends: &Ends, bytes: &[u8]) -> Result<()> {
        // Files may be blocking: nothing is written to them before they are known to be writable.
        let at_once = self.owed() == 0 && !matches!(ends, Ends::Files(_));
        let sent = if at_once { taken(ends.send(bytes))? } else { 0 };
        if sent < bytes.len() {
            self.outgoing.extend_from_slice(&bytes[sent..]);
        }
        Ok(())
    }

    /// Sends what is owed, as far as it goes.
    ///
    /// # Errors
    /// What ends this connection; `EAGAIN` and `EINTR` do not.
    pub fn send_owed(&mut self, ends: &Ends) -> Result<()> {
        self.sent += taken(ends.send(&self.outgoing[self.sent..]))?;
        if self.owed() == 0 {
            // Not cleared but given back: an idle connection holds no buffer.
            self.outgoing = Vec::new();
            self.sent = 0;
        }
        Ok(())
    }

    /// Says that nothing more will be sent: when everything owed is, this half is closed.
    pub fn finish(&mut self) {
        if self.finishing == Finishing::No {
            self.finishing = Finishing::WhenSent;
        }
    }

    /// Closes our half if that was asked for and everything owed is sent: the peer reads end of file, and may go on
    /// sending.
    ///
    /// # Errors
    /// As [`sys::shutdown`].
    pub fn finish_if_sent(&mut self, ends: &mut Ends) -> Result<()> {
        if self.finishing != Finishing::WhenSent || self.owed() > 0 {
            return Ok(());
        }
        self.finishing = Finishing::Done;
        ends.end_sending()
    }

    /// The bytes that were received but not used, to be put before what comes next.
    pub fn take_leftover(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.leftover)
    }

    /// Keeps bytes that were not used until more come.
    pub fn keep_leftover(&mut self, bytes: Vec<u8>) {
        self.leftover = bytes;
    }

    /// Whether bytes wait that were not used.
    pub const fn has_leftover(&self) -> bool {
        !self.leftover.is_empty()
    }
}

/// How much a send took: nothing, if it would have had to wait.
#[inline]
fn taken(sent: Result<usize>) -> Result<usize> {
    match sent {
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{AF_UNIX, Protocol, SO_SNDBUF, SOCK_STREAM, SOL_SOCKET};
    use crate::os::accepting::set_nonblocking;

    fn pair() -> [Fd; 2] {
        let pair = sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        pair.iter().for_each(|fd| set_nonblocking(fd).unwrap());
        pair
    }

    #[test]
    fn what_a_short_send_leaves_is_owed_and_arrives_in_order() {
        let [ours, theirs] = pair();
        sys::setsockopt(&ours, SOL_SOCKET, SO_SNDBUF, &4096).unwrap();
        let ends = Ends::Socket(ours);
        let mut conn = Conn::default();
        let message: Vec<u8> = (0..100_000u32).map(|k| (k % 251) as u8).collect();
        conn.send(&ends, &message).unwrap();
        assert!(conn.owed() > 0, "the send was not short");
        conn.send(&ends, b"and the end").unwrap();

        let mut arrived = Vec::new();
        let mut buf = [0; 1000];
        while conn.owed() > 0 || arrived.len() < message.len() + 11 {
            conn.send_owed(&ends).unwrap();
            while let Ok(len) = sys::recv(&theirs, &mut buf, MsgFlags::NONE) {
                arrived.extend_from_slice(&buf[..len]);
            }
        }
        assert_eq!(&arrived[..message.len()], message);
        assert_eq!(&arrived[message.len()..], b"and the end");
        assert_eq!(conn.outgoing.capacity(), 0, "an idle connection holds a buffer");
    }

    #[test]
    fn our_half_ends_when_everything_is_sent_and_not_before() {
        let [ours, theirs] = pair();
        sys::setsockopt(&ours, SOL_SOCKET, SO_SNDBUF, &4096).unwrap();
        let mut ends = Ends::Socket(ours);
        let mut conn = Conn::default();
        conn.send(&ends, &[7; 100_000]).unwrap();
        conn.finish();
        conn.finish_if_sent(&mut ends).unwrap();
        assert!(!conn.finished());

        let mut buf = vec![0; 200_000];
        let mut arrived = 0;
        loop {
            match sys::recv(&theirs, &mut buf, MsgFlags::NONE) {
                Ok(0) => break,
                Ok(len) => arrived += len,
                Err(Errno::EAGAIN) => {
                    conn.send_owed(&ends).unwrap();
                    conn.finish_if_sent(&mut ends).unwrap();
                }
                Err(errno) => panic!("{errno}"),
            }
        }
        assert_eq!(arrived, 100_000);
        sys::send(&theirs, b"still here", MSG_NOSIGNAL).unwrap();
        assert_eq!(conn.receive(&ends, &mut buf), Ok(Incoming::Bytes(10)));
        drop(theirs);
        assert_eq!(conn.receive(&ends, &mut buf), Ok(Incoming::Finished));
    }
}
