//! How long the loop may wait, and what is due when the wait is over.
//!
//! If a process is stopped and continued (Control-Z and fg), Linux has let the timeout of `poll` run on, while `select`
//! waits for the rest of its timeout. The deadlines here are moments of a clock that runs on, so a program that wants
//! them kept over either call handles `SIGCONT`, as `serve` does: the signal interrupts the wait, and the loop computes
//! again what is due.

use std::time::{Duration, Instant};

use super::endpoints::Endpoint;
use super::state::LoopState;

impl LoopState {
    /// The time until the nearest deadline; `None` if there is no deadline.
    #[inline]
    pub(super) fn time_to_wait(&mut self) -> Option<Duration> {
        let may_end = self.has_deadlines || self.draining.is_some() || self.observer.is_some();
        if may_end { self.time_to_nearest() } else { None }
    }

    #[inline(never)]
    fn time_to_nearest(&mut self) -> Option<Duration> {
        let idle_timeout = self.limits.idle_timeout;
        let mut nearest = None;
        if self.has_deadlines {
            let served = self.endpoints.iter().filter(|endpoint| self.is_served(endpoint));
            nearest = served.filter_map(|endpoint| endpoint.next_moment(idle_timeout)).min();
            // While the loop stands still, the deadlines of the others remain; and any connection may be silent for too long.
            self.has_deadlines = nearest.is_some() || idle_timeout.is_some() || self.stands_still();
        }
        let wake_at = self.observer.as_ref().and_then(|observer| observer.wake_at);
        let deadline = nearest.into_iter().chain(self.draining).chain(wake_at).min()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether the loop serves an endpoint now: all of them, unless it stands still.
    fn is_served(&self, endpoint: &Endpoint) -> bool {
        !self.stands_still() || self.is_observer(endpoint.service())
    }

    /// Puts everything that is due on the agenda.
    #[inline]
    pub(super) fn add_expired(&mut self) {
        if self.has_deadlines {
            self.look_for_expired();
        }
    }

    #[inline(never)]
    fn look_for_expired(&mut self) {
        let idle_timeout = self.limits.idle_timeout;
        let now = Instant::now();
        let is_due = |endpoint: &Endpoint| {
            let moment = endpoint.next_moment(idle_timeout);
            moment.is_some_and(|moment| moment <= now) && self.is_served(endpoint)
        };
        for token in self.endpoints.tokens_where(is_due) {
            self.agenda.add_due(token);
        }
    }
}
