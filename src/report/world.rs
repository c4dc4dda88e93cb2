//! The world at a moment of the log: processes, their descriptors, and the sockets behind these.
//!
//! Everything that is over is dropped: the world is as large as what is open, however long the log is.
//!
//! [`trace::descriptors`](crate::trace::descriptors) says what a descriptor leads to now, which is all that the tracer, the
//! explanations and the ladder ask. A report also needs what that table has no use for: what happened to a socket since it was made,
//! the moment before its last descriptor is gone, children that act before their parent's `fork` returns, and limits that hold
//! whatever numbers a hostile log contains. So it keeps its own index. What a call changes at a socket is the same rule for
//! both ([`FileChange`](crate::trace::descriptors::change::FileChange)), and a test holds the index against the table after every call of
//! many logs.

use std::collections::HashMap;

use super::advice::{OfCaller, OfProcess, OfSocket, OfWorld};
use super::did::Making;
use super::moment::SeenCall;
use super::passing::OnTheWay;
use crate::names::Errno;
use crate::trace::descriptors::{DescriptorKind, OpenFile};

/// The index of a socket in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketId(pub(super) u32);

/// The index of a process in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessId(pub(super) u32);

/// The index of a caller (a thread of a process) in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallerId(pub(super) u32);

/// How a socket got its peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SocketRole {
    /// It has no peer, as far as is known.
    #[default]
    Alone,
    /// It came from `accept`.
    Accepted,
    /// It called `connect`.
    Connected,
    /// It came from `socketpair` or `pipe`.
    Paired,
}

/// A socket: the file that all copies of a descriptor lead to.
#[derive(Debug, Default)]
pub struct Socket {
    /// What the calls tell about it, by the rules that hold for every trace.
    pub file: OpenFile,
    /// How it was made, as far as the log shows.
    pub making: Making,
    /// Whether the log shows how it was made.
    pub is_known: bool,
    /// How it got its peer.
    pub role: SocketRole,
    /// The backlog passed to `listen`.
    pub backlog: i64,
    /// Its first descriptor.
    pub fd: i32,
    /// The process that had it.
    pub pid: u32,
    /// The number of descriptors that lead here.
    pub copies: u32,
    /// Whether `SO_REUSEADDR` was set.
    pub reuses_address: bool,
    /// Whether `TCP_NODELAY` was set.
    pub is_undelayed: bool,
    /// The number of receives, or of datagrams received.
    pub receives: u64,
    /// The number of sends.
    pub sends: u64,
    /// Connections accepted from it.
    pub clients: u64,
    /// The call that made it.
    pub made: Option<SeenCall>,
    /// The `listen` or `connect` called on it, or the `accept` that returned it.
    pub named: Option<SeenCall>,
    /// The receive that returned 0: the peer has closed its half.
    pub peer_finished: Option<SeenCall>,
    /// Its own `shutdown`.
    pub finished: Option<SeenCall>,
    /// The first error that ended it.
    pub failed: Option<(SeenCall, Errno)>,
    /// The line of the latest call on it.
    pub touched: u64,
    /// The other end, if both were made as a pair.
    pub other_end: Option<SocketId>,
    /// What the advice remembers of it.
    pub seen: OfSocket,
}

impl Socket {
    /// Whether it listens.
    pub fn is_listener(&self) -> bool {
        self.file.kind == DescriptorKind::Listener
    }

    /// Whether it is a stream with a peer.
    pub fn is_connection(&self) -> bool {
        !self.is_listener() && self.role != SocketRole::Alone && !self.making.is_datagram
    }

    /// Whether its peer has closed its half, or the connection has failed.
    pub const fn is_over(&self) -> bool {
        self.peer_finished.is_some() || self.failed.is_some()
    }
}

/// A descriptor of a process.
#[derive(Clone, Debug, Default)]
pub struct DescriptorEntry {
    /// The file that it leads to.
    pub held: Held,
    /// Whether `execve` closes it.
    pub is_closed_on_exec: bool,
    /// The line in which it was last closed.
    pub closed: u64,
    /// What `epoll_ctl` gave for it, where that is not its number: it stands in [`Process::registered`].
    pub(super) registered_as: u64,
}

/// The file that a descriptor leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Held {
    /// None: it was closed, or never seen.
    #[default]
    Nothing,
    /// A file that is not a socket.
    Other,
    Socket(SocketId),
}

/// A process: the threads that share one table of descriptors.
#[derive(Debug, Default)]
pub struct Process {
    /// Its process id.
    pub pid: u32,
    /// Its descriptors, by number.
    pub entries: Vec<DescriptorEntry>,
    /// How many waits it has made.
    pub waits: u64,
    /// How many of its waits ended by the timeout.
    pub timeouts: u64,
    /// How many descriptors it has closed.
    pub closes: u64,
    /// How many sockets it has created or accepted.
    pub sockets_made: u64,
    /// Its threads.
    tids: Vec<u64>,
    /// Whether it has ended.
    pub is_over: bool,
    /// The data passed to `epoll_ctl` for an open descriptor, if that is not its number.
    pub registered: HashMap<u64, i32>,
    /// What the advice remembers of it.
    pub seen: OfProcess,
}

#[derive(Debug)]
pub(super) struct CallingThread {
    /// The process whose descriptors it uses.
    pub process: ProcessId,
    /// What the advice remembers of it.
    pub seen: OfCaller,
}

/// Everything that exists at the moment.
#[derive(Debug, Default)]
pub struct World {
    pub(super) processes: Vec<Process>,
    free_processes: Vec<ProcessId>,
    sockets: Vec<Socket>,
    free: Vec<SocketId>,
    callers: Vec<CallingThread>,
    free_callers: Vec<CallerId>,
    by_tid: HashMap<u64, CallerId>,
    last: Option<(u64, CallerId)>,
    pub(super) caller: Option<CallerId>,
    /// How many descriptors all processes have together.
    entries: usize,
    /// Descriptors that were passed and have not arrived.
    pub(super) on_the_way: OnTheWay,
    /// What the advice remembers of all.
    pub seen: OfWorld,
}

/// A log may contain any numbers, so each kind of object has a limit. Descriptors from this number on are not followed.
const MOST_DESCRIPTORS: usize = 1 << 18;
/// How many descriptors are followed in all processes together.
const MOST_ENTRIES: usize = 1 << 20;
/// How many open sockets are followed at a time.
const MOST_SOCKETS: usize = 20_000;
/// How many processes and threads are distinguished; the calls of further ones count as those of the first.
const MOST_CALLERS: usize = 20_000;

impl World {
    /// A socket.
    pub fn socket(&self, id: SocketId) -> &Socket {
        &self.sockets[id.0 as usize]
    }

    /// A socket, to change it.
    pub fn socket_mut(&mut self, id: SocketId) -> &mut Socket {
        &mut self.sockets[id.0 as usize]
    }

    /// A process.
    pub fn process(&self, id: ProcessId) -> &Process {
        &self.processes[id.0 as usize]
    }

    /// A process, to change it.
    pub fn process_mut(&mut self, id: ProcessId) -> &mut Process {
        &mut self.processes[id.0 as usize]
    }

    /// The thread that makes the present call.
    pub(super) fn caller_mut(&mut self) -> Option<&mut CallingThread> {
        self.caller.map(|id| &mut self.callers[id.0 as usize])
    }

    /// The present caller, by its ids; it is added if it is new.
    pub(super) fn meet(&mut self, pid: u32, tid: u64) -> (CallerId, ProcessId) {
        let id = match self.last {
            Some((last, id)) if last == tid => id,
            _ => match self.by_tid.get(&tid) {
                Some(id) => *id,
                None => self.add_stranger(pid, tid),
            },
        };
        self.last = Some((tid, id));
        self.caller = Some(id);
        (id, self.callers[id.0 as usize].process)
    }

    /// Whether no more sockets can be followed.
    pub(super) fn is_full(&self) -> bool {
        self.sockets.len() - self.free.len() >= MOST_SOCKETS
    }

    /// Whether no more processes and threads can be distinguished.
    pub(super) fn is_crowded(&self) -> bool {
        self.by_tid.len() >= MOST_CALLERS
    }

    fn add_stranger(&mut self, pid: u32, tid: u64) -> CallerId {
        if self.is_crowded() {
            return CallerId(0);
        }
        // A thread of a known process, or a process.
        let leader = self.by_tid.get(&u64::from(pid)).filter(|_| u64::from(pid) != tid);
        let process = leader.map(|leader| self.callers[leader.0 as usize].process);
        let process = process.unwrap_or_else(|| {
            let process = self.add_process(pid);
            // The process is found by the id of its first thread.
            if u64::from(pid) != tid {
                self.add_caller(pid.into(), process);
            }
            process
        });
        self.add_caller(tid, process)
    }

    pub(super) fn add_process(&mut self, pid: u32) -> ProcessId {
        let process = Process { pid, ..Process::default() };
        if let Some(id) = self.free_processes.pop() {
            *self.process_mut(id) = process;
            return id;
        }
        self.processes.push(process);
        ProcessId(self.processes.len() as u32 - 1)
    }

    pub(super) fn add_caller(&mut self, tid: u64, process: ProcessId) -> CallerId {
        let caller = CallingThread { process, seen: OfCaller::default() };
        let id = match self.free_callers.pop() {
            Some(id) => {
                self.callers[id.0 as usize] = caller;
                id
            }
            None => {
                self.callers.push(caller);
                CallerId(self.callers.len() as u32 - 1)
            }
        };
        self.by_tid.insert(tid, id);
        self.process_mut(process).tids.push(tid);
        id
    }

    /// The process of the thread with this id; `None` if the thread is unknown.
    pub(super) fn knows(&self, tid: u64) -> Option<ProcessId> {
        self.by_tid.get(&tid).map(|id| self.callers[id.0 as usize].process)
    }

    /// A thread ended: its id may be reused.
    pub(super) fn forget(&mut self, tid: u64) {
        self.free_callers.extend(self.by_tid.remove(&tid));
        self.last = None;
    }

    /// The file that a descriptor of a process leads to.
    pub fn held(&self, process: ProcessId, fd: i32) -> Held {
        self.entry(process, fd).map_or(Held::Nothing, |entry| entry.held)
    }

    /// A descriptor of a process.
    pub fn entry(&self, process: ProcessId, fd: i32) -> Option<&DescriptorEntry> {
        self.process(process).entries.get(usize::try_from(fd).ok()?)
    }

    /// A descriptor of a process, to change it.
    pub(super) fn entry_mut(
        &mut self,
        process: ProcessId,
        fd: i32,
    ) -> Option<&mut DescriptorEntry> {
        let at = usize::try_from(fd).ok().filter(|at| *at < MOST_DESCRIPTORS)?;
        let more = (at + 1).saturating_sub(self.process(process).entries.len());
        if more > 0 {
            if self.entries + more > MOST_ENTRIES {
                return None;
            }
            self.entries += more;
            self.process_mut(process).entries.resize_with(at + 1, DescriptorEntry::default);
        }
        self.process_mut(process).entries.get_mut(at)
    }

    /// The socket that a descriptor leads to.
    pub fn socket_of(&self, process: ProcessId, fd: i32) -> Option<SocketId> {
        match self.held(process, fd) {
            Held::Socket(id) => Some(id),
            _ => None,
        }
    }

    /// A new socket, without a descriptor yet.
    pub(super) fn add_socket(&mut self, socket: Socket) -> SocketId {
        match self.free.pop() {
            Some(id) => {
                *self.socket_mut(id) = socket;
                id
            }
            None => {
                self.sockets.push(socket);
                SocketId(self.sockets.len() as u32 - 1)
            }
        }
    }

    /// The slot of a socket that is gone may be reused.
    pub(super) fn free_socket(&mut self, id: SocketId) {
        if let Some(other) = self.socket(id).other_end {
            self.socket_mut(other).other_end = None;
        }
        *self.socket_mut(id) = Socket::default();
        self.free.push(id);
    }

    /// The sockets of a process, by descriptor.
    pub fn sockets_of(&self, process: ProcessId) -> impl Iterator<Item = (i32, SocketId)> {
        let entries = self.process(process).entries.iter().enumerate();
        entries.filter_map(|(fd, entry)| match entry.held {
            Held::Socket(id) => Some((fd as i32, id)),
            _ => None,
        })
    }

    /// Removes a process that has ended: its threads are forgotten, and its slot may be reused.
    pub(super) fn end(&mut self, id: ProcessId) {
        let process = self.process_mut(id);
        process.is_over = true;
        let entries = std::mem::take(&mut process.entries).len();
        let tids = std::mem::take(&mut process.tids);
        self.entries = self.entries.saturating_sub(entries);
        for tid in tids {
            if self.knows(tid) == Some(id) {
                self.forget(tid);
            }
        }
        self.free_processes.push(id);
    }

    /// All processes that have not ended.
    pub(super) fn living(&self) -> impl Iterator<Item = ProcessId> {
        let all = self.processes.iter().enumerate();
        all.filter(|(_, process)| !process.is_over).map(|(at, _)| ProcessId(at as u32))
    }
}
