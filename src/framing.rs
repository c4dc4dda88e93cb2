//! Framing: where a message ends.
//!
//! TCP carries bytes, and does not keep what was sent together together: one send may arrive in pieces, two may arrive as
//! one. A program that takes each receive for a message works on loopback, in its tests, and nowhere else. So the two
//! sides agree on where a message ends, and the receiver looks for that end in what has come so far. There are four ways:
//!
//! - every message has the same length;
//! - a message ends with a byte that it cannot contain, here the newline;
//! - its length stands before it, here in 4 bytes in network order;
//! - it ends where the sender finishes: one message for each connection.
//!
//! [`Framing::take`] takes a buffer and returns the first message and what stands after it. Whatever is not yet a
//! message stays with the caller, who puts what comes next behind it.
//!
//! ```
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

use std::fmt;
use std::num::NonZeroUsize;

use crate::byteorder::{htonl, ntohl};

/// The longest message unless the receiver says otherwise. Without a limit a peer that never ends its message would
/// fill the memory; what is longer is refused ([`TooLong`]).
pub const MESSAGE_LIMIT: usize = 64 * 1024;

/// How many bytes a length takes on the wire.
const PREFIX_LEN: usize = size_of::<u32>();

/// What the two sides have agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Every message is so many bytes long.
    Fixed(NonZeroUsize),
    /// A message ends with `\n`. A `\r` before it, as telnet sends one, does not belong to the message either.
    Line,
    /// Before each message stands its length: 4 bytes, the most significant first.
    Length,
    /// A message ends where the peer finishes sending.
    Close,
}

/// A rule, and the longest message that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Where a message ends.
    pub rule: Rule,
    /// The most bytes of a message, without its newline or its prefix.
    pub limit: usize,
}

/// The first message in a buffer, and what stands after it; none if its end has not come yet.
pub type Taken<'b> = Option<(&'b [u8], &'b [u8])>;

/// A message is longer than the limit. The rest of what the peer sends makes no sense any more, unless the rule has an
/// end to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// The limit.
    pub limit: usize,
}

/// The peer has finished in the middle of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// How much of it had come, with its prefix.
    pub len: usize,
}

/// A message that cannot be sent under this rule: the receiver would see another one, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsendable {
    /// It is longer than the limit.
    TooLong(TooLong),
    /// It has not the one length that all have.
    NotOfLength(NonZeroUsize),
    /// It contains the byte that ends it, or ends with the `\r` that is taken away.
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

    /// Takes the first message from the beginning of a buffer. To be called again with what stands after it, until there
    /// is none.
    ///
    /// # Errors
    /// The message is too long, as far as can be seen: the limit holds before the end has come.
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
        // Also where no newline has come yet: a return at the end may stand before one.
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.check(line.len())?;
        Ok(end.map(|end| (line, &buffer[end + 1..])))
    }

    fn take_prefixed<'b>(&self, buffer: &'b [u8]) -> Result<Taken<'b>, TooLong> {
        let Some((prefix, rest)) = buffer.split_first_chunk::<PREFIX_LEN>() else {
            return Ok(None); // a prefix can be cut in two like everything else
        };
        let len = ntohl(u32::from_ne_bytes(*prefix)) as usize;
        self.check(len)?;
        Ok(rest.split_at_checked(len))
    }

    fn check(&self, len: usize) -> Result<(), TooLong> {
        if len > self.limit { Err(TooLong { limit: self.limit }) } else { Ok(()) }
    }

    /// The last message, once the peer has finished and nothing more can be taken of what is left. Only where the end of
    /// the connection is that of the message there is one, and be it empty.
    ///
    /// # Errors
    /// What is left is the beginning of a message whose end will never come.
    pub fn take_last<'b>(&self, left: &'b [u8]) -> Result<Option<&'b [u8]>, Unfinished> {
        match self.rule {
            Rule::Close => Ok(Some(left)),
            _ if left.is_empty() => Ok(None),
            _ => Err(Unfinished { len: left.len() }),
        }
    }

    /// Appends a message as it is to be sent. (Under [`Rule::Close`] it is the sender's part to finish after it.)
    ///
    /// # Errors
    /// The receiver could not find this message again; nothing is appended.
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

/// As it is written on a command line.
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

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message of more than {} bytes", self.limit)
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the end came after {} bytes of a message", self.len)
    }
}

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(too_long) => too_long.fmt(f),
            Self::NotOfLength(len) => write!(f, "a message that has not {len} bytes"),
            Self::ContainsEnd => f.write_str("a message that contains its own end"),
        }
    }
}

impl std::error::Error for TooLong {}
impl std::error::Error for Unfinished {}
impl std::error::Error for Unsendable {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All that a receiver sees: the messages, and how it ended.
    #[derive(Debug, PartialEq)]
    struct Seen {
        messages: Vec<Vec<u8>>,
        end: End,
    }

    #[derive(Debug, PartialEq)]
    enum End {
        Clean,
        TooLong,
        Unfinished(usize),
    }

    /// Receives a stream in pieces, as the loop does: what is left of one stands before the next.
    fn receive<'p>(framing: Framing, pieces: impl IntoIterator<Item = &'p [u8]>) -> Seen {
        let (mut messages, mut left) = (Vec::new(), Vec::new());
        for piece in pieces {
            left.extend_from_slice(piece);
            let mut rest = &left[..];
            loop {
                match framing.take(rest) {
                    Ok(Some((message, after))) => {
                        messages.push(message.to_vec());
                        rest = after;
                    }
                    Ok(None) => break,
                    Err(TooLong { limit }) => {
                        assert_eq!(limit, framing.limit);
                        return Seen { messages, end: End::TooLong };
                    }
                }
            }
            left = rest.to_vec();
        }
        let end = match framing.take_last(&left) {
            Ok(last) => {
                messages.extend(last.map(<[u8]>::to_vec));
                End::Clean
            }
            Err(Unfinished { len }) => End::Unfinished(len),
        };
        Seen { messages, end }
    }

    fn fixed(len: usize) -> Rule {
        Rule::Fixed(NonZeroUsize::new(len).unwrap())
    }

    fn a_rule() -> impl Strategy<Value = Rule> {
        prop_oneof![
            (1usize..6).prop_map(fixed),
            Just(Rule::Line),
            Just(Rule::Length),
            Just(Rule::Close)
        ]
    }

    /// Bytes of which many mean something to one rule or another.
    fn a_byte() -> impl Strategy<Value = u8> {
        prop_oneof![4 => Just(0u8), 2 => 1u8..9, 2 => Just(b'\n'), 2 => Just(b'\r'), 1 => any::<u8>()]
    }

    fn cut<'s>(stream: &'s [u8], places: &[prop::sample::Index]) -> Vec<&'s [u8]> {
        let mut places: Vec<_> = places.iter().map(|place| place.index(stream.len() + 1)).collect();
        places.extend([0, stream.len()]);
        places.sort_unstable();
        places.windows(2).map(|ends| &stream[ends[0]..ends[1]]).collect()
    }

    proptest! {
        #[test]
        fn what_was_sent_is_received_however_it_was_cut(
            rule in a_rule(),
            messages in prop::collection::vec(prop::collection::vec(a_byte(), 0..20), 1..8),
            places in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        ) {
            let framing = Framing::new(rule);
            let mut stream = Vec::new();
            let mut sent = messages;
            if rule == Rule::Close {
                sent.truncate(1);
            }
            sent.retain(|message| framing.encode(message, &mut stream).is_ok());
            let seen = receive(framing, cut(&stream, &places));
            prop_assert_eq!(seen, Seen { messages: sent, end: End::Clean });
        }

        #[test]
        fn any_stream_means_the_same_however_it_was_cut(
            rule in a_rule(),
            limit in 1usize..12,
            stream in prop::collection::vec(a_byte(), 0..60),
            places in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        ) {
            let framing = Framing { rule, limit };
            prop_assert_eq!(receive(framing, cut(&stream, &places)), receive(framing, [&stream[..]]));
        }

        #[test]
        fn what_cannot_be_sent_leaves_nothing_behind(
            rule in a_rule(),
            message in prop::collection::vec(a_byte(), 0..10),
        ) {
            let mut out = b"before".to_vec();
            let encoded = Framing { rule, limit: 5 }.encode(&message, &mut out);
            prop_assert!(encoded.is_ok() || out == b"before");
            prop_assert!(encoded.is_err() || message.len() <= 5);
        }
    }

    #[test]
    fn every_way_to_cut_a_stream_gives_the_same() {
        for (rule, stream) in [
            (fixed(4), &b"abcdefghijkl"[..]),
            (Rule::Line, b"ab\r\n\n\rcd\nef\r\r\n"),
            (Rule::Length, b"\0\0\0\x03abc\0\0\0\0\0\0\0\x01"),
            (Rule::Close, b"ab\n\0\0\0\x01cd"),
        ] {
            let framing = Framing { rule, limit: 8 };
            let whole = receive(framing, [stream]);
            for cuts in 0..1u32 << (stream.len() - 1) {
                let mut pieces = Vec::new();
                let mut from = 0;
                for at in 1..=stream.len() {
                    if at == stream.len() || cuts & (1 << (at - 1)) != 0 {
                        pieces.push(&stream[from..at]);
                        from = at;
                    }
                }
                assert_eq!(receive(framing, pieces), whole, "{rule}, cut by {cuts:b}");
            }
        }
    }

    fn seen(rule: Rule, limit: usize, stream: &[u8]) -> (Vec<String>, End) {
        let Seen { messages, end } = receive(Framing { rule, limit }, [stream]);
        (messages.iter().map(|message| message.escape_ascii().to_string()).collect(), end)
    }

    #[test]
    fn each_rule_has_its_own_end_of_a_message() {
        let all = |messages: &[&str]| messages.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(seen(fixed(2), 9, b"abcde"), (all(&["ab", "cd"]), End::Unfinished(1)));
        assert_eq!(seen(Rule::Line, 9, b"a\r\n\n\rb\n"), (all(&["a", "", "\\rb"]), End::Clean));
        assert_eq!(
            seen(Rule::Length, 9, b"\0\0\0\x02ab\0\0\0\0\0\0"),
            (all(&["ab", ""]), End::Unfinished(2))
        );
        assert_eq!(seen(Rule::Close, 9, b"a\nb"), (all(&["a\\nb"]), End::Clean));
        assert_eq!(seen(Rule::Close, 9, b""), (all(&[""]), End::Clean));
    }

    #[test]
    fn the_limit_holds_before_the_end_has_come() {
        for (rule, fits, too_long) in [
            (Rule::Line, &b"abc\r"[..], &b"abcd"[..]),
            (Rule::Line, b"abc\r\n", b"abc\r\r\n"),
            (Rule::Length, b"\0\0\0\x03", b"\0\0\0\x04"),
            (Rule::Close, b"abc", b"abcd"),
        ] {
            assert_ne!(seen(rule, 3, fits).1, End::TooLong, "{rule}");
            assert_eq!(seen(rule, 3, too_long).1, End::TooLong, "{rule}");
        }
        // Who speaks HTTP to it announces a gigabyte, and is not waited for.
        assert_eq!(seen(Rule::Length, MESSAGE_LIMIT, b"GET / HTTP/1.1").1, End::TooLong);
    }

    #[test]
    fn a_rule_is_read_as_it_is_printed() {
        for rule in [fixed(1), fixed(MESSAGE_LIMIT), Rule::Line, Rule::Length, Rule::Close] {
            assert_eq!(Rule::parse(&rule.to_string()), Ok(rule));
        }
        for (text, reason) in [
            ("fixed", "fixed:N, line, length or close"),
            ("fixed:0", "fixed:1 to fixed:65536"),
            ("fixed:65537", "fixed:1 to fixed:65536"),
            ("fixed:-1", "fixed:1 to"),
            ("\x1b", "\\u{1b}"),
        ] {
            let why = Rule::parse(text).unwrap_err();
            assert!(why.contains(reason), "{text:?} gave {why:?}");
        }
    }
}
