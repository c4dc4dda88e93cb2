//! A packet in words: one line, and on request a sentence that says what it means.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use super::header::SegmentFlags;
use super::{Packet, PacketBody, Segment, SegmentNote};
use crate::trace::Event;
use crate::trace::figures::bytes;
use crate::trace::page::Effect;

/// A pause in a connection that is worth telling: nothing on loopback takes as long by itself.
const PAUSE: Duration = Duration::from_millis(5);

/// Writes packets, one after the other.
#[derive(Debug, Default)]
pub struct PacketWriter {
    /// When the last packet of each connection was sent.
    last_ns: HashMap<usize, u64>,
    /// The sentences that were told.
    told: HashSet<&'static str>,
}

impl PacketWriter {
    /// The line of the next packet: `client --> server  PSH ACK 6 bytes, seq 1, ack 1`.
    pub fn line(&mut self, packet: &Packet) -> String {
        format!("{}  {}", ends(packet), self.gist(packet))
    }

    /// The line of the next packet, without where it goes: `PSH ACK 6 bytes, seq 1, ack 1, 40 ms later`.
    pub fn gist(&mut self, packet: &Packet) -> String {
        let mut line = gist(packet);
        if let PacketBody::Tcp(segment) = &packet.body {
            let last = self.last_ns.insert(segment.connection, packet.time_ns);
            let pause = packet.time_ns.saturating_sub(last.unwrap_or(packet.time_ns));
            if Duration::from_nanos(pause) >= PAUSE {
                let _ = write!(line, ", {} ms later", pause / 1_000_000);
            }
        }
        line
    }

    /// What the packet means, if that was not told before.
    pub fn explain(&mut self, packet: &Packet, cause: Option<&Event<'_>>) -> Option<&'static str> {
        meaning(packet, cause).filter(|meaning| self.told.insert(meaning))
    }
}

/// From where to where: `client --> server`, with the number of the connection from the second on; of datagrams the ports.
pub fn ends(packet: &Packet) -> String {
    match &packet.body {
        PacketBody::Tcp(segment) => {
            let arrow = if segment.by_client { "-->" } else { "<--" };
            match segment.connection {
                0 | 1 => format!("client {arrow} server"),
                number => format!("client {arrow} server #{number}"),
            }
        }
        PacketBody::Udp { .. } => format!("{} --> {}", port(packet.from), port(packet.to)),
        PacketBody::Icmp { about: Some([sender, _]), .. } => {
            format!("kernel --> {}", port(*sender))
        }
        PacketBody::Icmp { .. } => format!("{} --> {}", packet.from.ip(), packet.to.ip()),
    }
}

fn port(at: SocketAddr) -> String {
    format!("port {}", at.port())
}

/// What the packet is, with its numbers: `PSH ACK 6 bytes, seq 1, ack 1`.
pub fn gist(packet: &Packet) -> String {
    match &packet.body {
        PacketBody::Tcp(segment) => gist_of_segment(segment),
        PacketBody::Udp { len } => format!("UDP {}", bytes(i64::from(*len))),
        PacketBody::Icmp { port_unreachable: true, about: Some([_, to]), .. } => {
            format!("ICMP port unreachable: {}", port(*to))
        }
        PacketBody::Icmp { port_unreachable: true, .. } => "ICMP port unreachable".to_string(),
        PacketBody::Icmp { kind, code, .. } => format!("ICMP type {kind}, code {code}"),
    }
}

fn gist_of_segment(segment: &Segment) -> String {
    let Segment { flags, seq, ack, len, window, notes, .. } = segment;
    let mut out = flags.to_string();
    if *len > 0 {
        let _ = write!(out, " {}", bytes(i64::from(*len)));
    }
    let is_plain = *len == 0 && *flags == SegmentFlags::ACK;
    if !is_plain || notes.contains(&SegmentNote::KeepAlive) {
        let _ = write!(out, ", seq {seq}");
    }
    if let Some(ack) = ack {
        let _ = write!(out, ", ack {ack}");
    }
    let tells_window = flags.has(SegmentFlags::SYN)
        || notes.contains(&SegmentNote::WindowZero)
        || notes.contains(&SegmentNote::WindowUpdate);
    if tells_window {
        let _ = write!(out, ", window {window}");
    }
    for note in notes {
        let word = match note {
            SegmentNote::Retransmission => ": retransmission",
            SegmentNote::KeepAlive => ": keepalive probe",
            SegmentNote::WindowProbe => ": window probe",
            SegmentNote::WindowUpdate => ": window update",
            SegmentNote::DuplicateAck => ": once more",
            SegmentNote::WindowZero => continue,
        };
        out.push_str(word);
    }
    out
}

/// What the packet means, in a sentence; `cause` is the call that caused it, if one did.
pub fn meaning(packet: &Packet, cause: Option<&Event<'_>>) -> Option<&'static str> {
    match &packet.body {
        PacketBody::Tcp(segment) => meaning_of_segment(segment, cause),
        PacketBody::Udp { .. } => {
            Some("UDP: the datagram as it was given to send; no kernel acknowledges it")
        }
        PacketBody::Icmp { port_unreachable: true, .. } => Some(
            "ICMP: the kernel says that no socket has this port; a connected sender learns it as ECONNREFUSED in its \
             next call",
        ),
        PacketBody::Icmp { .. } => None,
    }
}

fn meaning_of_segment(segment: &Segment, cause: Option<&Event<'_>>) -> Option<&'static str> {
    let has = |flag| segment.flags.has(flag);
    let is = |note| segment.notes.contains(&note);
    let effect = cause.map(|call| call.callee.effect());
    if is(SegmentNote::Retransmission) {
        return Some(if has(SegmentFlags::SYN) {
            "the SYN again: no answer came, and a timer repeats it"
        } else {
            "a retransmission: no acknowledgement came in time, so a timer sent it again, without a call"
        });
    }
    Some(match () {
        () if is(SegmentNote::KeepAlive) => {
            "a keepalive probe: a number that is already acknowledged, so that a living peer must answer"
        }
        () if is(SegmentNote::WindowProbe) => {
            "a window probe: the peer had no room; is there some now? A window update could have been lost"
        }
        () if has(SegmentFlags::RST) => meaning_of_reset(segment, effect),
        () if has(SegmentFlags::SYN) && has(SegmentFlags::ACK) => {
            "the SYN ACK: the kernel answers for the listener; listen was enough, no accept is needed"
        }
        () if has(SegmentFlags::SYN) => {
            "the SYN: connect asks for a connection, and says with which number it begins to count"
        }
        () if has(SegmentFlags::FIN) => match effect {
            Some(Effect::ShutsDown) => {
                "the FIN: shutdown ends this direction; the other one stays open"
            }
            Some(Effect::Closes | Effect::ClosesRange | Effect::Copies) if segment.len == 0 => {
                "the FIN: close had nothing left to send, and says so"
            }
            Some(_) => "the FIN: the last bytes are sent, and the end with them",
            None => "the FIN: this end has sent everything; no call of the trace closed it",
        },
        () if is(SegmentNote::WindowZero) => {
            "window 0: the receive buffer is full; the peer must not send any more, and its send buffer fills"
        }
        () if is(SegmentNote::WindowUpdate) => {
            "a window update: a receive has made room, and the peer may send again"
        }
        () if segment.len > 0 && cause.is_none() => {
            "bytes that no call of the trace sent at this moment: a peer's, or bytes that had to wait"
        }
        () if segment.len > 0 && has(SegmentFlags::PSH) => {
            "PSH: the receiver's kernel shall hand the bytes over without waiting for more; recv does not show where a send ended"
        }
        () if segment.len > 0 => return None,
        () if is(SegmentNote::DuplicateAck) => {
            "the same acknowledgement once more: it answers a probe, or a segment that had come before, or carries an option"
        }
        () if segment.ack == Some(1) && segment.seq == 1 && segment.by_client => {
            "the ACK that completes the handshake: the connection now waits in the listener's queue, until accept takes it"
        }
        () if cause.is_none() => {
            "a delayed acknowledgement: the kernel waited for bytes of its own that it could have joined to it"
        }
        () => {
            "the ACK: the peer's kernel has the bytes; whether its program has read them is not said"
        }
    })
}

fn meaning_of_reset(segment: &Segment, effect: Option<Effect>) -> &'static str {
    match effect {
        Some(Effect::Connects) if !segment.by_client => {
            "the RST: no socket listens there, so connect fails with ECONNREFUSED"
        }
        Some(Effect::Closes | Effect::ClosesRange | Effect::Copies) => {
            "the RST: close gives the connection up at once, with bytes unread or with SO_LINGER of 0, and tells the peer"
        }
        Some(Effect::Sends) => {
            "the RST: the bytes came to an end that is closed already; the sender's next send fails with EPIPE"
        }
        _ => "the RST: this connection is over, or there was none",
    }
}
