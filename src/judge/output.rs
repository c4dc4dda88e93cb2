//! The output of a judged program: its beginning and its end are kept, so that a flood does not fill memory.

use std::io::{PipeReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::services::append_printable;

/// How many bytes of the beginning, and of the end, are kept.
const KEPT: usize = 2 * 1024;

#[derive(Debug, Default)]
struct Kept {
    begin: Vec<u8>,
    end: Vec<u8>,
    left_out: usize,
    is_over: bool,
}

/// Collects the output from a pipe.
#[derive(Clone, Debug)]
pub struct KeptOutput(Arc<(Mutex<Kept>, Condvar)>);

impl KeptOutput {
    /// Collects from now on, on a thread of its own that ends with the pipe, and keeps this much of the beginning.
    pub fn collect(mut from: PipeReader, begin_bytes: usize) -> Self {
        let shared: Arc<(Mutex<Kept>, Condvar)> = Arc::default();
        let own = Self(shared.clone());
        thread::spawn(move || {
            let mut chunk = [0; 16 * 1024];
            while let Ok(count @ 1..) = from.read(&mut chunk) {
                let mut kept = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
                kept.take(&chunk[..count], begin_bytes);
                shared.1.notify_all();
            }
            shared.0.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
            shared.1.notify_all();
        });
        own
    }

    /// Collects only as much as is shown for a failed case.
    pub fn collect_little(from: PipeReader) -> Self {
        Self::collect(from, KEPT)
    }

    /// Waits for the end of the pipe, at most this long; false if it has not come.
    pub fn wait(&self, most: Duration) -> bool {
        let end = Instant::now() + most;
        let mut kept = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !kept.is_over {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.0.1.wait_timeout(kept, left);
            kept = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// The bytes of the beginning.
    pub fn begin(&self) -> Vec<u8> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).begin.clone()
    }

    /// The kept text, with everything escaped that could command a terminal.
    pub fn text(&self) -> String {
        let kept = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = printable(&kept.begin);
        if kept.left_out > 0 {
            text.push_str(&format!("\n… {} bytes …\n", kept.left_out));
        }
        text.push_str(&printable(&kept.end));
        text
    }
}

impl Kept {
    fn take(&mut self, bytes: &[u8], begin_bytes: usize) {
        let room = begin_bytes.saturating_sub(self.begin.len()).min(bytes.len());
        self.begin.extend_from_slice(&bytes[..room]);
        self.end.extend_from_slice(&bytes[room..]);
        let too_much = self.end.len().saturating_sub(KEPT);
        self.end.drain(..too_much);
        self.left_out += too_much;
    }
}

/// Lines and columns stay as the program wrote them.
fn printable(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for piece in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\t' | b'\r')) {
        match piece.split_last() {
            Some((b'\r', text)) => append_printable(&mut shown, text),
            Some((end @ (b'\n' | b'\t'), text)) => {
                append_printable(&mut shown, text);
                shown.push(char::from(*end));
            }
            _ => append_printable(&mut shown, piece),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_flood_the_beginning_and_the_end_are_kept() {
        let mut kept = Kept::default();
        kept.take(b"begin", KEPT);
        for _ in 0..100 {
            kept.take(&[b'x'; 1000], KEPT);
        }
        kept.take(b"end", KEPT);
        assert!(kept.begin.starts_with(b"begin") && kept.end.ends_with(b"end"));
        assert_eq!(kept.begin.len() + kept.end.len() + kept.left_out, 100_008);
    }

    #[test]
    fn what_a_program_writes_commands_no_terminal() {
        assert_eq!(printable(b"a\x1b[2J\nb"), "a\\u{1b}[2J\nb");
        assert_eq!(printable(b"a\tb\r\n\xff"), "a\tb\n\\xff");
        // A mark of direction makes a line look like another one.
        assert_eq!(printable("\u{202e}lla slliaf".as_bytes()), "\\u{202e}lla slliaf");
    }
}
