//! A part of a file that is sent over a connection.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use super::ends::Ends;
use crate::names::{Errno, Result};
use crate::os::sending;

/// The most bytes that are read at once, where the file has to be read in order to be sent.
const COPIED_BYTES: usize = 64 * 1024;

/// A range of bytes of a file. They stay in the file until they are sent, so they cost no memory.
#[derive(Clone, Debug)]
pub struct FilePart {
    file: Rc<File>,
    at: u64,
    len: usize,
    /// The system cannot send this file with `sendfile`.
    is_copied: bool,
}

impl FilePart {
    /// `len` bytes from the position `at` on.
    pub const fn new(file: Rc<File>, at: u64, len: usize) -> Self {
        Self { file, at, len, is_copied: false }
    }

    /// How many bytes are still to be sent.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether all bytes are sent.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sends the next bytes; returns how many, or `None` if the file has become shorter.
    pub(super) fn send(&mut self, ends: &Ends) -> Result<Option<usize>> {
        let sent = match ends {
            Ends::Socket(socket) if !self.is_copied => {
                match sending::send_file(socket, &*self.file, self.at, self.len) {
                    Err(Errno::EINVAL | Errno::ENOSYS) => {
                        self.is_copied = true;
                        self.send_copied(ends)?
                    }
                    result => Some(result?).filter(|sent| *sent > 0),
                }
            }
            _ => self.send_copied(ends)?,
        };
        let count = sent.unwrap_or(0);
        self.at += count as u64;
        self.len -= count;
        Ok(sent)
    }

    /// Reads a piece and sends it. Bytes that `send` does not take are read again, not kept. (The read does not wait
    /// for a peer: a file on a disk is always ready.)
    fn send_copied(&self, ends: &Ends) -> Result<Option<usize>> {
        let mut buffer = vec![0; self.len.min(COPIED_BYTES)];
        let read = self.file.read_at(&mut buffer, self.at).map_err(errno_of)?;
        if read == 0 {
            return Ok(None);
        }
        ends.send(&buffer[..read]).map(Some)
    }
}

fn errno_of(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_number)
}
