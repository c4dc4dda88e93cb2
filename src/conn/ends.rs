//! The descriptors of a connection: where its bytes come from, and where they go.

use std::io;

use crate::names::{Errno, MSG_NOSIGNAL, Result, SHUT_WR};
use crate::sys::{self, AsFd, BorrowedFd, Fd, PIPE_BUF};

/// The descriptors of a connection.
#[derive(Debug)]
pub enum Ends {
    /// A socket: one descriptor for both directions.
    Socket(Fd),
    /// A connected datagram socket: each receive returns one datagram, perhaps an empty one, and no datagram is marked
    /// as the last.
    Datagrams(Fd),
    /// A terminal, a pipe or a file: one descriptor to read from, and one to write to.
    Files(Box<Files>),
}

/// Descriptors that are not sockets; either may be missing.
#[derive(Debug, Default)]
pub struct Files {
    /// Where bytes come from.
    pub input: Option<FileEnd>,
    /// Where bytes go.
    pub output: Option<FileEnd>,
}

/// A descriptor that is not a socket.
#[derive(Debug)]
pub enum FileEnd {
    /// A descriptor that we own.
    Own(Fd),
    /// Descriptor 0. This process inherited it, and never closes it.
    Stdin(io::Stdin),
    /// Descriptor 1. This process inherited it, and never closes it.
    Stdout(io::Stdout),
}

impl AsFd for FileEnd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Own(fd) => fd.as_fd(),
            Self::Stdin(stdin) => stdin.as_fd(),
            Self::Stdout(stdout) => stdout.as_fd(),
        }
    }
}

impl From<Fd> for FileEnd {
    fn from(fd: Fd) -> Self {
        Self::Own(fd)
    }
}

/// The most bytes that are sent as one datagram; more bytes become several datagrams. (UDP takes 65,507 bytes; the
/// BSDs and macOS by default no more than 9,216.)
const DATAGRAM_BYTES: usize = 8192;

impl Ends {
    /// Whether our half can be closed separately, and the peer's end of file can be waited for.
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

    pub(super) fn send(&self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Socket(fd) => sys::send(fd, bytes, MSG_NOSIGNAL),
            Self::Datagrams(fd) => {
                sys::send(fd, &bytes[..bytes.len().min(DATAGRAM_BYTES)], MSG_NOSIGNAL)
            }
            // The descriptor may be blocking and shared with a shell; a writable pipe takes this much without waiting.
            // (A terminal may not: it is writable when there is room for one byte, and then this write may wait.)
            Self::Files(files) => {
                let some = &bytes[..bytes.len().min(PIPE_BUF)];
                files.output.as_ref().map_or(Err(Errno::EPIPE), |fd| sys::write(fd, some))
            }
        }
    }

    pub(super) fn end_sending(&mut self) -> Result<()> {
        match self {
            Self::Socket(fd) => match sys::shutdown(fd, SHUT_WR) {
                // There is no connection any more: the peer has reset it, or (a Unix-domain peer on macOS and FreeBSD)
                // has closed. The next receive tells which of the two, after the bytes that had arrived before.
                Err(Errno::ENOTCONN) => Ok(()),
                ended => ended,
            },
            Self::Datagrams(_) => Ok(()),
            Self::Files(files) => match files.output.take() {
                Some(FileEnd::Own(fd)) => sys::close(fd),
                _ => Ok(()),
            },
        }
    }
}
