//! What happens, and what is to be done about it: the values that pass between the loop and the services.
//!
//! A service is told [`Event`]s and answers with [`Action`]s. Only the loop performs them: a service has no
//! descriptor and makes no call, so it is a function from bytes to bytes that a test can call.

use crate::addr::Address;
use crate::names::Errno;

/// Names an endpoint of the loop. Places are used again, so a name carries a generation: what was meant for one that
/// is gone never reaches its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    pub(crate) place: u32,
    pub(crate) generation: u32,
}

/// What happened at an endpoint.
#[derive(Debug)]
pub enum Event<'a> {
    /// A connection has been made.
    Opened {
        /// The other end.
        peer: &'a Address,
    },
    /// Bytes have come: those that the service kept last time, and new ones. All are taken as used, except those that
    /// it keeps ([`Action::Keep`]).
    Bytes(&'a [u8]),
    /// Everything that was owed to this endpoint is sent (only if asked for with [`Action::WantRoom`]).
    Room,
    /// The peer has finished sending. What is owed to it can still be sent.
    PeerFinished,
    /// The connection has failed, or its time was over; it is closed already.
    Failed(Errno),
}

/// What is to be done.
#[derive(Debug)]
pub enum Action<'a> {
    /// Send these bytes to an endpoint.
    Send {
        /// To whom.
        to: Token,
        /// What.
        bytes: &'a [u8],
    },
    /// The last so many of the bytes are not used yet: present them again, before what comes next.
    Keep(usize),
    /// Tell when everything owed to this endpoint is sent.
    WantRoom(Token),
    /// Nothing more will be sent: when everything owed is, end our half, and go on receiving.
    Finish(Token),
    /// When everything owed is sent, close.
    Close(Token),
    /// A signal asks the whole loop to end.
    Stop,
}

/// A server's or client's own part: what is to be done when something happens.
pub trait Service {
    /// Answers one event at one endpoint.
    fn on<'a>(&'a mut self, who: Token, event: Event<'a>, actions: &mut Vec<Action<'a>>);
}
