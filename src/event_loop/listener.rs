//! Listeners: a listener only makes other sockets.

use std::time::{Duration, Instant};

use super::endpoints::{Endpoint, Listener};
use super::{EventLoop, Notice, ServiceId};
use crate::addr::Address;
use crate::conn::Ends;
use crate::events::Token;
use crate::names::Errno;
use crate::os::accepting::accept_nonblocking;
use crate::sys::Fd;
use crate::trace;

/// The most that one listener accepts in one turn; the rest wait for the next.
const ACCEPTS_PER_TURN: usize = 256;

/// After EMFILE, how long until accepting is tried again even if no connection of ours has ended: a descriptor may
/// have become free elsewhere.
const PAUSE: Duration = Duration::from_secs(1);

impl EventLoop {
    /// Adds a listener, which must be non-blocking; its connections are `service`'s.
    pub fn add_listener(&mut self, fd: Fd, service: ServiceId) -> Token {
        let listener = Listener { service, paused_until: None };
        self.endpoints.insert(Ends::Socket(fd), Endpoint::Listener(listener))
    }

    /// Accepts all who wait. (Only listeners are emptied: a stream gets one receive in each turn, and would cost a
    /// call more to find that nothing is left.)
    pub(super) fn accept(&mut self, token: Token) {
        for _ in 0..ACCEPTS_PER_TURN {
            if self.clients >= self.limits.max_clients {
                return;
            }
            let accepted = self.endpoints.with_listener(token, |ends, listener| {
                ends.input().map(|fd| (accept_nonblocking(fd), listener.service))
            });
            let Some((accepted, service)) = accepted.flatten() else { return };
            match accepted {
                Ok((fd, peer)) => self.welcome(fd, peer, service),
                Err(Errno::EAGAIN) => return,
                Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM)) => {
                    // The connection stays in the queue and the listener stays ready: asking on would spin.
                    self.pause(token);
                    return self.notice(&Notice::NoDescriptor(errno));
                }
                Err(errno) if is_of_the_client(errno) => {}
                // Whatever it is, it may be so again at once.
                Err(errno) => {
                    self.pause(token);
                    return self.notice(&Notice::AcceptFailed(errno));
                }
            }
        }
    }

    fn welcome(&mut self, fd: Fd, peer: Address, service: ServiceId) {
        if !self.poller.can_watch(fd.number()) {
            trace::intent(
                "select has no bit for this descriptor: the client is closed, the server goes on",
            );
            return self.notice(&Notice::Unwatchable(&peer, fd.number().get()));
        }
        self.notice(&Notice::Opened(&peer));
        self.add_connection(Ends::Socket(fd), &peer, service, None);
    }

    /// Closes the listeners of a service: nobody else is accepted.
    pub(super) fn unlisten(&mut self, service: ServiceId) {
        let is_its = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Listener(listener) if listener.service == service);
        for token in self.endpoints.tokens_where(is_its) {
            self.endpoints.remove(token);
        }
    }

    fn pause(&mut self, token: Token) {
        trace::intent(
            "the listener is not asked about until a descriptor is free or a moment has passed",
        );
        self.paused = true;
        self.has_deadlines = true;
        self.endpoints.with_listener(token, |_, listener| {
            listener.paused_until = Some(Instant::now() + PAUSE)
        });
    }

    /// A descriptor may have become free.
    pub(super) fn resume_listeners(&mut self) {
        if !std::mem::take(&mut self.paused) {
            return;
        }
        for token in
            self.endpoints.tokens_where(|endpoint| matches!(endpoint, Endpoint::Listener(_)))
        {
            self.resume(token);
        }
    }

    pub(super) fn resume(&mut self, token: Token) {
        self.endpoints.with_listener(token, |_, listener| listener.paused_until = None);
    }
}

/// The client has gone in the meantime, or the network has spoiled its connection (Linux tells such errors here), or a
/// signal came. The next one in the queue is not to blame, and does not wait.
fn is_of_the_client(errno: Errno) -> bool {
    const ITS: [Errno; 7] = [
        Errno::EINTR,
        Errno::ECONNABORTED,
        Errno::EPROTO,
        Errno::ENETDOWN,
        Errno::ENETUNREACH,
        Errno::EHOSTDOWN,
        Errno::EHOSTUNREACH,
    ];
    ITS.contains(&errno)
}
