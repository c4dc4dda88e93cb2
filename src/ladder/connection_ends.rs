//! The sources of the traces, and which of their calls belong to which end of which connection.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::speaker::{Speaker, SpeakerKey, in_order, speaker};
use super::{LadderTrace, Side};
use crate::addr::Address;
use crate::names::Errno;
use crate::trace::Event;
use crate::trace::arg::Arg;
use crate::trace::descriptors::{DescriptorKind, OpenFile};
use crate::trace::event::{Connection, Mark};
use crate::trace::page::Effect;
use crate::values::FdNumber;

/// How a connection began at this end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndRole {
    /// It called `connect`.
    Connects,
    /// It called `accept`.
    Accepts,
}

/// One end of a connection, as its trace shows it.
#[derive(Debug)]
pub(super) struct ConnectionEnd {
    pub(super) role: EndRole,
    /// The call that made it, if it is in the trace.
    pub(super) opener: Option<usize>,
    /// The calls on it, in order, each with the bytes received and sent before it.
    pub(super) calls: Vec<(usize, [u64; 2])>,
    /// The call that closed its last descriptor, and the bytes sent by then.
    pub(super) closed: Option<(usize, u64)>,
    pub(super) local: Option<Address>,
    pub(super) peer: Option<Address>,
    id: Option<u64>,
    /// Whether it is a stream, in which bytes have positions.
    pub(super) is_stream: bool,
}

/// The facts about one call.
#[derive(Debug, Default)]
pub(super) struct OfCall {
    pub(super) source: usize,
    pub(super) end: Option<usize>,
    role: Option<EndRole>,
    /// The changes of descriptors.
    pub(super) descriptors: Vec<(i32, Option<String>)>,
    life: Option<Life>,
    /// The open files that the call waits for.
    watched: Vec<Life>,
}

impl OfCall {
    pub(super) fn side(&self, sources: &[Speaker]) -> Side {
        match self.role {
            Some(EndRole::Connects) => Side::Left,
            Some(EndRole::Accepts) => Side::Right,
            None => sources[self.source].side(),
        }
    }
}

/// An open file of a source, by its id in the table: all copies of a descriptor count as one.
type Life = (usize, u64);

/// All facts.
#[derive(Debug, Default)]
pub(super) struct LadderFacts {
    pub(super) sources: Vec<Speaker>,
    pub(super) ends: Vec<ConnectionEnd>,
    pub(super) of_calls: Vec<OfCall>,
    /// Calls that occurred before.
    pub(super) repeated: usize,
    clocks: HashMap<Option<Arc<str>>, usize>,
    roles: HashMap<Life, EndRole>,
    /// The newest end of each open file.
    end_of: HashMap<Life, usize>,
}

impl LadderFacts {
    /// Examines the calls of all files; returns them in one list, unchanged.
    pub(super) fn find(traces: Vec<LadderTrace>) -> (Vec<Event<'static>>, Self) {
        let mut found = Self::default();
        let mut calls: Vec<Event<'static>> = Vec::new();
        let mut known_calls = HashSet::new();
        for trace in traces {
            // The source of a thread, and the number of its last call.
            let mut speaking: HashMap<SpeakerKey, (usize, u64)> = HashMap::new();
            for call in in_order(trace.calls) {
                let key = speaker(&call);
                if !known_calls.insert((key.clone(), call.seq, call.begin_ns)) {
                    found.repeated += 1;
                    continue;
                }
                // Numbers that begin again belong to another tracer.
                let known = speaking.get(&key).filter(|(_, last)| *last < call.seq);
                let source =
                    known.map_or_else(|| found.source(&call, trace.name), |(source, _)| *source);
                speaking.insert(key, (source, call.seq));
                found.take(calls.len(), source, &call);
                calls.push(call);
            }
        }
        for of_call in &mut found.of_calls {
            // Only now is it known what each socket became.
            of_call.role = match of_call.life {
                Some(life) => found.roles.get(&life).copied(),
                None => common_role(&of_call.watched, &found.roles),
            };
        }
        (calls, found)
    }

    /// How many clocks there are.
    pub(super) fn clocks(&self) -> usize {
        self.clocks.len()
    }

    fn source(&mut self, call: &Event<'_>, name: Option<&'static str>) -> usize {
        let next = self.clocks.len();
        let clock = *self.clocks.entry(call.clock.clone()).or_insert(next);
        self.sources.push(Speaker::new(call, name, clock));
        self.sources.len() - 1
    }

    fn take(&mut self, at: usize, source: usize, call: &Event<'_>) {
        self.of_calls.push(OfCall { source, ..OfCall::default() });
        let fd = call.fd().filter(|_| call.errno() != Some(Errno::EBADF));
        if let Some(fd) = fd {
            let life = self.life(source, fd);
            self.of_calls[at].life = Some(life);
            let descriptors = &self.sources[source].descriptors;
            let connection = call.connection.clone().or_else(|| descriptors.connection(fd));
            self.of_calls[at].end =
                connection.map(|connection| self.end(at, life, fd, &connection));
        }
        if call.mark != Mark::Refused {
            let watched = watched(call).into_iter().map(|fd| self.life(source, fd));
            self.of_calls[at].watched = watched.collect();
            self.close(at, source, call);
            self.sources[source].descriptors.learn(call);
            self.learn(at, source, fd, call);
        }
    }

    fn life(&mut self, source: usize, fd: FdNumber) -> Life {
        (source, self.sources[source].descriptors.id(fd))
    }

    fn file(&self, source: usize, fd: FdNumber) -> OpenFile {
        self.sources[source].descriptors.known(fd).unwrap_or_default()
    }

    /// The end that a call on this descriptor belongs to.
    fn end(&mut self, at: usize, life: Life, fd: FdNumber, connection: &Connection) -> usize {
        let is_same = |end: &&usize| self.ends[**end].id.is_none_or(|id| id == connection.id);
        let known = self.end_of.get(&life).filter(is_same).copied();
        let end = known.unwrap_or_else(|| {
            let role = self.roles.get(&life).copied().unwrap_or(EndRole::Accepts);
            self.add_end(life, fd, role, None)
        });
        let known = &mut self.ends[end];
        known.id = Some(connection.id);
        known.local = connection.local.clone().or(known.local.take());
        known.peer = connection.peer.clone().or(known.peer.take());
        known.calls.push((at, [connection.bytes_in, connection.bytes_out]));
        end
    }

    fn add_end(&mut self, life: Life, fd: FdNumber, role: EndRole, opener: Option<usize>) -> usize {
        let file = self.file(life.0, fd);
        let is_stream = file.kind != DescriptorKind::Datagram;
        self.ends.push(ConnectionEnd {
            role,
            opener,
            calls: Vec::new(),
            closed: None,
            local: file.local,
            peer: file.peer,
            id: None,
            is_stream,
        });
        self.end_of.insert(life, self.ends.len() - 1);
        self.ends.len() - 1
    }

    /// If this call closes the last descriptor of a file, its connection ends here.
    fn close(&mut self, at: usize, source: usize, call: &Event<'_>) {
        for fd in self.sources[source].descriptors.all_closed_by(call) {
            let life = self.life(source, fd);
            let file = self.file(source, fd);
            if let Some(end) = self.end_of.get(&life).filter(|_| file.copies == 0 && !file.passed) {
                // The call's own counts, if it is a close.
                let end = &mut self.ends[*end];
                let said = end.calls.last().filter(|(last, _)| *last == at);
                let bytes_out = said.map_or(file.bytes_out, |(_, [_, bytes_out])| *bytes_out);
                end.closed = Some((at, bytes_out));
            }
            self.of_calls[at].descriptors.push((fd.get(), None));
        }
    }

    /// Learns from a call.
    fn learn(&mut self, at: usize, source: usize, fd: Option<FdNumber>, call: &Event<'_>) {
        let succeeded = call.value().is_some();
        let made = FdNumber::new(call.value().and_then(|fd| i32::try_from(fd).ok()).unwrap_or(-1));
        let address = call.args.iter().find_map(|arg| match arg {
            Arg::Address(address) => Some(address.to_string()),
            _ => None,
        });
        let other = || address.clone().unwrap_or_else(|| "an unknown peer".into());
        match (call.callee.effect(), fd) {
            (Effect::MakesSocket, _) if succeeded => {
                self.of_calls[at].life = Some(self.life(source, made));
                let is_datagram = self.file(source, made).kind == DescriptorKind::Datagram;
                self.note(at, made, if is_datagram { "datagram socket" } else { "socket" });
            }
            (Effect::Binds, Some(fd)) if succeeded => {
                let life = self.life(source, fd);
                if !self.end_of.contains_key(&life) {
                    self.note(at, fd, &format!("socket bound to {}", address.unwrap_or_default()));
                }
            }
            (Effect::Listens, Some(fd)) if succeeded => {
                self.accepts(source, fd);
                let local = self.file(source, fd).local;
                let local = local.map(|local| local.to_string()).unwrap_or_default();
                self.note(at, fd, &format!("listens at {local}"));
            }
            (Effect::TellsName, Some(fd)) if succeeded => {
                // A port that bind left to the kernel is known only now.
                let local = address.unwrap_or_default();
                match self.file(source, fd).kind {
                    DescriptorKind::Listener => self.note(at, fd, &format!("listens at {local}")),
                    _ if self.of_calls[at].end.is_none() => {
                        self.note(at, fd, &format!("socket bound to {local}"));
                    }
                    _ => {}
                }
            }
            (Effect::Accepts, Some(fd)) if succeeded => {
                self.accepts(source, fd);
                self.accepts(source, made);
                let life = self.life(source, made);
                // The call is on the listener, but the new connection begins with it.
                let end = self.add_end(life, made, EndRole::Accepts, Some(at));
                self.of_calls[at].end = Some(end);
                self.note(at, made, &format!("connection from {}", other()));
            }
            (Effect::Connects, Some(fd)) if succeeded || is_under_way(call) => {
                if let Some(end) = self.connected(at, source, fd) {
                    self.of_calls[at].end = Some(end);
                    self.note(at, fd, &format!("connection to {}", other()));
                }
            }
            (Effect::Copies | Effect::Commands, Some(fd)) if succeeded && makes_a_copy(call) => {
                self.note(at, made, &format!("copy of {fd}"));
            }
            (Effect::MakesPipe | Effect::MakesPair, _) if succeeded => self.paired(at, call),
            _ => {}
        }
    }

    fn accepts(&mut self, source: usize, fd: FdNumber) {
        self.sources[source].accepts = true;
        let life = self.life(source, fd);
        self.roles.insert(life, EndRole::Accepts);
    }

    /// The end that `connect` has made, unless there is one already.
    fn connected(&mut self, at: usize, source: usize, fd: FdNumber) -> Option<usize> {
        let life = self.life(source, fd);
        if self.end_of.contains_key(&life) {
            return None;
        }
        if self.file(source, fd).kind != DescriptorKind::Datagram {
            self.sources[source].connects = true;
            self.roles.insert(life, EndRole::Connects);
        }
        Some(self.add_end(life, fd, EndRole::Connects, Some(at)))
    }

    fn paired(&mut self, at: usize, call: &Event<'_>) {
        let words = match call.callee.effect() {
            Effect::MakesPair => ["one end of a pair", "the other end of the pair"],
            _ => ["pipe, to read from", "pipe, to write to"],
        };
        for arg in call.args.iter() {
            if let Arg::Fds(pair) = arg {
                pair.iter().zip(words).for_each(|(fd, what)| self.note(at, *fd, what));
            }
        }
    }

    fn note(&mut self, at: usize, fd: FdNumber, what: &str) {
        self.of_calls[at].descriptors.push((fd.get(), Some(what.to_string())));
    }
}

/// Whether the result is a new number. (`dup2` may get the same number twice; `fcntl` does it by a command.)
fn makes_a_copy(call: &Event<'_>) -> bool {
    match call.callee.effect() {
        Effect::Copies => call.value() != call.fd().map(|fd| fd.get().into()),
        _ => call.arg("cmd").is_some_and(|command| command.written().starts_with("F_DUPFD")),
    }
}

/// Whether a `connect` continues after it has returned.
fn is_under_way(call: &Event<'_>) -> bool {
    call.mark != Mark::Injected && matches!(call.errno(), Some(Errno::EINPROGRESS | Errno::EINTR))
}

/// The descriptors that a wait is about.
fn watched(call: &Event<'_>) -> Vec<FdNumber> {
    let of_arg = |arg: &Arg<'_>| match arg {
        Arg::Set(Some(members)) => members.to_vec(),
        Arg::Rows(rows) => rows.iter().map(|row| row.fd).filter(|fd| fd.get() >= 0).collect(),
        _ => Vec::new(),
    };
    match call.callee.effect() {
        Effect::Selects | Effect::Polls => call.args.iter().flat_map(of_arg).collect(),
        _ => Vec::new(),
    }
}

/// The role of all files that have one, if it is the same: a wait for a client's socket is a call of the client.
fn common_role(watched: &[Life], roles: &HashMap<Life, EndRole>) -> Option<EndRole> {
    let mut known = watched.iter().filter_map(|life| roles.get(life).copied());
    let first = known.next()?;
    known.all(|role| role == first).then_some(first)
}
