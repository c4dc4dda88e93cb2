//! Predictions about what goes over the wire. They are asked where packets are captured (`--packets`): the process that
//! captures compares what it saw with what the lab expects.

use super::prediction::Prediction;
use crate::packets::{Packet, PacketBody, Segment, SegmentFlags, SegmentNote};

/// A prediction about the packets from the question on, until the lab has them looked at.
#[derive(Clone, Copy, Debug)]
pub struct WirePrediction {
    /// The question and the answers. What other systems send was not looked at, unless the lab says otherwise.
    pub asked: Prediction,
    /// What of the packets is observed.
    pub fact: WireFact,
}

/// What is observed of some packets, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFact {
    /// The flags of the first segment, as in `FIN ACK`; `nothing`, if there was none.
    FirstSegment,
    /// The flags of the first segment that goes the other way than the first.
    FirstAnswer,
    /// How many segments carried bytes the same way as the first: a number.
    SegmentsWithBytes,
    /// Whether a window update is among them: `a window update`, or `nothing`.
    WindowUpdate,
}

impl WireFact {
    /// What these packets show.
    pub fn observed<'a>(self, packets: impl IntoIterator<Item = &'a Packet>) -> String {
        let packets: Vec<&Packet> = packets.into_iter().collect();
        let mut segments = packets.iter().filter_map(|packet| segment_of(packet));
        match self {
            Self::FirstSegment => flags(segments.next()),
            Self::FirstAnswer => {
                let first = segments.next().map(|first| first.by_client);
                flags(segments.find(|segment| Some(segment.by_client) != first))
            }
            Self::SegmentsWithBytes => {
                let with_bytes: Vec<_> = segments.filter(|segment| segment.len > 0).collect();
                let is_first_way = |one: &&&Segment| {
                    Some(one.by_client) == with_bytes.first().map(|first| first.by_client)
                };
                with_bytes.iter().filter(is_first_way).count().to_string()
            }
            Self::WindowUpdate => {
                let is_update =
                    |segment: &Segment| segment.notes.contains(&SegmentNote::WindowUpdate);
                if segments.any(is_update) { "a window update" } else { "nothing" }.to_string()
            }
        }
    }
}

fn segment_of(packet: &Packet) -> Option<&Segment> {
    match &packet.body {
        PacketBody::Tcp(segment) => Some(segment),
        _ => None,
    }
}

/// The flags, without PSH: it does not tell what a segment is.
fn flags(segment: Option<&Segment>) -> String {
    let Some(segment) = segment else { return "nothing".to_string() };
    SegmentFlags(segment.flags.0 & !SegmentFlags::PSH.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(by_client: bool, flags: u8, len: u32, notes: &[SegmentNote]) -> Packet {
        let segment = Segment {
            connection: 1,
            by_client,
            flags: SegmentFlags(flags),
            seq: 1,
            ack: None,
            len,
            window: 1,
            notes: notes.to_vec(),
        };
        let [from, to] = ["127.0.0.1:1", "127.0.0.1:2"].map(|at| at.parse().unwrap());
        let body = PacketBody::Tcp(segment);
        Packet { time_ns: 1, clock: None, from, to, body, cause: None }
    }

    #[test]
    fn what_packets_show_is_said_in_the_words_of_the_choices() {
        const FIN_ACK: u8 = 0x11;
        const RST: u8 = 0x04;
        const PSH_ACK: u8 = 0x18;
        let sent = [
            packet(true, PSH_ACK, 3, &[]),
            packet(true, FIN_ACK, 0, &[]),
            packet(false, RST, 0, &[SegmentNote::WindowUpdate]),
        ];
        let observed = |fact: WireFact| fact.observed(&sent);
        assert_eq!(observed(WireFact::FirstSegment), "ACK");
        assert_eq!(observed(WireFact::FirstAnswer), "RST");
        assert_eq!(observed(WireFact::SegmentsWithBytes), "1");
        assert_eq!(observed(WireFact::WindowUpdate), "a window update");
        assert_eq!(WireFact::FirstSegment.observed(&[]), "nothing");
        assert_eq!(WireFact::SegmentsWithBytes.observed(&[]), "0");
        assert_eq!(WireFact::WindowUpdate.observed(&sent[..2]), "nothing");
    }
}
