//! The loop: one wait for everybody, then one step for each who is ready.
//!
//! [`turn`](EventLoop::turn) is the whole story. Around it: `endpoints` (who is in the loop), `listener` (new clients),
//! `stream`, `files` and `ending` (bytes in, bytes out, and the end of them), `datagram` and `connecting` (the other kinds
//! of endpoint), `actions` (what services say), `deadlines` (how long to wait), `looking` (from outside).
//!
//! What it promises: a waiting loop uses no processor time; an error of one connection ends that connection; a peer
//! that does not read is not read from either, so memory has a bound; whoever is ready is served in turn, once each
//! round, with a bounded number of bytes.

mod actions;
mod connecting;
mod datagram;
mod deadlines;
mod ending;
mod endpoints;
mod files;
mod listener;
mod looking;
mod stream;
#[cfg(test)]
mod tests;
mod turn;

use std::fmt;
use std::time::{Duration, Instant};

use crate::addr::Address;
use crate::events::{Action, Ending, Service, Token};
use crate::names::Errno;
use crate::poller::{Evidence, Poller, Row, Via};
use crate::sys::Fd;
use crate::trace::Function;

use endpoints::Endpoints;

/// The limits of a loop, each with what happens when it is reached.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections that were accepted; beyond, clients wait in the listener's queue until one leaves.
    pub max_clients: usize,
    /// How long a connection may be silent before it is closed; for ever without.
    pub idle_timeout: Option<Duration>,
    /// The most that is received at once, and so per connection and turn.
    pub receive_bytes: usize,
    /// The most that may be kept in memory for one peer, because it is owed; beyond, it is dropped. (What is owed of a
    /// file stays there. What a peer itself causes stays far below: while something is owed to it, nothing more is read
    /// from it.)
    pub owed_bytes: usize,
    /// The system's send buffer (`SO_SNDBUF`) of connections that the loop makes; those that it accepts have their
    /// listener's.
    pub send_buffer: Option<i32>,
    /// After the first signal, how long to go on sending what is owed.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_clients: usize::MAX,
            idle_timeout: None,
            receive_bytes: 64 * 1024,
            owed_bytes: 1024 * 1024,
            send_buffer: None,
            drain: Duration::from_secs(5),
        }
    }
}

/// Something that whoever runs the loop may want to tell a person.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A connection was accepted, or made.
    Opened(&'a Address),
    /// A connection has ended in the ordinary way.
    Closed(&'a Address),
    /// A call failed, and with it the connection.
    Failed(&'a Address, Function, Errno),
    /// A file, a pipe or a terminal could not be read or written.
    FileFailed(Function, Errno),
    /// A connection could not be made.
    NotConnected {
        /// The address that was tried.
        address: &'a Address,
        /// Why.
        errno: Errno,
        /// How many other addresses are tried now.
        others: usize,
    },
    /// A connection was silent for too long.
    TimedOut(&'a Address),
    /// A peer did not read, and too much was owed to it.
    TooSlow(&'a Address),
    /// Its descriptor cannot be watched: a number from FD_SETSIZE on, under `select`.
    Unwatchable(&'a Address, i32),
    /// `accept` found no descriptor free, or no memory; no client is accepted until one is, or a moment has passed.
    NoDescriptor(Errno),
    /// `accept` failed otherwise; the listener goes on after a moment.
    AcceptFailed(Errno),
    /// A datagram could not be sent or received; the server goes on.
    DatagramFailed(Errno),
    /// The loop ends: so many connections are still owed something.
    Draining(usize),
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    Continue,
    /// The loop was asked to end, and has.
    Ended,
}

/// A loop over one poller.
pub struct EventLoop {
    poller: Box<dyn Poller>,
    /// Each in its place, except the one that is speaking.
    services: Vec<Option<Box<dyn Service>>>,
    endpoints: Endpoints,
    limits: Limits,
    /// One receive buffer for everybody.
    buffer: Vec<u8>,
    later: Later,
    /// The reading end of the self-pipe, if signals come through one.
    self_pipe: Option<Token>,
    /// The loop was asked to end: until when it sends what is owed.
    draining: Option<Instant>,
    /// Whether anybody may have a deadline.
    has_deadlines: bool,
    /// Whether a listener waits for a descriptor to become free.
    paused: bool,
    /// Connections that were accepted.
    clients: usize,
    /// These, and those that were asked for.
    connections: usize,
    turns: usize,
    on_notice: Box<dyn FnMut(&Notice<'_>)>,
    scratch: Scratch,
}

/// Memory that is used again each turn, and holds nothing between turns.
#[derive(Default)]
struct Scratch {
    question: Vec<Row<'static>>,
    evidence: Vec<Evidence>,
    actions: Vec<Action<'static>>,
}

/// What the services are told when none of them is speaking. While one is, it is borrowed by its own actions.
#[derive(Default)]
struct Later {
    /// Connections that are closed.
    endings: Vec<(Token, ServiceId, Ending)>,
    /// Connections that were asked for and made.
    arrivals: Vec<(Fd, Address, ServiceId, Token)>,
    /// Connections that were asked for in vain.
    refusals: Vec<(Token, ServiceId, Errno)>,
}

impl Later {
    fn is_empty(&self) -> bool {
        self.endings.is_empty() && self.arrivals.is_empty() && self.refusals.is_empty()
    }
}

/// Names a service of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceId(usize);

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop")
            .field("via", &self.poller.via())
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

impl EventLoop {
    /// A loop without anybody in it.
    pub fn new(via: Via, limits: Limits) -> Self {
        Self {
            poller: via.poller(),
            services: Vec::new(),
            endpoints: Endpoints::default(),
            limits,
            buffer: vec![0; limits.receive_bytes],
            later: Later::default(),
            self_pipe: None,
            draining: None,
            has_deadlines: false,
            paused: false,
            clients: 0,
            connections: 0,
            turns: 0,
            on_notice: Box::new(|_| {}),
            scratch: Scratch::default(),
        }
    }

    /// Calls `on_notice` with whatever is worth telling.
    pub fn notify(&mut self, on_notice: impl FnMut(&Notice<'_>) + 'static) {
        self.on_notice = Box::new(on_notice);
    }

    /// Adds a service.
    pub fn add_service(&mut self, service: Box<dyn Service>) -> ServiceId {
        self.services.push(Some(service));
        ServiceId(self.services.len() - 1)
    }

    /// How many connections there are that were accepted.
    pub const fn clients(&self) -> usize {
        self.clients
    }

    fn notice(&mut self, notice: &Notice<'_>) {
        (self.on_notice)(notice);
    }
}
