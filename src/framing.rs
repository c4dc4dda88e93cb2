//! Framing: where a message ends.
//!
//! TCP carries bytes and does not keep messages apart: the bytes of one send may arrive in pieces, and those of two
//! sends together. A program that takes each receive for a message works on loopback, in its tests, and nowhere else.
//! So the two sides agree on where a message ends, and the receiver looks for that end in the bytes received so far.
//! There are four ways:
//!
//! - every message has the same length;
//! - a message ends with a byte that it cannot contain, here the newline;
//! - its length stands before it, here in 4 bytes in network byte order;
//! - it ends where the sender closes its half: one message for each connection.
//!
//! [`Framing::take`] takes a buffer and returns the first message and the bytes after it. The caller keeps the bytes
//! that are not yet a message, and appends later bytes to them.
//!
//! ```
//! # use baresock_core as baresock;
//! use baresock::framing::{Framing, Rule};
//!
//! let framing = Framing::new(Rule::Line);
//! let (message, rest) = framing.take(b"one\ntwo\nthr")?.ok_or("no message yet")?;
//! assert_eq!((message, rest), (&b"one"[..], &b"two\nthr"[..]));
//! let (message, rest) = framing.take(rest)?.ok_or("no message yet")?;
//! assert_eq!((message, rest), (&b"two"[..], &b"thr"[..]));
//! assert_eq!(framing.take(rest)?, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(test)]
mod tests;

use std::fmt;
use std::num::NonZeroUsize;

use crate::byteorder::{htonl, ntohl};

/// The longest message, unless the receiver chooses another limit. Without a limit, a peer that never ends its message
/// would fill the memory; a longer message is refused ([`TooLong`]).
pub const MESSAGE_LIMIT: usize = 64 * 1024;

/// How many bytes the length takes on the wire.
const PREFIX_LEN: usize = size_of::<u32>();

/// The rule on which the two sides have agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Every message has this many bytes.
    Fixed(NonZeroUsize),
    /// A message ends with `\n`. A `\r` before it, as telnet sends one, does not belong to the message either.
    Line,
    /// Before each message stands its length: 4 bytes, the most significant first.
    Length,
    /// A message ends where the peer closes its half.
    Close,
}

/// A rule, and the longest message that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Where a message ends.
    pub rule: Rule,
    /// The most bytes of a message, without its newline or its prefix.
    pub limit: usize,
}

/// The first message in a buffer, and the bytes after it; `None` if its end has not arrived yet.
pub type Taken<'b> = Option<(&'b [u8], &'b [u8])>;

/// A message is longer than the limit. The bytes after it cannot be read as messages, unless the rule has an end that
/// can be searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// The limit.
    pub limit: usize,
}

/// The peer has closed its half in the middle of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// How many bytes of the message had arrived, including its prefix.
    pub len: usize,
}

/// A message that cannot be sent under this rule: the receiver would see another message, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsendable {
    /// It is longer than the limit.
    TooLong(TooLong),
    /// The message does not have the one length that all messages have.
    NotOfLength(NonZeroUsize),
    /// The message contains the byte that ends it, or ends with a `\r`, which the receiver would strip.
    ContainsEnd,
}

impl Rule {
    /// Reads `fixed:N`, `line`, `length` or `close`.
    ///
    /// # Errors
    /// One line that says what can be written.
    pub fn parse(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("fixed:")) {
            ("line", _) => Ok(Self::Line),
            ("length", _) => Ok(Self::Length),
            ("close", _) => Ok(Self::Close),
            (_, Some(len)) => match len.parse().ok().and_then(NonZeroUsize::new) {
                Some(len) if len.get() <= MESSAGE_LIMIT => Ok(Self::Fixed(len)),
                _ => Err(format!(
                    "'{}': write fixed:1 to fixed:{MESSAGE_LIMIT}",
                    text.escape_debug()
                )),
            },
            _ => Err(format!("'{}': write fixed:N, line, length or close", text.escape_debug())),
        }
    }
}

impl Framing {
    /// A rule with the usual limit.
    pub const fn new(rule: Rule) -> Self {
        Self { rule, limit: MESSAGE_LIMIT }
    }

    /// Takes the first message from the beginning of a buffer. Call it again with the bytes after the message, until it
    /// returns `None`.
    ///
    /// # Errors
    /// The message is longer than the limit. This can be known before the end of the message has arrived.
    pub fn take<'b>(&self, buffer: &'b [u8]) -> Result<Taken<'b>, TooLong> {
        match self.rule {
            Rule::Fixed(len) => {
                self.check(len.get())?;
                Ok(buffer.split_at_checked(len.get()))
            }
            Rule::Line => self.take_line(buffer),
            Rule::Length => self.take_prefixed(buffer),
            Rule::Close => self.check(buffer.len()).map(|()| None),
        }
    }

    fn take_line<'b>(&self, buffer: &'b [u8]) -> Result<Taken<'b>, TooLong> {
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let line = &buffer[..end.unwrap_or(buffer.len())];
        // This holds even before the newline has arrived: a `\r` at the end may stand before one.
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.check(line.len())?;
        Ok(end.map(|end| (line, &buffer[end + 1..])))
    }

    fn take_prefixed<'b>(&self, buffer: &'b [u8]) -> Result<Taken<'b>, TooLong> {
        let Some((prefix, rest)) = buffer.split_first_chunk::<PREFIX_LEN>() else {
            return Ok(None); // a prefix can arrive in pieces like everything else
        };
        let len = ntohl(u32::from_ne_bytes(*prefix)) as usize;
        self.check(len)?;
        Ok(rest.split_at_checked(len))
    }

    fn check(&self, len: usize) -> Result<(), TooLong> {
        if len > self.limit { Err(TooLong { limit: self.limit }) } else { Ok(()) }
    }

    /// The last message, once the peer has closed its half and [`take`](Self::take) returns nothing more. Only a rule
    /// under which the end of the connection ends the message ([`Rule::Close`]) has one, perhaps an empty one.
    ///
    /// # Errors
    /// The remaining bytes are the beginning of a message whose end will never come.
    pub fn take_last<'b>(&self, left: &'b [u8]) -> Result<Option<&'b [u8]>, Unfinished> {
        match self.rule {
            Rule::Close => Ok(Some(left)),
            _ if left.is_empty() => Ok(None),
            _ => Err(Unfinished { len: left.len() }),
        }
    }

    /// Appends a message in the form in which it is sent. (Under [`Rule::Close`] the sender must close its half after
    /// it.)
    ///
    /// # Errors
    /// The receiver could not recognise this message; nothing is appended.
    pub fn encode(&self, message: &[u8], out: &mut Vec<u8>) -> Result<(), Unsendable> {
        self.check(message.len()).map_err(Unsendable::TooLong)?;
        match self.rule {
            Rule::Fixed(len) if message.len() != len.get() => {
                return Err(Unsendable::NotOfLength(len));
            }
            Rule::Line if message.contains(&b'\n') || message.ends_with(b"\r") => {
                return Err(Unsendable::ContainsEnd);
            }
            Rule::Length => {
                let len = u32::try_from(message.len())
                    .map_err(|_| Unsendable::TooLong(TooLong { limit: u32::MAX as usize }))?;
                out.extend_from_slice(&htonl(len).to_ne_bytes());
            }
            Rule::Fixed(_) | Rule::Line | Rule::Close => {}
        }
        out.extend_from_slice(message);
        if self.rule == Rule::Line {
            out.push(b'\n');
        }
        Ok(())
    }
}

/// The rule as written on a command line.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(len) => write!(f, "fixed:{len}"),
            Self::Line => f.write_str("line"),
            Self::Length => f.write_str("length"),
            Self::Close => f.write_str("close"),
        }
    }
}

/// A number of bytes in words: `1 byte`, `5 bytes`.
pub fn in_bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_string() } else { format!("{count} bytes") }
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message of more than {}", in_bytes(self.limit as u64))
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the end came after {} of a message", in_bytes(self.len as u64))
    }
}

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(too_long) => too_long.fmt(f),
            Self::NotOfLength(len) => {
                write!(f, "a message that has not {}", in_bytes(len.get() as u64))
            }
            Self::ContainsEnd => f.write_str("a message that contains its own end"),
        }
    }
}

impl std::error::Error for TooLong {}
impl std::error::Error for Unfinished {}
impl std::error::Error for Unsendable {}
