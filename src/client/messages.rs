//! Received messages for a person: a line for each, with its number and its length.

use std::fmt::Write;

use crate::framing::{Framing, Rule, TooLong, Unfinished, in_bytes};
use crate::services::append_printable;

/// At most this many bytes of a message are shown.
const SHOWN_BYTES: usize = 60;

/// The messages received so far, and the lines that show the latest ones.
#[derive(Debug)]
pub(super) struct Messages {
    framing: Framing,
    /// The beginning of a message whose end has not arrived yet.
    left: Vec<u8>,
    messages: u64,
    lines: String,
}

impl Messages {
    pub(super) fn new(rule: Rule) -> Self {
        let framing = Framing::new(rule);
        Self { framing, left: Vec::new(), messages: 0, lines: String::new() }
    }

    /// Takes received bytes. Afterwards [`lines`](Self::lines) shows their messages, also if the last message is too
    /// long.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.lines.clear();
        let mut left = std::mem::take(&mut self.left);
        left.extend_from_slice(bytes);
        let mut rest = &left[..];
        while let Some((message, behind)) = self.framing.take(rest)? {
            self.show(message);
            rest = behind;
        }
        let taken = left.len() - rest.len();
        left.drain(..taken);
        self.left = left;
        Ok(())
    }

    /// Takes the last message, once the peer has closed its half.
    pub(super) fn take_last(&mut self) -> Result<(), Unfinished> {
        self.lines.clear();
        let left = std::mem::take(&mut self.left);
        if let Some(message) = self.framing.take_last(&left)? {
            self.show(message);
        }
        Ok(())
    }

    /// The lines that show the messages taken last.
    pub(super) fn lines(&self) -> &[u8] {
        self.lines.as_bytes()
    }

    fn show(&mut self, message: &[u8]) {
        self.messages += 1;
        let shown = beginning(message);
        let lines = &mut self.lines;
        // Writing to a String cannot fail.
        let len = in_bytes(message.len() as u64);
        let _ = write!(lines, "message {}: {len}: ", self.messages);
        append_printable(lines, shown);
        lines.push_str(if shown.len() < message.len() { "...\n" } else { "\n" });
    }
}

/// The beginning of a message, cut between two characters: half a character would be shown as escaped bytes. (A
/// character of UTF-8 has at most three bytes after its first.)
fn beginning(message: &[u8]) -> &[u8] {
    let is_within = |at: usize| message.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let cut = (SHOWN_BYTES - 3..=SHOWN_BYTES).rev().find(|at| !is_within(*at));
    &message[..cut.unwrap_or(SHOWN_BYTES).min(message.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rule: Rule, stream: &[u8], piece: usize) -> String {
        let mut messages = Messages::new(rule);
        let mut all = String::new();
        for bytes in stream.chunks(piece) {
            messages.take(bytes).unwrap();
            all.push_str(&messages.lines);
        }
        messages.take_last().unwrap();
        all + &messages.lines
    }

    #[test]
    fn each_message_is_a_line_however_it_was_cut() {
        let lines = b"one\n\n\x1b[2J\n";
        let prefixed = b"\0\0\0\x03one\0\0\0\0\0\0\0\x04\x1b[2J";
        let expected =
            "message 1: 3 bytes: one\nmessage 2: 0 bytes: \nmessage 3: 4 bytes: \\u{1b}[2J\n";
        for piece in 1..=lines.len() {
            assert_eq!(shown(Rule::Line, lines, piece), expected);
        }
        for piece in 1..=prefixed.len() {
            assert_eq!(shown(Rule::Length, prefixed, piece), expected);
        }
        assert_eq!(shown(Rule::Close, b"x", 1), "message 1: 1 byte: x\n");
        assert_eq!(shown(Rule::Close, b"all of it", 2), "message 1: 9 bytes: all of it\n");
    }

    fn shown_of(message: &[u8]) -> String {
        shown(Rule::Close, message, message.len())
    }

    #[test]
    fn of_a_long_message_the_beginning_is_shown() {
        let line = shown(Rule::Close, &[b'x'; 100], 7);
        assert_eq!(line, format!("message 1: 100 bytes: {}...\n", "x".repeat(60)));
        for (before, shown) in [(59, 59), (57, 57), (56, 60)] {
            let text = "x".repeat(before) + "\u{1f393}x";
            let line = shown_of(text.as_bytes());
            assert!(line.ends_with(&format!(": {}...\n", &text[..shown])), "{line}");
        }
        assert!(shown_of(&[0x80; 70]).ends_with(&format!(": {}...\n", "\\x80".repeat(60))));
    }

    #[test]
    fn what_is_whole_is_shown_before_what_is_not() {
        let mut messages = Messages::new(Rule::Length);
        assert!(messages.take(b"\0\0\0\x02hi\xff\xff\xff\xff").is_err());
        assert_eq!(messages.lines(), b"message 1: 2 bytes: hi\n");
        let mut messages = Messages::new(Rule::Line);
        messages.take(b"one\ntw").unwrap();
        assert_eq!(messages.take_last(), Err(Unfinished { len: 2 }));
    }
}
