//! How long to wait, what to do when the time is over, and the end of the loop.

use std::time::{Duration, Instant};

use super::endpoints::Endpoint;
use super::stream::Stream;
use super::{EventLoop, Notice, Progress};
use crate::events::{Ending, Event, Token};

impl EventLoop {
    /// Until the nearest deadline; for ever if there is none.
    pub(super) fn time_to_wait(&mut self) -> Option<Duration> {
        let deadline = self.next_deadline()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    fn next_deadline(&mut self) -> Option<Instant> {
        // Nobody is looked at unless somebody may have a deadline.
        let idle_timeout = self.limits.idle_timeout;
        if self.has_deadlines || idle_timeout.is_some() {
            let nearest = self
                .endpoints
                .iter()
                .filter_map(|endpoint| endpoint.next_deadline(idle_timeout))
                .min();
            self.has_deadlines = nearest.is_some();
            return nearest.into_iter().chain(self.draining).min();
        }
        self.draining
    }

    /// Does what is to be done where the time is over.
    pub(super) fn expire(&mut self) {
        let idle_timeout = self.limits.idle_timeout;
        if !self.has_deadlines && idle_timeout.is_none() {
            return;
        }
        let now = Instant::now();
        let is_over = |endpoint: &Endpoint| {
            endpoint.next_deadline(idle_timeout).is_some_and(|moment| moment <= now)
        };
        for token in self.endpoints.tokens_where(is_over) {
            match self.endpoints.at(token.place) {
                Some((_, Endpoint::Listener(_))) => self.resume(token),
                Some((_, Endpoint::Connecting(_))) => self.give_up(token),
                Some((_, Endpoint::Stream(_))) => self.expire_stream(token, now),
                Some((_, Endpoint::Datagram(_))) | None => {}
            }
        }
        self.tell_rest();
    }

    fn expire_stream(&mut self, token: Token, now: Instant) {
        let Some(stream) = self.endpoints.stream(token) else { return };
        if stream.has_lingered(now) {
            return self.end_lingering(token);
        }
        let is_silent = stream
            .last_active
            .zip(self.limits.idle_timeout)
            .is_some_and(|(last, limit)| last + limit <= now);
        if is_silent {
            return self.end_stream(token, Ending::Silent);
        }
        // Somebody who was told before in this turn may have put it off.
        if stream.deadline.is_none_or(|moment| moment > now) {
            return;
        }
        let service = stream.service;
        self.endpoints.with_stream(token, |_, stream| stream.deadline = None);
        self.tell(token, service, Event::Deadline);
    }

    /// The loop is to end. The first time: no more clients, and what is owed is sent. The second: at once.
    pub fn stop(&mut self) {
        if self.draining.is_some() {
            self.draining = Some(Instant::now());
            return;
        }
        self.draining = Some(Instant::now() + self.limits.drain);
        let is_entrance = |endpoint: &Endpoint| !matches!(endpoint, Endpoint::Stream(_));
        for entrance in self.endpoints.tokens_where(is_entrance) {
            self.endpoints.remove(entrance);
        }
        // Everything is sent to these and our half is closed: they are waited for only until it has arrived.
        for token in self.streams_where(Stream::is_lingering) {
            self.end_lingering(token);
        }
        let is_owed = |stream: &Stream| stream.is_connection() && !stream.is_idle_connection();
        match self.streams_where(is_owed).len() {
            0 => {}
            owed => self.notice(&Notice::Draining(owed)),
        }
        for token in self.idle_connections() {
            if self.is_quiet(token) {
                self.end_stream(token, Ending::Finished);
            }
        }
        // The others gently: what such a client goes on sending must still be read, for closing a socket with bytes that
        // nobody has read sends a reset, and that takes from the client what is on its way to it.
        // One whose service has more to send, a file of which a part is sent, goes on until that is done or the time over.
        for token in self.streams_where(|stream| stream.is_connection() && !stream.wants_room) {
            self.close(token);
        }
    }

    fn idle_connections(&self) -> Vec<Token> {
        self.streams_where(Stream::is_idle_connection)
    }

    fn streams_where(&self, is_so: impl Fn(&Stream) -> bool) -> Vec<Token> {
        self.endpoints
            .tokens_where(|endpoint| matches!(endpoint, Endpoint::Stream(stream) if is_so(stream)))
    }

    /// Whether the loop has ended: asked to, and nothing is owed any more or the time is over.
    pub(super) fn progress(&mut self) -> Progress {
        let Some(deadline) = self.draining else { return Progress::Continue };
        // Who is owed nothing any more is closed gently, as those in `stop`.
        for token in self.idle_connections() {
            self.close(token);
        }
        if self.connections == 0 || deadline <= Instant::now() {
            Progress::Ended
        } else {
            Progress::Continue
        }
    }
}
