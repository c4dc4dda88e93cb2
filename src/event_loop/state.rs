//! The state of a loop, and the one way in which a connection leaves it.

use std::time::Instant;

use super::agenda::{Agenda, Task};
use super::endpoints::{Endpoint, Endpoints};
use super::limits::Limits;
use super::notice::Notice;
use super::observer::Observer;
use super::stream::FailedCall;
use crate::events::{Ending, ServiceId, Token};
use crate::poller::{Poller, Tiers};
use crate::trace::page::Effect;
use crate::trace::{self, Function};

/// The state of a loop, except its services and the memory that a turn reuses.
pub(super) struct LoopState {
    /// The call that waits: `select` or `poll`.
    pub(super) poller: Box<dyn Poller>,
    /// Which endpoints the next wait asks about, if not about all.
    pub(super) tiers: Option<Tiers>,
    /// The endpoints of the loop, and what each waits for.
    pub(super) endpoints: Endpoints,
    /// The tasks that are left in this turn. It is empty while the loop waits.
    pub(super) agenda: Agenda,
    pub(super) limits: Limits,
    /// The service through which a person watches this loop, if there is one.
    pub(super) observer: Option<Observer>,
    /// The reading end of the self-pipe, if signals come through one.
    pub(super) self_pipe: Option<Token>,
    /// The loop was asked to end: the moment until which it sends queued bytes.
    pub(super) draining: Option<Instant>,
    /// Whether an endpoint may have a deadline. If not, the loop checks none.
    pub(super) has_deadlines: bool,
    /// Whether the kernel moves the bytes of a connection, or did so.
    pub(super) splices: bool,
    /// Whether a listener may be resting until a descriptor is free.
    pub(super) listeners_rest: bool,
    /// How many waits in a row have failed with an errno that may pass.
    pub(super) failed_waits: u32,
    /// How many accepted connections there are.
    pub(super) clients: usize,
    /// How many connections there are in all: accepted ones, and those that services asked for.
    pub(super) connections: usize,
    /// How many connections there have been since the start.
    pub(super) admitted: u64,
    /// Called with each message for the person who runs the program.
    pub(super) on_notice: Box<dyn FnMut(&Notice<'_>)>,
}

impl LoopState {
    pub(super) fn new(poller: Box<dyn Poller>, limits: Limits) -> Self {
        Self {
            poller,
            tiers: limits.tiers.map(Tiers::new),
            endpoints: Endpoints::default(),
            agenda: Agenda::default(),
            limits,
            observer: None,
            self_pipe: None,
            draining: None,
            has_deadlines: limits.idle_timeout.is_some(),
            splices: false,
            listeners_rest: false,
            failed_waits: 0,
            clients: 0,
            connections: 0,
            admitted: 0,
            on_notice: Box::new(|_| {}),
        }
    }

    pub(super) fn tell_person(&mut self, notice: &Notice<'_>) {
        (self.on_notice)(notice);
    }

    /// The turn is over: it is counted if it has served another endpoint than the observer's.
    pub(super) fn count_turn(&mut self) {
        if let Some(observer) = &mut self.observer {
            observer.served_turns += u64::from(std::mem::take(&mut observer.serves_others));
        }
    }

    /// Whether this service is the observer.
    #[inline]
    pub(super) fn is_observer(&self, service: ServiceId) -> bool {
        self.observer.as_ref().is_some_and(|observer| observer.service == service)
    }

    /// Whether the loop serves nothing but the observer and signals.
    #[inline]
    pub(super) fn stands_still(&self) -> bool {
        self.observer.as_ref().is_some_and(|observer| observer.stands_still)
    }

    /// An error of one connection ends that connection and nothing else.
    #[cold]
    pub(super) fn fail_stream(&mut self, token: Token, failed: FailedCall) {
        if let Some((_, stream)) = self.endpoints.stream_mut(token)
            && stream.goes_on_reading(failed)
        {
            trace::intent("nothing can be sent any more, but what has come is still passed on");
            return self.endpoints.settle(token);
        }
        self.end_failed(token, failed);
    }

    /// Ends a connection because of a failed call.
    #[cold]
    pub(super) fn end_failed(&mut self, token: Token, FailedCall(call, errno): FailedCall) {
        if self.endpoints.stream(token).is_some_and(|(_, stream)| self.is_observer(stream.service))
        {
            return self.end_stream(token, Ending::Failed(errno));
        }
        trace::intent("an error of one connection ends that connection only");
        match self.endpoints.stream(token).map(|(_, stream)| stream.peer.clone()) {
            Some(Some(peer)) => self.tell_person(&Notice::Failed(&peer, call, errno)),
            Some(None) => self.tell_person(&Notice::FileFailed(name_for_files(call), errno)),
            None => {}
        }
        self.end_stream(token, Ending::Failed(errno));
    }

    /// Removes a stream from the loop, which closes it; its service is told when the current task is done.
    pub(super) fn end_stream(&mut self, token: Token, ending: Ending) {
        let Some((ends, Endpoint::Stream(stream))) = self.endpoints.remove(token) else { return };
        drop(ends);
        if let Some(observer) = &mut self.observer
            && observer.service == stream.service
        {
            observer.keep_spares(&*self.poller);
        }
        self.agenda.add_consequence(Task::TellClosed(token, stream.service, ending));
        // The bytes queued here will never be sent: the partner need not wait for them.
        if let Some(partner) = stream.partner
            && let Some((_, other)) = self.endpoints.stream_mut(partner)
        {
            other.partner = None;
            self.endpoints.settle(partner);
        }
        let Some(peer) = stream.peer else { return };
        self.clients -= usize::from(stream.accepted);
        self.connections -= 1;
        self.wake_listeners();
        match ending {
            _ if self.is_observer(stream.service) => {}
            Ending::Finished => self.tell_person(&Notice::Closed(&peer)),
            Ending::TooSlow => self.tell_person(&Notice::TooSlow(&peer)),
            Ending::Silent => self.tell_person(&Notice::TimedOut(&peer)),
            Ending::Refused => self.tell_person(&Notice::Refused(&peer)),
            Ending::Failed(_) => {}
        }
    }

    /// A descriptor has become free: the loop asks again about the listeners that paused because there was none.
    fn wake_listeners(&mut self) {
        if !std::mem::take(&mut self.listeners_rest) {
            return;
        }
        let rests = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Listener(_));
        for token in self.endpoints.tokens_where(rests) {
            self.wake_listener(token);
        }
    }

    /// Asks about a listener again.
    pub(super) fn wake_listener(&mut self, token: Token) {
        if let Some((_, Endpoint::Listener(listener))) = self.endpoints.get_mut(token) {
            listener.rests_until = None;
            self.endpoints.settle(token);
        }
    }
}

/// The call's name where the descriptor is not a socket.
fn name_for_files(call: Function) -> Function {
    match call.effect() {
        Effect::Receives => Function::READ,
        Effect::Sends => Function::WRITE,
        _ => call,
    }
}
