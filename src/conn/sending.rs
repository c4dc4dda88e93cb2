//! The sending half of a connection: what the kernel took at once, what is queued, and whether more may follow.

use super::ends::Ends;
use super::owed::{FileState, Owed};
use super::part::FilePart;
use super::pipe::SplicePipe;
use crate::names::{Errno, MSG_NOSIGNAL, Result};
use crate::os::sending::MORE_FOLLOWS;
use crate::sys;

/// The state of the bytes that go to a peer.
#[derive(Debug, Default)]
pub struct SendingHalf {
    /// Queued bytes; `None` most of the time.
    pub(super) owed: Option<Box<Owed>>,
    /// A file has become shorter than the part that was promised.
    is_broken: bool,
    /// Parts of files were or are sent over this connection.
    sends_files: bool,
    finishing: Finishing,
}

/// Whether more bytes may be queued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Finishing {
    /// More bytes may be queued.
    #[default]
    No,
    /// When all queued bytes are sent, this half is closed.
    WhenSent,
    /// This half is closed.
    Done,
}

impl SendingHalf {
    /// Sends `bytes` after the bytes already queued. Bytes that the kernel does not take now are queued.
    ///
    /// # Errors
    /// An errno that ends this connection; `EAGAIN` and `EINTR` do not.
    #[inline]
    pub fn send(&mut self, ends: &Ends, bytes: &[u8]) -> Result<()> {
        let sent = match ends {
            _ if self.owed() > 0 => 0,
            Ends::Socket(fd) => or_would_wait(sys::send(fd, bytes, MSG_NOSIGNAL))?,
            Ends::Datagrams(_) => or_would_wait(ends.send(bytes))?,
            // These descriptors may be blocking: nothing is written to them before a wait has found them writable.
            Ends::Files(_) => 0,
        };
        if sent < bytes.len() {
            self.owe(&bytes[sent..]);
        }
        Ok(())
    }

    /// Like [`send`](Self::send), for bytes that a file follows at once: the kernel may put both into one segment.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_before_file(&mut self, ends: &Ends, bytes: &[u8]) -> Result<()> {
        let sent = match ends {
            Ends::Socket(fd) if self.owed() == 0 && !bytes.is_empty() => {
                or_would_wait(sys::send(fd, bytes, MSG_NOSIGNAL | MORE_FOLLOWS))?
            }
            _ => 0,
        };
        self.owe(&bytes[sent..]);
        Ok(())
    }

    /// Sends a part of a file after the bytes already queued. The part that the kernel does not take now is queued,
    /// and stays in the file.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_file(&mut self, ends: &Ends, part: FilePart) -> Result<()> {
        if part.is_empty() {
            return Ok(());
        }
        let at_once = self.owed() == 0 && !matches!(ends, Ends::Files(_));
        self.owed.get_or_insert_default().push_file(part);
        if at_once { self.send_owed(ends) } else { Ok(()) }
    }

    /// Queues these bytes, after everything else.
    fn owe(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.owed.get_or_insert_default().push(bytes);
        }
    }

    /// Discards the queued bytes, because they can no longer be sent.
    pub fn give_up(&mut self) {
        self.owed = None;
    }

    /// Lets the kernel move bytes here through this pipe.
    pub fn set_pipe(&mut self, pipe: SplicePipe) {
        self.owed.get_or_insert_default().pipe = Some(pipe);
    }

    /// Takes the pipe in order to fill it.
    pub fn take_pipe(&mut self) -> Option<SplicePipe> {
        self.owed.as_mut()?.pipe.take()
    }

    /// How many bytes are in the pipe.
    pub fn piped(&self) -> usize {
        self.owed.as_ref().map_or(0, |owed| owed.piped())
    }

    /// Sends queued bytes, as many as the kernel takes.
    ///
    /// # Errors
    /// An errno that ends this connection; `EAGAIN` and `EINTR` do not.
    pub fn send_owed(&mut self, ends: &Ends) -> Result<()> {
        let Some(owed) = self.owed.as_mut().filter(|owed| owed.len() > 0) else { return Ok(()) };
        self.is_broken |= owed.send(ends)? == FileState::Shortened;
        if owed.len() == 0 && owed.pipe.is_none() {
            // Frees the memory: an idle connection holds no buffer.
            self.owed = None;
        }
        Ok(())
    }

    /// How many bytes are queued and not yet sent.
    #[inline]
    pub fn owed(&self) -> usize {
        self.owed.as_ref().map_or(0, |owed| owed.len())
    }

    /// How many of the queued bytes are in memory. (Those of a file or in a pipe are not.)
    pub fn held(&self) -> usize {
        self.owed.as_ref().map_or(0, |owed| owed.held())
    }

    /// Whether the next queued bytes are those of a file.
    pub fn owes_file(&self) -> bool {
        self.owed.as_ref().is_some_and(|owed| owed.is_file_next())
    }

    /// Records that files will be sent; returns whether this is the first time.
    pub const fn begins_to_send_files(&mut self) -> bool {
        !std::mem::replace(&mut self.sends_files, true)
    }

    /// Whether a file has become shorter than the promised part, so that the part can never be completed.
    pub const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether this half is closed, with everything sent.
    pub fn finished(&self) -> bool {
        self.finishing == Finishing::Done
    }

    /// Announces that no more bytes will follow: when all queued bytes are sent, this half is
    /// closed.
    pub fn finish(&mut self) {
        if self.finishing == Finishing::No {
            self.finishing = Finishing::WhenSent;
        }
    }

    /// Closes this half if that was requested and all queued bytes are sent: the peer reads end of file, and may
    /// keep sending.
    ///
    /// # Errors
    /// As [`shutdown`](crate::sys::shutdown()).
    pub fn finish_if_sent(&mut self, ends: &mut Ends) -> Result<()> {
        if self.finishing != Finishing::WhenSent || self.owed() > 0 {
            return Ok(());
        }
        self.finishing = Finishing::Done;
        ends.end_sending()
    }
}

/// How many bytes a send took: 0 if it would have had to wait.
#[inline]
fn or_would_wait(sent: Result<usize>) -> Result<usize> {
    match sent {
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
        result => result,
    }
}
