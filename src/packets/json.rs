//! A packet as a line of a JSON trace. The schema is described with that of the calls, in
//! [`trace::json`](crate::trace::json).

use serde::{Deserialize, Serialize};

use super::Packet;
use crate::trace::json::SCHEMA;

/// A line: the packet, after the version of the schema.
#[derive(Serialize, Deserialize)]
struct PacketLine {
    schema: u32,
    #[serde(flatten)]
    packet: Packet,
}

/// Whether a line of a JSON trace is a packet, and not a call.
pub fn is_packet(line: &str) -> bool {
    /// The fields by which the two kinds of lines differ.
    #[derive(Deserialize)]
    struct Kind {
        call: Option<serde_json::Value>,
        packet: Option<serde_json::Value>,
    }
    line.contains("\"packet\"")
        && serde_json::from_str(line)
            .is_ok_and(|kind: Kind| kind.packet.is_some() && kind.call.is_none())
}

impl Packet {
    /// A line of a JSON trace.
    pub fn to_json(&self) -> String {
        let line = PacketLine { schema: SCHEMA, packet: self.clone() };
        // Its keys are strings, and its numbers are whole: it cannot fail.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// Reads a line of a JSON trace.
    ///
    /// # Errors
    /// The line is not a packet of this schema; the error is one line for the user.
    pub fn from_json(line: &str) -> Result<Self, String> {
        let read: Result<PacketLine, _> = serde_json::from_str(line);
        match read {
            Ok(line) if line.schema == SCHEMA => Ok(line.packet),
            Ok(line) => Err(format!("schema {}, and this baresock reads {SCHEMA}", line.schema)),
            // The parser quotes parts of the line, which may contain anything.
            Err(error) => {
                Err(format!("no packet of a JSON trace: {}", error.to_string().escape_default()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packets::{PacketBody, PacketCause, Segment, SegmentFlags, SegmentNote};

    fn packet(body: PacketBody) -> Packet {
        Packet {
            time_ns: u64::MAX,
            clock: Some("CLOCK_MONOTONIC@\"x\"".into()),
            from: "127.0.0.1:40000".parse().unwrap(),
            to: "[::1]:7007".parse().unwrap(),
            body,
            cause: Some(PacketCause { pid: 1, tid: 2, seq: 3, begin_ns: 4 }),
        }
    }

    #[test]
    fn every_packet_is_read_back_equal() {
        let segment = Segment {
            connection: 2,
            by_client: true,
            flags: SegmentFlags(0x12),
            seq: u32::MAX,
            ack: Some(1),
            len: 6,
            window: 1 << 30,
            notes: vec![
                SegmentNote::Retransmission,
                SegmentNote::KeepAlive,
                SegmentNote::WindowProbe,
                SegmentNote::WindowZero,
                SegmentNote::WindowUpdate,
                SegmentNote::DuplicateAck,
            ],
        };
        let bare =
            Segment { ack: None, notes: Vec::new(), flags: SegmentFlags(0), ..segment.clone() };
        let about = Some(["127.0.0.1:1", "127.0.0.1:2"].map(|at| at.parse().unwrap()));
        for body in [
            PacketBody::Tcp(segment),
            PacketBody::Tcp(bare),
            PacketBody::Udp { len: 0 },
            PacketBody::Icmp { kind: 3, code: 3, port_unreachable: true, about },
            PacketBody::Icmp { kind: 8, code: 0, port_unreachable: false, about: None },
        ] {
            let packet = packet(body);
            let line = packet.to_json();
            assert!(is_packet(&line) && !line.contains('\n'), "{line}");
            assert_eq!(Packet::from_json(&line), Ok(packet.clone()), "{line}");
            let caused_by_none = Packet { cause: None, clock: None, ..packet };
            assert_eq!(Packet::from_json(&caused_by_none.to_json()), Ok(caused_by_none));
        }
    }

    #[test]
    fn what_is_no_packet_is_refused_in_one_line() {
        let good = packet(PacketBody::Udp { len: 1 }).to_json();
        for bad in [
            "",
            "{}",
            "[]",
            "{\"packet\":\"UDP\"}",
            &good.replace("\"schema\":2", "\"schema\":3"),
            &good.replace("UDP", "X\u{1b}[2J"),
            &good.replace("127.0.0.1:40000", "nowhere"),
        ] {
            let why = Packet::from_json(bad).unwrap_err();
            assert!(!why.contains(['\n', '\u{1b}']), "{why:?}");
        }
    }
}
