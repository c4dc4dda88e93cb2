//! Standard output and standard error, which this process has inherited.

#[cfg(feature = "program")]
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;

use crate::sys::{self, POLLOUT, PollFd};
use crate::trace::suspended;

/// Whether text has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colors {
    /// It has.
    Colored,
    /// It does not.
    Plain,
}

#[cfg(feature = "program")]
impl Colors {
    /// The text in this style, or plain.
    pub fn paint(self, style: anstyle::Style, text: impl Display) -> String {
        match self {
            Self::Colored => format!("{style}{text}{style:#}"),
            Self::Plain => text.to_string(),
        }
    }
}

/// A writer that writes everything, even if another process has made the descriptor non-blocking: the flag belongs to
/// the open file, so every process that shares a terminal or a pipe can set it. If there is no room, the write waits,
/// as on a blocking descriptor.
#[derive(Debug)]
pub struct Patient<W>(pub W);

impl<W: Write + AsFd> Write for Patient<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => wait_for_room(&self.0)?,
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        loop {
            match self.0.flush() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => wait_for_room(&self.0)?,
                flushed => return flushed,
            }
        }
    }
}

/// The program's own wait, which appears in no trace.
fn wait_for_room(to: &impl AsFd) -> io::Result<()> {
    let mut rows = [PollFd::new(to.as_fd(), POLLOUT)];
    match suspended(|| sys::poll(&mut rows, -1)) {
        Ok(_) | Err(sys::Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
