//! What each call reveals about descriptors, for the calls after it.

use std::ops::RangeInclusive;
use std::rc::Rc;

use super::change::{FileChange, address, says};
use super::{Descriptor, DescriptorKind, DescriptorTable, Shared, describe, next, only_looks};
use crate::names::{AF_UNSPEC, Errno, F_SETFD, FD_CLOEXEC, SOCK_STREAM};
use crate::trace::arg::Arg;
use crate::trace::event::{Connection, Event, Mark, Outcome};
use crate::trace::page::Effect;
use crate::values::FdNumber;

impl DescriptorTable {
    /// Learns from a call.
    pub fn learn(&mut self, event: &Event<'_>) {
        if event.mark == Mark::Refused {
            return;
        }
        if let (Some(fd), Some(connection)) = (event.fd(), &event.connection) {
            self.adopt(fd, connection);
        }
        if let (Some(fd), Some(change)) = (event.fd(), FileChange::of(event)) {
            self.change(fd, change);
        }
        match event.outcome {
            Outcome::Value(value) => self.succeeded(event, value),
            // Whatever error is reported, the number is free.
            Outcome::Error(errno) => {
                let closed = event.fd().filter(|_| event.callee.effect() == Effect::Closes);
                if let Some(fd) = closed.filter(|_| errno != Errno::EBADF) {
                    self.numbers.remove(&fd.get());
                }
            }
            Outcome::Unknown => {}
        }
    }

    /// Applies a change to the file that this number leads to. A connection that begins has a number and counts of its own.
    fn change(&mut self, fd: FdNumber, change: FileChange<'_>) {
        let counters = self.counters.clone();
        let mut file = self.file(fd).file.borrow_mut();
        match change {
            FileChange::Connected(Some(peer)) if peer.domain() == AF_UNSPEC => {
                file.connection = None;
            }
            // A second `connect`, which asks for the result of the first one.
            FileChange::Connected(peer)
                if file.connection.is_some() && file.peer.as_ref() == peer => {}
            FileChange::Connected(_) => {
                file.connection = Some(next(&counters.connections));
                (file.bytes_in, file.bytes_out) = (0, 0);
            }
            _ => {}
        }
        file.apply(change);
    }

    /// Takes over the connection in the event itself, because a trace may begin in the middle.
    fn adopt(&mut self, fd: FdNumber, connection: &Connection) {
        let mut file = self.file(fd).file.borrow_mut();
        if file.connection != Some(connection.id) {
            file.connection = Some(connection.id);
            file.local = connection.local.clone().or(file.local.take());
            file.peer = connection.peer.clone().or(file.peer.take());
        }
        (file.bytes_in, file.bytes_out) = (connection.bytes_in, connection.bytes_out);
    }

    fn succeeded(&mut self, event: &Event<'_>, value: i64) {
        let made = FdNumber::new(value as i32);
        match (event.callee.effect(), event.fd()) {
            (Effect::Receives, Some(fd)) => self.receive_passed(event, fd),
            (Effect::Sends, Some(fd)) => self.send_passed(event, fd),
            (Effect::Splices, _) => {
                if let Some(Arg::Fd(to)) = event.args.get(2) {
                    self.change(*to, FileChange::Sent(value as u64));
                }
            }
            (Effect::MakesSocket, _) => {
                let is_stream = event.args.iter().all(|arg| !is_datagram(arg));
                let kind =
                    if is_stream { DescriptorKind::Socket } else { DescriptorKind::Datagram };
                self.make(made, kind, event);
            }
            (Effect::Accepts, listener) => {
                let local = listener.and_then(|listener| self.get(listener)?.local.clone());
                let id = next(&self.counters.connections);
                let mut file = self.make(made, DescriptorKind::Connection, event).file.borrow_mut();
                (file.local, file.peer) = (local, address(event).cloned());
                file.connection = Some(id);
                file.accepted = true;
            }
            (Effect::MakesPair | Effect::MakesPipe, _) => self.make_pair(event),
            (Effect::Copies, Some(fd)) => self.copy(fd, made, event),
            (Effect::Commands, Some(fd)) => self.controlled(event, fd, made),
            (Effect::Closes, Some(fd)) => drop(self.numbers.remove(&fd.get())),
            (Effect::ClosesRange, _) => self.close_range(event),
            _ => {}
        }
    }

    fn controlled(&mut self, event: &Event<'_>, fd: FdNumber, made: FdNumber) {
        let command = event.args.get(1);
        match (command, event.args.get(2)) {
            (Some(Arg::Named(command)), Some(flags)) if *command == F_SETFD.named() => {
                let is_set = says(flags, FD_CLOEXEC.named().family.names[0].name);
                self.descriptor(fd).closed_on_exec = is_set;
            }
            (Some(command), _) if says(command, "F_DUPFD") || says(command, "F_DUPFD_CLOEXEC") => {
                self.copy(fd, made, event);
            }
            _ => {}
        }
    }

    /// Enters the descriptors that a message has brought.
    fn receive_passed(&mut self, event: &Event<'_>, fd: FdNumber) {
        let Some(Arg::Message(message)) = event.args.get(1) else { return };
        let only_looks = only_looks(event);
        let file = self.file(fd).clone();
        for number in message.passed() {
            let first =
                if only_looks { file.arriving.borrow().front().cloned() } else { file.take() };
            let arrived =
                first.unwrap_or_else(|| describe(&self.counters, DescriptorKind::Unknown));
            let closed_on_exec =
                event.args.get(2).is_some_and(|flags| says(flags, "MSG_CMSG_CLOEXEC"));
            self.numbers.insert(number.get(), Descriptor { file: arrived, closed_on_exec });
        }
    }

    /// Sends the descriptors of a message on their way.
    fn send_passed(&mut self, event: &Event<'_>, fd: FdNumber) {
        let Some(Arg::Message(message)) = event.args.get(1) else { return };
        let file = self.file(fd).clone();
        for passed in message.passed() {
            let passed = self.file(passed).clone();
            match file.other.borrow().upgrade() {
                Some(other) if other.can_keep(&passed) => other.keep(passed),
                _ => passed.file.borrow_mut().passed = true,
            }
        }
    }

    /// Puts a new file at this number; the file that was there is closed.
    fn make(&mut self, fd: FdNumber, kind: DescriptorKind, event: &Event<'_>) -> &Shared {
        let file = describe(&self.counters, kind);
        let nonblocking =
            event.args.iter().any(|arg| says(arg, "SOCK_NONBLOCK") || says(arg, "O_NONBLOCK"));
        file.file.borrow_mut().nonblocking = Some(nonblocking);
        let closed_on_exec =
            event.args.iter().any(|arg| says(arg, "SOCK_CLOEXEC") || says(arg, "O_CLOEXEC"));
        self.numbers.insert(fd.get(), Descriptor { file, closed_on_exec });
        &self.numbers[&fd.get()].file
    }

    fn make_pair(&mut self, event: &Event<'_>) {
        let pair = event.args.iter().find_map(|arg| match arg {
            Arg::Fds(pair) => Some(*pair),
            _ => None,
        });
        let is_pipe = event.callee.effect() == Effect::MakesPipe;
        let kind = match event.args.iter().any(is_datagram) {
            _ if is_pipe => DescriptorKind::Pipe,
            true => DescriptorKind::Datagram,
            false => DescriptorKind::Connection,
        };
        let Some([one, other]) = pair.map(|pair| pair.map(|fd| self.make(fd, kind, event).clone()))
        else {
            return;
        };
        *one.other.borrow_mut() = Rc::downgrade(&other);
        *other.other.borrow_mut() = Rc::downgrade(&one);
    }

    /// Lets the new number lead to the old one's file; the file that was there is closed. (`dup2` may get the same
    /// number twice.)
    fn copy(&mut self, old: FdNumber, new: FdNumber, event: &Event<'_>) {
        if old != new {
            let file = self.file(old).clone();
            let says_so = |arg: &Arg<'_>| says(arg, "F_DUPFD_CLOEXEC") || says(arg, "O_CLOEXEC");
            let closed_on_exec = event.args.iter().any(says_so);
            self.numbers.insert(new.get(), Descriptor { file, closed_on_exec });
        }
    }

    fn close_range(&mut self, event: &Event<'_>) {
        let Some(range) = range_of(event) else { return };
        if only_marks(event) {
            let marked = self.numbers.range_mut(range);
            marked.for_each(|(_, descriptor)| descriptor.closed_on_exec = true);
        } else {
            self.numbers.retain(|number, _| !range.contains(number));
        }
    }
}

/// The numbers that a `close_range` is about; none if it has none, which the kernel refuses.
pub(super) fn range_of(event: &Event<'_>) -> Option<RangeInclusive<i32>> {
    let number = |at: usize| match event.args.get(at) {
        Some(Arg::Fd(fd)) => Some(fd.get()),
        // ~0U stands for the highest possible number.
        Some(Arg::Int(number)) => Some(i32::try_from(*number).unwrap_or(i32::MAX)),
        _ => None,
    };
    let first = number(0)?;
    let last = number(1)?;
    (first <= last).then_some(first..=last)
}

/// Whether a `close_range` leaves the closing to exec.
pub(super) fn only_marks(event: &Event<'_>) -> bool {
    event.args.get(2).is_some_and(|flags| says(flags, "CLOSE_RANGE_CLOEXEC"))
}

fn is_datagram(arg: &Arg<'_>) -> bool {
    matches!(arg, Arg::Type(kind) if kind.without_flags() != SOCK_STREAM)
}
