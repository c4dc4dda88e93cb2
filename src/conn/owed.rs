//! The bytes that are queued for a peer and not yet sent: bytes in a pipe, bytes in memory and parts of files, in order.

use std::collections::VecDeque;

use super::ends::Ends;
use super::part::FilePart;
use super::pipe::SplicePipe;
use crate::names::{Errno, Result};

/// Queued bytes. They are kept in a box of their own, so that a connection without queued bytes is small: where
/// hundreds of connections are ready at once, the amount of memory that each of them touches matters.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// If the kernel moves bytes here from another connection: their pipe, which is sent before everything else.
    pub(super) pipe: Option<SplicePipe>,
    /// Bytes in memory; those before `sent` are already sent.
    outgoing: Vec<u8>,
    sent: usize,
    /// Pieces to send after `outgoing`. If `outgoing` is empty, the first piece is a part of a file.
    behind: VecDeque<Piece>,
    behind_len: usize,
}

/// A piece that is sent after another one.
#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    File(FilePart),
}

/// Whether the file that is being sent still has the promised bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    Whole,
    /// The file has become shorter than the part that was promised.
    Shortened,
}

impl Owed {
    pub(super) fn len(&self) -> usize {
        self.piped() + self.outgoing.len() - self.sent + self.behind_len
    }

    /// How many bytes are in the pipe.
    pub(super) fn piped(&self) -> usize {
        self.pipe.as_ref().map_or(0, SplicePipe::len)
    }

    pub(super) fn held(&self) -> usize {
        let bytes = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::File(_) => 0,
        };
        self.outgoing.len() - self.sent + self.behind.iter().map(bytes).sum::<usize>()
    }

    pub(super) fn is_file_next(&self) -> bool {
        self.piped() == 0 && self.sent == self.outgoing.len() && !self.behind.is_empty()
    }

    pub(super) fn push_file(&mut self, part: FilePart) {
        self.behind_len += part.len();
        self.behind.push_back(Piece::File(part));
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.behind.is_empty() {
            // A peer may keep reading and never read everything; then the buffer must not keep the bytes that were
            // sent. (The larger part is dropped, so the smaller one moves.)
            if self.sent > self.outgoing.len() / 2 {
                self.outgoing.drain(..self.sent);
                self.sent = 0;
            }
            return self.outgoing.extend_from_slice(bytes);
        }
        self.behind_len += bytes.len();
        match self.behind.back_mut() {
            Some(Piece::Bytes(last)) => last.extend_from_slice(bytes),
            _ => self.behind.push_back(Piece::Bytes(bytes.to_vec())),
        }
    }

    pub(super) fn send(&mut self, ends: &Ends) -> Result<FileState> {
        if let Some(pipe) = self.pipe.as_mut().filter(|pipe| !pipe.is_empty()) {
            return pipe.drain(ends).map(|()| FileState::Whole);
        }
        if self.is_file_next() {
            return self.send_file(ends);
        }
        self.sent += match ends.send(&self.outgoing[self.sent..]) {
            Err(Errno::EAGAIN | Errno::EINTR) => 0,
            sent => sent?,
        };
        if self.sent == self.outgoing.len() {
            self.outgoing = Vec::new();
            self.sent = 0;
        }
        Ok(FileState::Whole)
    }

    fn send_file(&mut self, ends: &Ends) -> Result<FileState> {
        let Some(Piece::File(part)) = self.behind.front_mut() else {
            return Ok(FileState::Whole);
        };
        let sent = match part.send(ends) {
            Err(Errno::EAGAIN | Errno::EINTR) => 0,
            Ok(None) => return Ok(FileState::Shortened),
            result => result?.unwrap_or(0),
        };
        self.behind_len -= sent;
        if part.is_empty() {
            self.behind.pop_front();
            self.after_file();
        }
        Ok(FileState::Whole)
    }

    /// A file is sent completely: bytes in memory behind it are queued like others.
    fn after_file(&mut self) {
        match self.behind.pop_front() {
            Some(Piece::Bytes(bytes)) => {
                self.behind_len -= bytes.len();
                self.outgoing = bytes;
            }
            Some(file) => self.behind.push_front(file),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sent_bytes_are_dropped_even_if_the_queue_is_never_empty() {
        let mut bytes = (0..=250u8).cycle();
        let mut owed = Owed::default();
        owed.push(&bytes.by_ref().take(10_000).collect::<Vec<_>>());
        for _ in 0..1000 {
            owed.sent += 1000;
            owed.push(&bytes.by_ref().take(1000).collect::<Vec<_>>());
            assert_eq!(owed.len(), 10_000);
        }
        assert!(owed.outgoing.capacity() < 50_000, "{}", owed.outgoing.capacity());
        let expected: Vec<u8> = (0..=250).cycle().skip(1_000_000).take(10_000).collect();
        assert!(owed.outgoing[owed.sent..] == expected, "other bytes");
    }
}
