//! What happens, and what is to be done about it: the values that pass between the loop and the services.
//!
//! A service is told [`LoopEvent`]s and answers with [`Action`]s. Only the loop performs them: a service has no
//! descriptor and makes no call on one, so it is a function from bytes to bytes that a test can call.

use std::time::Duration;

use crate::addr::Address;
use crate::conn::FilePart;
use crate::names::Errno;

/// Names an endpoint of the loop. Places are used again, so a name carries a generation: what was meant for one that
/// is gone never reaches its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    pub(crate) place: u32,
    pub(crate) generation: u32,
}

/// Names a service of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceId(pub(crate) u32);

/// What happened at an endpoint.
#[derive(Debug)]
pub enum LoopEvent<'a> {
    /// A connection has been made: the first event of every connection.
    Opened {
        /// The other end.
        peer: &'a Address,
        /// Whose [`Action::Open`] made it; none for a client that was accepted.
        asked_by: Option<Token>,
    },
    /// [`Action::Open`] has tried every address in vain; sent to the endpoint that asked.
    NotOpened(Errno),
    /// Bytes have come: those that the service kept last time, and new ones (none after [`LoopEvent::Room`]). All are taken
    /// as used, except those that it keeps ([`Action::Keep`]).
    Bytes(&'a [u8]),
    /// A datagram has come.
    Datagram {
        /// The sender.
        from: &'a Address,
        /// What; perhaps nothing.
        bytes: &'a [u8],
    },
    /// All bytes queued for this endpoint are sent (only if requested with [`Action::WantRoom`]). If bytes were kept,
    /// they are presented next.
    Room,
    /// The peer has finished sending. It can still receive.
    PeerFinished,
    /// The time set with [`Action::Deadline`] is over.
    Deadline,
    /// The connection is closed: the last event of every connection.
    Closed(Ending),
}

/// Why a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The service asked for it, or both sides have finished.
    Finished,
    /// A call failed: the peer is gone.
    Failed(Errno),
    /// Too many bytes were queued for the peer, which does not read.
    TooSlow,
    /// It was silent for too long.
    Silent,
    /// The poller may not be asked about so many descriptors.
    Refused,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action<'a> {
    /// Send these bytes to a connection.
    Send {
        /// The destination.
        to: Token,
        /// What.
        bytes: &'a [u8],
    },
    /// Send these bytes to a connection, and then a part of a file. What is not sent at once stays in the file; if that
    /// becomes shorter meanwhile, the connection ends with a reset, for what was begun cannot be completed.
    SendFile {
        /// The destination.
        to: Token,
        /// What before it.
        head: &'a [u8],
        /// Which part of which file.
        part: FilePart,
    },
    /// Send one datagram. If there is no room for it now, it is lost, as datagrams may be.
    SendDatagram {
        /// From which endpoint.
        by: Token,
        /// The destination.
        to: Address,
        /// What.
        bytes: &'a [u8],
    },
    /// The last so many of the bytes are not used yet: present them again, before what comes next.
    Keep(usize),
    /// Send [`LoopEvent::Room`] when all bytes queued for this connection are sent, in the next turn at the earliest:
    /// so an endless answer, or a thousand answers to one batch, is sent in pieces, each after the peer has taken the
    /// one before. Kept bytes wait until then, and nothing more is read.
    WantRoom(Token),
    /// Tell ([`LoopEvent::Deadline`]) when so much time is over; `None` takes the last one back.
    Deadline(Token, Option<Duration>),
    /// Make a connection to the first of these addresses that answers, each within the time limit. It belongs to the
    /// same service, and its first event names the endpoint that asked.
    Open {
        /// The endpoint that asks.
        by: Token,
        /// The addresses, tried in turn.
        addresses: &'a [Address],
        /// The time limit of each.
        time_limit: Duration,
    },
    /// Make no connection any more that this endpoint has asked for with [`Action::Open`]: it has no use for it.
    GiveUp(Token),
    /// Couple two connections: while bytes are queued for one, nothing is read from the other (backpressure). Bytes
    /// leave at once (`TCP_NODELAY`).
    Couple(Token, Token),
    /// Read nothing from this connection until it is released.
    Hold(Token),
    /// Read again from a connection that was held.
    Release(Token),
    /// No more bytes will follow: when all queued bytes are sent, end our half, and keep receiving.
    Finish(Token),
    /// Close gracefully: when all queued bytes are sent, end our half; when the peer has finished too, or after a
    /// moment, close. Bytes that the peer still sends are discarded. (Closing at once would send a reset if there were
    /// unread bytes, and could destroy bytes on their way.)
    Close(Token),
    /// Close at once, with a reset.
    Abort(Token),
    /// Close the listeners of this service: no more clients are accepted.
    Unlisten,
    /// The whole loop is to end.
    Stop,
}

/// What a service says is to be done, in this order. The first action has its place here, for mostly it is the only one: the
/// memory for the others is not touched then.
#[derive(Debug, Default)]
pub struct Actions<'a> {
    first: Option<Action<'a>>,
    others: Vec<Action<'a>>,
}

impl<'a> Actions<'a> {
    /// None yet.
    pub const fn new() -> Self {
        Self::in_memory(Vec::new())
    }

    /// None yet, and room for others in memory that is used again.
    pub(crate) const fn in_memory(others: Vec<Action<'a>>) -> Self {
        Self { first: None, others }
    }

    /// Adds one more.
    #[inline]
    pub fn push(&mut self, action: Action<'a>) {
        match self.first {
            None => self.first = Some(action),
            Some(_) => self.others.push(action),
        }
    }

    /// All of them, in their order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &Action<'a>> {
        self.first.iter().chain(&self.others)
    }

    /// The memory of the others; all of them are done.
    #[inline]
    pub(crate) fn into_memory(self) -> Vec<Action<'a>> {
        self.others
    }
}

impl<'a> IntoIterator for Actions<'a> {
    type Item = Action<'a>;
    type IntoIter =
        std::iter::Chain<std::option::IntoIter<Action<'a>>, std::vec::IntoIter<Action<'a>>>;
    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.others)
    }
}

impl<'a> Extend<Action<'a>> for Actions<'a> {
    fn extend<I: IntoIterator<Item = Action<'a>>>(&mut self, actions: I) {
        actions.into_iter().for_each(|action| self.push(action));
    }
}

/// A server's or client's own part: what is to be done when something happens.
pub trait Service {
    /// Answers one event at one endpoint. What the actions borrow may be the event's bytes or the service's own.
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>);
}

/// What a service knows of each of its connections: a map from tokens, as quick as an index.
#[derive(Debug)]
pub struct TokenMap<T> {
    places: Vec<Option<(u32, T)>>,
}

impl<T> Default for TokenMap<T> {
    fn default() -> Self {
        Self { places: Vec::new() }
    }
}

impl<T> TokenMap<T> {
    /// Adds an entry; what stood there for a predecessor in the same place is gone.
    pub fn insert(&mut self, token: Token, entry: T) {
        let place = token.place as usize;
        if self.places.len() <= place {
            self.places.resize_with(place + 1, || None);
        }
        self.places[place] = Some((token.generation, entry));
    }

    /// The entry of a token.
    pub fn get(&self, token: Token) -> Option<&T> {
        let (generation, entry) = self.places.get(token.place as usize)?.as_ref()?;
        (*generation == token.generation).then_some(entry)
    }

    /// The entry of a token, to be changed.
    pub fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        let (generation, entry) = self.places.get_mut(token.place as usize)?.as_mut()?;
        (*generation == token.generation).then_some(entry)
    }

    /// Takes an entry out.
    pub fn remove(&mut self, token: Token) -> Option<T> {
        self.get(token)?;
        self.places[token.place as usize].take().map(|(_, entry)| entry)
    }

    /// Every entry with its token.
    pub fn iter(&self) -> impl Iterator<Item = (Token, &T)> {
        self.places.iter().enumerate().filter_map(|(place, entry)| {
            let (generation, entry) = entry.as_ref()?;
            Some((Token { place: place as u32, generation: *generation }, entry))
        })
    }
}

/// For tests of services: tokens, and a service driven without a loop.
#[cfg(test)]
pub(crate) mod testing {
    use super::{Action, Actions, LoopEvent, Service, Token};

    /// A token that a test may use.
    pub(crate) fn token(place: u32) -> Token {
        Token { place, generation: 0 }
    }

    /// What a service says in answer to an event.
    pub(crate) fn answers<'a>(
        service: &'a mut impl Service,
        who: Token,
        event: LoopEvent<'a>,
    ) -> Vec<Action<'a>> {
        let mut actions = Actions::new();
        service.on(who, event, &mut actions);
        actions.into_iter().collect()
    }

    /// What a service sends to `who` in answer to an event.
    pub(crate) fn sent(service: &mut impl Service, who: Token, event: LoopEvent<'_>) -> Vec<u8> {
        let actions = answers(service, who, event);
        let bytes = actions.iter().filter_map(|action| match action {
            Action::Send { to, bytes } if *to == who => Some(*bytes),
            _ => None,
        });
        bytes.flatten().copied().collect()
    }
}
