//! A part of a file that is to be sent.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use super::ends::Ends;
use crate::names::{Errno, Result};
use crate::os::sending;

/// The most that is read at once, where a file has to be read to be sent.
const COPIED_BYTES: usize = 64 * 1024;

/// Bytes of a file, which stay there until they are sent: so they cost no memory.
#[derive(Clone, Debug)]
pub struct FilePart {
    file: Rc<File>,
    at: u64,
    len: usize,
    /// The system cannot send it by itself.
    is_copied: bool,
}

impl FilePart {
    /// So many bytes from a place on.
    pub const fn new(file: Rc<File>, at: u64, len: usize) -> Self {
        Self { file, at, len, is_copied: false }
    }

    /// How many are still to be sent.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether none is.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sends the next of them; returns how many, or none if the file has become shorter.
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

    /// Reads a piece and sends it. Bytes that send does not take are read again, not kept. (The read does not wait for
    /// a peer: a file on a disk has no readiness.)
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
