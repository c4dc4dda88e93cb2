//! Runs one task of the agenda, and returns what happened, for a service.

use std::time::Instant;

use super::agenda::Task;
use super::datagram::receive_one;
use super::endpoints::{Endpoint, Endpoints};
use super::listener::ACCEPTS_PER_TURN;
use super::notice::Notice;
use super::splicing::SpliceProgress;
use super::state::LoopState;
use super::stream::{Closing, FailedCall};
use crate::addr::Address;
use crate::conn::{Ends, Incoming};
use crate::events::{Ending, LoopEvent, ServiceId, Token};
use crate::names::{Errno, Result};
use crate::trace::{self, Function, Suspended};

/// An event for a service.
#[derive(Debug)]
pub(super) struct News {
    pub(super) service: ServiceId,
    /// The endpoint at which it happened.
    pub(super) who: Token,
    pub(super) what: Happened,
}

/// What has happened. It owns the data that the service will borrow, except the bytes in the receive buffer.
#[derive(Debug)]
pub(super) enum Happened {
    /// A connection is new.
    Opened(Address, Option<Token>),
    NotOpened(Errno),
    /// This many bytes are in the receive buffer.
    Bytes(usize),
    /// The bytes that the service kept, with the new ones after them.
    BytesAfterKept(Vec<u8>),
    /// A datagram of this many bytes is in the receive buffer.
    Datagram(Address, usize),
    Room,
    PeerFinished,
    Deadline,
    Closed(Ending),
}

impl Happened {
    /// The event for the service.
    #[inline]
    pub(super) fn event<'a>(&'a self, buffer: &'a [u8]) -> LoopEvent<'a> {
        match self {
            Self::Bytes(len) => LoopEvent::Bytes(&buffer[..*len]),
            rarer => rarer.rarer_event(buffer),
        }
    }

    #[inline(never)]
    fn rarer_event<'a>(&'a self, buffer: &'a [u8]) -> LoopEvent<'a> {
        match self {
            Self::Bytes(len) => LoopEvent::Bytes(&buffer[..*len]),
            Self::BytesAfterKept(joined) => LoopEvent::Bytes(joined),
            Self::Opened(peer, asked_by) => LoopEvent::Opened { peer, asked_by: *asked_by },
            Self::NotOpened(errno) => LoopEvent::NotOpened(*errno),
            Self::Datagram(from, len) => LoopEvent::Datagram { from, bytes: &buffer[..*len] },
            Self::Room => LoopEvent::Room,
            Self::PeerFinished => LoopEvent::PeerFinished,
            Self::Deadline => LoopEvent::Deadline,
            Self::Closed(ending) => LoopEvent::Closed(*ending),
        }
    }
}

impl LoopState {
    /// Suspends tracing for a task of the observer. Any other task makes this turn one that is counted.
    #[inline]
    pub(super) fn untraced_for_observer(&mut self, task: &Task) -> Option<Suspended> {
        let observer = self.observer.as_mut()?;
        let is_its = service_of(task, &self.endpoints) == Some(observer.service);
        observer.serves_others |= !is_its;
        is_its.then(trace::suspend)
    }

    /// Runs a task. Received bytes are in `buffer` afterwards.
    #[inline]
    pub(super) fn take_up(&mut self, task: Task, buffer: &mut [u8]) -> Option<News> {
        match task {
            Task::Receive(token) => self.receive_at(token, buffer),
            task => self.take_up_rarer(task, buffer),
        }
    }

    /// The same for every task but a receive: these are rarer.
    #[inline(never)]
    fn take_up_rarer(&mut self, task: Task, buffer: &mut [u8]) -> Option<News> {
        match task {
            Task::Receive(token) => self.receive_at(token, buffer),
            Task::Send(token) => self.send_at(token),
            Task::Accept(token, left) => {
                self.accept(token, left);
                None
            }
            Task::Admit(made) => {
                // The endpoint that asked may be gone by now; then no service wants the connection.
                self.endpoints.stream(made.asked_by)?;
                self.tell_person(&Notice::Opened(&made.address));
                let ends = Ends::Socket(made.fd);
                self.admit(ends, made.address, made.service, Some(made.asked_by));
                None
            }
            Task::PresentKept(who) => {
                let (_, stream) = self.endpoints.stream_mut(who)?;
                let service = stream.service;
                let kept = stream.take_kept()?;
                self.endpoints.settle(who);
                Some(News { service, who, what: Happened::BytesAfterKept(kept) })
            }
            Task::CloseIfDone(token) => {
                self.close_if_done(token);
                None
            }
            Task::Expire(token) => self.expire_at(token),
            Task::DropInvalid(token) => {
                let call = self.poller.via().function();
                self.fail_stream(token, FailedCall(call, Errno::EBADF));
                None
            }
            Task::TellOpened(who, asked_by) => {
                let (_, stream) = self.endpoints.stream(who)?;
                let peer = Address::clone(stream.peer()?);
                let service = stream.service;
                Some(News { service, who, what: Happened::Opened(peer, asked_by) })
            }
            Task::TellNotOpened(who, service, errno) => {
                self.endpoints.stream(who)?;
                Some(News { service, who, what: Happened::NotOpened(errno) })
            }
            Task::TellClosed(who, service, ending) => {
                Some(News { service, who, what: Happened::Closed(ending) })
            }
        }
    }

    /// A descriptor is readable: receives once.
    #[inline]
    fn receive_at(&mut self, who: Token, buffer: &mut [u8]) -> Option<News> {
        if self.splices && self.splice_to_partner(who, buffer.len()) == SpliceProgress::Done {
            return None;
        }
        let Some((ends, stream)) = self.endpoints.stream_mut(who) else {
            return self.receive_elsewhere(who, buffer);
        };
        let received = stream.receive(ends, buffer);
        let Ok(Incoming::Bytes(len)) = received else { return self.receive_nothing(who, received) };
        let service = stream.service;
        if let Some(observer) = &mut self.observer {
            observer.count_received(who, service, len);
        }
        if !stream.conn.receiving.has_leftover() {
            return Some(News { service, who, what: Happened::Bytes(len) });
        }
        let joined = stream.conn.receiving.take_joined(&buffer[..len]);
        Some(News { service, who, what: Happened::BytesAfterKept(joined) })
    }

    /// A receive has returned no bytes.
    #[cold]
    fn receive_nothing(&mut self, who: Token, received: Result<Incoming>) -> Option<News> {
        let (_, stream) = self.endpoints.stream(who)?;
        let was_read = received == Ok(Incoming::Finished) || stream.reads();
        let failed_before = stream.failed.filter(|_| was_read);
        match (received, failed_before) {
            (Err(errno), _) => self.fail_stream(who, FailedCall(Function::RECV, errno)),
            // A send had failed, and all bytes that arrived before are passed on.
            (Ok(_), Some(failed)) => self.fail_stream(who, failed),
            (Ok(Incoming::Finished), None) => return self.finish_receiving(who),
            (Ok(_), None) => {}
        }
        None
    }

    /// The descriptor of another endpoint than a stream is readable.
    #[inline(never)]
    fn receive_elsewhere(&mut self, who: Token, buffer: &mut [u8]) -> Option<News> {
        match self.endpoints.get_mut(who)? {
            (_, Endpoint::Listener(_)) => {
                self.agenda.add_consequence(Task::Accept(who, ACCEPTS_PER_TURN));
                None
            }
            (ends, Endpoint::Datagram(service)) => {
                let service = *service;
                match receive_one(ends.input()?, buffer) {
                    Ok(Some((from, len))) => {
                        if let Some(observer) = &mut self.observer {
                            observer.count_received(who, service, len);
                        }
                        Some(News { service, who, what: Happened::Datagram(from, len) })
                    }
                    Ok(None) => None,
                    Err(errno) => {
                        self.tell_person(&Notice::DatagramFailed(errno));
                        None
                    }
                }
            }
            (_, Endpoint::Stream(_) | Endpoint::Connecting(_)) => None,
        }
    }

    /// The peer has closed its half.
    fn finish_receiving(&mut self, who: Token) -> Option<News> {
        let (_, stream) = self.endpoints.stream(who)?;
        let service = stream.service;
        let is_told = stream.closing == Closing::No;
        self.endpoints.settle(who);
        self.agenda.add_consequence(Task::CloseIfDone(who));
        is_told.then(|| {
            trace::intent(
                "the program sends the bytes that are still queued before it closes anything",
            );
            News { service, who, what: Happened::PeerFinished }
        })
    }

    /// A descriptor is writable: sends its queued bytes, or checks the result of a connect.
    fn send_at(&mut self, who: Token) -> Option<News> {
        let (ends, stream) = match self.endpoints.get_mut(who)? {
            (ends, Endpoint::Stream(stream)) => (ends, stream),
            (_, Endpoint::Connecting(_)) => {
                self.look_at_attempt(who);
                return None;
            }
            (_, Endpoint::Listener(_) | Endpoint::Datagram(_)) => return None,
        };
        if stream.failed.is_some() {
            self.agenda.add_consequence(Task::Receive(who));
            return None;
        }
        if let Err(failed) = stream.send_owed(ends) {
            self.fail_stream(who, failed);
            return None;
        }
        if stream.conn.sending.is_broken() {
            self.abort_broken(who);
            return None;
        }
        let service = stream.service;
        let has_room = stream.takes_room();
        self.endpoints.settle(who);
        if has_room {
            self.agenda.add_consequence(Task::PresentKept(who));
        }
        self.agenda.add_consequence(Task::CloseIfDone(who));
        has_room.then_some(News { service, who, what: Happened::Room })
    }

    /// An endpoint's deadline is over, or was over when this task was put on the agenda.
    fn expire_at(&mut self, who: Token) -> Option<News> {
        let now = Instant::now();
        let idle_timeout = self.limits.idle_timeout;
        let stream = match self.endpoints.get_mut(who)? {
            (_, Endpoint::Stream(stream)) => stream,
            (_, Endpoint::Listener(_)) => {
                self.wake_listener(who);
                return None;
            }
            (_, Endpoint::Connecting(_)) => {
                self.expire_attempt(who);
                return None;
            }
            (_, Endpoint::Datagram(_)) => return None,
        };
        if stream.has_lingered(now) {
            self.end_lingering(who);
            return None;
        }
        if stream.is_silent(idle_timeout, now) {
            self.end_stream(who, Ending::Silent);
            return None;
        }
        // A service that was told of something else earlier in this turn may have moved the deadline.
        if stream.deadline.is_none_or(|moment| moment > now) {
            return None;
        }
        stream.deadline = None;
        let service = stream.service;
        Some(News { service, who, what: Happened::Deadline })
    }

    /// Keeps the bytes that the service did not use, to present them again when more arrive.
    pub(super) fn keep_bytes(&mut self, who: Token, bytes: Vec<u8>) {
        if let Some((_, stream)) = self.endpoints.stream_mut(who) {
            stream.conn.receiving.keep_leftover(bytes);
            self.endpoints.settle(who);
        }
    }
}

/// The service that a task is for; `None` if its endpoint is gone.
fn service_of(task: &Task, endpoints: &Endpoints) -> Option<ServiceId> {
    match task {
        Task::TellClosed(_, service, _) | Task::TellNotOpened(_, service, _) => Some(*service),
        Task::Admit(made) => Some(made.service),
        Task::Receive(token)
        | Task::Send(token)
        | Task::DropInvalid(token)
        | Task::Expire(token)
        | Task::Accept(token, _)
        | Task::PresentKept(token)
        | Task::CloseIfDone(token)
        | Task::TellOpened(token, _) => {
            endpoints.lookup(*token).map(|(_, endpoint)| endpoint.service())
        }
    }
}
