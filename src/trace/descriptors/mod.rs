//! What the descriptors of a process are and were, learnt from events alone.
//!
//! A descriptor is a number that leads to an *open file description*: kind, names, flags and bytes belong to that, and
//! so do `dup`, `dup2`, `fcntl(F_DUPFD)`, `fork` and `SCM_RIGHTS` lead to it once more without making another. A
//! [`DescriptorTable`] has the numbers of one process; an [`OpenFile`] is what several of them may lead to.

mod learn;
mod processes;
#[cfg(test)]
mod tests;

pub use processes::DescriptorTables;

use std::cell::{Cell, Ref, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};

use super::arg::Arg;
use super::event::{Connection, Event, Outcome};
use super::page::Effect;
use crate::addr::Address;
use crate::names::{Errno, MSG_PEEK, MsgFlags};
use crate::values::FdNumber;

/// What a descriptor leads to, as far as the calls tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DescriptorKind {
    /// Made by a call that was not seen: inherited, or received.
    #[default]
    Unknown,
    /// A socket that has no part yet.
    Socket,
    /// A socket for messages.
    Datagram,
    /// A socket that only makes other sockets.
    Listener,
    /// A socket with a peer.
    Connection,
    /// One end of a pipe.
    Pipe,
}

/// An open file description, which all copies of a descriptor share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenFile {
    /// Its number within the table and its forks, from 1; it is not used again.
    pub id: u64,
    /// What it is.
    pub kind: DescriptorKind,
    /// This end's name.
    pub local: Option<Address>,
    /// The other end's.
    pub peer: Option<Address>,
    /// The number of its connection, if `connect` or `accept` made one.
    pub connection: Option<u64>,
    /// `accept` made it: this is the server's end.
    pub accepted: bool,
    /// `O_NONBLOCK` is set.
    pub nonblocking: bool,
    /// Bytes received, since it was made or connected.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// A receive has given 0.
    pub peer_finished: bool,
    /// This end has shut down its sending.
    pub finished: bool,
    /// A call has given ECONNRESET, or EPIPE although this end had not finished.
    pub broken: bool,
    /// `SO_LINGER` says that close is to throw away what is unsent.
    pub abrupt: bool,
    /// How many further descriptors lead to it, in this process and in those that forked from it, or are on their way.
    pub copies: usize,
    /// It went to another process, which may keep it open (`SCM_RIGHTS`).
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
    /// `FD_CLOEXEC` is set. This belongs to the number, not to the file.
    closed_on_exec: bool,
}

/// What processes that forked from one another number together.
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
    /// What was passed to this end of a pair and is not yet received.
    arriving: RefCell<VecDeque<Shared>>,
}

/// How many passed descriptors are remembered for an end that does not receive them. (Linux has RLIMIT_NOFILE for it.)
const MOST_ARRIVING: usize = 1024;

/// A file that nothing is known of but what it is.
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
    /// What this descriptor leads to, if a call was seen that made or used it.
    pub fn get(&self, fd: FdNumber) -> Option<Ref<'_, OpenFile>> {
        Some(self.numbers.get(&fd.get())?.file.file.borrow())
    }

    /// The same, with the number of its copies, to be kept.
    pub fn known(&self, fd: FdNumber) -> Option<OpenFile> {
        let file = &self.numbers.get(&fd.get())?.file;
        Some(OpenFile { copies: Rc::strong_count(file) - 1, ..file.file.borrow().clone() })
    }

    /// What every open descriptor leads to, in the order of their numbers.
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

    /// What a probe knows about a descriptor's two names.
    pub fn name(&mut self, fd: FdNumber, local: Option<Address>, peer: Option<Address>) {
        let mut file = self.file(fd).file.borrow_mut();
        file.local = local.or(file.local.take());
        file.peer = peer.or(file.peer.take());
    }

    /// The table of a child, as `fork` makes it: its own numbers, and the same files.
    #[must_use]
    pub fn fork(&self) -> Self {
        let copy = |(number, descriptor): (&i32, &Descriptor)| {
            let closed_on_exec = descriptor.closed_on_exec;
            (*number, Descriptor { file: descriptor.file.clone(), closed_on_exec })
        };
        Self { numbers: self.numbers.iter().map(copy).collect(), counters: self.counters.clone() }
    }

    /// What `execve` leaves: the descriptors without `FD_CLOEXEC`.
    pub fn exec(&mut self) {
        self.numbers.retain(|_, descriptor| !descriptor.closed_on_exec);
    }

    /// The descriptor that this call closes, if it does: that of `close`, or the second one of `dup2`.
    pub fn closed_by(&self, event: &Event<'_>) -> Option<FdNumber> {
        match (event.callee.effect(), event.outcome) {
            // Whatever it reports, the number is free.
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

    /// What a number leads to; if that was never seen made, it was there before.
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

    /// What this number leads to, from now on if it was not known before.
    pub fn id(&mut self, fd: FdNumber) -> u64 {
        self.file(fd).file.borrow().id
    }
}

/// Whether the bytes that it received stay where they are: `MSG_PEEK`.
pub(crate) fn only_looks(event: &Event<'_>) -> bool {
    event.args.iter().any(|arg| has_message_flag(arg, MSG_PEEK))
}

/// Whether 0 is the end of the stream, and not what was asked for.
pub(crate) fn asked_for_bytes(event: &Event<'_>) -> bool {
    !matches!(event.args.get(2), Some(Arg::Int(0)))
}

/// Whether it is flags of a message, and this one among them.
pub(super) fn has_message_flag(arg: &Arg<'_>, flag: MsgFlags) -> bool {
    match arg {
        Arg::Named(named) if named.family.unknown == MsgFlags::NONE.named().family.unknown => {
            named.value & i64::from(flag.bits()) != 0
        }
        _ => false,
    }
}
