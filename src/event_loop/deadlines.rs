//! How long to wait, and what is due when the wait is over.
//!
//! A process that is stopped and goes on (Control-Z and fg) finds that Linux has let the timeout of `poll` run on, and that
//! `select` waits for the rest. Deadlines here are moments of a clock that runs on, so a program that wants them kept over
//! either call handles `SIGCONT`, as `serve` does: the wait is interrupted, and what is due is worked out again.

use std::time::{Duration, Instant};

use super::agenda::Task;
use super::endpoints::Endpoint;
use super::state::LoopState;

impl LoopState {
    /// How long until the nearest deadline; without a limit if there is none.
    pub(super) fn time_to_wait(&mut self) -> Option<Duration> {
        let idle_timeout = self.limits.idle_timeout;
        let mut nearest = None;
        if self.has_deadlines || idle_timeout.is_some() {
            let moments = self.endpoints.iter();
            nearest = moments.filter_map(|endpoint| endpoint.next_moment(idle_timeout)).min();
            self.has_deadlines = nearest.is_some();
        }
        let deadline = nearest.into_iter().chain(self.draining).min()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Puts on the agenda what is due.
    pub(super) fn add_expired(&mut self) {
        let idle_timeout = self.limits.idle_timeout;
        if !self.has_deadlines && idle_timeout.is_none() {
            return;
        }
        let now = Instant::now();
        let is_due = |endpoint: &Endpoint| {
            endpoint.next_moment(idle_timeout).is_some_and(|moment| moment <= now)
        };
        for token in self.endpoints.tokens_where(is_due) {
            self.agenda.add_ready(Task::Expire(token));
        }
    }
}
