//! Between services and loop: telling what happened, doing what they say.

use std::time::Instant;

use super::{EventLoop, ServiceId};
use crate::addr::Address;
use crate::conn::Ends;
use crate::events::{Action, Event, Token};
use crate::names::{SOL_TCP, TCP_NODELAY};
use crate::poller::emptied;
use crate::sys;
use crate::trace::Function;

impl EventLoop {
    /// Tells a service what happened and does what it says. Returns how many bytes it keeps.
    pub(super) fn tell(&mut self, token: Token, service: ServiceId, event: Event<'_>) -> usize {
        let Some(mut speaker) = self.services[service.0].take() else { return 0 };
        let mut actions: Vec<Action<'_>> = std::mem::take(&mut self.scratch.actions);
        speaker.on(token, event, &mut actions);
        let mut kept = 0;
        for action in &actions {
            match *action {
                Action::Keep(bytes) => kept = bytes,
                // By far the most frequent: it is spared the way past all the others.
                Action::Send { to, bytes } => self.send(to, bytes),
                ref action => self.perform(action, service),
            }
        }
        self.scratch.actions = emptied(actions);
        self.services[service.0] = Some(speaker);
        kept
    }

    /// Does what a service says; also for whoever runs the loop, between turns.
    pub fn perform(&mut self, action: &Action<'_>, service: ServiceId) {
        match *action {
            Action::Send { to, bytes } => self.send(to, bytes),
            Action::SendFile { to, head, ref part } => self.send_file(to, head, part.clone()),
            Action::SendDatagram { by, ref to, bytes } => self.send_datagram(by, to, bytes),
            Action::Keep(_) => {}
            Action::WantRoom(token) => {
                // There may be room now. It is told in a turn of its own all the same: an endless sender would never let
                // anybody else have one.
                self.endpoints.with_stream(token, |_, stream| stream.wants_room = true);
            }
            Action::Deadline(token, after) => {
                self.has_deadlines |= after.is_some();
                let deadline = after.map(|after| Instant::now() + after);
                self.endpoints.with_stream(token, |_, stream| stream.deadline = deadline);
            }
            Action::Open { by, addresses, time_limit } => {
                self.open(by, service, addresses, time_limit)
            }
            Action::Couple(one, other) => self.couple(one, other),
            Action::Hold(token, held) => {
                self.endpoints.with_stream(token, |_, stream| stream.held = held);
            }
            Action::Finish(token) => {
                self.with_conn(token, Function::SHUTDOWN, |ends, conn| {
                    conn.finish();
                    conn.finish_if_sent(ends)
                });
                self.close_if_done(token);
            }
            Action::Close(token) => self.close(token),
            Action::Abort(token) => self.abort(token),
            Action::Unlisten => self.unlisten(service),
            Action::Stop => self.stop(),
        }
    }

    fn couple(&mut self, one: Token, other: Token) {
        for (token, partner) in [(one, other), (other, one)] {
            let partner_owed =
                self.endpoints.stream(partner).is_some_and(|stream| stream.conn.owed() > 0);
            self.endpoints.with_stream(token, |_, stream| {
                stream.partner = Some(partner);
                stream.blocked = partner_owed;
            });
            self.pass_on_at_once(token);
        }
    }

    /// Whoever sent the bytes has decided how many go together. Held back here by Nagle's algorithm, until those before
    /// them are acknowledged, they would be late by 40 ms (Linux; RFC 1122 allows 500): an acknowledgement may wait for
    /// something to go with.
    pub(super) fn pass_on_at_once(&mut self, token: Token) {
        self.endpoints.with_stream(token, |ends, stream| {
            if let (Ends::Socket(fd), Some(Address::V4(_) | Address::V6(_))) = (ends, stream.peer())
            {
                // It fails if the connection is over already; the next call on it will say so.
                let _ = sys::setsockopt(fd, SOL_TCP, TCP_NODELAY, &1);
            }
        });
    }

    /// Tells what had to wait until the services had spoken: who is closed, who has come.
    pub(super) fn tell_rest(&mut self) {
        while !self.later.is_empty() {
            self.tell_endings();
            self.tell_opened();
        }
    }
}
