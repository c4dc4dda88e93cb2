//! framed: answers each message with its number and its length, so that one sees where messages begin and end, however
//! send and the network have cut them.
//!
//! Under `line` and `length` the answers are framed like the messages. Answers do not all have the same length, so
//! under `fixed` they are lines; under `close` the one message ends when the peer closes its half, and the answer is
//! one line.

use std::io::Write;

use crate::events::{Action, Actions, LoopEvent, Service, Token, TokenMap};
use crate::framing::{Framing, Rule, TooLong, in_bytes};

/// How many messages are answered at once. One receive may bring 65,536 empty messages, whose answers would be a
/// megabyte; the rest is answered when the peer has taken the first answers.
const MESSAGES_AT_ONCE: u64 = 1000;

/// Answers messages under one framing.
#[derive(Debug)]
pub struct Framed {
    framing: Framing,
    peers: TokenMap<PeerProgress>,
    answers: Vec<u8>,
}

/// The state of one peer.
#[derive(Debug, Default)]
struct PeerProgress {
    messages: u64,
    /// How many bytes of the next message have arrived.
    kept: usize,
}

/// What to do next.
enum PeerStep {
    /// Wait for more bytes.
    Receive,
    /// Go on with the bytes that have arrived, when there is room for answers.
    WaitForRoom,
    /// Close the connection.
    End,
}

impl Framed {
    /// A service for messages under this rule.
    pub fn new(rule: Rule) -> Self {
        Self { framing: Framing::new(rule), peers: TokenMap::default(), answers: Vec::new() }
    }
}

impl Service for Framed {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        self.answers.clear();
        let step = match event {
            LoopEvent::Opened { .. } => {
                self.peers.insert(who, PeerProgress::default());
                PeerStep::Receive
            }
            LoopEvent::Closed(_) => {
                self.peers.remove(who);
                PeerStep::Receive
            }
            LoopEvent::Bytes(bytes) => {
                let (step, rest) = self.messages(who, bytes);
                actions.push(Action::Keep(rest.len()));
                step
            }
            LoopEvent::PeerFinished => self.last(who),
            _ => PeerStep::Receive,
        };
        if !self.answers.is_empty() {
            actions.push(Action::Send { to: who, bytes: &self.answers });
        }
        match step {
            PeerStep::Receive => {}
            PeerStep::WaitForRoom => actions.push(Action::WantRoom(who)),
            PeerStep::End => actions.push(Action::Close(who)),
        }
    }
}

impl Framed {
    /// Answers the messages in these bytes. The bytes returned are the beginning of the next message, or too many
    /// messages for now.
    fn messages<'b>(&mut self, who: Token, bytes: &'b [u8]) -> (PeerStep, &'b [u8]) {
        let Some(peer) = self.peers.get_mut(who) else { return (PeerStep::End, &[]) };
        let before = peer.messages;
        let mut rest = bytes;
        let step = loop {
            if peer.messages == before + MESSAGES_AT_ONCE {
                break PeerStep::WaitForRoom;
            }
            match self.framing.take(rest) {
                Ok(Some((message, after))) => {
                    peer.messages += 1;
                    let what = format_args!(
                        "message {}: {}",
                        peer.messages,
                        in_bytes(message.len() as u64)
                    );
                    answer(self.framing, &mut self.answers, what);
                    rest = after;
                }
                Ok(None) => break PeerStep::Receive,
                Err(TooLong { limit }) => {
                    let what = format_args!(
                        "message {}: too long: at most {} are taken",
                        peer.messages + 1,
                        in_bytes(limit as u64)
                    );
                    answer(self.framing, &mut self.answers, what);
                    // The beginning of the next message is unknown, or too far away.
                    return (PeerStep::End, &[]);
                }
            }
        };
        peer.kept = rest.len();
        (step, rest)
    }

    /// The peer has closed its half: after a message, or in the middle of one.
    fn last(&mut self, who: Token) -> PeerStep {
        let Some(peer) = self.peers.get(who) else { return PeerStep::End };
        let number = peer.messages + 1;
        let len = in_bytes(peer.kept as u64);
        match (self.framing.rule, peer.kept) {
            (Rule::Close, _) => {
                answer(self.framing, &mut self.answers, format_args!("message {number}: {len}"));
            }
            (_, 0) => {}
            _ => {
                let what = format_args!("message {number}: unfinished: the end came after {len}");
                answer(self.framing, &mut self.answers, what);
            }
        }
        PeerStep::End
    }
}

/// Appends an answer, framed like the messages where that is possible.
fn answer(framing: Framing, answers: &mut Vec<u8>, what: std::fmt::Arguments<'_>) {
    let text = what.to_string();
    if framing.rule == Rule::Length {
        // The answer is short and contains no byte that could not be sent.
        let _ = framing.encode(text.as_bytes(), answers);
    } else {
        // Writing to a vector cannot fail.
        let _ = writeln!(answers, "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Address;
    use crate::events::testing::{answers, token};

    /// The answer, how many bytes are kept, whether the service waits for room, and whether it closes.
    fn told(framed: &mut Framed, event: LoopEvent<'_>) -> (String, usize, bool, bool) {
        let actions = answers(framed, token(1), event);
        let mut told = (String::new(), 0, false, false);
        for action in actions {
            match action {
                Action::Send { bytes, .. } => told.0 += std::str::from_utf8(bytes).unwrap(),
                Action::Keep(kept) => told.1 = kept,
                Action::WantRoom(_) => told.2 = true,
                Action::Close(_) => told.3 = true,
                _ => panic!("{action:?}"),
            }
        }
        told
    }

    fn opened(rule: &str) -> Framed {
        let mut framed = Framed::new(Rule::parse(rule).unwrap());
        let opened = LoopEvent::Opened { peer: &Address::unix("peer"), asked_by: None };
        assert_eq!(told(&mut framed, opened), (String::new(), 0, false, false));
        framed
    }

    fn answered(lines: &str, kept: usize) -> (String, usize, bool, bool) {
        (lines.to_string(), kept, false, false)
    }

    fn ended(lines: &str) -> (String, usize, bool, bool) {
        (lines.to_string(), 0, false, true)
    }

    #[test]
    fn each_message_is_numbered_and_what_is_none_yet_is_kept() {
        let mut framed = opened("line");
        let two = "message 1: 5 bytes\nmessage 2: 1 byte\n";
        assert_eq!(told(&mut framed, LoopEvent::Bytes(b"hello\na\nhal")), answered(two, 3));
        let third = answered("message 3: 4 bytes\n", 0);
        assert_eq!(told(&mut framed, LoopEvent::Bytes(b"half\r\n")), third);
        assert_eq!(told(&mut framed, LoopEvent::PeerFinished), ended(""));
    }

    #[test]
    fn answers_are_framed_as_the_messages_are_where_that_can_be() {
        let mut framed = opened("length");
        let first = answered("\0\0\0\x12message 1: 3 bytes", 2);
        assert_eq!(told(&mut framed, LoopEvent::Bytes(b"\0\0\0\x03abc\0\0")), first);
        let mut framed = opened("fixed:3");
        let first = answered("message 1: 3 bytes\n", 1);
        assert_eq!(told(&mut framed, LoopEvent::Bytes(b"abcd")), first);
        let unfinished = "message 2: unfinished: the end came after 1 byte\n";
        assert_eq!(told(&mut framed, LoopEvent::PeerFinished), ended(unfinished));
    }

    #[test]
    fn at_the_peers_end_the_one_message_is_complete() {
        let mut framed = opened("close");
        assert_eq!(told(&mut framed, LoopEvent::Bytes(b"a\n")), answered("", 2));
        assert_eq!(told(&mut framed, LoopEvent::Bytes(b"a\nbc")), answered("", 4));
        assert_eq!(told(&mut framed, LoopEvent::PeerFinished), ended("message 1: 4 bytes\n"));
    }

    #[test]
    fn too_long_a_message_is_refused_as_soon_as_that_is_seen() {
        let refused = "message 2: too long: at most 65536 bytes are taken\n";
        let mut line = opened("line");
        let mut sent = b"a\n".to_vec();
        sent.resize(2 + 65537, b'b');
        assert_eq!(
            told(&mut line, LoopEvent::Bytes(&sent)),
            ended(&format!("message 1: 1 byte\n{refused}"))
        );
        let mut length = opened("length");
        let (answers, .., closed) = told(&mut length, LoopEvent::Bytes(b"GET / HTTP/1.1\r\n"));
        assert!(answers.contains("message 1: too long") && closed, "{answers:?}");
    }

    #[test]
    fn many_messages_at_once_are_answered_in_pieces() {
        let mut framed = opened("line");
        let sent = [b'\n'; 2500];
        let mut rest = sent.len();
        for (answers_now, waits) in [(1000, true), (1000, true), (500, false)] {
            let (answers, kept, room, closed) = told(&mut framed, LoopEvent::Bytes(&sent[..rest]));
            assert_eq!(answers.lines().count(), answers_now);
            assert_eq!((kept, room, closed), (rest - answers_now, waits, false));
            rest = kept;
        }
    }
}
