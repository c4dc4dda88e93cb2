//! One connection: what came in and is not yet used, what must go out and is not yet sent, and which half is
//! closed. An idle connection holds no memory for either.

use crate::names::{Errno, MSG_NOSIGNAL, MsgFlags, Result, SHUT_WR};
use crate::sys::{self, AsFd, BorrowedFd, Fd, PIPE_BUF};

/// The descriptors of a connection.
#[derive(Debug)]
pub enum Ends {
    /// A socket: one descriptor, both ways.
    Socket(Fd),
    /// A terminal, a pipe or a file: one to read from, one to write to, or only one of them.
    Files {
        /// Where bytes come from.
        input: Option<Fd>,
        /// Where bytes go.
        output: Option<Fd>,
    },
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

/// One connection.
#[derive(Debug)]
pub struct Conn {
    ends: Ends,
    /// Received, given to the service, and not used by it: the beginning of a message.
    leftover: Vec<u8>,
    /// Taken over for sending; the part before `sent` is sent.
    outgoing: Vec<u8>,
    sent: usize,
    peer_finished: bool,
    finishing: Finishing,
}

/// Our own half: whether more may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finishing {
    /// More may be sent.
    No,
    /// When everything owed is sent, this half is closed.
    WhenSent,
    /// This half is closed.
    Done,
}

impl Conn {
    /// A connection over these descriptors, which are non-blocking if they are a socket's.
    pub const fn new(ends: Ends) -> Self {
        Self {
            ends,
            leftover: Vec::new(),
            outgoing: Vec::new(),
            sent: 0,
            peer_finished: false,
            finishing: Finishing::No,
        }
    }

    /// Where to read, while there is something to wait for.
    pub fn input(&self) -> Option<BorrowedFd<'_>> {
        match &self.ends {
            Ends::Socket(fd) => Some(fd.as_fd()),
            Ends::Files { input, .. } => input.as_ref().map(AsFd::as_fd),
        }
    }

    /// Where to write.
    pub fn output(&self) -> Option<BorrowedFd<'_>> {
        match &self.ends {
            Ends::Socket(fd) => Some(fd.as_fd()),
            Ends::Files { output, .. } => output.as_ref().map(AsFd::as_fd),
        }
    }

    /// Whether it is a socket, with one descriptor for both ways.
    pub const fn is_socket(&self) -> bool {
        matches!(self.ends, Ends::Socket(_))
    }

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
    pub fn receive(&mut self, buf: &mut [u8]) -> Result<Incoming> {
        let received = match &self.ends {
            Ends::Socket(fd) => sys::recv(fd, buf, MsgFlags::NONE),
            Ends::Files { input: Some(fd), .. } => sys::read(fd, buf),
            Ends::Files { input: None, .. } => return Ok(Incoming::Nothing),
        };
        match received {
            Ok(0) => {
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
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = if self.owed() == 0 { self.send_now(bytes)? } else { 0 };
        if sent < bytes.len() {
            self.outgoing.extend_from_slice(&bytes[sent..]);
        }
        Ok(())
    }

    /// Sends what is owed, as far as it goes.
    ///
    /// # Errors
    /// What ends this connection; `EAGAIN` and `EINTR` do not.
    pub fn send_owed(&mut self) -> Result<()> {
        self.sent += self.send_now(&self.outgoing[self.sent..])?;
        if self.owed() == 0 {
            // Not cleared but given back: an idle connection holds no buffer.
            self.outgoing = Vec::new();
            self.sent = 0;
        }
        Ok(())
    }

    fn send_now(&self, bytes: &[u8]) -> Result<usize> {
        let sent = match &self.ends {
            Ends::Socket(fd) => sys::send(fd, bytes, MSG_NOSIGNAL),
            Ends::Files { output: Some(fd), .. } => {
                sys::write(fd, &bytes[..bytes.len().min(PIPE_BUF)])
            }
            Ends::Files { output: None, .. } => Err(Errno::EPIPE),
        };
        match sent {
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
            result => result,
        }
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
    pub fn finish_if_sent(&mut self) -> Result<()> {
        if self.finishing != Finishing::WhenSent || self.owed() > 0 {
            return Ok(());
        }
        self.finishing = Finishing::Done;
        match &mut self.ends {
            Ends::Socket(fd) => sys::shutdown(fd, SHUT_WR),
            Ends::Files { output, .. } => output.take().map_or(Ok(()), sys::close),
        }
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
