//! The packets under the calls: what went over loopback, and which call caused it.
//!
//! A frame comes from [`os::capture`](crate::os::capture), which [`reader`] reads in time. [`header`] reads it by hand, byte by
//! byte; [`stream`] says what a segment is within its connection: relative sequence numbers, a retransmission, a window update.
//! [`cause`] finds the call that caused it, [`words`] puts it into words, [`json`] is its line in a JSON trace, and [`pcapng`]
//! the file for Wireshark, with what [`comments`] on its packets.
//!
//! **Which call caused a packet.** The kernel stamps a packet while it is being sent, and the tracer reads the clock before
//! and after each call. Both clocks are those of one machine, so a packet that a call sends lies between the call's beginning
//! and its end. That is not enough: a call that waits has packets of others in its time. So the packet must also come from the
//! end that the call is about, and be of a kind that such a call can send: `recv` sends a window update, never bytes. What a
//! kernel answers at once, without its program, belongs to the same call: the SYN ACK to a `connect`, the RST to a `send`.
//! What remains has no cause here: a delayed acknowledgement, a retransmission, whatever a peer without a trace sends. It is
//! drawn between the calls.

mod about;
pub mod cause;
pub mod comments;
pub mod header;
pub mod json;
pub mod pcapng;
pub mod reader;
pub mod stream;
#[cfg(test)]
mod tests;
pub mod words;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

pub use header::SegmentFlags;

use crate::trace::Event;

/// A packet within what was captured: where it stands, and which call caused it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// When it was sent, in nanoseconds of `clock`.
    pub time_ns: u64,
    /// The clock of `time_ns`: that of the calls.
    pub clock: Option<String>,
    /// Where it comes from. (A message of ICMP has no ports: 0.)
    pub from: SocketAddr,
    /// Where it goes.
    pub to: SocketAddr,
    /// What it is.
    #[serde(flatten)]
    pub body: PacketBody,
    /// The call that caused it; none if no traced call did, or if that is in doubt.
    pub cause: Option<PacketCause>,
}

/// What a packet is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "packet")]
pub enum PacketBody {
    /// A segment of TCP.
    #[serde(rename = "TCP")]
    Tcp(Segment),
    /// A datagram of UDP.
    #[serde(rename = "UDP")]
    Udp {
        /// The bytes that it carries.
        len: u32,
    },
    /// A message of ICMP or ICMPv6.
    #[serde(rename = "ICMP")]
    Icmp {
        /// Its type.
        #[serde(rename = "type")]
        kind: u8,
        /// Its code.
        code: u8,
        /// Whether the type and code say that no socket has the port.
        port_unreachable: bool,
        /// The packet that it is about: from where to where.
        about: Option<[SocketAddr; 2]>,
    },
}

/// A segment within its connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The number of its connection among those that were captured, from 1.
    pub connection: usize,
    /// Whether the client sent it: the end that sent the first SYN.
    pub by_client: bool,
    /// Its flags.
    pub flags: SegmentFlags,
    /// Its sequence number; that of the SYN is 0.
    pub seq: u32,
    /// The number of the next byte that its sender expects, if the flag ACK is set.
    pub ack: Option<u32>,
    /// The bytes that it carries.
    pub len: u32,
    /// How many bytes its sender has room for.
    pub window: u32,
    /// What else it is.
    pub notes: Vec<SegmentNote>,
}

/// What a segment is besides its flags, seen from what went before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SegmentNote {
    /// All of it, or its beginning, was sent before.
    Retransmission,
    /// It asks an idle peer whether it still lives.
    KeepAlive,
    /// It asks whether the peer, which had none, has room now.
    WindowProbe,
    /// Its sender has no room.
    WindowZero,
    /// It says nothing but that its sender has more room.
    WindowUpdate,
    /// It repeats an acknowledgement.
    DuplicateAck,
}

/// A call, by its number within its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketCause {
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u64,
    /// The number of the call.
    pub seq: u64,
    /// When the call began. (A thread may have several tracers, each with numbers of its own.)
    pub begin_ns: u64,
}

impl From<&Event<'_>> for PacketCause {
    fn from(event: &Event<'_>) -> Self {
        let Event { pid, tid, seq, begin_ns, .. } = *event;
        Self { pid, tid, seq, begin_ns }
    }
}
