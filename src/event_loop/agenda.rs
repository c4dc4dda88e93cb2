//! The tasks that are left in a turn, in the order in which they are done.

use std::collections::VecDeque;

use crate::addr::Address;
use crate::events::{Ending, ServiceId, Token};
use crate::names::Errno;
use crate::poller::Readiness;
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

/// Why an endpoint has its turn. An endpoint of which the wait found several things has its turn once for each.
#[derive(Clone, Copy, Debug)]
enum Reason {
    Writable,
    Readable,
    Invalid,
    Due,
}

/// The tasks that are left. The consequences of a task are done before the next descriptor has its turn.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// What the wait found, each turn beginning with another endpoint; those before `next` are done.
    ready: Vec<(Token, Reason)>,
    next: usize,
    /// The consequences of the tasks done so far.
    consequences: VecDeque<Task>,
}

impl Agenda {
    /// Adds the tasks for an endpoint that the wait found ready: queued bytes leave before others are received.
    #[inline]
    pub(super) fn add_ready(&mut self, who: Token, found: Readiness) {
        if found.writable {
            self.ready.push((who, Reason::Writable));
        }
        if found.readable {
            self.ready.push((who, Reason::Readable));
        }
        if found.invalid {
            self.ready.push((who, Reason::Invalid));
        }
    }

    /// Adds the task for an endpoint whose deadline is over.
    pub(super) fn add_due(&mut self, who: Token) {
        self.ready.push((who, Reason::Due));
    }

    pub(super) fn add_consequence(&mut self, task: Task) {
        self.consequences.push_back(task);
    }

    /// Takes the next task.
    #[inline]
    pub(super) fn take_next(&mut self) -> Option<Task> {
        if !self.consequences.is_empty() {
            return self.consequences.pop_front();
        }
        let Some((who, reason)) = self.ready.get(self.next).copied() else {
            self.ready.clear();
            self.next = 0;
            return None;
        };
        self.next += 1;
        Some(match reason {
            Reason::Writable => Task::Send(who),
            Reason::Readable => Task::Receive(who),
            Reason::Invalid => Task::DropInvalid(who),
            Reason::Due => Task::Expire(who),
        })
    }

    /// Whether no task is left.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.ready.is_empty() && self.consequences.is_empty()
    }
}
