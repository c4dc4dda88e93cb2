//! Which call caused a packet: see the [chapter's beginning](super).

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use super::about::AboutCall;
use super::header::{SegmentFlags, read_frame};
use super::stream::{Followed, StreamTracker};
use super::{Packet, PacketBody, PacketCause, Segment, SegmentNote};
use crate::addr::Address;
use crate::os::capture::Frame;
use crate::trace::Event;
use crate::trace::arg::Arg;
use crate::trace::descriptors::{DescriptorTables, OpenFile};
use crate::trace::page::Effect;
use crate::values::FdNumber;

/// Takes frames and calls as they come, and says which packets belong to a call.
#[derive(Debug, Default)]
pub struct CauseFinder {
    /// That of the last call: the packets get it, too.
    clock: Option<Arc<str>>,
    streams: StreamTracker,
    descriptors: DescriptorTables,
    /// Packets later than the last call.
    waiting: VecDeque<FoundPacket>,
    /// Whose end sends from the first address to the second.
    owners: HashMap<[SocketAddr; 2], FileId>,
}

/// A packet, with the facts from which its cause follows.
#[derive(Clone, Debug)]
pub struct FoundPacket {
    /// The packet.
    pub packet: Packet,
    /// The frame that it was in.
    pub frame: Frame,
    acknowledges_ns: u64,
    was_held: bool,
    prompted_ns: u64,
}

/// How late a call of strace's log may have returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatestEnd {
    /// As strace usually works.
    pub usual_ns: u64,
    /// If strace had to wait for a processor before it let the call begin.
    pub delayed_ns: u64,
}

/// The packets up to the end of a call, in order.
#[derive(Debug, Default)]
pub struct AroundCall {
    /// Those before the first that the call caused; all of them, if it caused none.
    pub before: Vec<FoundPacket>,
    /// From the first that it caused on; of these, some may have no cause.
    pub from_first: Vec<FoundPacket>,
}

/// An open file of a process.
type FileId = (u32, u64);

impl CauseFinder {
    /// The next frame of the capture. A segment of a connection that began before the capture is left out.
    pub fn take(&mut self, frame: Frame) {
        let Some(read) = read_frame(&frame.bytes) else { return };
        let time_ns = frame.time_ns;
        let Some(Followed { body, acknowledges_ns, was_held, prompted_ns }) =
            self.streams.follow(&read, time_ns)
        else {
            return;
        };
        let packet =
            Packet { time_ns, clock: None, from: read.from, to: read.to, body, cause: None };
        // Two processors may send at the same moment.
        let place = self.waiting.partition_point(|found| found.packet.time_ns <= time_ns);
        let found = FoundPacket { packet, frame, acknowledges_ns, was_held, prompted_ns };
        self.waiting.insert(place, found);
    }

    /// A call has returned, and every frame that was sent before has been taken.
    pub fn call(&mut self, event: &Event<'_>) -> AroundCall {
        let mut around = AroundCall::default();
        let until = self.waiting.partition_point(|found| found.packet.time_ns <= event.end_ns);
        self.clock.clone_from(&event.clock);
        let within = self.first(until);
        let about = AboutCall::of(event, &mut self.descriptors);
        for mut found in within {
            let is_during = found.packet.time_ns >= event.begin_ns;
            let is_caused = is_during
                && (self.is_sent_by(event, &about, &found)
                    || is_answer(&around.from_first, &found));
            if is_caused {
                found.packet.cause = Some(PacketCause::from(event));
            }
            let place = match is_caused || !around.from_first.is_empty() {
                true => &mut around.from_first,
                false => &mut around.before,
            };
            place.push(found);
        }
        self.learn(event, &about, &around);
        around
    }

    /// The packets that a call of a log caused. What else was sent until its latest end still waits, for
    /// [`take_until`](Self::take_until).
    pub fn claim(&mut self, event: &Event<'_>, latest: LatestEnd) -> Vec<FoundPacket> {
        let about = AboutCall::of(event, &mut self.descriptors);
        self.clock.clone_from(&event.clock);
        let mut around = AroundCall::default();
        let mut usual_ns = latest.usual_ns;
        let mut at = self.waiting.partition_point(|found| found.packet.time_ns < event.begin_ns);
        while let Some(found) =
            self.waiting.get(at).filter(|found| found.packet.time_ns <= latest.delayed_ns)
        {
            let is_delayed = found.packet.time_ns > usual_ns;
            if is_delayed && !around.from_first.is_empty() {
                break;
            }
            // All processes are in the log: what the other end sends besides acknowledgements is its own call's.
            let is_answer = !carries(&found.packet) && is_answer(&around.from_first, found);
            let is_sent = (!is_delayed || is_unprompted(found, event.begin_ns))
                && self.is_sent_by(event, &about, found);
            if !is_answer && !is_sent {
                at += 1;
                continue;
            }
            if is_delayed {
                // All of the call was so much later.
                usual_ns = found.packet.time_ns + latest.usual_ns.saturating_sub(event.begin_ns);
            }
            if let Some(mut found) = self.waiting.remove(at) {
                found.packet.cause = Some(PacketCause::from(event));
                found.packet.clock = event.clock.as_deref().map(str::to_string);
                around.from_first.push(found);
            }
        }
        self.learn(event, &about, &around);
        around.from_first
    }

    /// The packets until this moment that no call has claimed.
    pub fn take_until(&mut self, time_ns: u64) -> Vec<FoundPacket> {
        self.first(self.waiting.partition_point(|found| found.packet.time_ns <= time_ns))
    }

    /// The packets after the last call.
    pub fn rest(&mut self) -> Vec<FoundPacket> {
        self.first(self.waiting.len())
    }

    fn first(&mut self, count: usize) -> Vec<FoundPacket> {
        let mut first: Vec<FoundPacket> = self.waiting.drain(..count).collect();
        for found in &mut first {
            found.packet.clock = self.clock.as_deref().map(str::to_string);
        }
        first
    }

    /// Whether this call's own socket has sent the packet, and such a call sends such packets.
    fn is_sent_by(&self, event: &Event<'_>, about: &AboutCall, found: &FoundPacket) -> bool {
        let packet = &found.packet;
        match &packet.body {
            PacketBody::Tcp(segment) => {
                about.senders().any(|file| self.is_from(event, about.effect, file, packet, segment))
                    && can_send(event, about, segment, found)
            }
            PacketBody::Udp { .. } => {
                let sends = |file: &OpenFile| {
                    let own_port = file.local.as_ref().and_then(Address::port);
                    let own_port = own_port.filter(|port| *port > 0);
                    let address = address_of(event).or_else(|| file.peer.clone());
                    let goes_there = address.is_none_or(|address| is_at(&address, packet.to));
                    let is_own = own_port.is_none_or(|port| port == packet.from.port());
                    is_own && goes_there
                };
                about.effect == Effect::Sends && about.senders().any(sends)
            }
            PacketBody::Icmp { .. } => false,
        }
    }

    /// Whether the segment comes from this file, through which a call of this kind may send.
    fn is_from(
        &self,
        event: &Event<'_>,
        effect: Effect,
        file: &OpenFile,
        packet: &Packet,
        segment: &Segment,
    ) -> bool {
        if effect == Effect::Connects && segment.flags.has(SegmentFlags::SYN) {
            // An earlier connection may have had the same ports.
            return address_of(event).is_some_and(|address| is_at(&address, packet.to));
        }
        let is_own = |address: &Option<Address>, at| {
            address.as_ref().is_some_and(|address| is_at(address, at))
        };
        if let Some(owner) = self.owners.get(&[packet.from, packet.to]) {
            // A child has inherited it.
            let is_same = owner.1 == file.id
                && is_own(&file.local, packet.from)
                && is_own(&file.peer, packet.to);
            return *owner == (event.pid, file.id) || is_same;
        }
        match effect {
            // A listener that is closed resets the connections in its queue.
            Effect::Closes | Effect::ClosesRange if file.peer.is_none() => {
                is_own(&file.local, packet.from)
            }
            _ => is_own(&file.local, packet.from) && is_own(&file.peer, packet.to),
        }
    }

    /// Learns which end is whose.
    fn learn(&mut self, event: &Event<'_>, about: &AboutCall, around: &AroundCall) {
        if let (Effect::Connects, Some(file)) = (about.effect, &about.file) {
            let is_syn = |segment: &Segment| {
                segment.flags.has(SegmentFlags::SYN) && !segment.flags.has(SegmentFlags::ACK)
            };
            for found in &around.from_first {
                let Packet { from, to, body, cause, .. } = &found.packet;
                if matches!(body, PacketBody::Tcp(segment) if is_syn(segment)) && cause.is_some() {
                    self.owners.insert([*from, *to], (event.pid, file.id));
                }
            }
        }
        self.descriptors.learn(event);
        if about.effect == Effect::Accepts
            && let Some(made) = event.value().and_then(|made| i32::try_from(made).ok())
            && let Some(peer) = address_of(event).as_ref().and_then(socket_address)
        {
            let table = self.descriptors.of(event);
            let id = table.id(FdNumber::new(made));
            let port = table.get(FdNumber::new(made)).and_then(|file| file.local.as_ref()?.port());
            let listener = about.file.as_ref().and_then(|file| file.local.as_ref()?.port());
            let at = self.streams.servers_of(peer).find(|server| {
                port.or(listener).is_none_or(|port| port == 0 || port == server.port())
            });
            if let Some(server) = at {
                self.owners.insert([server, peer], (event.pid, id));
            }
        }
    }
}

/// Whether a call of this kind sends such a segment by itself.
fn can_send(event: &Event<'_>, about: &AboutCall, segment: &Segment, found: &FoundPacket) -> bool {
    let has = |flag| segment.flags.has(flag);
    let is = |note| segment.notes.contains(&note);
    if is(SegmentNote::Retransmission) || is(SegmentNote::KeepAlive) || is(SegmentNote::WindowProbe)
    {
        // A timer does that.
        return false;
    }
    let closes = !about.closed.is_empty() || about.effect == Effect::ShutsDown;
    let sends = matches!(about.effect, Effect::Sends | Effect::Splices);
    if has(SegmentFlags::SYN) {
        return about.effect == Effect::Connects || sends;
    }
    if has(SegmentFlags::RST) {
        // A connect to AF_UNSPEC gives up the connection.
        return closes || about.effect == Effect::Connects;
    }
    if has(SegmentFlags::FIN) {
        return closes;
    }
    if segment.len > 0 {
        // TCP_NODELAY and the end of TCP_CORK send what was held back, and so does close.
        return sends || closes || about.effect == Effect::SetsOption;
    }
    match about.effect {
        // An acknowledgement of what arrives *during* the call is sent by the kernel as it arrives.
        Effect::Receives | Effect::Splices => {
            is(SegmentNote::WindowUpdate) || found.acknowledges_ns < event.begin_ns
        }
        // TCP_QUICKACK sends an acknowledgement that was delayed.
        Effect::SetsOption => found.acknowledges_ns < event.begin_ns,
        _ => false,
    }
}

/// Whether a kernel sends this packet by itself because of one that the call has caused.
fn is_answer(during: &[FoundPacket], found: &FoundPacket) -> bool {
    let packet = &found.packet;
    let caused = || during.iter().filter(|before| before.packet.cause.is_some());
    if let PacketBody::Icmp { about: Some(about), .. } = packet.body {
        return caused().any(|cause| [cause.packet.from, cause.packet.to] == about);
    }
    let PacketBody::Tcp(segment) = &packet.body else { return false };
    let of_connection = |cause: &&FoundPacket| match &cause.packet.body {
        PacketBody::Tcp(other) => other.connection == segment.connection,
        _ => false,
    };
    let mut others = caused().rev().filter(of_connection);
    let from_other_end = |cause: &&FoundPacket| cause.packet.from == packet.to;
    let Some(cause) = others.find(from_other_end) else { return false };
    let PacketBody::Tcp(question) = &cause.packet.body else { return false };
    let has = |flag| segment.flags.has(flag);
    let takes = |segment: &Segment| {
        segment.len > 0
            || segment.flags.has(SegmentFlags::SYN)
            || segment.flags.has(SegmentFlags::FIN)
    };
    match () {
        () if has(SegmentFlags::RST) => !question.flags.has(SegmentFlags::RST),
        () if has(SegmentFlags::SYN) => question.flags.has(SegmentFlags::SYN),
        // Bytes, or the end of them, that were waiting for what the call sent.
        () if takes(segment) => found.was_held,
        // A window update is sent by a call of that end, or by none.
        () if segment.notes.contains(&SegmentNote::WindowUpdate) => false,
        () => takes(question),
    }
}

/// Whether a call of its own end must have sent this packet: it does more than acknowledge, and the other end has sent nothing
/// since that moment which could have released bytes that were held back.
fn is_unprompted(found: &FoundPacket, since_ns: u64) -> bool {
    let is_a_call_s = match &found.packet.body {
        PacketBody::Tcp(segment) => {
            let has = |flag| segment.flags.has(flag);
            carries(&found.packet) || has(SegmentFlags::SYN) || has(SegmentFlags::RST)
        }
        PacketBody::Udp { .. } => true,
        PacketBody::Icmp { .. } => false,
    };
    is_a_call_s && found.prompted_ns < since_ns
}

/// Whether a segment carries bytes, or the end of them.
fn carries(packet: &Packet) -> bool {
    match &packet.body {
        PacketBody::Tcp(segment) => segment.len > 0 || segment.flags.has(SegmentFlags::FIN),
        _ => false,
    }
}

/// The address among a call's arguments.
fn address_of(event: &Event<'_>) -> Option<Address> {
    event.args.iter().find_map(|arg| match arg {
        Arg::Address(address) => Some(address.clone().into_owned()),
        _ => None,
    })
}

/// An Internet address, in the form that a packet has it.
fn socket_address(address: &Address) -> Option<SocketAddr> {
    match address {
        Address::V4(at) => Some(SocketAddr::V4(*at)),
        Address::V6(at) => Some(SocketAddr::new(at.ip().to_canonical(), at.port())),
        _ => None,
    }
}

/// Whether an address means this place: to connect to no address in particular reaches loopback.
fn is_at(address: &Address, place: SocketAddr) -> bool {
    socket_address(address).is_some_and(|at| {
        at.port() == place.port() && (at.ip() == place.ip() || at.ip().is_unspecified())
    })
}
