//! Listeners: a listener only makes other sockets.

use std::time::{Duration, Instant};

use super::endpoints::Endpoint;
use super::stream::Stream;
use super::{EventLoop, Notice, ServiceId};
use crate::addr::Address;
use crate::conn::{Conn, Ends};
use crate::events::{Event, Token};
use crate::names::{Errno, Result};
use crate::os::accepting::accept_nonblocking;
use crate::sys::{AsFd, BorrowedFd, Fd};
use crate::trace;

/// The most that one listener accepts in one turn; the rest wait for the next.
const ACCEPTS_PER_TURN: usize = 256;

/// After EMFILE, how long until accepting is tried again even if no connection of ours has ended: a descriptor may
/// have become free elsewhere.
const PAUSE: Duration = Duration::from_secs(1);

/// One who makes connections.
#[derive(Debug)]
pub(super) struct Listener {
    fd: Fd,
    service: ServiceId,
    /// No descriptor was left: not before this moment.
    pub(super) paused_until: Option<Instant>,
}

impl Listener {
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.paused_until.is_some()
    }
}

impl EventLoop {
    /// Adds a listener, which must be non-blocking; its connections are `service`'s.
    pub fn add_listener(&mut self, fd: Fd, service: ServiceId) -> Token {
        self.endpoints.insert(Endpoint::Listener(Listener { fd, service, paused_until: None }))
    }

    /// Accepts all who wait. (Only listeners are emptied: a stream gets one receive in each turn, and would cost a
    /// call more to find that nothing is left.)
    pub(super) fn accept(&mut self, token: Token) {
        for _ in 0..ACCEPTS_PER_TURN {
            if self.clients >= self.limits.max_clients {
                return;
            }
            let Some(Endpoint::Listener(listener)) = self.endpoints.get_mut(token) else { return };
            let service = listener.service;
            match accept_nonblocking(&listener.fd) {
                Ok((fd, peer)) => self.welcome(fd, peer, service),
                Err(Errno::EAGAIN) => return,
                Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM)) => {
                    // The connection stays in the queue and the listener stays ready: asking on would spin.
                    listener.paused_until = Some(Instant::now() + PAUSE);
                    self.paused = true;
                    trace::intent(
                        "no descriptor is left: the listener is not asked about until one is",
                    );
                    return self.notice(&Notice::NoDescriptor(errno));
                }
                // The client has gone in the meantime, or a signal came. The next one is not to blame.
                Err(Errno::ECONNABORTED | Errno::EINTR | Errno::EPROTO) => {}
                Err(errno) => return self.notice(&Notice::AcceptFailed(errno)),
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
        self.clients += 1;
        let mut stream = Stream::new(Conn::new(Ends::Socket(fd)), service, Some(peer.clone()));
        stream.last_active = self.limits.idle_timeout.map(|_| Instant::now());
        let token = self.endpoints.insert(Endpoint::Stream(stream));
        self.tell(token, service, Event::Opened { peer: &peer });
    }

    /// A descriptor has become free.
    pub(super) fn resume_listeners(&mut self) {
        if !std::mem::take(&mut self.paused) {
            return;
        }
        for endpoint in self.endpoints.iter_mut() {
            if let Endpoint::Listener(listener) = endpoint {
                listener.paused_until = None;
            }
        }
    }

    /// Makes a listener of a socket that is bound: what `listen` and `O_NONBLOCK` do.
    ///
    /// # Errors
    /// As [`listen`](crate::sys::listen).
    pub fn listen(&mut self, fd: Fd, backlog: i32, service: ServiceId) -> Result<Token> {
        crate::sys::listen(&fd, backlog)?;
        crate::os::accepting::set_nonblocking(&fd)?;
        Ok(self.add_listener(fd, service))
    }
}
