//! Who is in the loop: places that are used again, each with a generation.
//!
//! What every turn looks at stands in columns of its own: the descriptors, and what each waits for. With 9,000 idle
//! connections a turn walks over 150 KB of these, instead of over the megabyte that is known of all.

use std::time::{Duration, Instant};

use super::ServiceId;
use super::connecting::Connecting;
use super::stream::Stream;
use crate::conn::Ends;
use crate::events::Token;
use crate::poller::{Interest, Row};
use crate::sys::AsFd;

/// One who is in the loop.
#[derive(Debug)]
pub(super) enum Endpoint {
    /// Makes connections.
    Listener(Listener),
    /// Is one.
    Stream(Stream),
    /// Will be one.
    Connecting(Connecting),
    /// Takes datagrams from everybody, for this service.
    Datagram(ServiceId),
}

/// One who makes connections.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) service: ServiceId,
    /// No descriptor was left: not before this moment.
    pub(super) paused_until: Option<Instant>,
}

/// What an endpoint waits for: computed from its state whenever that may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Nothing,
    /// For clients, if the loop wants any.
    Clients,
    For(Interest),
}

/// All places. The columns are of one length.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    ends: Vec<Option<Ends>>,
    waits: Vec<Waits>,
    generations: Vec<u32>,
    endpoints: Vec<Option<Endpoint>>,
    free: Vec<u32>,
    /// Became free in this turn, and is given to nobody before the next: the evidence of this turn still speaks of
    /// its old owner.
    freed: Vec<u32>,
}

impl Endpoints {
    /// Gives an endpoint a place.
    pub(super) fn insert(&mut self, ends: Ends, endpoint: Endpoint) -> Token {
        let waits = endpoint.waits();
        let place = match self.free.pop() {
            Some(place) => {
                let at = place as usize;
                (self.ends[at], self.waits[at]) = (Some(ends), waits);
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
        Token { place, generation: self.generations[place as usize] }
    }

    /// Takes an endpoint out; what was meant for it reaches nobody from now on.
    pub(super) fn remove(&mut self, token: Token) -> Option<(Ends, Endpoint)> {
        let at = self.find(token)?;
        let ends = self.ends[at].take()?;
        let endpoint = self.endpoints[at].take()?;
        self.waits[at] = Waits::Nothing;
        self.generations[at] = self.generations[at].wrapping_add(1);
        self.freed.push(token.place);
        Some((ends, endpoint))
    }

    /// A new turn begins: places that became free in the last may be used.
    pub(super) fn begin_turn(&mut self) {
        self.free.append(&mut self.freed);
    }

    /// Appends a row for everybody who waits for something.
    pub(super) fn ask<'fd>(&'fd self, clients_wanted: bool, question: &mut Vec<Row<'fd>>) {
        for (place, (ends, waits)) in self.ends.iter().zip(&self.waits).enumerate() {
            let interest = if let Waits::For(interest) = waits {
                *interest
            } else if clients_wanted && *waits == Waits::Clients {
                Interest::Read
            } else {
                continue;
            };
            let mut ask = |fd, interest| question.push(Row { fd, interest, place: place as u32 });
            match ends {
                // One row, whatever is asked about it; and there may be thousands of these.
                Some(Ends::Socket(fd) | Ends::Datagrams(fd)) => ask(fd.as_fd(), interest),
                Some(Ends::Files(files)) => {
                    let input = files.input.as_ref().filter(|_| interest.reads());
                    let output = files.output.as_ref().filter(|_| interest.writes());
                    input.into_iter().for_each(|fd| ask(fd.as_fd(), Interest::Read));
                    output.into_iter().for_each(|fd| ask(fd.as_fd(), Interest::Write));
                }
                None => {}
            }
        }
    }

    /// Who is at a place now.
    pub(super) fn at(&self, place: u32) -> Option<(Token, &Endpoint)> {
        let endpoint = self.endpoints.get(place as usize)?.as_ref()?;
        Some((Token { place, generation: self.generations[place as usize] }, endpoint))
    }

    /// Looks at a stream.
    pub(super) fn stream(&self, token: Token) -> Option<&Stream> {
        match self.endpoints[self.find(token)?].as_ref()? {
            Endpoint::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// The descriptors of whoever it is.
    pub(super) fn ends(&self, token: Token) -> Option<&Ends> {
        self.ends[self.find(token)?].as_ref()
    }

    /// Does something with a stream; afterwards what it waits for is computed anew.
    pub(super) fn with_stream<T>(
        &mut self,
        token: Token,
        what: impl FnOnce(&mut Ends, &mut Stream) -> T,
    ) -> Option<T> {
        let at = self.find(token)?;
        let (Some(ends), Some(Endpoint::Stream(stream))) =
            (&mut self.ends[at], &mut self.endpoints[at])
        else {
            return None;
        };
        let result = what(ends, stream);
        let (is_owed, partner) = (stream.conn.owed() > 0, stream.partner);
        self.waits[at] = stream.interest().map_or(Waits::Nothing, Waits::For);
        if let Some(partner) = partner {
            self.block(partner, is_owed);
        }
        Some(result)
    }

    /// Says whether something is owed to the partner of this stream.
    fn block(&mut self, token: Token, blocked: bool) {
        let Some(at) = self.find(token) else { return };
        if let Some(Endpoint::Stream(stream)) = &mut self.endpoints[at]
            && stream.blocked != blocked
        {
            stream.blocked = blocked;
            self.waits[at] = stream.interest().map_or(Waits::Nothing, Waits::For);
        }
    }

    /// Does something with a listener; afterwards what it waits for is computed anew.
    pub(super) fn with_listener<T>(
        &mut self,
        token: Token,
        what: impl FnOnce(&Ends, &mut Listener) -> T,
    ) -> Option<T> {
        let at = self.find(token)?;
        let (Some(ends), Some(endpoint)) = (&self.ends[at], &mut self.endpoints[at]) else {
            return None;
        };
        let Endpoint::Listener(listener) = endpoint else { return None };
        let result = what(ends, listener);
        self.waits[at] = endpoint.waits();
        Some(result)
    }

    /// Everybody.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().flatten()
    }

    /// The names of those for whom `is` holds.
    pub(super) fn tokens_where(&self, is: impl Fn(&Endpoint) -> bool) -> Vec<Token> {
        let places = 0..self.endpoints.len() as u32;
        let all = places.filter_map(|place| self.at(place));
        all.filter(|(_, endpoint)| is(endpoint)).map(|(token, _)| token).collect()
    }

    fn find(&self, token: Token) -> Option<usize> {
        let at = token.place as usize;
        (*self.generations.get(at)? == token.generation).then_some(at)
    }
}

impl Endpoint {
    fn waits(&self) -> Waits {
        match self {
            Self::Listener(Listener { paused_until: None, .. }) => Waits::Clients,
            Self::Listener(_) => Waits::Nothing,
            Self::Stream(stream) => stream.interest().map_or(Waits::Nothing, Waits::For),
            Self::Connecting(_) => Waits::For(Interest::Write),
            Self::Datagram(_) => Waits::For(Interest::Read),
        }
    }

    /// The nearest moment at which something is to be done about it.
    pub(super) fn next_deadline(&self, idle_timeout: Option<Duration>) -> Option<Instant> {
        match self {
            Self::Listener(listener) => listener.paused_until,
            Self::Stream(stream) => stream.next_deadline(idle_timeout),
            Self::Connecting(connecting) => Some(connecting.deadline),
            Self::Datagram(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener() -> Endpoint {
        Endpoint::Listener(Listener { service: ServiceId(0), paused_until: None })
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
        endpoints.begin_turn();
        let second = endpoints.insert(nothing(), listener());
        assert_eq!(second.place, first.place);
        assert!(endpoints.with_listener(first, |_, _| ()).is_none());
        assert!(endpoints.with_listener(second, |_, _| ()).is_some());
    }

    #[test]
    fn a_place_is_not_used_again_within_the_turn_that_freed_it() {
        let mut endpoints = Endpoints::default();
        let first = endpoints.insert(nothing(), listener());
        endpoints.remove(first);
        let second = endpoints.insert(nothing(), listener());
        assert_ne!(second.place, first.place);
        assert!(endpoints.at(first.place).is_none());
    }
}
