//! Looking at the loop from outside, without serving anybody.

use std::time::Duration;

use super::EventLoop;
use super::endpoints::Endpoint;
use super::turn::emptied;
use crate::addr::Address;
use crate::conn::{Conn, Ends};
use crate::names::Result;
use crate::poller::Row;

impl EventLoop {
    /// Whether somebody is ready, or becomes so within `timeout`: then a [`turn`](Self::turn) will not wait. It asks
    /// what a turn would ask, and leaves everything as it is, for readiness lasts until somebody acts on it.
    ///
    /// # Errors
    /// As [`select`](crate::sys::select) and [`poll`](crate::sys::poll).
    pub fn ready_within(&mut self, timeout: Duration) -> Result<bool> {
        let mut question: Vec<Row<'_>> = std::mem::take(&mut self.scratch.question);
        self.endpoints.ask(self.wants_clients(), &mut question, &mut self.scratch.places);
        let mut evidence = Vec::new();
        let waited = self.poller.wait(&question, Some(timeout), &mut evidence);
        self.scratch.question = emptied(question);
        waited?;
        Ok(!evidence.is_empty())
    }

    /// The connection of the client at this address, to look at.
    pub fn client(&self, at: &Address) -> Option<(&Ends, &Conn)> {
        let is_at = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Stream(stream) if stream.peer() == Some(at));
        let token = *self.endpoints.tokens_where(is_at).first()?;
        Some((self.endpoints.ends(token)?, &self.endpoints.stream(token)?.conn))
    }
}
