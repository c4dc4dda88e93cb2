//! Who speaks in the traces, and which of their calls are about which end of which connection.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;

use serde_json::Value as Json;

use super::Side;
use crate::trace::Recorded;
use crate::trace::page::Effect;

/// One thread of one process, as one trace has it.
#[derive(Debug)]
pub(super) struct Source {
    pid: u32,
    tid: u64,
    /// Which clock, by number.
    pub(super) clock: usize,
    /// Whether it listens or accepts.
    accepts: bool,
    connects: bool,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u64::from(self.pid) == self.tid {
            true => write!(f, "pid {}", self.pid),
            false => write!(f, "pid {} thread {}", self.pid, self.tid),
        }
    }
}

impl Source {
    /// The column of its calls that are about no connection.
    const fn side(&self) -> Side {
        if self.connects && !self.accepts { Side::Left } else { Side::Right }
    }
}

/// How a connection came to this end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It called `connect`.
    Connects,
    /// It called `accept`.
    Accepts,
}

/// One end of a connection, as its trace has it.
#[derive(Debug)]
pub(super) struct End {
    pub(super) role: Role,
    /// The call that made it, if that is in the trace.
    pub(super) opener: Option<usize>,
    /// The calls on it, in their order.
    pub(super) calls: Vec<usize>,
    pub(super) local: Option<String>,
    pub(super) peer: Option<String>,
    id: Option<u64>,
    /// Whether it carries a stream, in which bytes have places.
    pub(super) is_stream: bool,
}

/// What was found out about one call.
#[derive(Debug, Default)]
pub(super) struct OfCall {
    pub(super) source: usize,
    pub(super) end: Option<usize>,
    role: Option<Role>,
    /// What became of descriptors.
    pub(super) descriptors: Vec<(i32, Option<String>)>,
    life: Option<usize>,
}

impl OfCall {
    pub(super) fn side(&self, sources: &[Source]) -> Side {
        match self.role {
            Some(Role::Connects) => Side::Left,
            Some(Role::Accepts) => Side::Right,
            None => sources[self.source].side(),
        }
    }
}

/// A descriptor from its making to its close; its number is used again.
#[derive(Clone, Debug, Default)]
struct Life {
    role: Option<Role>,
    end: Option<usize>,
    local: Option<String>,
    is_datagram: bool,
}

/// Everything that was found out.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) sources: Vec<Source>,
    pub(super) ends: Vec<End>,
    pub(super) of_calls: Vec<OfCall>,
    /// Calls that were there already.
    pub(super) repeated: usize,
    clocks: HashMap<String, usize>,
    lives: Vec<Life>,
    /// The lives that go on, by source and number.
    open: HashMap<(usize, i32), usize>,
}

/// A process, a thread, and the clock that its times are of.
type Speaker = (u32, u64, String);

fn speaker(call: &Recorded) -> Speaker {
    (call.pid, call.tid, call.clock.clone())
}

/// The calls of each speaker in the order in which they began, in the places that the speaker has in the file: lines that
/// were shuffled, or sorted by something else, are no other trace.
fn in_order(trace: Vec<Recorded>) -> Vec<Recorded> {
    let places: Vec<Speaker> = trace.iter().map(speaker).collect();
    let mut by_speaker: HashMap<Speaker, Vec<Recorded>> = HashMap::new();
    for call in trace {
        by_speaker.entry(speaker(&call)).or_default().push(call);
    }
    let ordered = by_speaker.into_iter().map(|(speaker, mut calls)| {
        calls.sort_by_key(|call| call.begin_ns);
        (speaker, VecDeque::from(calls))
    });
    let mut ordered: HashMap<Speaker, VecDeque<Recorded>> = ordered.collect();
    let next = |speaker| ordered.get_mut(speaker).and_then(VecDeque::pop_front);
    places.iter().filter_map(next).collect()
}

impl Ends {
    /// Looks through the calls of all files; they are returned in one row, as they were.
    pub(super) fn find(traces: Vec<Vec<Recorded>>) -> (Vec<Recorded>, Self) {
        let mut found = Self::default();
        let mut calls: Vec<Recorded> = Vec::new();
        let mut known_calls = HashSet::new();
        for trace in traces {
            // The source of a process and thread, and its last call's number.
            let mut speaking: HashMap<Speaker, (usize, u64)> = HashMap::new();
            for call in in_order(trace) {
                let key = speaker(&call);
                if !known_calls.insert((key.clone(), call.seq, call.begin_ns)) {
                    found.repeated += 1;
                    continue;
                }
                // Numbers that begin anew are another tracer's.
                let known = speaking.get(&key).filter(|(_, last)| *last < call.seq);
                let source = known.map_or_else(|| found.source(&call), |(source, _)| *source);
                speaking.insert(key, (source, call.seq));
                found.take(calls.len(), source, &call);
                calls.push(call);
            }
        }
        for of_call in &mut found.of_calls {
            // Only now is it known what became of a socket.
            of_call.role = of_call.life.and_then(|life| found.lives[life].role);
        }
        (calls, found)
    }

    /// How many clocks there are.
    pub(super) fn clocks(&self) -> usize {
        self.clocks.len()
    }

    fn source(&mut self, call: &Recorded) -> usize {
        let next = self.clocks.len();
        let clock = *self.clocks.entry(call.clock.clone()).or_insert(next);
        let (pid, tid) = (call.pid, call.tid);
        self.sources.push(Source { pid, tid, clock, accepts: false, connects: false });
        self.sources.len() - 1
    }

    fn take(&mut self, at: usize, source: usize, call: &Recorded) {
        let fd = descriptor(call);
        let mut of_call = OfCall { source, ..OfCall::default() };
        if let Some(fd) = fd.filter(|_| call.errno.as_deref() != Some("EBADF")) {
            let life = match self.open.get(&(source, fd)) {
                Some(life) => *life,
                None => self.begin(source, fd, Life::default()),
            };
            of_call.life = Some(life);
            of_call.end = self.end_of(at, life, call);
        }
        self.of_calls.push(of_call);
        if !call.refused {
            self.learn(at, source, fd, call);
        }
    }

    /// A descriptor begins to be.
    fn begin(&mut self, source: usize, fd: i32, life: Life) -> usize {
        self.lives.push(life);
        self.open.insert((source, fd), self.lives.len() - 1);
        self.lives.len() - 1
    }

    /// The end that a call on this descriptor is about.
    fn end_of(&mut self, at: usize, life: usize, call: &Recorded) -> Option<usize> {
        let connection = call.connection.as_ref()?;
        let known = self.lives[life].end.filter(|end| {
            let id = self.ends[*end].id;
            id.is_none_or(|id| id == connection.id)
        });
        let end = known.unwrap_or_else(|| {
            let role = self.lives[life].role.unwrap_or(Role::Accepts);
            self.add_end(life, role, None)
        });
        let known = &mut self.ends[end];
        known.id = Some(connection.id);
        known.local = connection.local.clone().or(known.local.take());
        known.peer = connection.peer.clone().or(known.peer.take());
        known.calls.push(at);
        Some(end)
    }

    fn add_end(&mut self, life: usize, role: Role, opener: Option<usize>) -> usize {
        let is_stream = !self.lives[life].is_datagram;
        let local = self.lives[life].local.clone();
        let (calls, id) = (Vec::new(), None);
        self.ends.push(End { role, opener, calls, local, peer: None, id, is_stream });
        self.lives[life].end = Some(self.ends.len() - 1);
        self.ends.len() - 1
    }

    /// What a call says about descriptors.
    fn learn(&mut self, at: usize, source: usize, fd: Option<i32>, call: &Recorded) {
        let succeeded = call.errno.is_none();
        let address = || call.written("addr");
        let made = i32::try_from(call.result).unwrap_or(-1);
        match (call.function.effect(), fd) {
            (Effect::MakesSocket, _) if succeeded => {
                let is_datagram =
                    !call.written("type").is_some_and(|kind| kind.starts_with("SOCK_STREAM"));
                let life = self.begin(source, made, Life { is_datagram, ..Life::default() });
                self.of_calls[at].life = Some(life);
                self.note(at, made, if is_datagram { "datagram socket" } else { "socket" });
            }
            (Effect::Binds | Effect::TellsName, Some(fd)) if succeeded => {
                let Some(life) = self.open.get(&(source, fd)).copied() else { return };
                self.lives[life].local = address();
                if self.lives[life].end.is_none() && call.function.effect() == Effect::Binds {
                    self.note(
                        at,
                        fd,
                        &format!("socket bound to {}", address().unwrap_or_default()),
                    );
                }
            }
            (Effect::Listens, Some(fd)) if succeeded => {
                self.sources[source].accepts = true;
                let Some(life) = self.open.get(&(source, fd)).copied() else { return };
                self.lives[life].role = Some(Role::Accepts);
                let local = self.lives[life].local.clone().unwrap_or_default();
                self.note(at, fd, &format!("listens at {local}"));
            }
            (Effect::Accepts, Some(fd)) if succeeded => {
                self.accepted(at, source, fd, made, address());
            }
            (Effect::Connects, Some(fd)) if succeeded || is_under_way(call) => {
                self.connected(at, source, fd, address());
            }
            (Effect::Closes, Some(fd)) if call.errno.as_deref() != Some("EBADF") => {
                self.open.remove(&(source, fd));
                self.of_calls[at].descriptors.push((fd, None));
            }
            (Effect::Copies, Some(fd)) if succeeded => {
                self.copied(at, source, fd, made);
            }
            (Effect::Commands, Some(fd)) if succeeded && makes_a_copy(call) => {
                self.copied(at, source, fd, made);
            }
            (Effect::MakesPipe | Effect::MakesPair, _) if succeeded => {
                self.paired(at, source, call);
            }
            _ => {}
        }
    }

    fn accepted(&mut self, at: usize, source: usize, fd: i32, made: i32, peer: Option<String>) {
        self.sources[source].accepts = true;
        let listener = self.open.get(&(source, fd)).copied();
        let local = listener.and_then(|listener| self.lives[listener].local.clone());
        if let Some(listener) = listener {
            self.lives[listener].role = Some(Role::Accepts);
        }
        let role = Some(Role::Accepts);
        let life = self.begin(source, made, Life { role, local, ..Life::default() });
        let end = self.add_end(life, Role::Accepts, Some(at));
        self.note(at, made, &format!("connection from {}", peer.as_deref().unwrap_or("somebody")));
        self.ends[end].peer = peer;
        // The call is on the listener, but it is what the new connection begins with.
        self.of_calls[at].end = Some(end);
    }

    fn connected(&mut self, at: usize, source: usize, fd: i32, peer: Option<String>) {
        let Some(life) = self.open.get(&(source, fd)).copied() else { return };
        if self.lives[life].end.is_some() {
            return;
        }
        if !self.lives[life].is_datagram {
            self.sources[source].connects = true;
            self.lives[life].role = Some(Role::Connects);
        }
        let end = self.add_end(life, Role::Connects, Some(at));
        self.note(at, fd, &format!("connection to {}", peer.as_deref().unwrap_or("somebody")));
        self.ends[end].peer = peer;
        self.of_calls[at].end = Some(end);
    }

    fn copied(&mut self, at: usize, source: usize, fd: i32, made: i32) {
        // `dup2` of a number onto itself does nothing.
        if made == fd {
            return;
        }
        let life = self.open.get(&(source, fd)).map(|life| self.lives[*life].clone());
        // Its end stays with the first number, which the connection's bytes are counted for.
        self.begin(source, made, Life { end: None, ..life.unwrap_or_default() });
        self.note(at, made, &format!("copy of {fd}"));
    }

    fn paired(&mut self, at: usize, source: usize, call: &Recorded) {
        let pair = call.arguments.get("pipefd").or_else(|| call.arguments.get("sv"));
        let words = match call.function.effect() {
            Effect::MakesPipe => ["pipe, to read from", "pipe, to write to"],
            _ => ["one end of a pair", "the other end of the pair"],
        };
        for (fd, what) in pair.and_then(Json::as_array).into_iter().flatten().zip(words) {
            if let Some(fd) = fd.as_i64().and_then(|fd| i32::try_from(fd).ok()) {
                self.begin(source, fd, Life::default());
                self.note(at, fd, what);
            }
        }
    }

    fn note(&mut self, at: usize, fd: i32, what: &str) {
        self.of_calls[at].descriptors.push((fd, Some(what.to_string())));
    }
}

/// The descriptor that a call is about.
fn descriptor(call: &Recorded) -> Option<i32> {
    let first = call.function.page().parameters.first()?;
    let is_descriptor = matches!(*first, "sockfd" | "fd" | "oldfd" | "out_fd");
    let number = call.arguments.get(*first).filter(|_| is_descriptor)?;
    number.as_i64().and_then(|number| i32::try_from(number).ok())
}

/// Whether an `fcntl` is a `dup` with a say in the number.
fn makes_a_copy(call: &Recorded) -> bool {
    call.written("cmd").is_some_and(|command| command.starts_with("F_DUPFD"))
}

/// Whether a `connect` goes on although it has returned.
fn is_under_way(call: &Recorded) -> bool {
    !call.injected && matches!(call.errno.as_deref(), Some("EINPROGRESS" | "EINTR"))
}
