//! How long to wait, what to do when the time is over, and the end of the loop.

use std::time::{Duration, Instant};

use super::endpoints::Endpoint;
use super::{EventLoop, Notice, Progress};

impl EventLoop {
    /// Until the nearest deadline; for ever if there is none.
    pub(super) fn time_to_wait(&self) -> Option<Duration> {
        let deadline = self.next_deadline()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    fn next_deadline(&self) -> Option<Instant> {
        // Without a limit to silence only listeners have deadlines, and they are few; but one must look at all.
        let idle_timeout = self.limits.idle_timeout;
        if idle_timeout.is_none() && self.draining.is_none() && !self.paused {
            return None;
        }
        let of_endpoints = self.endpoints.iter().filter_map(|endpoint| match endpoint {
            Endpoint::Listener(listener) => listener.paused_until,
            Endpoint::Stream(stream) => {
                stream.last_active.zip(idle_timeout).map(|(last, limit)| last + limit)
            }
        });
        of_endpoints.chain(self.draining).min()
    }

    /// Ends pauses and silences whose time is over.
    pub(super) fn expire(&mut self) {
        if self.next_deadline().is_none_or(|deadline| deadline > Instant::now()) {
            return;
        }
        let now = Instant::now();
        if let Some(limit) = self.limits.idle_timeout {
            let silent = self.endpoints.tokens_where(|endpoint| match endpoint {
                Endpoint::Stream(stream) => {
                    stream.last_active.is_some_and(|last| last + limit <= now)
                }
                Endpoint::Listener(_) => false,
            });
            for token in silent {
                if let Some(peer) = self.drop_stream(token) {
                    self.notice(&Notice::TimedOut(&peer));
                }
            }
        }
        let over = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Listener(listener) if listener.paused_until.is_some_and(|end| end <= now));
        if !self.endpoints.tokens_where(over).is_empty() {
            self.resume_listeners();
        }
    }

    /// The loop is to end. The first time: no more clients, and what is owed is sent. The second: at once.
    pub fn stop(&mut self) {
        if self.draining.is_some() {
            self.draining = Some(Instant::now());
            return;
        }
        self.draining = Some(Instant::now() + self.limits.drain);
        for listener in
            self.endpoints.tokens_where(|endpoint| matches!(endpoint, Endpoint::Listener(_)))
        {
            self.endpoints.remove(listener);
        }
        self.close_idle();
        if self.clients > 0 {
            self.notice(&Notice::Draining(self.clients));
        }
    }

    fn close_idle(&mut self) {
        let is_idle = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Stream(stream) if stream.is_idle_client());
        for token in self.endpoints.tokens_where(is_idle) {
            if let Some(peer) = self.drop_stream(token) {
                self.notice(&Notice::Closed(&peer));
            }
        }
    }

    /// Whether the loop has ended: asked to, and nothing is owed any more or the time is over.
    pub(super) fn progress(&mut self) -> Progress {
        let Some(deadline) = self.draining else { return Progress::Continue };
        self.close_idle();
        if self.clients == 0 || deadline <= Instant::now() {
            Progress::Ended
        } else {
            Progress::Continue
        }
    }
}
