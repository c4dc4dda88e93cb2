//! What the loop knows of its endpoints, for a person who watches it.

use super::endpoints::Endpoint;
use super::state::LoopState;
use super::stream::Closing;
use crate::addr::Address;
use crate::conn::Ends;
use crate::events::{ServiceId, Token};
use crate::poller::Interest;

/// What the loop knows of one endpoint at the end of a turn.
#[derive(Clone, Copy, Debug)]
pub struct EndpointReport<'a> {
    /// Its name in the loop.
    pub token: Token,
    /// The service that it belongs to.
    pub service: ServiceId,
    /// What it is.
    pub kind: EndpointKind,
    /// Its descriptors.
    pub ends: &'a Ends,
    /// The address of the other end, if it has one.
    pub peer: Option<&'a Address>,
    /// What the next wait will ask about it; `None`: nothing.
    pub asked: Option<Interest>,
    /// Bytes that the service has sent and the kernel has not taken yet.
    pub unsent: usize,
    /// Bytes that were received and that the service has not used yet.
    pub kept: usize,
    /// Bytes received so far. Counted only if the loop has an observer.
    pub received: u64,
    /// Bytes sent so far. Counted only if the loop has an observer.
    pub sent: u64,
    /// Whether the peer has closed its half.
    pub peer_finished: bool,
    /// Whether our half is closed.
    pub finished: bool,
    /// Whether the service is done with it, so that it closes when everything is sent.
    pub is_closing: bool,
}

/// The kinds of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointKind {
    /// Accepts connections.
    Listener,
    /// A connection that a peer made to this loop.
    Accepted,
    /// A connection that this loop made.
    Made,
    /// A connection that is being made.
    Connecting,
    /// Takes datagrams.
    Datagram,
    /// A pair of files, or the self-pipe.
    Files,
}

impl LoopState {
    /// What is known of each endpoint, in the order of their slots.
    pub(super) fn reports(&self) -> impl Iterator<Item = EndpointReport<'_>> {
        let all = self.endpoints.tokens_where(|_| true);
        all.into_iter().filter_map(|token| self.report(token))
    }

    fn report(&self, token: Token) -> Option<EndpointReport<'_>> {
        let (ends, endpoint) = self.endpoints.lookup(token)?;
        let tally = self.observer.as_ref().map(|observer| observer.tally(token));
        let tally = tally.unwrap_or_default();
        let report = EndpointReport {
            token,
            service: endpoint.service(),
            kind: EndpointKind::Listener,
            ends,
            peer: None,
            asked: self.endpoints.next_question(token, self.wanted_clients()),
            unsent: 0,
            kept: 0,
            received: tally.received,
            sent: tally.accepted,
            peer_finished: false,
            finished: false,
            is_closing: false,
        };
        Some(match endpoint {
            Endpoint::Listener(_) => report,
            Endpoint::Datagram(_) => EndpointReport { kind: EndpointKind::Datagram, ..report },
            Endpoint::Connecting(connecting) => EndpointReport {
                kind: EndpointKind::Connecting,
                peer: Some(&connecting.address),
                ..report
            },
            Endpoint::Stream(stream) => EndpointReport {
                kind: match stream.peer() {
                    None => EndpointKind::Files,
                    Some(_) if stream.accepted => EndpointKind::Accepted,
                    Some(_) if self.is_observer(stream.service) => EndpointKind::Accepted,
                    Some(_) => EndpointKind::Made,
                },
                peer: stream.peer(),
                unsent: stream.conn.owed(),
                kept: stream.conn.receiving.leftover(),
                sent: tally.accepted.saturating_sub(stream.conn.owed() as u64),
                peer_finished: stream.conn.receiving.peer_finished(),
                finished: stream.conn.sending.finished(),
                is_closing: stream.closing != Closing::No,
                ..report
            },
        })
    }
}
