//! The loop itself: state the question, wait, and work through the agenda that the answer gives.

use std::fmt;
use std::time::Duration;

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
use crate::poller::{Evidence, Row, Via};
use crate::sys::Fd;

/// A loop over one poller.
pub struct EventLoop {
    pub(super) state: LoopState,
    /// They are told what happened, one event at a time, and answer what to do.
    services: Vec<Box<dyn Service>>,
    /// One receive buffer for all connections.
    buffer: Vec<u8>,
    /// How many turns there have been: each turn begins with another endpoint.
    turns: usize,
    /// The memory of a turn's question, reused; empty between turns.
    question: Vec<Row<'static>>,
    /// The answer of the last wait; the next wait overwrites this answer.
    evidence: Vec<Evidence>,
    /// The memory of a service's actions, reused; empty between events.
    actions: Vec<Action<'static>>,
}

impl EventLoop {
    /// Runs turns until the loop was asked to end and has ended.
    ///
    /// # Errors
    /// The wait failed with an errno that would come again.
    pub fn run(&mut self) -> std::result::Result<(), WaitFailed> {
        while self.turn()? == Progress::Continue {}
        Ok(())
    }

    /// Runs one turn. It does not wait if the last turn, or the program that runs the loop, has left tasks.
    ///
    /// # Errors
    /// The wait failed with an errno that would come again.
    pub fn turn(&mut self) -> std::result::Result<Progress, WaitFailed> {
        if self.state.agenda.is_done() {
            self.wait_for_work()?;
        }
        while let Some(task) = self.state.agenda.take_next() {
            let _untraced = self.state.untraced_for_observer(&task);
            let happened = self.state.take_up(task, &mut self.buffer);
            let Some(news) = &happened else { continue };
            let (who, service) = (news.who, news.service);
            let mut actions = Actions::in_memory(&mut self.actions);
            self.services[service.0 as usize].on(who, news.what.event(&self.buffer), &mut actions);
            let mut kept = 0;
            let mut done = 0;
            while let Some(action) = actions.get(done) {
                match action {
                    Action::Keep(bytes) => kept = *bytes,
                    action => self.state.carry_out(action, service),
                }
                done += 1;
            }
            actions.give_memory_back(&mut self.actions);
            if kept > 0 {
                self.keep_rest(happened, kept);
            }
        }
        self.state.count_turn();
        Ok(self.state.progress())
    }

    /// Asks and waits, and puts on the agenda what is ready and what is due.
    fn wait_for_work(&mut self) -> std::result::Result<(), WaitFailed> {
        let timeout = self.state.time_to_wait();
        let waited = self.state.ask_and_wait(timeout, &mut self.question, &mut self.evidence);
        match waited {
            Ok(()) => self.state.failed_waits = 0,
            Err(errno) => self.state.after_failed_wait(errno, timeout)?,
        }
        // Each turn begins with another endpoint, so that none is always last.
        let first = self.turns.checked_rem(self.evidence.len()).unwrap_or(0);
        let (last_ones, first_ones) = self.evidence.split_at(first);
        for part in [first_ones, last_ones] {
            for found in part {
                let who = self.state.endpoints.token_at(found.place);
                self.state.agenda.add_ready(who, found.readiness());
            }
        }
        self.turns = self.turns.wrapping_add(1);
        // An interrupted wait did not check whether bytes came in time: the next wait does, at once if something is due.
        if waited != Err(Errno::EINTR) {
            self.state.add_expired();
        }
        Ok(())
    }

    /// Keeps the last `kept` of the presented bytes until more arrive.
    #[inline(never)]
    fn keep_rest(&mut self, happened: Option<News>, kept: usize) {
        let Some(News { who, what, .. }) = happened else { return };
        match what {
            Happened::Bytes(len) => {
                self.state.keep_bytes(who, self.buffer[len - kept.min(len)..len].to_vec());
            }
            // Moved, not copied: if each event copied the kept bytes, a long message that arrives byte by byte would
            // cost the square of its length.
            Happened::BytesAfterKept(joined) if kept >= joined.len() => {
                self.state.keep_bytes(who, joined)
            }
            Happened::BytesAfterKept(joined) => {
                self.state.keep_bytes(who, joined[joined.len() - kept..].to_vec());
            }
            _ => {}
        }
    }

    /// Whether an endpoint is ready, or becomes ready within `timeout`: then a [`turn`](Self::turn) will not wait.
    /// This asks the same question as a turn and changes nothing, because readiness lasts until the loop acts on it.
    ///
    /// # Errors
    /// As [`select`](crate::sys::select()) and [`poll`](crate::sys::poll()).
    pub fn ready_within(&mut self, timeout: Duration) -> Result<bool> {
        if self.state.agenda.is_done() {
            let (question, evidence) = (&mut self.question, &mut self.evidence);
            self.state.ask_all_and_wait(Some(timeout), question, evidence)?;
        }
        Ok(!self.state.agenda.is_done() || !self.evidence.is_empty())
    }
}

/// For the program that runs the loop: its endpoints, and the work between turns.
impl EventLoop {
    /// A loop without endpoints.
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

    /// Calls `on_notice` with every message for the person who runs the program.
    pub fn notify(&mut self, on_notice: impl FnMut(&Notice<'_>) + 'static) {
        self.state.on_notice = Box::new(on_notice);
    }

    /// Adds a service.
    pub fn add_service(&mut self, service: Box<dyn Service>) -> ServiceId {
        self.services.push(service);
        ServiceId((self.services.len() - 1) as u32)
    }

    /// Adds a listener, which must be non-blocking; `service` gets its connections.
    pub fn add_listener(&mut self, fd: Fd, service: ServiceId) -> Token {
        let is_observers = self.state.is_observer(service);
        let listener = Listener { service, is_observers, rests_until: None };
        self.state.endpoints.insert(Ends::Socket(fd), Endpoint::Listener(listener))
    }

    /// Adds a bound datagram socket, which must be non-blocking.
    pub fn add_datagram(&mut self, fd: Fd, service: ServiceId) -> Token {
        self.state.endpoints.insert(Ends::Socket(fd), Endpoint::Datagram(service))
    }

    /// Adds a stream that is not a connection: standard input and output.
    pub fn add_stream(&mut self, ends: Ends, service: ServiceId) -> Token {
        self.state.endpoints.insert(ends, Endpoint::Stream(Stream::new(service)))
    }

    /// Adds the reading end of the self-pipe, which must be non-blocking: each of its bytes stands for a signal.
    pub fn add_self_pipe(&mut self, read_end: Fd, service: ServiceId) {
        let ends = Ends::Files(Box::new(Files { input: Some(read_end.into()), output: None }));
        self.state.self_pipe = Some(self.add_stream(ends, service));
    }

    /// Adds a connection that was made elsewhere; the next turn tells its service about the connection, and
    /// which endpoint asked for it.
    pub fn add_connection(
        &mut self,
        ends: Ends,
        peer: &Address,
        service: ServiceId,
        asked_by: Option<Token>,
    ) -> Token {
        self.state.admit(ends, peer.clone(), service, asked_by)
    }

    /// Carries out an action as if a service had answered with it.
    pub fn perform(&mut self, action: &Action<'_>, service: ServiceId) {
        self.state.carry_out(action, service);
    }

    /// Asks the loop to end. The first call ends it gracefully: no more clients, and queued bytes are sent. The second
    /// call ends it at once.
    pub fn stop(&mut self) {
        self.state.begin_to_end();
    }

    /// How many accepted connections there are.
    pub const fn clients(&self) -> usize {
        self.state.clients
    }

    /// The connection of the client at this address.
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
