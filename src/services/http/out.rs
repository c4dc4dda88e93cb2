//! The buffer in which responses are written before they are sent: one for all connections, and nothing has to be
//! cleared before it is used again.

use std::fmt;

/// Bytes to be sent.
#[derive(Debug, Default)]
pub(super) struct Out {
    /// Bytes beyond `len` are leftovers.
    buffer: Vec<u8>,
    len: usize,
}

impl Out {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Drops everything after the first `len` bytes.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn room(&mut self, len: usize) -> &mut [u8] {
        let end = self.len + len;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        &mut self.buffer[self.len..end]
    }
}

impl fmt::Write for Out {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}
