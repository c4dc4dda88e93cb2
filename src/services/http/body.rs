//! The body of a response, sent piece by piece.

use std::fs::File;
use std::rc::Rc;

use crate::conn::FilePart;

/// The most bytes of memory that are handed to the loop at once; the loop drops a peer for which far more is queued.
/// (Every cached file fits into one piece, together with its head.)
pub(super) const CHUNK: usize = 128 * 1024;
/// The same for a file: its bytes cost no memory, but each piece has a deadline.
const PART: usize = 256 * 1024;

/// The bytes from `at` on, up to and excluding `until`.
#[derive(Debug)]
pub(super) struct ResponseBody {
    source: Source,
    at: u64,
    until: u64,
    /// The part that was sent last, if the body is a file.
    part: Option<FilePart>,
}

/// Where the bytes come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Memory(Rc<[u8]>),
    File(Rc<File>),
}

/// What to send next.
#[derive(Debug)]
pub(super) enum Next<'a> {
    Bytes(&'a [u8]),
    File(&'a FilePart),
}

impl ResponseBody {
    pub(super) const fn new(source: Source, at: u64, until: u64) -> Self {
        Self { source, at, until, part: None }
    }

    pub(super) const fn is_done(&self) -> bool {
        self.at == self.until
    }

    /// Appends the next bytes to `out`, at most `most`, if they are in memory.
    pub(super) fn append(&mut self, out: &mut Vec<u8>, most: usize) {
        if let Source::Memory(content) = &self.source {
            let (at, len) = piece(self.at, self.until, most);
            out.extend_from_slice(&content[at as usize..][..len]);
            self.at += len as u64;
        }
    }

    /// The next bytes, wherever they are.
    pub(super) fn next(&mut self) -> Next<'_> {
        match &self.source {
            Source::Memory(content) => {
                let (at, len) = piece(self.at, self.until, CHUNK);
                self.at += len as u64;
                Next::Bytes(&content[at as usize..][..len])
            }
            Source::File(file) => {
                let (at, len) = piece(self.at, self.until, PART);
                self.at += len as u64;
                Next::File(self.part.insert(FilePart::new(Rc::clone(file), at, len)))
            }
        }
    }

    /// The next part, if the body is a file.
    pub(super) fn next_of_file(&mut self) -> Option<&FilePart> {
        if matches!(self.source, Source::Memory(_)) {
            return None;
        }
        match self.next() {
            Next::File(part) => Some(part),
            Next::Bytes(_) => None,
        }
    }
}

fn piece(at: u64, until: u64, most: usize) -> (u64, usize) {
    (at, (until - at).min(most as u64) as usize)
}
