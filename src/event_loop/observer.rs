//! The observer: a service through which a person watches the very loop that serves it.
//!
//! Watching must not change what is watched. So the calls on the observer's endpoints are not traced, its connections
//! are not counted as clients, and no limit for clients applies to them; and the loop can stand still for everything
//! but the observer.

use std::time::Instant;

use crate::events::{ServiceId, Token, TokenMap};
use crate::names::{AF_INET, Protocol, SOCK_STREAM};
use crate::poller::Poller;
use crate::sys::{self, FD_CLOEXEC, Fd};

/// How many descriptors are kept for connections to the observer: a browser opens a few at a time.
const SPARES: usize = 6;

/// The observer, and what the loop counts for it.
#[derive(Debug)]
pub(super) struct Observer {
    pub(super) service: ServiceId,
    /// Whether the loop serves nothing but the observer and signals.
    pub(super) stands_still: bool,
    /// The next wait ends at this moment at the latest.
    pub(super) wake_at: Option<Instant>,
    /// Whether this turn has served another endpoint than the observer's, and how many turns before it have.
    pub(super) serves_others: bool,
    pub(super) served_turns: u64,
    tallies: TokenMap<ByteTally>,
    /// Of all endpoints that there have been, without the observer's.
    pub(super) total: ByteTally,
    /// Sockets that only occupy descriptors. One is closed before a connection to the observer is accepted, so that a
    /// person can look at a server whose clients have taken all other descriptors, or all with a bit in an fd_set.
    spares: Vec<Fd>,
    wanted_spares: usize,
    /// Its connections get numbers from here on, so that those of another thread's descriptors are not changed; 0: any.
    lowest: i32,
}

/// How many bytes an endpoint has moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ByteTally {
    /// Received from the peer.
    pub(super) received: u64,
    /// Given to the endpoint to be sent; some may still be queued.
    pub(super) accepted: u64,
}

impl Observer {
    pub(super) fn new(service: ServiceId) -> Self {
        Self {
            service,
            stands_still: false,
            wake_at: None,
            serves_others: false,
            served_turns: 0,
            tallies: TokenMap::default(),
            total: ByteTally::default(),
            spares: Vec::new(),
            wanted_spares: SPARES,
            lowest: 0,
        }
    }

    /// An observer whose connections get numbers from `lowest` on. It has no spares, which would take low numbers.
    pub(super) fn above(service: ServiceId, lowest: i32) -> Self {
        Self { wanted_spares: 0, lowest, ..Self::new(service) }
    }

    /// The same connection with the number that it is to have, if one is free.
    pub(super) fn move_up(&self, fd: Fd) -> Fd {
        match self.lowest {
            0 => fd,
            lowest => sys::fcntl_dupfd_cloexec(&fd, lowest).unwrap_or(fd),
        }
    }

    #[inline]
    pub(super) fn count_received(&mut self, who: Token, service: ServiceId, bytes: usize) {
        if service != self.service {
            self.tallies.entry(who).received += bytes as u64;
            self.total.received += bytes as u64;
        }
    }

    #[inline]
    pub(super) fn count_accepted(&mut self, who: Token, service: ServiceId, bytes: usize) {
        if service != self.service {
            self.tallies.entry(who).accepted += bytes as u64;
            self.total.accepted += bytes as u64;
        }
    }

    pub(super) fn tally(&self, who: Token) -> ByteTally {
        self.tallies.get(who).copied().unwrap_or_default()
    }

    /// Closes a spare, so that the next call finds a free descriptor.
    pub(super) fn free_spare(&mut self) {
        self.spares.pop();
    }

    /// The loop ends: the spares are closed, and no more are made.
    pub(super) fn close_spares(&mut self) {
        self.wanted_spares = 0;
        self.spares.clear();
    }

    /// Makes the missing spares, as far as descriptors are free that the poller can watch.
    pub(super) fn keep_spares(&mut self, poller: &dyn Poller) {
        while self.spares.len() < self.wanted_spares {
            let Ok(spare) = sys::socket(AF_INET, SOCK_STREAM, Protocol::default()) else { return };
            if !poller.can_watch(spare.number()) || sys::fcntl_setfd(&spare, FD_CLOEXEC).is_err() {
                return;
            }
            self.spares.push(spare);
        }
    }
}
