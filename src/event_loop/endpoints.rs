//! The endpoints of the loop: slots that are reused, each with a generation.
//!
//! The data that every turn looks at is kept in columns of its own: the descriptors, and what each endpoint waits for.
//! With 9,000 idle connections a turn walks over 150 KB of columns instead of a megabyte of endpoints.

use std::time::{Duration, Instant};

use super::connecting::Connecting;
use super::listener::Listener;
use super::stream::Stream;
use crate::conn::Ends;
use crate::events::{ServiceId, Token};
use crate::poller::{Interest, Places, Row};
use crate::sys::AsFd;

/// An endpoint: anything in the loop that has a descriptor.
#[derive(Debug)]
pub(super) enum Endpoint {
    /// Accepts connections.
    Listener(Listener),
    /// A connection, or a pair of files.
    Stream(Stream),
    /// A connection that is being made.
    Connecting(Connecting),
    /// Takes datagrams from all peers for this service.
    Datagram(ServiceId),
}

/// What an endpoint waits for, computed from its state whenever that may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitsFor {
    Nothing,
    /// Clients, if the loop accepts any now.
    Clients,
    For(Interest),
}

/// All slots. The columns have the same length.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    ends: Vec<Option<Ends>>,
    waits: Vec<WaitsFor>,
    generations: Vec<u32>,
    endpoints: Vec<Option<Endpoint>>,
    free: Vec<u32>,
    /// The places of endpoints that are new, or wait for something else, since the last question.
    changed: Vec<u32>,
}

impl Endpoints {
    /// Puts an endpoint into a free slot.
    pub(super) fn insert(&mut self, ends: Ends, endpoint: Endpoint) -> Token {
        let waits = endpoint.waits();
        let place = match self.free.pop() {
            Some(place) => {
                let at = place as usize;
                self.ends[at] = Some(ends);
                self.waits[at] = waits;
                self.endpoints[at] = Some(endpoint);
                place
            }
            None => {
                self.ends.push(Some(ends));
                self.waits.push(waits);
                self.generations.push(0);
                self.endpoints.push(Some(endpoint));
                (self.ends.len() - 1) as u32
            }
        };
        self.changed.push(place);
        Token { place, generation: self.generations[place as usize] }
    }

    /// Removes an endpoint. From now on its token reaches no endpoint, not even the next one in its slot.
    pub(super) fn remove(&mut self, token: Token) -> Option<(Ends, Endpoint)> {
        let at = self.find(token)?;
        let ends = self.ends[at].take()?;
        let endpoint = self.endpoints[at].take()?;
        self.waits[at] = WaitsFor::Nothing;
        self.generations[at] = self.generations[at].wrapping_add(1);
        self.free.push(token.place);
        Some((ends, endpoint))
    }

    /// Appends a row for every endpoint that waits for something, if its slot is to be asked about.
    #[inline]
    pub(super) fn ask<'fd>(
        &'fd self,
        wanted: Clients,
        is_asked: impl Fn(u32) -> bool,
        question: &mut Vec<Row<'fd>>,
    ) {
        for (place, (ends, waits)) in self.ends.iter().zip(&self.waits).enumerate() {
            state_rows(place as u32, ends, *waits, wanted, &is_asked, question);
        }
    }

    /// The places of endpoints that are new, or wait for something else, since this was last called.
    #[inline]
    pub(super) fn take_changed(&mut self) -> impl Iterator<Item = u32> {
        self.changed.drain(..)
    }

    /// For a loop without tiers.
    #[inline]
    pub(super) fn forget_changed(&mut self) {
        self.changed.clear();
    }

    /// What the next question will be about an endpoint.
    pub(super) fn next_question(&self, token: Token, wanted: Clients) -> Option<Interest> {
        self.waits[self.find(token)?].asks(wanted)
    }

    /// The token of the endpoint that is in a slot now.
    #[inline]
    pub(super) fn token_at(&self, place: u32) -> Token {
        Token { place, generation: self.generations[place as usize] }
    }

    /// An endpoint and its descriptors, if it still exists. Call [`settle`](Self::settle) after changing it.
    #[inline]
    pub(super) fn get_mut(&mut self, token: Token) -> Option<(&mut Ends, &mut Endpoint)> {
        let at = self.find(token)?;
        Some((self.ends[at].as_mut()?, self.endpoints[at].as_mut()?))
    }

    /// Like [`get_mut`](Self::get_mut) for a stream; `None` for any other endpoint.
    #[inline]
    pub(super) fn stream_mut(&mut self, token: Token) -> Option<(&mut Ends, &mut Stream)> {
        match self.get_mut(token)? {
            (ends, Endpoint::Stream(stream)) => Some((ends, stream)),
            _ => None,
        }
    }

    /// Any endpoint and its descriptors, to read.
    pub(super) fn lookup(&self, token: Token) -> Option<(&Ends, &Endpoint)> {
        let at = self.find(token)?;
        Some((self.ends[at].as_ref()?, self.endpoints[at].as_ref()?))
    }

    /// A stream and its descriptors, to read.
    pub(super) fn stream(&self, token: Token) -> Option<(&Ends, &Stream)> {
        match self.lookup(token)? {
            (ends, Endpoint::Stream(stream)) => Some((ends, stream)),
            _ => None,
        }
    }

    /// Computes again what an endpoint waits for, and what its partner waits for.
    pub(super) fn settle(&mut self, token: Token) {
        let Some(at) = self.find(token) else { return };
        let Some(endpoint) = &self.endpoints[at] else { return };
        let waits = endpoint.waits();
        if waits != self.waits[at] {
            self.waits[at] = waits;
            self.changed.push(token.place);
        }
        if let Endpoint::Stream(stream) = endpoint
            && let Some(partner) = stream.partner
        {
            let is_blocked = stream.conn.owed() > 0 || stream.failed.is_some();
            self.block(partner, is_blocked);
        }
    }

    /// Records whether bytes are queued for the partner of this stream.
    fn block(&mut self, token: Token, blocked: bool) {
        let Some(at) = self.find(token) else { return };
        if let Some(Endpoint::Stream(stream)) = &mut self.endpoints[at]
            && stream.blocked != blocked
        {
            stream.blocked = blocked;
            self.waits[at] = stream.interest().map_or(WaitsFor::Nothing, WaitsFor::For);
            self.changed.push(token.place);
        }
    }

    /// The client that was accepted last.
    pub(super) fn newest_client(&self) -> Option<Token> {
        let all = (0..).zip(&self.endpoints);
        let clients = all.filter_map(|(place, endpoint)| match endpoint {
            Some(Endpoint::Stream(stream)) if stream.accepted => Some((stream.number, place)),
            _ => None,
        });
        clients.max().map(|(_, place)| self.token_at(place))
    }

    /// All endpoints.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().flatten()
    }

    /// The tokens of the endpoints for which `is` holds.
    pub(super) fn tokens_where(&self, is: impl Fn(&Endpoint) -> bool) -> Vec<Token> {
        let all = (0..).zip(&self.endpoints);
        let wanted = all.filter(|(_, endpoint)| endpoint.as_ref().is_some_and(&is));
        wanted.map(|(place, _)| self.token_at(place)).collect()
    }

    /// The tokens of the streams for which `is` holds.
    pub(super) fn streams_where(&self, is: impl Fn(&Stream) -> bool) -> Vec<Token> {
        self.tokens_where(|endpoint| matches!(endpoint, Endpoint::Stream(stream) if is(stream)))
    }

    #[inline]
    fn find(&self, token: Token) -> Option<usize> {
        let at = token.place as usize;
        (*self.generations.get(at)? == token.generation).then_some(at)
    }
}

/// Appends the rows of one place, if it waits for something and is to be asked about.
#[inline]
fn state_rows<'fd>(
    place: u32,
    ends: &'fd Option<Ends>,
    waits: WaitsFor,
    wanted: Clients,
    is_asked: impl Fn(u32) -> bool,
    question: &mut Vec<Row<'fd>>,
) {
    // The usual case is asked about first: a `match` takes more instructions for each of thousands of rows.
    let interest = if let WaitsFor::For(interest) = waits {
        interest
    } else if waits == WaitsFor::Clients && wanted == Clients::Wanted {
        Interest::Read
    } else {
        return;
    };
    if !is_asked(place) {
        return;
    }
    let mut ask = |fd, interest| question.push(Row { fd, interest, place });
    match ends {
        // One row, because a socket is one descriptor; there may be thousands of these.
        Some(Ends::Socket(fd) | Ends::Datagrams(fd)) => ask(fd.as_fd(), interest),
        Some(Ends::Files(files)) => {
            if interest.reads()
                && let Some(fd) = &files.input
            {
                ask(fd.as_fd(), Interest::Read);
            }
            if interest.writes()
                && let Some(fd) = &files.output
            {
                ask(fd.as_fd(), Interest::Write);
            }
        }
        None => {}
    }
}

/// The endpoints, as the tiers ask about them.
pub(super) struct Asking<'fd> {
    pub(super) endpoints: &'fd Endpoints,
    pub(super) wanted: Clients,
}

impl<'fd> Places<'fd> for Asking<'fd> {
    #[inline]
    fn end(&self) -> u32 {
        self.endpoints.ends.len() as u32
    }

    #[inline]
    fn taken(&self) -> usize {
        self.endpoints.ends.len() - self.endpoints.free.len()
    }

    fn is_entrance(&self, place: u32) -> bool {
        match &self.endpoints.endpoints[place as usize] {
            Some(Endpoint::Stream(stream)) => !stream.is_connection(),
            Some(Endpoint::Listener(_) | Endpoint::Datagram(_)) => true,
            Some(Endpoint::Connecting(_)) | None => false,
        }
    }

    #[inline]
    fn ask_at(&self, place: u32, question: &mut Vec<Row<'fd>>) {
        let at = place as usize;
        let Endpoints { ends, waits, .. } = self.endpoints;
        state_rows(place, &ends[at], waits[at], self.wanted, |_| true, question);
    }

    fn ask_all(&self, question: &mut Vec<Row<'fd>>) {
        self.endpoints.ask(self.wanted, |_| true, question);
    }
}

/// Whether the loop accepts more clients now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clients {
    Wanted,
    Unwanted,
}

impl WaitsFor {
    #[inline]
    fn asks(self, wanted: Clients) -> Option<Interest> {
        match self {
            Self::For(interest) => Some(interest),
            Self::Clients if wanted == Clients::Wanted => Some(Interest::Read),
            Self::Clients | Self::Nothing => None,
        }
    }
}

impl Endpoint {
    /// The service that it belongs to.
    #[inline]
    pub(super) const fn service(&self) -> ServiceId {
        match self {
            Self::Listener(Listener { service, .. }) | Self::Datagram(service) => *service,
            Self::Stream(stream) => stream.service,
            Self::Connecting(connecting) => connecting.wish.service,
        }
    }

    fn waits(&self) -> WaitsFor {
        match self {
            Self::Listener(Listener { rests_until: None, is_observers: true, .. }) => {
                WaitsFor::For(Interest::Read)
            }
            Self::Listener(Listener { rests_until: None, .. }) => WaitsFor::Clients,
            Self::Listener(_) => WaitsFor::Nothing,
            Self::Stream(stream) => stream.interest().map_or(WaitsFor::Nothing, WaitsFor::For),
            Self::Connecting(Connecting { retry: Some(_), .. }) => WaitsFor::Nothing,
            Self::Connecting(_) => WaitsFor::For(Interest::Write),
            Self::Datagram(_) => WaitsFor::For(Interest::Read),
        }
    }

    /// The nearest moment at which this endpoint needs attention.
    pub(super) fn next_moment(&self, idle_timeout: Option<Duration>) -> Option<Instant> {
        match self {
            Self::Listener(listener) => listener.rests_until,
            Self::Stream(stream) => stream.next_deadline(idle_timeout),
            Self::Connecting(connecting) => Some(connecting.next_try()),
            Self::Datagram(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener() -> Endpoint {
        Endpoint::Listener(Listener {
            service: ServiceId(0),
            is_observers: false,
            rests_until: None,
        })
    }

    fn nothing() -> Ends {
        Ends::Files(Box::default())
    }

    #[test]
    fn a_name_does_not_reach_the_successor_in_its_place() {
        let mut endpoints = Endpoints::default();
        let first = endpoints.insert(nothing(), listener());
        assert!(endpoints.remove(first).is_some());
        assert!(endpoints.remove(first).is_none());
        let second = endpoints.insert(nothing(), listener());
        assert_eq!(second.place, first.place);
        assert!(endpoints.get_mut(first).is_none());
        assert!(endpoints.get_mut(second).is_some());
    }

    /// A server with 10,000 clients keeps 10,000 of these, most of them idle.
    #[test]
    fn an_endpoint_is_small() {
        assert!(size_of::<Endpoint>() <= 160, "{} bytes", size_of::<Endpoint>());
    }
}
