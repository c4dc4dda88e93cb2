//! What travelled between the ends: bytes, an end of file, a reset. The two ends of a connection are matched by their
//! addresses, and sent bytes with received bytes by their position in the stream. Times are not used.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::Side;
use super::connection_ends::{ConnectionEnd, EndRole, LadderFacts};
use crate::addr::{Address, UnixName};
use crate::names::{Errno, SHUT_RDWR, SHUT_WR};
use crate::trace::Event;
use crate::trace::arg::{Arg, Value};
use crate::trace::descriptors::{asked_for_bytes, only_looks};
use crate::trace::event::Mark;
use crate::trace::page::Effect;

/// What travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crossing {
    /// The connection itself.
    Connection,
    /// This many bytes.
    Bytes(u64),
    /// The end of the stream.
    End,
    Reset,
}

/// Something travelled from a call at one end to a call at the other. One of the two calls may be in no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) from: Option<usize>,
    pub(super) to: Option<usize>,
    pub(super) what: Crossing,
    pub(super) connection: usize,
    /// The side on which it starts.
    pub(super) side: Side,
}

impl Arrow {
    /// The arrow between places in the picture. An arrow that would go upwards is drawn as two.
    pub(super) fn placed(self, places: &[usize]) -> Vec<Self> {
        let place = |call: Option<usize>| call.map(|call| places[call]);
        let (from, to) = (place(self.from), place(self.to));
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return vec![Self { from, to: None, ..self }, Self { from: None, to, ..self }];
        }
        vec![Self { from, to, ..self }]
    }
}

/// A connection: its two ends, the connecting one first.
#[derive(Debug)]
pub(super) struct EndPair {
    pub(super) ends: [Option<usize>; 2],
    /// Whether it is between Unix-domain sockets, which have no segments and flags.
    pub(super) is_local: bool,
    /// Its name for people: from where to where.
    pub(super) name: String,
}

/// The connections, in the order of their appearance.
pub(super) fn connections(ends: &LadderFacts) -> Vec<EndPair> {
    let ends = &ends.ends;
    let mut waiting: HashMap<(String, String), Vec<usize>> = HashMap::new();
    let accepts = |end: &ConnectionEnd| end.role == EndRole::Accepts;
    for (number, end) in ends.iter().enumerate().filter(|(_, end)| accepts(end)) {
        if let Some(key) = key(&end.peer, &end.local) {
            waiting.entry(key).or_default().push(number);
        }
    }
    let mut asking: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for (number, end) in ends.iter().enumerate().filter(|(_, end)| !accepts(end)) {
        if let Some(key) = key(&end.local, &end.peer) {
            asking.entry(key).or_default().push(number);
        }
    }
    let mut other: HashMap<usize, usize> = HashMap::new();
    for (key, asking) in asking {
        let waiting = waiting.remove(&key).unwrap_or_default();
        // Clients of a Unix-domain listener have no addresses. The listener accepts them in the order in which they
        // connect, so they can be matched if all of them are in the traces.
        if key.0 == Address::Unix(UnixName::Unnamed).to_string() && asking.len() != waiting.len() {
            continue;
        }
        other.extend(asking.iter().zip(&waiting).map(|(one, two)| (*two, *one)));
        other.extend(asking.into_iter().zip(waiting));
    }
    let mut connections = Vec::new();
    for (number, end) in ends.iter().enumerate() {
        let partner = other.get(&number).copied();
        if partner.is_some_and(|partner| partner < number) {
            continue;
        }
        let (local, peer) = (end.local.clone(), end.peer.clone());
        let (ends, from, to) = match end.role {
            EndRole::Connects => ([Some(number), partner], local, peer),
            EndRole::Accepts => ([partner, Some(number)], peer, local),
        };
        let is_local = [&from, &to].iter().any(|at| matches!(at, Some(Address::Unix(_))));
        let shown = |at: Option<Address>| at.map_or_else(|| "?".into(), |at| at.to_string());
        let name = format!("{} to {}", shown(from), shown(to));
        connections.push(EndPair { ends, is_local, name });
    }
    connections
}

/// Two addresses in a form that is the same at both ends.
fn key(from: &Option<Address>, to: &Option<Address>) -> Option<(String, String)> {
    Some((canonical(from.as_ref()?), canonical(to.as_ref()?)))
}

/// An IPv6 socket shows an IPv4 client in a form of its own, and each end has its own number for an interface.
fn canonical(address: &Address) -> String {
    match address {
        Address::V6(at) => SocketAddr::new(at.ip().to_canonical(), at.port()).to_string(),
        other => other.to_string(),
    }
}

/// The connection of each end.
pub(super) fn of_ends(connections: &[EndPair], ends: usize) -> Vec<Option<usize>> {
    let mut of_ends = vec![None; ends];
    for (number, connection) in connections.iter().enumerate() {
        for end in connection.ends.into_iter().flatten() {
            of_ends[end] = Some(number);
        }
    }
    of_ends
}

/// Everything that travelled, from call to call.
pub(super) fn find(calls: &[Event<'_>], ends: &LadderFacts, connections: &[EndPair]) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    for (number, connection) in connections.iter().enumerate() {
        let [client, server] = connection.ends.map(|end| end.map(|end| &ends.ends[end]));
        if [client, server].iter().flatten().any(|end| !end.is_stream) {
            continue;
        }
        let [opens, opened] = [client, server].map(|end| end.and_then(|end| end.opener));
        let mut add = |side, from: Option<usize>, to: Option<usize>, what| {
            if from.or(to).is_some() {
                arrows.push(Arrow { from, to, what, connection: number, side });
            }
        };
        add(Side::Left, opens, opened, Crossing::Connection);
        let halves = [client, server].map(|end| EndHistory::of(end, calls));
        for (side, from, to) in
            [(Side::Left, &halves[0], &halves[1]), (Side::Right, &halves[1], &halves[0])]
        {
            for (from, to, bytes) in joined(&from.sent, &to.received) {
                add(side, from, to, Crossing::Bytes(bytes));
            }
            for (from, to, what) in endings(from, to) {
                add(side, from, to, what);
            }
        }
    }
    arrows
}

/// Bytes that a call moved: the call, and their first and last position in the stream.
type MovedBytes = (usize, u64, u64);

/// What one end did with its two halves.
#[derive(Debug, Default)]
struct EndHistory {
    sent: Vec<MovedBytes>,
    received: Vec<MovedBytes>,
    /// The call that closed its sending half, and after how many bytes.
    finishes: Option<(usize, u64)>,
    /// The first receive that returned 0, and after how many bytes.
    learns_end: Option<(usize, u64)>,
    /// The call after which it receives nothing more.
    closes: Option<usize>,
    /// Whether that call discarded received or unsent bytes.
    closes_with_reset: bool,
    /// The first call that reported a reset.
    learns_reset: Option<usize>,
}

impl EndHistory {
    fn of(end: Option<&ConnectionEnd>, calls: &[Event<'_>]) -> Self {
        let mut half = Self::default();
        let Some(end) = end else { return half };
        for (at, bytes) in &end.calls {
            half.take(*at, *bytes, &calls[*at]);
        }
        // After a reset there is no peer that could notice.
        if let Some((at, bytes_out)) = end.closed.filter(|_| half.learns_reset.is_none()) {
            half.finishes.get_or_insert((at, bytes_out));
            half.closes = Some(at);
            let before =
                calls[at].states.before.filter(|_| calls[at].callee.effect() == Effect::Closes);
            half.closes_with_reset |= before.is_some_and(|state| state.unread.unwrap_or(0) > 0);
        }
        half
    }

    fn take(&mut self, at: usize, [bytes_in, bytes_out]: [u64; 2], call: &Event<'_>) {
        if call.mark == Mark::Refused {
            return;
        }
        let moved = call.value().and_then(|value| call.bytes_moved(value));
        match (call.callee.effect(), moved) {
            (Effect::Sends, Some(moved @ 1..)) => {
                self.sent.push((at, bytes_out, bytes_out.saturating_add(moved)));
            }
            (Effect::Receives, Some(moved)) if !only_looks(call) => {
                if moved > 0 {
                    self.received.push((at, bytes_in, bytes_in.saturating_add(moved)));
                } else if asked_for_bytes(call) && self.learns_reset.is_none() {
                    self.learns_end.get_or_insert((at, bytes_in));
                }
            }
            (Effect::ShutsDown, Some(_)) => {
                let how = call.arg("how");
                let is = |half| how == Some(&Arg::Named(half));
                if is(SHUT_WR.named()) || is(SHUT_RDWR.named()) {
                    self.finishes.get_or_insert((at, bytes_out));
                }
                if is(SHUT_RDWR.named()) {
                    self.closes.get_or_insert(at);
                }
            }
            (Effect::SetsOption, Some(_)) => {
                if let Some(Arg::Value(Value::Linger(linger))) = call.arg("optval") {
                    self.closes_with_reset |= linger.l_onoff != 0 && linger.l_linger == 0;
                }
            }
            _ => {}
        }
        self.take_error(at, call);
    }

    fn take_error(&mut self, at: usize, call: &Event<'_>) {
        let told = match call.arg("optval") {
            Some(Arg::Value(Value::Error(number))) => Some(Errno::from_number(*number)),
            _ => call.errno().filter(|_| call.mark != Mark::Injected),
        };
        let is_reset = match told {
            Some(Errno::ECONNRESET) => true,
            // Unless this end has closed its sending half itself.
            Some(Errno::EPIPE) => self.finishes.is_none(),
            _ => false,
        };
        if is_reset {
            self.learns_reset.get_or_insert(at);
        }
    }
}

/// Sent bytes matched with received bytes: where their positions overlap, and what has no counterpart.
fn joined(
    sent: &[MovedBytes],
    received: &[MovedBytes],
) -> Vec<(Option<usize>, Option<usize>, u64)> {
    let mut joins = Vec::new();
    let (mut sent, mut received) = (sent.iter().copied(), received.iter().copied());
    let (mut from, mut to) = (sent.next(), received.next());
    loop {
        let begin = |moved: Option<MovedBytes>| moved.map_or(u64::MAX, |(_, begin, _)| begin);
        match (&mut from, &mut to) {
            (None, None) => return joins,
            (Some(one), Some(other)) if one.1 == other.1 => {
                let end = one.2.min(other.2);
                joins.push((Some(one.0), Some(other.0), end.saturating_sub(one.1)));
                (one.1, other.1) = (end, end);
            }
            // The piece that begins first has no counterpart up to where the other begins.
            (Some(one), other) if one.1 < begin(*other) => {
                let end = one.2.min(begin(*other));
                joins.push((Some(one.0), None, end - one.1));
                one.1 = end;
            }
            (one, Some(other)) => {
                let end = other.2.min(begin(*one));
                joins.push((None, Some(other.0), end.saturating_sub(other.1)));
                other.1 = end;
            }
            (Some(_), None) => from = None,
        }
        from = from.filter(|(_, begin, end)| begin < end).or_else(|| sent.next());
        to = to.filter(|(_, begin, end)| begin < end).or_else(|| received.next());
    }
}

/// How the sending of one end ended, and what the other end noticed.
fn endings(from: &EndHistory, to: &EndHistory) -> Vec<(Option<usize>, Option<usize>, Crossing)> {
    let mut arrows = Vec::new();
    // The position of an end of file is after the last byte.
    let end =
        from.finishes.zip(to.learns_end).filter(|((_, sent), (_, received))| sent == received);
    if let Some(((finishes, _), (learns, _))) = end {
        arrows.push((Some(finishes), Some(learns), Crossing::End));
    } else if let Some((learns, _)) = to.learns_end {
        arrows.push((None, Some(learns), Crossing::End));
    }
    if let Some(learns) = to.learns_reset {
        arrows.push((from.closes, Some(learns), Crossing::Reset));
    }
    let is_told = |arrow: &(Option<usize>, Option<usize>, Crossing), call| arrow.0 == Some(call);
    if let Some((finishes, _)) = from.finishes {
        let is_close = from.closes == Some(finishes);
        if !arrows.iter().any(|arrow| is_told(arrow, finishes)) {
            let what =
                if is_close && from.closes_with_reset { Crossing::Reset } else { Crossing::End };
            arrows.push((Some(finishes), None, what));
        }
    }
    arrows
}

impl Crossing {
    /// In one word: the name of the TCP segment, or a plain word for Unix-domain sockets.
    pub(super) const fn word(self, is_local: bool) -> &'static str {
        match (self, is_local) {
            (Self::Connection, false) => "SYN",
            (Self::End, false) => "FIN",
            (Self::Reset, false) => "RST",
            (Self::Connection, true) => "connect",
            (Self::End, true) => "end",
            (Self::Reset, true) => "reset",
            (Self::Bytes(_), _) => "bytes",
        }
    }
}
