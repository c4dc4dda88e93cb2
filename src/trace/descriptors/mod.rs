//! What the descriptors of a process are and were, learnt from events alone.
//!
//! A descriptor is a number that leads to an *open file description*: kind, addresses, flags and byte counts belong to
//! the description. `dup`, `dup2`, `fcntl(F_DUPFD)`, `fork` and `SCM_RIGHTS` make further numbers for the same
//! description. A [`DescriptorTable`] has the numbers of one process; an [`OpenFile`] is what several of them may lead
//! to.

pub mod change;
mod learn;
mod processes;
#[cfg(test)]
mod tests;

pub use processes::DescriptorTables;

use std::cell::{Cell, Ref, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};

use self::learn::{only_marks, range_of};
use super::arg::Arg;
use super::event::{Connection, Event, Outcome};
use super::page::Effect;
use crate::addr::Address;
use crate::names::{Errno, MSG_PEEK, MsgFlags};
use crate::values::FdNumber;

/// What a descriptor leads to, as far as the calls tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DescriptorKind {
    /// Its creation was not seen: inherited, or received.
    #[default]
    Unknown,
    /// A socket that is neither listening nor connected yet.
    Socket,
    /// A datagram socket.
    Datagram,
    /// A listening socket.
    Listener,
    /// A connected socket.
    Connection,
    /// One end of a pipe.
    Pipe,
}

/// An open file description, which all copies of a descriptor share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenFile {
    /// Its number within the table and its forks, from 1; never reused.
    pub id: u64,
    /// What kind of file it is.
    pub kind: DescriptorKind,
    /// The address of this end.
    pub local: Option<Address>,
    /// The address of the other end.
    pub peer: Option<Address>,
    /// The number of its connection, if `connect` or `accept` made one.
    pub connection: Option<u64>,
    /// Whether `accept` made it: then this is the server's end.
    pub accepted: bool,
    /// Whether `O_NONBLOCK` is set, if that is known.
    pub nonblocking: Option<bool>,
    /// Bytes received since it was created or connected.
    pub bytes_in: u64,
    /// Bytes sent since then.
    pub bytes_out: u64,
    /// Whether a receive has returned 0.
    pub peer_finished: bool,
    /// Whether this end has shut down its sending half.
    pub finished: bool,
    /// Whether a call has returned ECONNRESET, or EPIPE although this end had not shut down.
    pub broken: bool,
    /// Whether `SO_LINGER` makes `close` discard unsent bytes.
    pub abrupt: bool,
    /// How many further descriptors lead to it, in this process and in those forked from it, or are on their way.
    pub copies: usize,
    /// Whether it was passed to another process, which may keep it open (`SCM_RIGHTS`).
    pub passed: bool,
}

/// What the descriptors of one process lead to.
#[derive(Debug, Default)]
pub struct DescriptorTable {
    numbers: BTreeMap<i32, Descriptor>,
    counters: Rc<Counters>,
}

#[derive(Debug)]
struct Descriptor {
    file: Shared,
    /// Whether `FD_CLOEXEC` is set. This belongs to the number, not to the file.
    closed_on_exec: bool,
}

/// The counters shared by processes that forked from one another.
#[derive(Debug, Default)]
struct Counters {
    files: Cell<u64>,
    connections: Cell<u64>,
}

type Shared = Rc<Description>;

#[derive(Debug, Default)]
struct Description {
    file: RefCell<OpenFile>,
    /// The other end of a pair.
    other: RefCell<Weak<Description>>,
    /// Descriptors that were passed to this end of a pair and not yet received.
    arriving: RefCell<VecDeque<Shared>>,
    /// In how many such queues it lies itself.
    travels: Cell<usize>,
}

impl Description {
    /// Whether what is passed to this end waits here. What waits has no queue of its own, and gets none: two ends in
    /// each other's queues would never be given back. (The kernel has a garbage collector for such.)
    fn can_keep(&self, passed: &Self) -> bool {
        let queue_len = self.arriving.borrow().len();
        let is_itself = std::ptr::eq(self, passed);
        let is_last = self.travels.get() == 0 && !is_itself && passed.arriving.borrow().is_empty();
        queue_len < MOST_ARRIVING && is_last
    }

    fn keep(&self, passed: Shared) {
        passed.travels.set(passed.travels.get() + 1);
        self.arriving.borrow_mut().push_back(passed);
    }

    /// Takes what was passed first.
    fn take(&self) -> Option<Shared> {
        let taken = self.arriving.borrow_mut().pop_front()?;
        taken.travels.set(taken.travels.get() - 1);
        Some(taken)
    }
}

/// How many passed descriptors are remembered for an end that does not receive them. (Linux limits them by
/// RLIMIT_NOFILE.)
const MOST_ARRIVING: usize = 1024;

/// A file of which only the kind is known.
fn describe(counters: &Counters, kind: DescriptorKind) -> Shared {
    let id = next(&counters.files);
    let file = RefCell::new(OpenFile { id, kind, ..OpenFile::default() });
    Rc::new(Description { file, ..Description::default() })
}

fn next(counter: &Cell<u64>) -> u64 {
    counter.set(counter.get() + 1);
    counter.get()
}

impl DescriptorTable {
    /// What this descriptor leads to, if a call was seen that created or used it.
    pub fn get(&self, fd: FdNumber) -> Option<Ref<'_, OpenFile>> {
        Some(self.numbers.get(&fd.get())?.file.file.borrow())
    }

    /// The same, with the number of its copies, as a value to keep.
    pub fn known(&self, fd: FdNumber) -> Option<OpenFile> {
        let file = &self.numbers.get(&fd.get())?.file;
        Some(OpenFile { copies: Rc::strong_count(file) - 1, ..file.file.borrow().clone() })
    }

    /// What every open descriptor leads to, in the order of the numbers.
    pub fn open(&self) -> impl Iterator<Item = (FdNumber, OpenFile)> {
        let numbers = self.numbers.keys().map(|number| FdNumber::new(*number));
        numbers.filter_map(|fd| Some((fd, self.known(fd)?)))
    }

    /// The connection of this descriptor.
    pub fn connection(&self, fd: FdNumber) -> Option<Connection> {
        let file = self.get(fd)?;
        let OpenFile { bytes_in, bytes_out, .. } = *file;
        let (local, peer) = (file.local.clone(), file.peer.clone());
        Some(Connection { id: file.connection?, local, peer, bytes_in, bytes_out })
    }

    /// Records the addresses that a probe has found for a descriptor.
    pub fn name(&mut self, fd: FdNumber, local: Option<Address>, peer: Option<Address>) {
        let mut file = self.file(fd).file.borrow_mut();
        file.local = local.or(file.local.take());
        file.peer = peer.or(file.peer.take());
    }

    /// Records what a descriptor is, as known from elsewhere, for a trace that begins in the middle.
    pub fn enter(&mut self, fd: FdNumber, file: OpenFile) {
        *self.file(fd).file.borrow_mut() = file;
    }

    /// The table of a child after `fork`: numbers of its own for the same files.
    #[must_use]
    pub fn fork(&self) -> Self {
        let copy = |(number, descriptor): (&i32, &Descriptor)| {
            let closed_on_exec = descriptor.closed_on_exec;
            (*number, Descriptor { file: descriptor.file.clone(), closed_on_exec })
        };
        Self { numbers: self.numbers.iter().map(copy).collect(), counters: self.counters.clone() }
    }

    /// Closes what `execve` closes: the descriptors with `FD_CLOEXEC`.
    pub fn exec(&mut self) {
        self.numbers.retain(|_, descriptor| !descriptor.closed_on_exec);
    }

    /// The descriptor that this call closes, if any: that of `close`, or the second one of `dup2`.
    pub fn closed_by(&self, event: &Event<'_>) -> Option<FdNumber> {
        match (event.callee.effect(), event.outcome) {
            // Whatever error is reported, the number is free.
            (Effect::Closes, Outcome::Error(errno)) if errno == Errno::EBADF => None,
            (Effect::Closes, Outcome::Error(_) | Outcome::Value(_)) => event.fd(),
            (Effect::Copies, Outcome::Value(made)) => {
                let made = made as i32;
                let is_open = event.fd()?.get() != made && self.numbers.contains_key(&made);
                is_open.then_some(FdNumber::new(made))
            }
            _ => None,
        }
    }

    /// Every descriptor that this call closes: that of [`Self::closed_by`], or those that `close_range` finds open.
    pub fn all_closed_by(&self, event: &Event<'_>) -> Vec<FdNumber> {
        match (event.callee.effect(), event.outcome) {
            (Effect::ClosesRange, Outcome::Value(_)) if !only_marks(event) => {
                let open = range_of(event).map(|range| self.numbers.range(range));
                open.into_iter().flatten().map(|(fd, _)| FdNumber::new(*fd)).collect()
            }
            _ => self.closed_by(event).into_iter().collect(),
        }
    }

    /// What a number leads to; if its creation was not seen, it is entered now.
    fn file(&mut self, fd: FdNumber) -> &Shared {
        &self.descriptor(fd).file
    }

    fn descriptor(&mut self, fd: FdNumber) -> &mut Descriptor {
        let counters = &self.counters;
        self.numbers.entry(fd.get()).or_insert_with(|| Descriptor {
            file: describe(counters, DescriptorKind::Unknown),
            closed_on_exec: false,
        })
    }

    /// The id of what this number leads to, which is entered now if it was unknown.
    pub fn id(&mut self, fd: FdNumber) -> u64 {
        self.file(fd).file.borrow().id
    }
}

/// Whether the received bytes stay in the socket: `MSG_PEEK`.
pub fn only_looks(event: &Event<'_>) -> bool {
    event.args.iter().any(|arg| has_message_flag(arg, MSG_PEEK))
}

/// Whether bytes were asked for, so that a result of 0 means end of file.
pub fn asked_for_bytes(event: &Event<'_>) -> bool {
    !matches!(event.args.get(2), Some(Arg::Int(0)))
}

/// Whether the argument is message flags that contain this one.
pub(super) fn has_message_flag(arg: &Arg<'_>, flag: MsgFlags) -> bool {
    match arg {
        Arg::Named(named) if named.family.unknown == MsgFlags::NONE.named().family.unknown => {
            named.value & i64::from(flag.bits()) != 0
        }
        _ => false,
    }
}
