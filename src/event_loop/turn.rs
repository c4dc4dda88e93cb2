//! The whole story: state the question, wait, serve whoever is ready.

use std::os::fd::BorrowedFd;

use super::endpoints::{Endpoint, Endpoints};
use super::{EventLoop, Progress};
use crate::events::{Action, Token};
use crate::names::{Errno, Result};
use crate::poller::{Interest, Readiness, Row};

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
        let timeout = self.time_to_wait();
        let mut evidence = std::mem::take(&mut self.scratch.evidence);
        evidence.clear();

        // The question: all that matters, computed from the connections as they are now.
        let mut question: Vec<Row<'_>> = std::mem::take(&mut self.scratch.question);
        let clients_wanted = self.draining.is_none() && self.clients < self.limits.max_clients;
        self.endpoints.ask(clients_wanted, &mut question, &mut self.scratch.tokens);
        let waited = self.poller.wait(&question, timeout, &mut evidence);
        self.scratch.question = emptied(question);
        match waited {
            // A signal came; its byte in the self-pipe will be found by the next wait.
            Ok(()) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }

        // Another one is first each turn, so that nobody is always last.
        let tokens = std::mem::take(&mut self.scratch.tokens);
        let first = if evidence.is_empty() { 0 } else { self.turns % evidence.len() };
        for ready in evidence[first..].iter().chain(&evidence[..first]) {
            self.serve(tokens[ready.row], ready.readiness());
        }
        self.scratch.tokens = tokens;
        self.scratch.evidence = evidence;
        self.turns = self.turns.wrapping_add(1);
        self.expire();
        Ok(self.progress())
    }

    fn serve(&mut self, token: Token, readiness: Readiness) {
        match self.endpoints.get_mut(token) {
            Some(Endpoint::Listener(_)) => self.accept(token),
            Some(Endpoint::Stream(_)) => self.serve_stream(token, readiness),
            // Closed earlier in this turn, by another's doing.
            None => {}
        }
        self.tell_failures();
    }
}

impl Endpoints {
    /// Appends a row for everybody who waits for something, and whose row it is.
    fn ask<'fd>(
        &'fd self,
        clients_wanted: bool,
        question: &mut Vec<Row<'fd>>,
        tokens: &mut Vec<Token>,
    ) {
        tokens.clear();
        let mut ask = |token: Token, fd: BorrowedFd<'fd>, interest: Interest| {
            question.push(Row { fd, interest });
            tokens.push(token);
        };
        for (token, endpoint) in self.iter() {
            match endpoint {
                Endpoint::Listener(listener) if clients_wanted && !listener.is_paused() => {
                    ask(token, listener.fd(), Interest::Read);
                }
                Endpoint::Listener(_) => {}
                Endpoint::Stream(stream) => stream.ask(|fd, interest| ask(token, fd, interest)),
            }
        }
    }
}

/// The memory of a question without its rows: nothing is borrowed any more. (Collecting an empty vector into one of
/// the same layout keeps its allocation.)
fn emptied(mut question: Vec<Row<'_>>) -> Vec<Row<'static>> {
    question.clear();
    question.into_iter().filter_map(|_| None).collect()
}

/// The same for actions, which borrow the bytes that they send.
pub(super) fn emptied_actions(mut actions: Vec<Action<'_>>) -> Vec<Action<'static>> {
    actions.clear();
    actions.into_iter().filter_map(|_| None).collect()
}
