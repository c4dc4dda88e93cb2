//! The packets between two steps, each a row of the ladder.

use std::collections::VecDeque;

use super::steps::{LEFT, Way};
use crate::packets::{Packet, PacketBody};

/// So many packets are drawn below a step; of more, the first and the last.
const FIRST_DRAWN: usize = 6;
const LAST_DRAWN: usize = 3;
/// A row of packets begins further right than a step.
const INDENT: usize = 2;

/// A packet that went over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossedPacket {
    /// Its direction.
    pub way: Way,
    /// What it is, in words.
    pub gist: String,
    /// What it is, with all numbers.
    pub packet: Packet,
}

impl CrossedPacket {
    fn line(&self) -> String {
        let connection = match &self.packet.body {
            PacketBody::Tcp(segment) if segment.connection > 1 => {
                format!("#{} ", segment.connection)
            }
            _ => String::new(),
        };
        let gist = &self.gist;
        match self.way {
            Way::Out => {
                let left = format!("{:INDENT$}{connection}{gist} ", "");
                let fill = LEFT.saturating_sub(left.chars().count());
                format!("{left}{}··▶", "·".repeat(fill))
            }
            Way::In => {
                let left = format!("{:INDENT$}{connection}", "");
                let fill = LEFT.saturating_sub(left.chars().count() + 1);
                format!("{left}◀{}··· {gist}", "·".repeat(fill))
            }
            Way::Beside => format!("{:INDENT$}{gist}", ""),
        }
    }
}

/// The packets between two steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PacketsBetween {
    first: Vec<CrossedPacket>,
    last: VecDeque<CrossedPacket>,
    left_out: u64,
}

impl PacketsBetween {
    pub(super) fn add(&mut self, packets: Vec<CrossedPacket>) {
        for packet in packets {
            if self.first.len() < FIRST_DRAWN {
                self.first.push(packet);
                continue;
            }
            self.last.push_back(packet);
            if self.last.len() > LAST_DRAWN {
                self.last.pop_front();
                self.left_out += 1;
            }
        }
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.drawn().count() as u64 + self.left_out
    }

    /// Those that are drawn.
    pub(super) fn drawn(&self) -> impl Iterator<Item = &CrossedPacket> {
        self.first.iter().chain(&self.last)
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.first.iter().map(CrossedPacket::line).collect();
        match self.left_out {
            0 => {}
            1 => lines.push(format!("{:INDENT$}… 1 more packet …", "")),
            more => lines.push(format!("{:INDENT$}… {more} more packets …", "")),
        }
        lines.extend(self.last.iter().map(CrossedPacket::line));
        lines
    }
}
