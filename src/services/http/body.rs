//! A body that is still to be sent: a file of many GiB goes through a buffer of a fixed size.

use std::fs::File;
use std::io;
use std::rc::Rc;

use super::file;
use super::out::Out;

/// The most that is handed to the loop at once. The loop drops a peer to which far more is owed.
pub(super) const CHUNK: usize = 256 * 1024;

/// The bytes from `at` on, until before `until`.
#[derive(Debug)]
pub(super) struct Body {
    source: Source,
    at: u64,
    until: u64,
}

/// Where bytes come from.
#[derive(Debug)]
pub(super) enum Source {
    Memory(Rc<[u8]>),
    File(File),
}

impl Body {
    pub(super) const fn new(source: Source, at: u64, until: u64) -> Self {
        Self { source, at, until }
    }

    pub(super) const fn is_done(&self) -> bool {
        self.at == self.until
    }

    /// Appends the next bytes to `out`, at most so many.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter: what was promised cannot be kept.
    pub(super) fn append(&mut self, out: &mut Out, most: usize) -> io::Result<()> {
        let (at, len) = self.piece(most);
        match &self.source {
            Source::Memory(content) => out.put(&content[at as usize..][..len]),
            Source::File(file) => out.fill(len, |into| file::read(file, at, into))?,
        }
        self.at += len as u64;
        Ok(())
    }

    /// The next bytes where they are, if they are in memory; in `out`, and nothing else in it, if not.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub(super) fn next<'a>(&'a mut self, out: &'a mut Out) -> io::Result<&'a [u8]> {
        let (at, len) = self.piece(CHUNK);
        self.at += len as u64;
        match &self.source {
            Source::Memory(content) => Ok(&content[at as usize..][..len]),
            Source::File(file) => {
                out.truncate(0);
                out.fill(len, |into| file::read(file, at, into))?;
                Ok(out.bytes())
            }
        }
    }

    fn piece(&self, most: usize) -> (u64, usize) {
        (self.at, (self.until - self.at).min(most as u64) as usize)
    }
}
