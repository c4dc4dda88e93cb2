//! What each call reveals about descriptors, for the calls after it.

use std::rc::Rc;

use super::{
    Descriptor, DescriptorKind, DescriptorTable, Shared, asked_for_bytes, describe, next,
    only_looks,
};
use crate::addr::Address;
use crate::names::{
    AF_UNSPEC, Errno, F_SETFD, F_SETFL, FD_CLOEXEC, FIONBIO, Named, O_NONBLOCK, SOCK_STREAM,
};
use crate::trace::arg::{Arg, Value};
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
        match event.outcome {
            Outcome::Value(value) => self.succeeded(event, value),
            Outcome::Error(errno) => self.failed(event, errno),
            Outcome::Unknown => {}
        }
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
            (Effect::Receives, Some(fd)) => {
                self.received(event, fd, event.bytes_moved(value));
            }
            (Effect::Sends, Some(fd)) => {
                self.sent(event, fd, event.bytes_moved(value));
            }
            // 0 is not always the end of file: splice returns it at the mark of an urgent byte, too.
            (Effect::Splices, Some(fd)) => {
                let count = |bytes: u64| bytes.saturating_add(value as u64);
                let mut from = self.file(fd).file.borrow_mut();
                from.bytes_in = count(from.bytes_in);
                drop(from);
                if let Some(Arg::Fd(to)) = event.args.get(2) {
                    let mut to = self.file(*to).file.borrow_mut();
                    to.bytes_out = count(to.bytes_out);
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
                (file.local, file.peer) = (local, address(event));
                file.connection = Some(id);
                file.accepted = true;
            }
            (Effect::MakesPair | Effect::MakesPipe, _) => self.make_pair(event),
            (Effect::Copies, Some(fd)) => self.copy(fd, made, event),
            (Effect::Commands, Some(fd)) => self.controlled(event, fd, made),
            (Effect::Closes, Some(fd)) => drop(self.numbers.remove(&fd.get())),
            (Effect::None, _) if event.callee.name() == "close_range" => self.close_range(event),
            (effect, Some(fd)) => self.described(event, effect, fd),
            (_, None) => {}
        }
    }

    fn failed(&mut self, event: &Event<'_>, errno: Errno) {
        let Some(fd) = event.fd() else { return };
        match (event.callee.effect(), errno) {
            (_, Errno::EBADF) => {}
            (Effect::Closes, _) => drop(self.numbers.remove(&fd.get())),
            // The connect continues although the call has returned.
            (Effect::Connects, Errno::EINPROGRESS | Errno::EINTR)
                if event.mark != Mark::Injected =>
            {
                self.connect(event, fd);
            }
            (_, Errno::ECONNRESET | Errno::EPIPE) => {
                let mut file = self.file(fd).file.borrow_mut();
                // After its own shutdown, EPIPE says nothing about the peer, which may still send.
                file.broken |= errno == Errno::ECONNRESET || !file.finished;
            }
            _ => {}
        }
    }

    /// Learns from calls that concern a socket and create none.
    fn described(&mut self, event: &Event<'_>, effect: Effect, fd: FdNumber) {
        match effect {
            Effect::Connects => self.connect(event, fd),
            Effect::Binds | Effect::TellsName => self.name(fd, address(event), None),
            Effect::TellsPeer => self.name(fd, None, address(event)),
            Effect::Listens => self.file(fd).file.borrow_mut().kind = DescriptorKind::Listener,
            Effect::ShutsDown if !event.args.iter().any(|arg| says(arg, "SHUT_RD")) => {
                self.file(fd).file.borrow_mut().finished = true;
            }
            Effect::SetsOption => {
                let value = event.args.get(3);
                if let Some(Arg::Value(Value::Linger(linger))) = value {
                    let abrupt = linger.l_onoff != 0 && linger.l_linger == 0;
                    self.file(fd).file.borrow_mut().abrupt = abrupt;
                }
            }
            _ => {}
        }
    }

    fn connect(&mut self, event: &Event<'_>, fd: FdNumber) {
        let counters = self.counters.clone();
        let mut file = self.file(fd).file.borrow_mut();
        let peer = address(event);
        if peer.as_ref().is_some_and(|peer| peer.domain() == AF_UNSPEC) {
            // On a datagram socket this removes the peer.
            (file.connection, file.peer) = (None, None);
            return;
        }
        // A second `connect`, which asks for the result of the first one.
        if file.connection.is_some() && file.peer == peer {
            return;
        }
        if file.kind != DescriptorKind::Datagram {
            file.kind = DescriptorKind::Connection;
        }
        file.connection = Some(next(&counters.connections));
        file.peer = peer;
        (file.bytes_in, file.bytes_out) = (0, 0);
    }

    fn controlled(&mut self, event: &Event<'_>, fd: FdNumber, made: FdNumber) {
        if let [_, Arg::Request(FIONBIO), Arg::Value(Value::Int(on))] = &event.args[..] {
            self.file(fd).file.borrow_mut().nonblocking = *on != 0;
        }
        let command = event.args.get(1);
        match (command, event.args.get(2)) {
            (Some(Arg::Named(command)), Some(Arg::OpenFlags(flags)))
                if *command == F_SETFL.named() =>
            {
                self.file(fd).file.borrow_mut().nonblocking = flags.contains(O_NONBLOCK);
            }
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

    fn received(&mut self, event: &Event<'_>, fd: FdNumber, value: i64) {
        let only_looks = only_looks(event);
        let file = self.file(fd).clone();
        {
            let mut file = file.file.borrow_mut();
            if !only_looks {
                file.bytes_in = file.bytes_in.saturating_add(value as u64);
            }
            file.peer_finished |= value == 0 && asked_for_bytes(event);
        }
        let Some(Arg::Message(message)) = event.args.get(1) else { return };
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

    fn sent(&mut self, event: &Event<'_>, fd: FdNumber, value: i64) {
        let file = self.file(fd).clone();
        {
            let mut file = file.file.borrow_mut();
            file.bytes_out = file.bytes_out.saturating_add(value as u64);
        }
        let Some(Arg::Message(message)) = event.args.get(1) else { return };
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
        file.file.borrow_mut().nonblocking =
            event.args.iter().any(|arg| says(arg, "SOCK_NONBLOCK") || says(arg, "O_NONBLOCK"));
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
        let number = |at: usize| match event.args.get(at) {
            Some(Arg::Fd(fd)) => Some(fd.get()),
            // ~0U stands for the highest possible number.
            Some(Arg::Int(number)) => Some(i32::try_from(*number).unwrap_or(i32::MAX)),
            _ => None,
        };
        let (Some(first), Some(last)) = (number(0), number(1)) else { return };
        if event.args.get(2).is_some_and(|flags| says(flags, "CLOSE_RANGE_CLOEXEC")) {
            let marked = self.numbers.iter_mut().filter(|(fd, _)| (first..=last).contains(*fd));
            marked.for_each(|(_, descriptor)| descriptor.closed_on_exec = true);
        } else {
            self.numbers.retain(|number, _| !(first..=last).contains(number));
        }
    }
}

/// The address among the arguments.
fn address(event: &Event<'_>) -> Option<Address> {
    event.args.iter().find_map(|arg| match arg {
        Arg::Address(address) => Some(address.clone().into_owned()),
        _ => None,
    })
}

fn is_datagram(arg: &Arg<'_>) -> bool {
    matches!(arg, Arg::Type(kind) if kind.without_flags() != SOCK_STREAM)
}

/// Whether the argument is a constant with this name, or flags that contain it.
fn says(arg: &Arg<'_>, name: &str) -> bool {
    let has = |named: Named| {
        let known = named.family.names.iter().find(|known| known.name == name);
        known.is_some_and(|known| match named.family.flags {
            true => known.value != 0 && named.value & known.value == known.value,
            false => named.value == known.value,
        })
    };
    match arg {
        Arg::Named(named) => has(*named),
        Arg::Type(kind) => has(kind.flags().named()),
        Arg::OpenFlags(flags) => has(flags.named()),
        Arg::Word(text) | Arg::Text(text) => text.split('|').any(|word| word == name),
        _ => false,
    }
}
