//! For a program that shows a person the running loop: what it can ask, and how it makes the loop stand still.

use std::time::Instant;

use super::observer::Observer;
use super::report::EndpointReport;
use super::turn::EventLoop;
use crate::events::{Service, ServiceId, Token};
use crate::trace;

/// For a program that shows the loop while it runs.
impl EventLoop {
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

    /// The same, if the loop serves nothing but this service and what it shows is elsewhere in the process: the service's
    /// connections get numbers from `lowest` on.
    pub fn add_observer_above(&mut self, service: Box<dyn Service>, lowest: i32) -> ServiceId {
        let service = self.add_service(service);
        self.state.observer = Some(Observer::above(service, lowest));
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
    pub(super) const fn is_ending(&self) -> bool {
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
}
