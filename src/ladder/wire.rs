//! The packets of a trace in their places between the calls: an arrow each, in a row of its own.

use std::collections::HashMap;

use super::{Ladder, Side};
use crate::packets::words::{ends, gist, meaning};
use crate::packets::{Packet, PacketBody, Segment, SegmentFlags, SegmentNote};

/// The packets of a ladder.
#[derive(Debug, Default)]
pub(super) struct LadderWire {
    /// Those that stand before the first call, and behind each call, in the order of time.
    places: Vec<Vec<LadderPacket>>,
    /// Whether a segment of TCP is among them.
    has_segments: bool,
}

/// A packet in its place.
#[derive(Debug)]
pub(super) struct LadderPacket {
    pub(super) packet: Packet,
    /// The side that it comes from.
    pub(super) side: Side,
    /// The number of its connection in the ladder, from 0.
    pub(super) connection: Option<usize>,
}

impl LadderPacket {
    /// Whether a call in these traces caused it.
    pub(super) const fn is_caused(&self) -> bool {
        self.packet.cause.is_some()
    }

    /// What stands at its arrow, in at most a few characters: `SYN ACK`, `6 B`.
    pub(super) fn label(&self) -> String {
        match &self.packet.body {
            PacketBody::Tcp(segment) => label(segment),
            PacketBody::Udp { len } => format!("UDP {len} B"),
            PacketBody::Icmp { port_unreachable: true, .. } => "unreachable".to_string(),
            PacketBody::Icmp { .. } => "ICMP".to_string(),
        }
    }

    /// What it is, with its numbers.
    pub(super) fn gist(&self) -> String {
        gist(&self.packet)
    }

    /// The class of its colour.
    pub(super) fn class(&self) -> &'static str {
        let PacketBody::Tcp(segment) = &self.packet.body else { return "bytes" };
        match () {
            () if segment.flags.has(SegmentFlags::RST) => "reset",
            () if segment.flags.has(SegmentFlags::SYN) => "connection",
            () if segment.flags.has(SegmentFlags::FIN) => "end",
            () if segment.len > 0 => "bytes",
            () => "faint",
        }
    }
}

fn label(segment: &Segment) -> String {
    let Segment { flags, len, notes, .. } = segment;
    let has = |flag| flags.has(flag);
    match () {
        () if has(SegmentFlags::RST) => "RST".to_string(),
        () if has(SegmentFlags::SYN) && has(SegmentFlags::ACK) => "SYN ACK".to_string(),
        () if has(SegmentFlags::SYN) => "SYN".to_string(),
        () if has(SegmentFlags::FIN) && *len > 0 => format!("{len} B FIN"),
        () if has(SegmentFlags::FIN) => "FIN".to_string(),
        () if notes.contains(&SegmentNote::KeepAlive) => "probe".to_string(),
        () if notes.contains(&SegmentNote::WindowProbe) => "probe".to_string(),
        () if *len > 0 => format!("{len} B"),
        () if notes.contains(&SegmentNote::WindowZero) => "window 0".to_string(),
        () if notes.contains(&SegmentNote::WindowUpdate) => "window".to_string(),
        () => "ACK".to_string(),
    }
}

impl Ladder {
    /// The same ladder with the packets that went over the wire. They take the place of the arrows of TCP.
    #[must_use]
    pub fn with_packets(mut self, mut packets: Vec<Packet>) -> Self {
        packets.sort_by_key(|packet| packet.time_ns);
        let causes = self.steps.iter().zip(1..).map(|(step, place)| {
            let call = &step.call;
            ((call.pid, call.tid, call.begin_ns), place)
        });
        let causes: HashMap<_, usize> = causes.collect();
        let moments: Vec<u64> = self.steps.iter().map(|step| step.call.moment_ns()).collect();
        let mut places: Vec<Vec<LadderPacket>> = Vec::new();
        places.resize_with(self.steps.len() + 1, Vec::new);
        let mut last = 0;
        let mut has_segments = false;
        for packet in packets {
            has_segments |= matches!(packet.body, PacketBody::Tcp(_));
            let cause =
                packet.cause.and_then(|call| causes.get(&(call.pid, call.tid, call.begin_ns)));
            last = match cause {
                Some(place) => *place,
                // Times of several clocks cannot be compared.
                None if self.clocks > 1 => last,
                None => moments.partition_point(|moment| *moment <= packet.time_ns),
            };
            let side = self.side_of(&packet, cause.copied());
            let connection = self.connection_of(&packet);
            places[last].push(LadderPacket { packet, side, connection });
        }
        self.wire = LadderWire { places, has_segments };
        self
    }

    /// The packets behind this many calls.
    pub(super) fn packets_at(&self, place: usize) -> &[LadderPacket] {
        self.wire.places.get(place).map_or(&[], Vec::as_slice)
    }

    /// Every packet.
    pub(super) fn packets(&self) -> impl Iterator<Item = &LadderPacket> {
        self.wire.places.iter().flatten()
    }

    /// The arrows that are drawn: where the segments themselves are there, none has to be guessed.
    pub(super) fn drawn_arrows(&self) -> impl Iterator<Item = &super::Arrow> {
        self.arrows
            .iter()
            .filter(|arrow| !self.wire.has_segments || self.connections[arrow.connection].is_local)
    }

    /// What the packets behind a call say, for those who step through the calls.
    pub(super) fn about_packets(&self, step: usize) -> Vec<String> {
        let told = self.packets_at(step + 1).iter().map(|one| {
            let call = Some(&self.steps[step].call).filter(|_| one.is_caused());
            let line = format!("{}  {}", ends(&one.packet), one.gist());
            match meaning(&one.packet, call) {
                Some(meaning) => format!("{line}: {meaning}"),
                None => line,
            }
        });
        told.collect()
    }

    /// The side that a packet comes from; of a datagram, that of the call that sent it.
    fn side_of(&self, packet: &Packet, cause: Option<usize>) -> Side {
        let caller = cause.and_then(|place| self.steps.get(place - 1)).map(|step| step.side);
        match (&packet.body, caller) {
            (PacketBody::Tcp(segment), _) if segment.by_client => Side::Left,
            (PacketBody::Tcp(_), _) => Side::Right,
            (PacketBody::Udp { .. }, caller) => caller.unwrap_or(Side::Left),
            // It comes back to the sender.
            (PacketBody::Icmp { .. }, Some(Side::Right)) => Side::Left,
            (PacketBody::Icmp { .. }, _) => Side::Right,
        }
    }

    fn connection_of(&self, packet: &Packet) -> Option<usize> {
        let PacketBody::Tcp(segment) = &packet.body else { return None };
        let (client, server) = match segment.by_client {
            true => (packet.from, packet.to),
            false => (packet.to, packet.from),
        };
        let name = format!("{client} to {server}");
        self.connections.iter().position(|connection| connection.name == name)
    }
}
