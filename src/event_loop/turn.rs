//! The whole story: state the question, wait, serve whoever is ready.

use super::endpoints::Endpoint;
use super::{EventLoop, Progress};
use crate::names::{Errno, Result};
use crate::poller::{Readiness, Row, emptied};

impl EventLoop {
    /// Turns until the loop was asked to end.
    ///
    /// # Errors
    /// The wait itself failed: as [`select`](crate::sys::select) and [`poll`](crate::sys::poll).
    pub fn run(&mut self) -> Result<()> {
        while self.turn()? == Progress::Continue {}
        Ok(())
    }

    /// One turn.
    ///
    /// # Errors
    /// The wait itself failed: as [`select`](crate::sys::select) and [`poll`](crate::sys::poll).
    pub fn turn(&mut self) -> Result<Progress> {
        self.endpoints.begin_turn();
        if !self.later.is_empty() {
            // Whoever runs the loop has asked for something that is settled already: there is nothing to wait for.
            self.tell_rest();
            return Ok(self.progress());
        }
        let timeout = self.time_to_wait();
        let mut evidence = std::mem::take(&mut self.scratch.evidence);
        evidence.clear();

        // The question: all that matters, computed from the connections as they are now.
        let mut question: Vec<Row<'_>> = std::mem::take(&mut self.scratch.question);
        self.endpoints.ask(self.wants_clients(), &mut question);
        let waited = self.poller.wait(&question, timeout, &mut evidence);
        self.scratch.question = emptied(question);
        match waited {
            Ok(()) => {}
            Err(Errno::EINTR) => self.interrupted(),
            Err(errno) => return Err(errno),
        }

        // Another one is first each turn, so that nobody is always last.
        let first = if evidence.is_empty() { 0 } else { self.turns % evidence.len() };
        for ready in evidence[first..].iter().chain(&evidence[..first]) {
            self.serve(ready.place, ready.readiness());
        }
        self.scratch.evidence = evidence;
        self.turns = self.turns.wrapping_add(1);
        self.expire();
        Ok(self.progress())
    }

    /// Whether listeners are asked about.
    pub(super) fn wants_clients(&self) -> bool {
        self.draining.is_none() && self.clients < self.limits.max_clients
    }

    fn serve(&mut self, place: u32, readiness: Readiness) {
        match self.endpoints.at(place) {
            Some((token, Endpoint::Listener(_))) => self.accept(token),
            Some((token, Endpoint::Stream(_))) => self.serve_stream(token, readiness),
            Some((token, Endpoint::Connecting(_))) => self.connected(token),
            Some((token, Endpoint::Datagram(service))) => self.receive_datagram(token, *service),
            // Closed earlier in this turn, by another's doing.
            None => {}
        }
        if !self.later.is_empty() {
            self.tell_rest();
        }
    }
}
