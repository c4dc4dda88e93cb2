//! How a connection comes into the loop: a listener accepts it, or a service asked for it.

use std::time::{Duration, Instant};

use super::agenda::{Made, Task};
use super::connecting::{
    ConnectProgress, ConnectRequest, Connecting, Retry, begin, call_connect, check,
};
use super::endpoints::Endpoint;
use super::listener::{Accepted, Listener, REST, accept_one};
use super::notice::Notice;
use super::state::LoopState;
use super::stream::{Stream, reset_at_close};
use crate::addr::Address;
use crate::conn::{Conn, Ends};
use crate::events::{ServiceId, Token};
use crate::names::{Errno, Result};
use crate::trace;

impl LoopState {
    /// Adds a connection and tells its service.
    pub(super) fn admit(
        &mut self,
        ends: Ends,
        peer: Address,
        service: ServiceId,
        asked_by: Option<Token>,
    ) -> Token {
        let is_observers = self.is_observer(service);
        let accepted = asked_by.is_none() && !is_observers;
        self.clients += usize::from(accepted);
        self.connections += 1;
        self.admitted += 1;
        let stream = Stream {
            conn: Conn::with(&peer),
            peer: Some(Box::new(peer)),
            accepted,
            number: self.admitted,
            last_active: self.limits.idle_timeout.filter(|_| !is_observers).map(|_| Instant::now()),
            ..Stream::new(service)
        };
        let token = self.endpoints.insert(ends, Endpoint::Stream(stream));
        self.agenda.add_consequence(Task::TellOpened(token, asked_by));
        token
    }

    /// Accepts one client of a listener, and puts the next accept on the agenda.
    pub(super) fn accept(&mut self, token: Token, left: usize) {
        let Some((ends, Endpoint::Listener(listener))) = self.endpoints.get_mut(token) else {
            return;
        };
        let Listener { service, is_observers, .. } = *listener;
        if left == 0 || (self.clients >= self.limits.max_clients && !is_observers) {
            return;
        }
        let Some(fd) = ends.input() else { return };
        if let Some(observer) = self.observer.as_mut().filter(|_| is_observers) {
            observer.free_spare();
        }
        let accepted = accept_one(fd);
        if let Some(observer) = self.observer.as_mut().filter(|_| is_observers) {
            observer.keep_spares(&*self.poller);
        }
        match accepted {
            Accepted::Client(fd, peer) if self.poller.can_watch(fd.number()) => {
                let fd = match self.observer.as_ref().filter(|_| is_observers) {
                    Some(observer) => observer.move_up(fd),
                    None => {
                        self.tell_person(&Notice::Opened(&peer));
                        fd
                    }
                };
                self.admit(Ends::Socket(fd), peer, service, None);
            }
            Accepted::Client(fd, peer) => {
                trace::intent(
                    "select has no bit for this descriptor: the client is closed, the server goes on",
                );
                self.tell_person(&Notice::Unwatchable(&peer, fd.number().get()));
            }
            Accepted::Gone => {}
            Accepted::NoMore => return,
            Accepted::NoDescriptor(errno) => {
                self.rest_listener(token);
                return self.tell_person(&Notice::NoDescriptor(errno));
            }
            Accepted::Failed(errno) => {
                self.rest_listener(token);
                return self.tell_person(&Notice::AcceptFailed(errno));
            }
        }
        self.agenda.add_consequence(Task::Accept(token, left - 1));
    }

    fn rest_listener(&mut self, token: Token) {
        trace::intent(
            "the listener is not asked about until a descriptor is free or a moment has passed",
        );
        self.listeners_rest = true;
        self.has_deadlines = true;
        if let Some((_, Endpoint::Listener(listener))) = self.endpoints.get_mut(token) {
            listener.rests_until = Some(Instant::now() + REST);
            self.endpoints.settle(token);
        }
    }

    /// Begins to connect to the first of `addresses` that answers.
    pub(super) fn open(
        &mut self,
        asked_by: Token,
        service: ServiceId,
        addresses: &[Address],
        time_limit: Duration,
    ) {
        let others = addresses.iter().rev().cloned().collect();
        self.try_next_address(
            ConnectRequest { service, asked_by, others, time_limit },
            Errno::EADDRNOTAVAIL,
        );
    }

    /// Tries the next address, or tells the service that none is left, and why the last one failed.
    fn try_next_address(&mut self, mut wish: ConnectRequest, mut why: Errno) {
        while let Some(address) = wish.others.pop() {
            match begin(&address, self.limits.send_buffer) {
                // Checked first: with a descriptor that the poller cannot watch, the wait would fail for all connections.
                Ok((fd, _)) if !self.poller.can_watch(fd.number()) => {
                    self.tell_person(&Notice::Unwatchable(&address, fd.number().get()));
                    why = Errno::EMFILE;
                }
                Ok((fd, ConnectProgress::Connected)) => {
                    let ConnectRequest { service, asked_by, .. } = wish;
                    let made = Made { fd, address, service, asked_by };
                    return self.agenda.add_consequence(Task::Admit(Box::new(made)));
                }
                Ok((fd, ConnectProgress::ConnectedToItself)) => {
                    self.leave_itself(Ends::Socket(fd), &address, wish.others.len());
                    why = Errno::ECONNREFUSED;
                }
                Ok((fd, attempt)) => {
                    let retry = (attempt == ConnectProgress::QueueIsFull).then(Retry::first);
                    trace::intent(match retry {
                        None => "the event loop waits for the result, up to the time limit",
                        Some(_) => {
                            "the listener's queue is full and nothing is in progress: call again after a moment"
                        }
                    });
                    self.has_deadlines = true;
                    let deadline = Instant::now() + wish.time_limit;
                    let connecting = Connecting { address, wish, deadline, retry };
                    self.endpoints.insert(Ends::Socket(fd), Endpoint::Connecting(connecting));
                    return;
                }
                Err(errno) => {
                    let others = wish.others.len();
                    self.tell_person(&Notice::NotConnected { address: &address, errno, others });
                    why = errno;
                }
            }
        }
        let ConnectRequest { service, asked_by, .. } = wish;
        self.agenda.add_consequence(Task::TellNotOpened(asked_by, service, why));
    }

    /// The socket of an attempt is writable: `SO_ERROR` says whether the connection was made.
    pub(super) fn look_at_attempt(&mut self, token: Token) {
        let Some((ends, Endpoint::Connecting(connecting))) = self.endpoints.get_mut(token) else {
            return;
        };
        let Some(fd) = ends.output() else { return };
        let attempt = check(fd, &connecting.address);
        self.after_attempt(token, attempt);
    }

    /// The time limit of an attempt is over, or the pause before its next try.
    pub(super) fn expire_attempt(&mut self, token: Token) {
        let Some((ends, Endpoint::Connecting(connecting))) = self.endpoints.get_mut(token) else {
            return;
        };
        let now = Instant::now();
        match connecting.retry {
            Some(_) if connecting.deadline <= now => self.give_up_attempt(token, Errno::EAGAIN),
            None if connecting.deadline <= now => self.give_up_attempt(token, Errno::ETIMEDOUT),
            Some(retry) if retry.at <= now => {
                let Some(fd) = ends.output() else { return };
                let attempt = call_connect(fd, &connecting.address);
                let is_full = attempt == Ok(ConnectProgress::QueueIsFull);
                connecting.retry = is_full.then(|| retry.following());
                self.endpoints.settle(token);
                self.after_attempt(token, attempt);
            }
            _ => {}
        }
    }

    fn after_attempt(&mut self, token: Token, attempt: Result<ConnectProgress>) {
        match attempt {
            Ok(ConnectProgress::InProgress | ConnectProgress::QueueIsFull) => {}
            Ok(ConnectProgress::Connected) => {
                if let Some((Ends::Socket(fd), Endpoint::Connecting(made))) =
                    self.endpoints.remove(token)
                {
                    let Connecting {
                        address, wish: ConnectRequest { service, asked_by, .. }, ..
                    } = made;
                    let made = Made { fd, address, service, asked_by };
                    self.agenda.add_consequence(Task::Admit(Box::new(made)));
                }
            }
            Ok(ConnectProgress::ConnectedToItself) => {
                if let Some((ends, Endpoint::Connecting(made))) = self.endpoints.remove(token) {
                    self.leave_itself(ends, &made.address, made.wish.others.len());
                    // With any other local port, connect would have failed with this errno.
                    self.try_next_address(made.wish, Errno::ECONNREFUSED);
                }
            }
            Err(errno) => self.give_up_attempt(token, errno),
        }
    }

    /// Closes a socket that is connected to itself with a reset. The port is then free at once for the server that is
    /// missing there; after a FIN it would be in TIME_WAIT.
    fn leave_itself(&mut self, ends: Ends, address: &Address, others: usize) {
        trace::intent("connected to itself: no program listens there (explain self-connection)");
        reset_at_close(&ends);
        drop(ends);
        self.tell_person(&Notice::ConnectedToItself { address, others });
    }

    /// One address has failed: the next one is tried with a new socket, because the state of a socket is unspecified
    /// after a failed connect.
    pub(super) fn give_up_attempt(&mut self, token: Token, errno: Errno) {
        let Some((ends, Endpoint::Connecting(failed))) = self.endpoints.remove(token) else {
            return;
        };
        drop(ends);
        let address = &failed.address;
        let others = failed.wish.others.len();
        self.tell_person(&Notice::NotConnected { address, errno, others });
        self.try_next_address(failed.wish, errno);
    }

    /// Ends the attempt to connect that this endpoint asked for: it does not need the connection now.
    pub(super) fn give_up_asked(&mut self, asked_by: Token) {
        let is_asked = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Connecting(connecting) if connecting.wish.asked_by == asked_by);
        for token in self.endpoints.tokens_where(is_asked) {
            trace::intent(
                "the client has gone: the connection that was being made for it is given up",
            );
            self.endpoints.remove(token);
        }
    }
}
