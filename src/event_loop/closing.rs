//! The end of a connection, graceful or at once, and the end of the loop.

use std::time::{Duration, Instant};

use super::endpoints::Endpoint;
use super::notice::Notice;
use super::state::LoopState;
use super::stream::{Closing, ClosingStep, Lingering, Stream, reset_at_close};
use crate::conn::Ends;
use crate::events::{Ending, Token};
use crate::os::queues;
use crate::trace;

/// Whether the loop goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    Continue,
    /// The loop was asked to end, and has.
    Ended,
}

/// After our half is closed, how long to wait for the peer to close its own.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// While bytes are on their way to the peer, the wait is longer: until the peer has taken none for this long.
const STALLED: Duration = Duration::from_secs(10);

/// The longest wait in all.
const LONGEST_LINGER: Duration = Duration::from_secs(120);

/// As [`LINGER`], but while the whole loop ends: every 50 ms the loop checks whether everything has arrived, until the
/// time to drain is over. It does not wait for a peer that only keeps its connection open.
const LINGER_AT_THE_END: Duration = Duration::from_millis(50);

impl LoopState {
    /// The service is done with a connection: close it when all queued bytes are sent.
    pub(super) fn close_stream(&mut self, token: Token) {
        if let Some((_, stream)) = self.endpoints.stream_mut(token)
            && stream.closing == Closing::No
        {
            stream.closing = Closing::WhenSent;
            self.endpoints.settle(token);
        }
        self.close_if_done(token);
    }

    /// Takes the next possible step: first everything sent, then our half closed, then the peer's.
    pub(super) fn close_if_done(&mut self, token: Token) {
        let step = self.endpoints.stream(token).map(|(ends, stream)| stream.closing_step(ends));
        match step {
            Some(ClosingStep::Close) => self.end_stream(token, Ending::Finished),
            Some(ClosingStep::EndOurHalf) => {
                self.linger(token);
                let finished =
                    self.endpoints.stream_mut(token).map(|(ends, stream)| stream.finish(ends));
                if let Some(Err(failed)) = finished {
                    self.fail_stream(token, failed);
                }
            }
            Some(ClosingStep::Wait) | None => {}
        }
    }

    /// Waits for the peer's end of file, and discards the bytes that the peer still sends.
    fn linger(&mut self, token: Token) {
        self.has_deadlines = true;
        let time = if self.draining.is_some() { LINGER_AT_THE_END } else { LINGER };
        let now = Instant::now();
        if let Some((ends, stream)) = self.endpoints.stream_mut(token) {
            let unarrived = unarrived(ends);
            let (taken_at, at_most) = match &stream.closing {
                Closing::Lingering(before) if unarrived < before.unarrived => (now, before.at_most),
                Closing::Lingering(before) => (before.taken_at, before.at_most),
                Closing::No | Closing::WhenSent => (now, now + LONGEST_LINGER),
            };
            let until = at_most.min(now + time);
            let lingering = Lingering { until, unarrived, taken_at, at_most };
            stream.closing = Closing::Lingering(Box::new(lingering));
            self.endpoints.settle(token);
        }
    }

    /// The time for the peer to close its half is over.
    pub(super) fn end_lingering(&mut self, token: Token) {
        if self.draining.is_some() && !self.is_quiet(token) {
            return self.linger(token);
        }
        // If we close while the peer still sends, the kernel sends a reset, which destroys the bytes on their way to
        // the peer (RFC 9112, 9.6).
        if self.takes_bytes(token) {
            trace::intent("the peer is still taking what was sent: it is given more time");
            return self.linger(token);
        }
        self.end_stream(token, Ending::Finished);
    }

    /// Whether the peer still takes bytes that are on their way: it took some since the last check, or less than
    /// [`STALLED`] ago. (A peer that reads slowly opens its window only now and then.)
    fn takes_bytes(&self, token: Token) -> bool {
        let Some((ends, stream)) = self.endpoints.stream(token) else { return false };
        let Closing::Lingering(lingering) = &stream.closing else { return false };
        let now = Instant::now();
        match unarrived(ends) {
            None | Some(0) => false,
            unarrived if unarrived < lingering.unarrived => now < lingering.at_most,
            _ => now < lingering.at_most.min(lingering.taken_at + STALLED),
        }
    }

    /// Whether a connection can be closed without losing bytes on their way.
    fn is_quiet(&self, token: Token) -> bool {
        match self.endpoints.stream(token) {
            Some((Ends::Socket(socket), _)) => queues::is_quiet(socket),
            _ => true,
        }
    }

    /// Closes a connection at once, with a reset.
    pub(super) fn abort_stream(&mut self, token: Token) {
        if let Some((ends, _)) = self.endpoints.stream(token) {
            reset_at_close(ends);
        }
        self.end_stream(token, Ending::Finished);
    }

    /// Ends the loop. The first call ends it gracefully: no more clients, and queued bytes are sent. The second call
    /// ends it at once.
    pub(super) fn begin_to_end(&mut self) {
        if self.draining.is_some() {
            self.draining = Some(Instant::now());
            return;
        }
        self.draining = Some(Instant::now() + self.limits.drain);
        self.dismiss_observer();
        let is_entrance = |endpoint: &Endpoint| !matches!(endpoint, Endpoint::Stream(_));
        for entrance in self.endpoints.tokens_where(is_entrance) {
            self.endpoints.remove(entrance);
        }
        // To these peers everything is sent, and our half is closed: the loop waits only until the bytes have arrived.
        for token in self.endpoints.streams_where(Stream::is_lingering) {
            self.end_lingering(token);
        }
        let is_owed = |stream: &Stream| stream.is_connection() && !stream.is_idle_connection();
        match self.endpoints.streams_where(is_owed).len() {
            0 => {}
            owed => self.tell_person(&Notice::Draining(owed)),
        }
        for token in self.endpoints.streams_where(Stream::is_idle_connection) {
            if self.is_quiet(token) {
                self.end_stream(token, Ending::Finished);
            }
        }
        // The others are closed gracefully: bytes that a client still sends must be read, because closing a socket with
        // unread bytes sends a reset, which destroys bytes on their way to the client. A connection whose service has
        // more to send, such as the rest of a file, goes on until that is sent or the time is over.
        let is_said = |stream: &Stream| stream.is_connection() && !stream.wants_room;
        for token in self.endpoints.streams_where(is_said) {
            self.close_stream(token);
        }
    }

    /// Closes the observer's endpoints, which are not part of what is watched.
    fn dismiss_observer(&mut self) {
        let Some(observer) = &mut self.observer else { return };
        observer.stands_still = false;
        trace::suspended(|| observer.close_spares());
        let service = observer.service;
        let is_its = |endpoint: &Endpoint| endpoint.service() == service;
        for token in self.endpoints.tokens_where(is_its) {
            trace::suspended(|| match self.endpoints.stream(token) {
                Some(_) => self.end_stream(token, Ending::Finished),
                None => drop(self.endpoints.remove(token)),
            });
        }
    }

    /// Whether the loop has ended: it was asked to end, and no connection is left or the time to drain is over.
    #[inline]
    pub(super) fn progress(&mut self) -> Progress {
        self.draining.map_or(Progress::Continue, |deadline| self.progress_to_end(deadline))
    }

    /// The same for a loop that was asked to end, and has until this moment.
    #[cold]
    fn progress_to_end(&mut self, deadline: Instant) -> Progress {
        // Connections without queued bytes are closed gracefully, as in `begin_to_end`.
        for token in self.endpoints.streams_where(Stream::is_idle_connection) {
            self.close_stream(token);
        }
        if self.connections == 0 || deadline <= Instant::now() {
            Progress::Ended
        } else {
            Progress::Continue
        }
    }
}

/// How many bytes are on their way to the peer, if the system tells.
fn unarrived(ends: &Ends) -> Option<usize> {
    match ends {
        Ends::Socket(socket) => queues::unarrived(socket),
        _ => None,
    }
}
