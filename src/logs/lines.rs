//! The lines of a log, one after the other, in a buffer that does not grow with the log.

use std::io::{self, Read};

/// A longer line is not taken apart: no call needs as much, even with strings of a hundred thousand bytes.
pub const LONGEST_LINE: usize = 1 << 20;

/// How many bytes are read at a time.
const READ_BYTES: usize = 256 << 10;

/// Reads lines.
#[derive(Debug)]
pub struct Lines<R> {
    from: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// How many bytes of the buffer have been searched for the end of the line.
    searched: usize,
    is_over: bool,
}

/// A line as found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// The bytes without the newline; only the beginning of a line that is too long.
    pub bytes: &'a [u8],
    /// Whether it is longer than [`LONGEST_LINE`].
    pub is_too_long: bool,
    /// Whether a newline ends it.
    pub is_whole: bool,
}

impl<R: Read> Lines<R> {
    /// The lines that `from` has.
    pub fn new(from: R) -> Self {
        Self { from, buffer: vec![0; READ_BYTES], start: 0, end: 0, searched: 0, is_over: false }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// The error of reading, except for an interruption. Nothing is lost: after `WouldBlock` this may be called again.
    pub fn next_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.searched..self.end]) {
                let (from, to) = (self.start, self.searched + at);
                (self.start, self.searched) = (to + 1, to + 1);
                let bytes = &self.buffer[from..to];
                return Ok(Some(RawLine { bytes, is_too_long: false, is_whole: true }));
            }
            self.searched = self.end;
            if self.end - self.start > LONGEST_LINE {
                return self.skip().map(Some);
            }
            if self.is_over {
                let (from, to) = (self.start, self.end);
                self.start = to;
                let bytes = &self.buffer[from..to];
                let last = RawLine { bytes, is_too_long: false, is_whole: false };
                return Ok((from < to).then_some(last));
            }
            self.read()?;
        }
    }

    /// The bytes that were read and not returned yet: at the beginning of the log, a sample of it.
    ///
    /// # Errors
    /// As [`next_line`](Self::next_line).
    pub fn sample(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end && !self.is_over {
            self.read()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// The next line, without moving on; empty at the end.
    ///
    /// # Errors
    /// As [`next_line`](Self::next_line).
    pub fn peek_line(&mut self) -> io::Result<&[u8]> {
        loop {
            let unread = &self.buffer[self.start..self.end];
            let end = memchr::memchr(b'\n', unread);
            if end.is_some() || self.is_over || unread.len() > LONGEST_LINE {
                let len = end.unwrap_or(unread.len());
                return Ok(&self.buffer[self.start..self.start + len]);
            }
            self.read()?;
        }
    }

    /// The bytes read so far of an incomplete line.
    pub fn beginning(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads once, after making room if there is none.
    fn read(&mut self) -> io::Result<()> {
        if self.buffer.len() - self.end < READ_BYTES / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
            if self.buffer.len() - self.end < READ_BYTES / 2 {
                self.buffer.resize(self.buffer.len() + READ_BYTES, 0);
            }
        }
        self.read_at(self.end)
    }

    fn read_at(&mut self, at: usize) -> io::Result<()> {
        let got = loop {
            match self.from.read(&mut self.buffer[at..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                got => break got?,
            }
        };
        self.end = at + got;
        self.is_over = got == 0;
        Ok(())
    }

    /// Returns the beginning of a line that is too long, and discards the rest.
    fn skip(&mut self) -> io::Result<RawLine<'_>> {
        let kept = self.start..self.start + LONGEST_LINE;
        let mut is_whole = false;
        // The rest of the line is read behind its beginning, again and again.
        self.buffer.resize(self.buffer.len().max(kept.end + READ_BYTES), 0);
        self.end = kept.end;
        while !self.is_over && !is_whole {
            self.read_at(kept.end)?;
            match memchr::memchr(b'\n', &self.buffer[kept.end..self.end]) {
                Some(at) => {
                    is_whole = true;
                    self.start = kept.end + at + 1;
                }
                None => self.start = self.end,
            }
        }
        self.searched = self.start;
        Ok(RawLine { bytes: &self.buffer[kept], is_too_long: true, is_whole })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in pieces of one size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(self.0.len()).min(buffer.len());
            buffer[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    /// The length of each line, whether it is too long, and whether it is whole.
    fn lines(text: &[u8], piece: usize) -> Vec<(usize, bool, bool)> {
        let mut lines = Lines::new(Pieces(text, piece));
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push((line.bytes.len(), line.is_too_long, line.is_whole));
        }
        assert!(lines.buffer.len() <= LONGEST_LINE + 4 * READ_BYTES);
        found
    }

    #[test]
    fn lines_are_the_same_however_they_are_read() {
        let text = b"one\n\nthree\nlast";
        for piece in [1, 2, 5, 100] {
            let expected =
                [(3, false, true), (0, false, true), (5, false, true), (4, false, false)];
            assert_eq!(lines(text, piece), expected);
        }
        assert_eq!(lines(b"", 1), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_is_read() {
        let mut text = vec![b'x'; 3 * LONGEST_LINE];
        text.extend_from_slice(b"\nnext\n");
        let end = text.len();
        text.extend_from_slice(&[b'y'; LONGEST_LINE + 1]);
        for piece in [4_099, READ_BYTES, 10 * LONGEST_LINE] {
            let (long, next) = ((LONGEST_LINE, true, true), (4, false, true));
            assert_eq!(lines(&text[..end], piece), [long, next]);
            assert_eq!(lines(&text, piece), [long, next, (LONGEST_LINE, true, false)]);
        }
    }
}
