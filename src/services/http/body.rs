//! The part of a response that is still to be sent: a file of many GiB goes through a buffer of a fixed size.

use std::fs::File;
use std::io;

use super::file;
use super::out::Out;

/// The most that is handed to the loop at once. The loop drops a peer to which far more is owed.
pub(super) const CHUNK: usize = 256 * 1024;

/// What is left of a body.
#[derive(Debug)]
pub(super) enum Body {
    /// Nothing.
    Done,
    /// The bytes of a file from `at` on, until before `until`.
    File { file: File, at: u64, until: u64 },
    /// A text from some byte on.
    Text(Vec<u8>, usize),
}

impl Body {
    pub(super) const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Appends the next bytes, at most so many.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter: what was promised cannot be kept.
    pub(super) fn next(&mut self, out: &mut Out, most: usize) -> io::Result<()> {
        let is_done = match self {
            Self::Done => true,
            Self::File { file, at, until } => {
                let len = (*until - *at).min(most as u64);
                out.fill(len as usize, |into| file::read(file, *at, into))?;
                *at += len;
                at == until
            }
            Self::Text(text, at) => {
                let end = text.len().min(*at + most);
                out.put(&text[*at..end]);
                *at = end;
                end == text.len()
            }
        };
        if is_done {
            *self = Self::Done;
        }
        Ok(())
    }
}
