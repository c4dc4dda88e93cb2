//! The values that pass between the loop and the services: what happened, and what to do about it.
//!
//! A service receives [`LoopEvent`]s and answers with [`Action`]s. Only the loop performs the actions: a service has no
//! descriptor and makes no call on one, so a service is a function from bytes to bytes that a test can call.

use std::time::Duration;

use crate::addr::Address;
use crate::conn::FilePart;
use crate::names::Errno;
use crate::poller::emptied;

/// The name of an endpoint of the loop. Slots are reused, so a token carries a generation: an action meant for an
/// endpoint that is closed never reaches the next endpoint in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    pub(crate) place: u32,
    pub(crate) generation: u32,
}

impl Token {
    /// The number of its slot, for a page that shows the loop: no other open endpoint has it.
    pub const fn slot(self) -> u32 {
        self.place
    }
}

/// The name of a service in a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceId(pub(crate) u32);

/// What happened at an endpoint.
#[derive(Debug)]
pub enum LoopEvent<'a> {
    /// A connection has been made. This is the first event of every connection.
    Opened {
        /// The address of the other end.
        peer: &'a Address,
        /// The endpoint whose [`Action::Open`] asked for the connection; `None` for an accepted client.
        asked_by: Option<Token>,
    },
    /// [`Action::Open`] has tried every address without success; sent to the endpoint that asked.
    NotOpened(Errno),
    /// Bytes have arrived: the bytes that the service kept last time, then the new ones (none after
    /// [`LoopEvent::Room`]). The service has used all of them, except those that it keeps with [`Action::Keep`].
    Bytes(&'a [u8]),
    /// A datagram has arrived.
    Datagram {
        /// The address of the sender.
        from: &'a Address,
        /// The payload, which may be empty.
        bytes: &'a [u8],
    },
    /// All bytes queued for this endpoint are sent. Only reported after [`Action::WantRoom`]. If the service kept
    /// bytes, they are presented next.
    Room,
    /// The peer has closed its half: it sends no more, and can still receive.
    PeerFinished,
    /// The time set with [`Action::Deadline`] is over.
    Deadline,
    /// The connection is closed: the last event of every connection.
    Closed(Ending),
}

/// Why a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The service asked for it, or both sides have closed their halves.
    Finished,
    /// A call failed with this errno: the peer is gone.
    Failed(Errno),
    /// More bytes than allowed were queued for a peer that does not read.
    TooSlow,
    /// No byte arrived or left for longer than the idle timeout.
    Silent,
    /// The poller cannot watch this many descriptors.
    Refused,
}

/// What the loop should do. Everything that an action needs is borrowed, so that it costs nothing to drop.
#[derive(Clone, Copy, Debug)]
pub enum Action<'a> {
    /// Sends these bytes to a connection.
    Send {
        /// The destination.
        to: Token,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// Sends these bytes to a connection, and then a part of a file. The part that the kernel does not take at once
    /// stays in the file. If the file becomes shorter in the meantime, the loop resets the connection, because an
    /// answer that has begun cannot be completed.
    SendFile {
        /// The destination.
        to: Token,
        /// The bytes that go before the file.
        head: &'a [u8],
        /// The file, and which bytes of it.
        part: &'a FilePart,
    },
    /// Sends one datagram. If the kernel has no room for it now, the datagram is lost, as datagrams may be.
    SendDatagram {
        /// The endpoint that sends it.
        by: Token,
        /// The destination.
        to: &'a Address,
        /// The payload.
        bytes: &'a [u8],
    },
    /// The last N bytes of the event are not used yet: present them again, before the bytes that arrive next.
    Keep(usize),
    /// Reports [`LoopEvent::Room`] when all bytes queued for this connection are sent, in the next turn at the
    /// earliest. An endless answer, or a thousand answers to one batch, is sent in pieces this way, each after the peer
    /// has taken the one before. Kept bytes wait until then, and the loop reads nothing more from this connection.
    WantRoom(Token),
    /// Reports [`LoopEvent::Deadline`] after this time; `None` cancels the last deadline.
    Deadline(Token, Option<Duration>),
    /// Connects to the first of these addresses that answers, each within the time limit. The connection belongs to the
    /// same service, and its first event names the endpoint that asked.
    Open {
        /// The endpoint that asks.
        by: Token,
        /// The addresses, tried in this order.
        addresses: &'a [Address],
        /// The time limit for each address.
        time_limit: Duration,
    },
    /// Cancels what this endpoint has asked for with [`Action::Open`], because it no longer needs the connection.
    GiveUp(Token),
    /// Couples two connections, as a relay does: while bytes are queued for one, the loop reads nothing from the other
    /// (backpressure). Bytes leave at once (`TCP_NODELAY`).
    Couple(Token, Token),
    /// Lets the kernel move the bytes between two coupled connections, in both directions, where the system can
    /// (`splice`): the service does not see these bytes. A few may still come as [`LoopEvent::Bytes`], because the kernel
    /// cannot move all; the service sends them itself.
    Splice(Token, Token),
    /// Reads nothing from this connection until [`Action::Release`].
    Hold(Token),
    /// Reads from a held connection again.
    Release(Token),
    /// No more bytes will follow: when all queued bytes are sent, the loop closes our half, and keeps receiving.
    Finish(Token),
    /// Closes gracefully: when all queued bytes are sent, the loop closes our half; when the peer has closed its half
    /// too, or after a time limit, the loop closes the socket. Bytes that the peer still sends are discarded. (Closing
    /// a socket with unread bytes sends a reset, which could destroy bytes on their way to the peer.)
    Close(Token),
    /// Closes at once, with a reset.
    Abort(Token),
    /// Closes the listeners of this service: no more clients are accepted.
    Unlisten,
    /// Ends the whole loop.
    Stop,
}

/// The actions of a service, in this order. The first action has a field of its own, because usually it is the only
/// one; then the memory for the others is not touched.
#[derive(Debug, Default)]
pub struct Actions<'a> {
    first: Option<Action<'a>>,
    others: Vec<Action<'a>>,
}

impl<'a> Actions<'a> {
    /// No actions yet.
    pub const fn new() -> Self {
        Self { first: None, others: Vec::new() }
    }

    /// No actions yet, in the memory of an earlier event. Usually there is none, because no event had two actions.
    #[inline]
    pub(crate) fn in_memory(memory: &mut Vec<Action<'a>>) -> Self {
        match memory.capacity() {
            0 => Self::new(),
            _ => Self { first: None, others: std::mem::take(memory) },
        }
    }

    /// Appends an action.
    #[inline]
    pub fn push(&mut self, action: Action<'a>) {
        if self.first.is_some() {
            return self.others.push(action);
        }
        self.first = Some(action);
    }

    /// All actions, in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &Action<'a>> {
        self.first.iter().chain(&self.others)
    }

    /// The action with this number, counted from 0.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> Option<&Action<'a>> {
        match number.checked_sub(1) {
            None => self.first.as_ref(),
            Some(other) => self.others.get(other),
        }
    }

    /// Gives the memory of the other actions back, for the next event.
    #[inline]
    pub(crate) fn give_memory_back(&mut self, memory: &mut Vec<Action<'_>>) {
        if self.others.capacity() > 0 {
            *memory = emptied(std::mem::take(&mut self.others));
        }
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

/// A server's or client's own part: decides what to do when something happens.
pub trait Service {
    /// Answers one event at one endpoint. The actions may borrow the event's bytes or the service's own.
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>);
}

/// What a service knows about each of its connections: a map from tokens, as fast as an index.
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
    /// Adds an entry; an entry of an earlier endpoint in the same slot is dropped.
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

    /// The entry of a token, to change it.
    pub fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        let (generation, entry) = self.places.get_mut(token.place as usize)?.as_mut()?;
        (*generation == token.generation).then_some(entry)
    }

    /// The entry of a token, which is made if there is none.
    pub fn entry(&mut self, token: Token) -> &mut T
    where
        T: Default,
    {
        let place = token.place as usize;
        if self.places.len() <= place {
            self.places.resize_with(place + 1, || None);
        }
        let slot = &mut self.places[place];
        // An entry of an earlier endpoint in the same slot.
        slot.take_if(|(generation, _)| *generation != token.generation);
        let (_, entry) = slot.get_or_insert_with(|| (token.generation, T::default()));
        entry
    }

    /// Removes an entry and returns it.
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

    /// A token for a test.
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
