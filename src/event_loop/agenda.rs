//! The tasks that are left in a turn, in the order in which they are done.

use std::collections::VecDeque;

use crate::addr::Address;
use crate::events::{Ending, ServiceId, Token};
use crate::names::Errno;
use crate::sys::Fd;

#[derive(Debug)]
pub(super) enum Task {
    /// The wait found an endpoint readable: receive once, or begin to accept.
    Receive(Token),
    /// An endpoint is writable: send queued bytes, or check the result of a connect.
    Send(Token),
    /// The wait found that a descriptor is not open.
    DropInvalid(Token),
    /// An endpoint's deadline is over.
    Expire(Token),
    /// A listener may have more clients in its queue: accept, at most this many times.
    Accept(Token, usize),
    /// Present to the service the bytes that it kept.
    PresentKept(Token),
    /// Close a connection if both sides have finished.
    CloseIfDone(Token),
    /// Tell the service about a new connection, and which endpoint asked for it (`None`: it was accepted).
    TellOpened(Token, Option<Token>),
    /// Tell the service about a connection that is closed.
    TellClosed(Token, ServiceId, Ending),
    /// Tell the service that no connection could be made for this endpoint.
    TellNotOpened(Token, ServiceId, Errno),
    /// A connection that a service asked for has been made: add it to the loop.
    Admit(Box<Made>),
}

/// A connection that a service asked for, now made.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) fd: Fd,
    pub(super) address: Address,
    pub(super) service: ServiceId,
    pub(super) asked_by: Token,
}

/// The tasks that are left. The consequences of a task are done before the next descriptor has its turn.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// What the wait found, each turn beginning with another endpoint.
    ready: VecDeque<Task>,
    /// The consequences of the tasks done so far.
    consequences: VecDeque<Task>,
}

impl Agenda {
    /// Adds a task that the wait found.
    #[inline]
    pub(super) fn add_ready(&mut self, task: Task) {
        self.ready.push_back(task);
    }

    pub(super) fn add_consequence(&mut self, task: Task) {
        self.consequences.push_back(task);
    }

    /// Takes the next task.
    #[inline]
    pub(super) fn take_next(&mut self) -> Option<Task> {
        if self.consequences.is_empty() {
            return self.ready.pop_front();
        }
        self.consequences.pop_front()
    }

    /// Whether no task is left.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.ready.is_empty() && self.consequences.is_empty()
    }
}
