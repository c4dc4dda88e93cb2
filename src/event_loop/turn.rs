//! The loop itself: state the question, wait, and work off what the answer has put on the agenda.

use std::fmt;
use std::time::Duration;

use super::agenda::Task;
use super::closing::Progress;
use super::endpoints::Endpoint;
use super::limits::Limits;
use super::listener::Listener;
use super::notice::Notice;
use super::state::LoopState;
use super::stream::Stream;
use super::tasks::{Happened, News};
use super::waiting::WaitFailed;
use crate::addr::Address;
use crate::conn::{Conn, Ends, Files};
use crate::events::{Action, Actions, Service, ServiceId, Token};
use crate::names::{Errno, Result};
use crate::poller::{Evidence, Row, Via, emptied};
use crate::sys::Fd;

/// A loop over one poller.
pub struct EventLoop {
    /// Everything that the loop knows.
    pub(super) state: LoopState,
    /// Told what has happened, one at a time; each says what is to be done.
    services: Vec<Box<dyn Service>>,
    /// One receive buffer for all connections.
    buffer: Vec<u8>,
    /// How many turns there were: another endpoint is first in each.
    turns: usize,
    /// The memory of a turn's question, used again. It holds nothing between turns; nor do the other two.
    question: Vec<Row<'static>>,
    evidence: Vec<Evidence>,
    actions: Vec<Action<'static>>,
}

impl EventLoop {
    /// Turns until the loop was asked to end.
    ///
    /// # Errors
    /// The wait itself failed, and not in passing.
    pub fn run(&mut self) -> std::result::Result<(), WaitFailed> {
        while self.turn()? == Progress::Continue {}
        Ok(())
    }

    /// One turn. It does not wait if the last one, or the program that runs the loop, has left something to be done.
    ///
    /// # Errors
    /// The wait itself failed, and not in passing.
    pub fn turn(&mut self) -> std::result::Result<Progress, WaitFailed> {
        if self.state.agenda.is_done() {
            let timeout = self.state.time_to_wait();
            let (question, evidence) = (&mut self.question, &mut self.evidence);
            let waited = self.state.ask_and_wait(timeout, question, evidence);
            match waited {
                Ok(()) => self.state.failed_waits = 0,
                Err(errno) => self.state.after_failed_wait(errno, timeout)?,
            }
            let was_interrupted = waited == Err(Errno::EINTR);
            // Another one is first each turn, so that none is always last.
            let ready = self.evidence.len();
            let first = if ready == 0 { 0 } else { self.turns % ready };
            for found in self.evidence[first..].iter().chain(&self.evidence[..first]) {
                let (who, readiness) =
                    (self.state.endpoints.token_at(found.place), found.readiness());
                if readiness.writable {
                    self.state.agenda.add_ready(Task::Send(who));
                }
                if readiness.readable {
                    self.state.agenda.add_ready(Task::Receive(who));
                }
                if readiness.invalid {
                    self.state.agenda.add_ready(Task::DropInvalid(who));
                }
            }
            self.turns = self.turns.wrapping_add(1);
            // An interrupted wait has not looked whether bytes came in time: the next one does, at once if something is due.
            if !was_interrupted {
                self.state.add_expired();
            }
        }
        while let Some(task) = self.state.agenda.take_next() {
            let Some(News { service, who, what }) = self.state.take_up(task, &mut self.buffer)
            else {
                continue;
            };
            let mut actions = Actions::in_memory(std::mem::take(&mut self.actions));
            self.services[service.0 as usize].on(who, what.event(&self.buffer), &mut actions);
            let mut kept = 0;
            for action in actions.iter() {
                match action {
                    Action::Keep(bytes) => kept = *bytes,
                    action => self.state.carry_out(action, service),
                }
            }
            self.actions = emptied(actions.into_memory());
            if kept > 0 {
                self.keep_rest(who, what, kept);
            }
        }
        Ok(self.state.progress())
    }

    /// Keeps the last `kept` of the bytes that a service was told of until more come.
    fn keep_rest(&mut self, who: Token, what: Happened, kept: usize) {
        match what {
            Happened::Bytes(len) => {
                self.state.keep_bytes(who, self.buffer[len - kept.min(len)..len].to_vec());
            }
            // Copied each time, a long message that comes byte by byte would cost the square of its length.
            Happened::BytesAfterKept(joined) if kept >= joined.len() => {
                self.state.keep_bytes(who, joined)
            }
            Happened::BytesAfterKept(joined) => {
                self.state.keep_bytes(who, joined[joined.len() - kept..].to_vec());
            }
            _ => {}
        }
    }

    /// Whether an endpoint is ready, or becomes so within `timeout`: then a [`turn`](Self::turn) will not wait. It asks
    /// what a turn would ask, and leaves everything as it is, for readiness lasts until the loop acts on it.
    ///
    /// # Errors
    /// As [`select`](crate::sys::select()) and [`poll`](crate::sys::poll()).
    pub fn ready_within(&mut self, timeout: Duration) -> Result<bool> {
        if self.state.agenda.is_done() {
            let (question, evidence) = (&mut self.question, &mut self.evidence);
            self.state.ask_and_wait(Some(timeout), question, evidence)?;
        }
        Ok(!self.state.agenda.is_done() || !self.evidence.is_empty())
    }
}

/// For the program that runs the loop: its endpoints, and the work between turns.
impl EventLoop {
    /// A loop without any endpoint.
    pub fn new(via: Via, limits: Limits) -> Self {
        Self {
            state: LoopState::new(via.poller(), limits),
            services: Vec::new(),
            buffer: vec![0; limits.receive_bytes],
            turns: 0,
            question: Vec::new(),
            evidence: Vec::new(),
            actions: Vec::new(),
        }
    }

    /// Calls `on_notice` with all that is worth telling a person.
    pub fn notify(&mut self, on_notice: impl FnMut(&Notice<'_>) + 'static) {
        self.state.on_notice = Box::new(on_notice);
    }

    /// Adds a service.
    pub fn add_service(&mut self, service: Box<dyn Service>) -> ServiceId {
        self.services.push(service);
        ServiceId((self.services.len() - 1) as u32)
    }

    /// Adds a listener, which must be non-blocking; its connections are `service`'s.
    pub fn add_listener(&mut self, fd: Fd, service: ServiceId) -> Token {
        let listener = Listener { service, rests_until: None };
        self.state.endpoints.insert(Ends::Socket(fd), Endpoint::Listener(listener))
    }

    /// Adds a datagram socket that is bound, and must be non-blocking.
    pub fn add_datagram(&mut self, fd: Fd, service: ServiceId) -> Token {
        self.state.endpoints.insert(Ends::Socket(fd), Endpoint::Datagram(service))
    }

    /// Adds a stream that is no connection: standard input and output.
    pub fn add_stream(&mut self, ends: Ends, service: ServiceId) -> Token {
        self.state.endpoints.insert(ends, Endpoint::Stream(Stream::new(service)))
    }

    /// Adds the reading end of the self-pipe, which must be non-blocking: each of its bytes is a signal that came.
    pub fn add_self_pipe(&mut self, read_end: Fd, service: ServiceId) {
        let ends = Ends::Files(Box::new(Files { input: Some(read_end.into()), output: None }));
        self.state.self_pipe = Some(self.add_stream(ends, service));
    }

    /// Adds a connection that was made elsewhere; the next turn tells its service, and which endpoint asked for it.
    pub fn add_connection(
        &mut self,
        ends: Ends,
        peer: &Address,
        service: ServiceId,
        asked_by: Option<Token>,
    ) -> Token {
        self.state.admit(ends, peer.clone(), service, asked_by)
    }

    /// Does what a service could have said.
    pub fn perform(&mut self, action: &Action<'_>, service: ServiceId) {
        self.state.carry_out(action, service);
    }

    /// Asks the loop to end. The first time gracefully: no more clients, and queued bytes are sent. The
    /// second time at once.
    pub fn stop(&mut self) {
        self.state.begin_to_end();
    }

    /// How many connections there are that were accepted.
    pub const fn clients(&self) -> usize {
        self.state.clients
    }

    /// The connection of the client at this address, to look at.
    pub fn client(&self, at: &Address) -> Option<(&Ends, &Conn)> {
        let is_at = |stream: &Stream| stream.peer() == Some(at);
        let token = *self.state.endpoints.streams_where(is_at).first()?;
        self.state.endpoints.stream(token).map(|(ends, stream)| (ends, &stream.conn))
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop")
            .field("via", &self.state.poller.via())
            .field("clients", &self.state.clients)
            .finish_non_exhaustive()
    }
}
