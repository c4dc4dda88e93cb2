//! One connection: what came in and is not yet used, what must go out and is not yet sent, and which half is
//! closed. An idle connection holds no memory for either.
//!
//! The descriptors ([`Ends`]) stand apart from the rest ([`Conn`]): the loop walks over all descriptors each turn,
//! and over the rest only where something happens.

mod ends;
mod owed;
mod part;
#[cfg(test)]
mod tests;

use crate::names::{Errno, Result};
use owed::{Owed, Progress};

pub use ends::{Ends, File, Files};
pub use part::FilePart;

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
    /// What is still to be sent; nothing, as a rule.
    owed: Option<Box<Owed>>,
    /// A file has become shorter than what was promised of it.
    is_broken: bool,
    /// Files were sent here, or are.
    sends_files: bool,
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
        self.owed.as_ref().map_or(0, |owed| owed.len())
    }

    /// How many of them are kept in memory. (Those of a file are not.)
    pub fn held(&self) -> usize {
        self.owed.as_ref().map_or(0, |owed| owed.held())
    }

    /// Whether the next of them are a file's.
    pub fn owes_file(&self) -> bool {
        self.owed.as_ref().is_some_and(|owed| owed.is_file_next())
    }

    /// Says that files will be sent; returns whether that is new.
    pub const fn begins_to_send_files(&mut self) -> bool {
        !std::mem::replace(&mut self.sends_files, true)
    }

    /// Whether a file has become shorter than what was promised of it: what is owed will never be complete.
    pub const fn is_broken(&self) -> bool {
        self.is_broken
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
            self.keep(&bytes[sent..]);
        }
        Ok(())
    }

    /// The same with bytes that something else follows at once: they may go together.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_before(&mut self, ends: &Ends, bytes: &[u8]) -> Result<()> {
        let at_once = self.owed() == 0 && !matches!(ends, Ends::Files(_)) && !bytes.is_empty();
        let sent = if at_once { taken(ends.send_before(bytes))? } else { 0 };
        self.keep(&bytes[sent..]);
        Ok(())
    }

    /// Sends a part of a file after what is owed already. What the system does not take now is owed, and stays in the
    /// file.
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

    /// Owes these bytes, after everything else.
    fn keep(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.owed.get_or_insert_default().push(bytes);
        }
    }

    /// Sends what is owed, as far as it goes.
    ///
    /// # Errors
    /// What ends this connection; `EAGAIN` and `EINTR` do not.
    pub fn send_owed(&mut self, ends: &Ends) -> Result<()> {
        let Some(owed) = &mut self.owed else { return Ok(()) };
        self.is_broken |= owed.send(ends)? == Progress::Broken;
        if owed.len() == 0 {
            // Given back: an idle connection holds no buffer.
            self.owed = None;
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
    /// As [`shutdown`](crate::sys::shutdown).
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
