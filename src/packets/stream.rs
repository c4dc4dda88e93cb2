//! What a segment is within its connection: its numbers relative to the first, its window in bytes, and whether it repeats
//! something. The names are those that Wireshark uses.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::header::{Carried, Headers, SegmentFlags, TcpHeader};
use super::{PacketBody, Segment, SegmentNote};

/// Follows the connections of a capture.
#[derive(Debug, Default)]
pub struct StreamTracker {
    connections: Vec<TrackedConnection>,
    /// The newest connection between two ends, the smaller one first.
    newest: HashMap<[SocketAddr; 2], usize>,
}

#[derive(Debug)]
struct TrackedConnection {
    client: SocketAddr,
    server: SocketAddr,
    /// What the client sends, and what the server sends.
    halves: [TrackedHalf; 2],
}

/// What one end has sent so far.
#[derive(Clone, Copy, Debug, Default)]
struct TrackedHalf {
    /// The number of its SYN.
    first: Option<u32>,
    /// The number after the last that it has sent.
    next: u32,
    /// What it has acknowledged last.
    acked: Option<u32>,
    /// Its last window, as written.
    window: Option<u16>,
    /// The scale of its windows.
    scale: Option<u8>,
    /// When the last new byte of it was sent.
    sent_ns: u64,
    /// When it last sent anything.
    last_ns: u64,
    /// Whether bytes were waiting, for an acknowledgement or for room, when the other end last sent something.
    was_held: bool,
}

/// A packet with what the finder of causes has to know about it.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) body: PacketBody,
    /// When the newest byte that it acknowledges was sent.
    pub(super) acknowledges_ns: u64,
    /// Whether what it carries was waiting to be sent until the other end's last segment came.
    pub(super) was_held: bool,
    /// When the other end's last segment came.
    pub(super) prompted_ns: u64,
}

impl StreamTracker {
    /// Describes the next packet of the capture. `None` for a segment of a connection that began before the capture.
    pub(super) fn follow(&mut self, read: &Headers, time_ns: u64) -> Option<Followed> {
        let body = match read.carries {
            Carried::Tcp(tcp) => return self.segment(read, tcp, time_ns),
            Carried::Udp { len } => PacketBody::Udp { len },
            Carried::Icmp { kind, code, about } => {
                let port_unreachable = match read.from {
                    SocketAddr::V4(_) => (kind, code) == (3, 3),
                    SocketAddr::V6(_) => (kind, code) == (1, 4),
                };
                PacketBody::Icmp { kind, code, port_unreachable, about }
            }
        };
        Some(Followed { body, acknowledges_ns: 0, was_held: false, prompted_ns: 0 })
    }

    /// The servers that this client has connected to, the latest first.
    pub(super) fn servers_of(&self, client: SocketAddr) -> impl Iterator<Item = SocketAddr> {
        let connections = self.connections.iter().rev();
        connections.filter(move |one| one.client == client).map(|one| one.server)
    }

    fn segment(&mut self, read: &Headers, tcp: TcpHeader, time_ns: u64) -> Option<Followed> {
        let number = self.connection(read, tcp)?;
        let connection = &mut self.connections[number];
        let by_client = connection.client == read.from;
        let [client, server] = &mut connection.halves;
        let (own, other) = if by_client { (client, server) } else { (server, client) };
        let is_syn = tcp.flags.has(SegmentFlags::SYN);
        let notes = own.notes(tcp, other);
        let was_held = own.was_held;
        own.take(tcp, other, time_ns);
        let scaled = own.scale.zip(other.scale).filter(|_| !is_syn).map_or(0, |(own, _)| own);
        let has_ack = tcp.flags.has(SegmentFlags::ACK);
        let segment = Segment {
            connection: number + 1,
            by_client,
            flags: tcp.flags,
            // A reset that answers a SYN comes from an end that has sent none; Wireshark counts as if it had.
            seq: own.first.map_or(1, |first| tcp.seq.wrapping_sub(first)),
            ack: has_ack.then(|| tcp.ack.wrapping_sub(other.first.unwrap_or(0))),
            len: tcp.len,
            window: u32::from(tcp.window) << scaled,
            notes,
        };
        let acknowledges_ns = other.sent_ns;
        let prompted_ns = other.last_ns;
        Some(Followed { body: PacketBody::Tcp(segment), acknowledges_ns, was_held, prompted_ns })
    }

    /// The connection of a segment: a new one for a SYN with a new number.
    fn connection(&mut self, read: &Headers, tcp: TcpHeader) -> Option<usize> {
        let mut ends = [read.from, read.to];
        ends.sort_unstable();
        let known = self.newest.get(&ends).copied();
        let is_first = tcp.flags.has(SegmentFlags::SYN) && !tcp.flags.has(SegmentFlags::ACK);
        let is_known = |at: usize| {
            let connection = &self.connections[at];
            let half = usize::from(connection.client != read.from);
            !is_first || connection.halves[half].first.is_none_or(|first| first == tcp.seq)
        };
        if let Some(at) = known.filter(|at| is_known(*at)) {
            return Some(at);
        }
        if !is_first {
            return None;
        }
        self.connections.push(TrackedConnection {
            client: read.from,
            server: read.to,
            halves: [TrackedHalf::default(); 2],
        });
        self.newest.insert(ends, self.connections.len() - 1);
        Some(self.connections.len() - 1)
    }
}

/// Whether a number comes before another, where numbers begin again after 2³².
const fn is_before(one: u32, other: u32) -> bool {
    (one.wrapping_sub(other) as i32) < 0
}

impl TrackedHalf {
    /// What this segment is, seen from what went before it.
    fn notes(&self, tcp: TcpHeader, other: &Self) -> Vec<SegmentNote> {
        let flags = tcp.flags;
        let mut notes = Vec::new();
        let takes = numbers_taken(tcp);
        let is_reset = flags.has(SegmentFlags::RST);
        let is_old = self.first.is_some() && is_before(tcp.seq, self.next) && !is_reset;
        let asks =
            is_old && tcp.seq == self.next.wrapping_sub(1) && tcp.len <= 1 && takes == tcp.len;
        // On Linux a window probe looks like a keepalive probe, and Wireshark calls both so; the peer's window tells them apart.
        match asks {
            true if other.window == Some(0) => notes.push(SegmentNote::WindowProbe),
            true => notes.push(SegmentNote::KeepAlive),
            false if is_old && takes > 0 => notes.push(SegmentNote::Retransmission),
            // One byte beyond a window of 0.
            false if tcp.len == 1 && other.window == Some(0) => {
                notes.push(SegmentNote::WindowProbe)
            }
            false => {}
        }
        if tcp.window == 0 && !is_reset {
            notes.push(SegmentNote::WindowZero);
        }
        let is_plain = takes == 0 && !asks && !is_reset && flags.has(SegmentFlags::ACK);
        if is_plain && self.acked == Some(tcp.ack) && tcp.seq == self.next {
            match self.window {
                Some(window) if tcp.window > window => notes.push(SegmentNote::WindowUpdate),
                Some(window) if tcp.window == window => notes.push(SegmentNote::DuplicateAck),
                _ => {}
            }
        }
        notes
    }

    /// Takes note of a segment of this half.
    fn take(&mut self, tcp: TcpHeader, other: &mut Self, time_ns: u64) {
        let is_syn = tcp.flags.has(SegmentFlags::SYN);
        self.last_ns = time_ns;
        if is_syn {
            self.first = Some(tcp.seq);
            self.scale = tcp.scale;
        }
        let end = tcp.seq.wrapping_add(numbers_taken(tcp));
        if is_syn || self.first.is_some() && is_before(self.next, end) {
            self.next = end;
            self.sent_ns = time_ns;
        }
        if tcp.flags.has(SegmentFlags::ACK) && !tcp.flags.has(SegmentFlags::RST) {
            let was_unacknowledged = self.acked.is_none_or(|acked| is_before(acked, other.next));
            other.was_held = was_unacknowledged || self.window == Some(0);
            self.acked = Some(tcp.ack);
        }
        if !tcp.flags.has(SegmentFlags::RST) {
            self.window = Some(tcp.window);
        }
    }
}

/// How many sequence numbers a segment takes: SYN and FIN have one each.
fn numbers_taken(tcp: TcpHeader) -> u32 {
    let one = |flag| u32::from(tcp.flags.has(flag));
    tcp.len.wrapping_add(one(SegmentFlags::SYN)).wrapping_add(one(SegmentFlags::FIN))
}
