//! Carries out the actions of services, each as far as possible now.

use std::time::Instant;

use super::datagram::send_one;
use super::endpoints::Endpoint;
use super::notice::Notice;
use super::state::LoopState;
use super::stream::FailedCall;
use crate::addr::Address;
use crate::conn::FilePart;
use crate::events::{Action, Ending, ServiceId, Token};
use crate::names::Result;
use crate::trace::{self, Function};

impl LoopState {
    /// Carries out one action.
    #[inline(always)]
    pub(super) fn carry_out(&mut self, action: &Action<'_>, service: ServiceId) {
        let Action::Send { to, bytes } = *action else {
            return self.carry_out_rarer(action, service);
        };
        let Some((ends, stream)) = self.endpoints.stream_mut(to) else { return };
        if stream.failed.is_some() {
            return;
        }
        stream.note_activity();
        if let Some(observer) = &mut self.observer {
            observer.count_accepted(to, stream.service, bytes.len());
        }
        let sent = stream.conn.sending.send(ends, bytes);
        // Usually the kernel took all bytes, and nothing has changed.
        if sent != Ok(()) || stream.conn.owed() > 0 {
            self.after_sending(to, Function::SEND, sent);
        }
    }

    /// Carries out an action that is not a send.
    #[inline(never)]
    fn carry_out_rarer(&mut self, action: &Action<'_>, service: ServiceId) {
        match *action {
            // `carry_out` has done it.
            Action::Send { .. } => {}
            Action::SendFile { to, head, part } => self.send_file(to, head, part),
            Action::SendDatagram { by, to, bytes } => self.send_datagram(by, to, bytes),
            // It concerns the bytes that were just presented: see `turn`.
            Action::Keep(_) => {}
            Action::WantRoom(token) => {
                // There may be room now, but room is reported in a later turn only: otherwise an endless sender would
                // keep this turn going, and no other connection would be served.
                if let Some((_, stream)) = self.endpoints.stream_mut(token) {
                    stream.wants_room = true;
                    self.endpoints.settle(token);
                }
            }
            Action::Deadline(token, after) => {
                self.has_deadlines |= after.is_some();
                if let Some((_, stream)) = self.endpoints.stream_mut(token) {
                    stream.deadline = after.map(|after| Instant::now() + after);
                }
            }
            Action::Open { by, addresses, time_limit } => {
                self.open(by, service, addresses, time_limit);
            }
            Action::GiveUp(asked_by) => self.give_up_asked(asked_by),
            Action::Couple(one, other) => self.couple(one, other),
            Action::Splice(one, other) => self.begin_to_splice(one, other),
            Action::Hold(token) | Action::Release(token) => {
                if let Some((_, stream)) = self.endpoints.stream_mut(token) {
                    stream.held = matches!(action, Action::Hold(_));
                    self.endpoints.settle(token);
                }
            }
            Action::Finish(token) => {
                let finished =
                    self.endpoints.stream_mut(token).map(|(ends, stream)| stream.finish(ends));
                if let Some(Err(failed)) = finished {
                    self.fail_stream(token, failed);
                }
                self.close_if_done(token);
            }
            Action::Close(token) => self.close_stream(token),
            Action::Abort(token) => self.abort_stream(token),
            Action::Unlisten => self.unlisten(service),
            Action::Stop => self.begin_to_end(),
        }
    }

    /// After a send that was short or failed: a failure ends the connection; queued bytes wait for room, and their number
    /// has a limit.
    #[cold]
    fn after_sending(&mut self, token: Token, call: Function, sent: Result<()>) {
        if let Err(errno) = sent {
            return self.fail_stream(token, FailedCall(call, errno));
        }
        self.endpoints.settle(token);
        let held = self.endpoints.stream(token).map_or(0, |(_, stream)| stream.conn.sending.held());
        if held > self.most_queued(token) {
            self.end_stream(token, Ending::TooSlow);
        } else if held > 0 {
            trace::intent(
                "unsent bytes wait for a writable descriptor; until then no more are read for it",
            );
        }
    }

    /// The most bytes that may be queued for a peer. The observer limits the queues of its own viewers.
    fn most_queued(&self, token: Token) -> usize {
        let service = self.endpoints.stream(token).map(|(_, stream)| stream.service);
        match service {
            Some(service) if self.is_observer(service) => usize::MAX,
            _ => self.limits.owed_bytes,
        }
    }

    /// Sends bytes, and then a part of a file.
    fn send_file(&mut self, token: Token, head: &[u8], part: &FilePart) {
        let Some((ends, stream)) = self.endpoints.stream_mut(token) else { return };
        stream.note_activity();
        if let Some(observer) = &mut self.observer {
            observer.count_accepted(token, stream.service, head.len() + part.len());
        }
        if part.is_empty() {
            // With MSG_MORE the head would wait for the bytes after it: 200 ms on Linux.
            let sent = stream.conn.sending.send(ends, head);
            return self.after_sending(token, Function::SEND, sent);
        }
        // The last segment of each part is not full. Nagle's algorithm would hold it back until the segments before it
        // are acknowledged, which made transfers take half as long again when it was measured.
        if stream.conn.sending.begins_to_send_files() {
            stream.send_without_delay(ends);
        }
        let sent = stream.conn.sending.send_before_file(ends, head);
        self.after_sending(token, Function::SEND, sent);
        let Some((ends, stream)) = self.endpoints.stream_mut(token) else { return };
        let sent = stream.conn.sending.send_file(ends, part.clone());
        let is_broken = stream.conn.sending.is_broken();
        let owes = stream.conn.sending.owes_file();
        match sent {
            Err(errno) => self.fail_stream(token, FailedCall(Function::SENDFILE, errno)),
            Ok(()) if is_broken => self.abort_broken(token),
            Ok(()) => self.endpoints.settle(token),
        }
        if sent == Ok(()) && owes && !is_broken {
            trace::intent("the rest of the file waits until this descriptor is writable");
        }
    }

    /// The file has become shorter. A reset tells the peer that the answer is incomplete, which an end of file would not;
    /// and trying to read the missing bytes again would spin.
    pub(super) fn abort_broken(&mut self, token: Token) {
        trace::intent("the file has become shorter: what was promised cannot be kept");
        self.abort_stream(token);
    }

    fn send_datagram(&mut self, by: Token, to: &Address, bytes: &[u8]) {
        let Some((ends, endpoint)) = self.endpoints.get_mut(by) else { return };
        if let Some(observer) = &mut self.observer {
            observer.count_accepted(by, endpoint.service(), bytes.len());
        }
        if let Some(fd) = ends.output()
            && let Err(errno) = send_one(fd, to, bytes)
        {
            self.tell_person(&Notice::DatagramFailed(errno));
        }
    }

    fn couple(&mut self, one: Token, other: Token) {
        for (token, partner) in [(one, other), (other, one)] {
            if let Some((ends, stream)) = self.endpoints.stream_mut(token) {
                stream.partner = Some(partner);
                stream.send_without_delay(ends);
            }
        }
        // Only now do both know their partner: settling one tells the other whether bytes are queued.
        self.endpoints.settle(one);
        self.endpoints.settle(other);
    }

    /// Closes the listeners of a service: no more clients are accepted.
    fn unlisten(&mut self, service: ServiceId) {
        let is_its = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Listener(listener) if listener.service == service);
        for token in self.endpoints.tokens_where(is_its) {
            self.endpoints.remove(token);
        }
    }
}
