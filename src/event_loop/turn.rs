//! The loop itself: state the question, wait, and work through the agenda that the answer gives.

use std::fmt;
use std::time::{Duration, Instant};

use super::agenda::Task;
use super::closing::Progress;
use super::endpoints::Endpoint;
use super::limits::Limits;
use super::listener::Listener;
use super::notice::Notice;
use super::observer::Observer;
use super::report::EndpointReport;
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
use crate::trace;

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
            let timeout = self.state.time_to_wait();
            let (question, evidence) = (&mut self.question, &mut self.evidence);
            let waited = self.state.ask_and_wait(timeout, question, evidence);
            match waited {
                Ok(()) => self.state.failed_waits = 0,
                Err(errno) => self.state.after_failed_wait(errno, timeout)?,
            }
            let was_interrupted = waited == Err(Errno::EINTR);
            // Each turn begins with another endpoint, so that none is always last.
            let ready = self.evidence.len();
            let first = if ready == 0 { 0 } else { self.turns % ready };
            for found in self.evidence[first..].iter().chain(&self.evidence[..first]) {
                let who = self.state.endpoints.token_at(found.place);
                let readiness = found.readiness();
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
            // An interrupted wait did not check whether bytes came in time: the next wait does, at once if something is
            // due.
            if !was_interrupted {
                self.state.add_expired();
            }
        }
        let mut serves_others = false;
        while let Some(task) = self.state.agenda.take_next() {
            let is_for_observer = self.state.is_for_observer(&task);
            serves_others |= !is_for_observer;
            let _untraced = is_for_observer.then(trace::suspend);
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
        if let Some(observer) = &mut self.state.observer {
            observer.served_turns += u64::from(serves_others);
        }
        Ok(self.state.progress())
    }

    /// Keeps the last `kept` of the presented bytes until more arrive.
    fn keep_rest(&mut self, who: Token, what: Happened, kept: usize) {
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
            self.state.ask_and_wait(Some(timeout), question, evidence)?;
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

    /// Adds a service through which a person watches this loop. Its calls are not traced and its clients not counted,
    /// no limit for clients applies to them, and the loop serves them also while it [stands
    /// still](Self::stand_still).
    pub fn add_observer(&mut self, service: Box<dyn Service>) -> ServiceId {
        let service = self.add_service(service);
        let mut observer = Observer::new(service);
        trace::suspended(|| observer.keep_spares(&*self.state.poller));
        self.state.observer = Some(observer);
        service
    }

    /// From the end of this turn on the loop serves only the observer and signals, until it [goes on](Self::go_on). It
    /// does not stand still without an observer, nor once it was asked to end.
    pub fn stand_still(&mut self) {
        let is_ending = self.is_ending();
        self.state.observer.iter_mut().for_each(|observer| observer.stands_still = !is_ending);
    }

    /// The loop serves all endpoints again.
    pub fn go_on(&mut self) {
        self.state.observer.iter_mut().for_each(|observer| observer.stands_still = false);
    }

    /// With an observer: the next wait ends at this moment, even if nothing is ready.
    pub fn wake_at(&mut self, moment: Option<Instant>) {
        self.state.observer.iter_mut().for_each(|observer| observer.wake_at = moment);
    }

    /// With an observer: how many turns have served another endpoint than those of the observer.
    pub fn served_turns(&self) -> u64 {
        self.state.observer.as_ref().map_or(0, |observer| observer.served_turns)
    }

    /// With an observer: how many bytes all endpoints but those of the observer have received, and were given to send.
    pub fn bytes_moved(&self) -> [u64; 2] {
        let total = self.state.observer.as_ref().map(|observer| observer.total);
        total.map_or([0; 2], |total| [total.received, total.accepted])
    }

    /// Whether the loop was asked to end.
    pub const fn is_ending(&self) -> bool {
        self.state.draining.is_some()
    }

    /// What the loop knows of each endpoint.
    pub fn endpoints(&self) -> impl Iterator<Item = EndpointReport<'_>> {
        self.state.reports()
    }

    /// How many bytes are queued for a connection; `None` if it is closed.
    pub fn unsent(&self, who: Token) -> Option<usize> {
        self.state.endpoints.stream(who).map(|(_, stream)| stream.conn.owed())
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
