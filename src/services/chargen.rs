//! chargen (RFC 864): an endless stream of characters, in lines that rotate.
//!
//! This service shows backpressure: it sends as fast as the peer reads, and not faster. A peer that stops reading fills
//! its own receive buffer, then our send buffer; then the kernel takes no more, and the service makes no more lines
//! until there is room again. So a peer that never reads costs one chunk of memory and no time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::events::{Action, Actions, LoopEvent, Service, Token};

/// The printing characters of ASCII, from the space to the tilde, used as a ring.
const RING: std::ops::RangeInclusive<u8> = b' '..=b'~';

/// The characters of a line, without its CR LF.
const LINE_LEN: usize = 72;

/// How many whole rotations a chunk contains, so that a send is worth its call: 62 KiB.
const ROUNDS: usize = 9;

/// The longest answer to a datagram.
const DATAGRAM_LEN: usize = 512;

/// Sends lines for as long as the peer takes them; answers a datagram with 0 to 512 characters.
#[derive(Debug)]
pub struct Chargen {
    /// Whole rotations, so that the last line of a chunk is followed by the first line of the next: one chunk serves
    /// all.
    chunk: Vec<u8>,
    random: u64,
}

impl Default for Chargen {
    fn default() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { chunk: rotation().repeat(ROUNDS), random: now.as_nanos() as u64 | 1 }
    }
}

/// 95 lines, each of which begins one character later in the ring.
fn rotation() -> Vec<u8> {
    let line = |first: usize| {
        let from_first = RING.cycle().skip(first).take(LINE_LEN);
        from_first.chain(*b"\r\n")
    };
    (0..RING.count()).flat_map(line).collect()
}

impl Service for Chargen {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        match event {
            // One chunk now, and the next when the peer has taken it: all at once would need endless memory.
            LoopEvent::Opened { .. } | LoopEvent::Room => {
                actions.push(Action::Send { to: who, bytes: &self.chunk });
                actions.push(Action::WantRoom(who));
            }
            LoopEvent::Datagram { from, .. } => {
                let len = self.next_len();
                let bytes = &self.chunk[..len];
                actions.push(Action::SendDatagram { by: who, to: from, bytes });
            }
            // Bytes from the peer are discarded. A peer that has closed its half may still read: it gets more until it
            // closes the connection, which the next send reports.
            _ => {}
        }
    }
}

impl Chargen {
    /// A number from 0 to 512, without an obvious pattern: Marsaglia's xorshift, seeded with the time. No secret
    /// depends on it.
    fn next_len(&mut self) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % (DATAGRAM_LEN as u64 + 1)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Address;
    use crate::events::testing::{answers, sent, token};

    #[test]
    fn each_line_begins_one_character_later_also_from_one_chunk_to_the_next() {
        let mut chargen = Chargen::default();
        let peer = Address::unix("peer");
        let opened = LoopEvent::Opened { peer: &peer, asked_by: None };
        let mut bytes = sent(&mut chargen, token(1), opened);
        bytes.extend(sent(&mut chargen, token(1), LoopEvent::Room));
        let lines: Vec<_> = bytes.chunks(LINE_LEN + 2).collect();
        assert_eq!(lines[0].last_chunk(), Some(b"\r\n"));
        assert!(lines[0].starts_with(b" !\"#$%&'()*+,-./0123456789"), "as the RFC shows it");
        assert!(lines[1].starts_with(b"!\"#$"));
        assert!(lines[94].starts_with(b"~ !\""));
        for pair in lines.windows(2) {
            assert_eq!(pair[0][1..LINE_LEN], pair[1][..LINE_LEN - 1]);
            assert_eq!(pair[1].len(), LINE_LEN + 2);
        }
    }

    #[test]
    fn the_next_chunk_waits_until_there_is_room() {
        let mut chargen = Chargen::default();
        for event in [LoopEvent::Room, LoopEvent::Bytes(b"x"), LoopEvent::PeerFinished] {
            let sends = matches!(event, LoopEvent::Room);
            let actions = answers(&mut chargen, token(1), event);
            assert_eq!(matches!(actions[..], [Action::Send { .. }, Action::WantRoom(_)]), sends);
            assert_eq!(actions.is_empty(), !sends);
        }
    }

    #[test]
    fn a_datagram_is_answered_with_at_most_512_characters() {
        let mut chargen = Chargen::default();
        let from = Address::unix("peer");
        let mut lens = std::collections::BTreeSet::new();
        for _ in 0..20_000 {
            let actions =
                answers(&mut chargen, token(1), LoopEvent::Datagram { from: &from, bytes: b"" });
            let [Action::SendDatagram { bytes, .. }] = actions[..] else { panic!("{actions:?}") };
            lens.insert(bytes.len());
        }
        assert_eq!((lens.first(), lens.last()), (Some(&0), Some(&DATAGRAM_LEN)));
    }
}
