//! What can stand between a call's parentheses and behind its result, by kind.
//! How it is written is `notation.rs`'s.

use std::borrow::Cow;
use std::os::fd::BorrowedFd;

use super::notation::write_arg;
use crate::addr::Address;
use crate::names::{Domain, FdFlags, IoctlRequest, Level, MsgFlags, Named};
use crate::names::{
    OpenFlags, PollEvents, Protocol, SCM_RIGHTS, SOL_SOCKET, SaFlags, Signal, SocketType,
};
use crate::values::{
    ControlMessage, FdNumber, Linger, PeerCredentials, PollRow, TimeSpec, TimeVal,
};

/// An argument, by its kind. What it lends from its caller (bytes, addresses, sets) it lends as a [`Cow`], so that an
/// event can be made without copying anything and kept without lending anything.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg<'a> {
    /// A descriptor.
    Fd(FdNumber),
    /// The two descriptors of `socketpair` and `pipe`.
    Fds([FdNumber; 2]),
    /// A number: a length, a count.
    Int(i64),
    /// A timeout in milliseconds; 0 does not wait, -1 waits without a limit.
    Millis(i32),
    /// A constant or flags with a name.
    Named(Named),
    /// A constant by its name alone, because no table here has its value: `EPOLL_CTL_ADD`.
    Word(Cow<'a, str>),
    /// A socket's type with the flags joined to it.
    Type(SocketType),
    /// A protocol, which has a name in the internet domains only.
    Protocol(Domain, Protocol),
    /// A file's status flags.
    OpenFlags(OpenFlags),
    /// Which `ioctl`.
    Request(IoctlRequest),
    /// Bytes sent or received.
    Bytes(Bytes<'a>),
    /// A string of C, or NULL.
    Str(Option<Cow<'a, str>>),
    /// A socket address.
    Address(Cow<'a, Address>),
    /// An address in memory that says nothing: where a call that failed would have written. 0 is NULL.
    Pointer(usize),
    /// A length that the caller gives and the system changes: `[128 => 16]`.
    Length {
        /// What the caller gave.
        given: i64,
        /// What the system wrote.
        returned: i64,
    },
    /// A place in a file that the caller gives and the system moves: `[0] => [5]`.
    Offset {
        /// What the caller gave.
        given: i64,
        /// What the system wrote, if it did.
        returned: Option<i64>,
    },
    /// Which socket option; its name depends on the level.
    OptionName(Level, i32),
    /// A socket option's value, or what an `ioctl` points to.
    Value(Value<'a>),
    /// The members of an `fd_set`, or NULL.
    Set(Option<Cow<'a, [FdNumber]>>),
    /// The rows of `poll` before the call.
    Rows(Cow<'a, [PollRow]>),
    /// A `struct timeval`, or NULL.
    TimeVal(Option<TimeVal>),
    /// A `struct timespec`, or NULL.
    TimeSpec(Option<TimeSpec>),
    /// A set of signals, or NULL.
    Mask(Option<Vec<Signal>>),
    /// A `struct sigaction`, or NULL.
    Action(Option<Box<SignalAction>>),
    /// A `struct msghdr`.
    Message(Box<Message<'a>>),
    /// The messages of `sendmmsg` and `recvmmsg`, and how many bytes of each were moved, if the call says so.
    Messages(Vec<(Message<'a>, Option<u32>)>),
    /// The buffers of `readv` and `writev`: the bytes of each, and its whole length.
    Buffers(Vec<(Bytes<'a>, usize)>),
    /// The buffers of a `readv` that failed: where each is, and its length.
    Room(Vec<(usize, usize)>),
    /// The `struct msghdr` of a `recvmsg` that failed, which says nothing but the room that was given.
    Unanswered {
        /// For the other side's address.
        name_len: u32,
    },
    /// The hints of `getaddrinfo` (flags, family, type, protocol), or NULL.
    Hints(Option<Box<[Named; 4]>>),
    /// What `getaddrinfo` found: type and address of each.
    Found(Cow<'a, [(SocketType, Address)]>),
    /// An argument that no other kind is for, in strace's notation: of a call that no wrapper here makes, read from a
    /// log. It is printable.
    Text(Cow<'a, str>),
}

/// Bytes that a call moved, or as many of them as are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes<'a> {
    /// The bytes that are shown.
    pub shown: Cow<'a, [u8]>,
    /// Whether there were more: only the first were kept.
    pub is_cut: bool,
}

impl Bytes<'_> {
    /// The first `limit` of them, and whether there are more.
    pub fn cut(&self, limit: usize) -> (&[u8], bool) {
        (&self.shown[..self.shown.len().min(limit)], self.is_cut || self.shown.len() > limit)
    }
}

impl<'a> From<&'a [u8]> for Bytes<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { shown: Cow::Borrowed(bytes), is_cut: false }
    }
}

/// The value of a socket option, or what an `ioctl` points to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// An `int`.
    Int(i32),
    /// An `unsigned char`.
    Byte(u8),
    /// A pending error: shown by name, because `SO_ERROR` gives an errno.
    Error(i32),
    /// A `struct linger`.
    Linger(Linger),
    /// A `struct timeval`.
    TimeVal(TimeVal),
    /// A `struct ucred`.
    Credentials(PeerCredentials),
    /// Bytes without a structure that we know.
    Bytes(Bytes<'a>),
}

/// A `struct sigaction` as the trace shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalAction {
    /// `SIG_DFL`, `SIG_IGN` or an address.
    pub handler: SignalHandler,
    /// The signals that wait while the handler runs.
    pub mask: Vec<Signal>,
    /// How the handler is called.
    pub flags: SaFlags,
}

/// The handler of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalHandler {
    /// `SIG_DFL`.
    Default,
    /// `SIG_IGN`.
    Ignore,
    /// A function at this address.
    Function(usize),
}

/// A `struct msghdr` as the trace shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a> {
    /// The other side's address, or the pointer where it would stand.
    pub name: Result<Cow<'a, Address>, usize>,
    /// The length of that address, before and after.
    pub name_len: (u32, u32),
    /// Each buffer's bytes and its whole length.
    pub buffers: Vec<(Bytes<'a>, usize)>,
    /// Control messages.
    pub control: Vec<ControlMessage>,
    /// The length of the control data; after `recvmsg`, of what it wrote.
    pub control_len: usize,
    /// What the system says of the message (`recvmsg`).
    pub flags: MsgFlags,
}

impl Message<'_> {
    /// The descriptors that it passes (`SCM_RIGHTS`).
    pub fn passed(&self) -> impl Iterator<Item = FdNumber> {
        let rights = self
            .control
            .iter()
            .filter(|control| (control.level, control.kind) == (SOL_SOCKET, SCM_RIGHTS.bits()));
        let numbers = rights.flat_map(|control| control.data.chunks_exact(4));
        numbers.flat_map(<[u8; 4]>::try_from).map(|bytes| FdNumber::new(i32::from_ne_bytes(bytes)))
    }
}

/// What stands behind the result, because the call told more than its number.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Note<'a> {
    /// Nothing.
    #[default]
    None,
    /// The number is a file's status flags.
    OpenFlags(OpenFlags),
    /// The number is a descriptor's flags.
    FdFlags(FdFlags),
    /// What `select` left in its sets and its timeout; `None` for NULL.
    Select {
        /// The three sets after the call.
        sets: [Option<Cow<'a, [FdNumber]>>; 3],
        /// What is left of the timeout, where the system tells.
        left: Option<TimeVal>,
    },
    /// The rows that `poll` answered.
    Poll(Cow<'a, [PollRow]>),
    /// An error code that is no errno, and its text.
    Code(Named, Cow<'a, str>),
    /// What stands behind the result without a form of its own here: a name, or what a log has there. Without the
    /// parentheses; it is printable.
    Text(Cow<'a, str>),
}

impl<'a> Arg<'a> {
    /// Bytes, all of them.
    pub fn bytes(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes.into())
    }

    /// An address.
    pub const fn address(address: &'a Address) -> Self {
        Self::Address(Cow::Borrowed(address))
    }

    /// A string of C, or NULL.
    pub fn str(text: Option<&'a str>) -> Self {
        Self::Str(text.map(Cow::Borrowed))
    }

    /// The members of an `fd_set`, or NULL.
    pub fn set(members: Option<Vec<FdNumber>>) -> Self {
        Self::Set(members.map(Cow::Owned))
    }

    /// The rows of `poll`, without what an earlier call has answered in them.
    pub fn rows(mut rows: Vec<PollRow>) -> Self {
        rows.iter_mut().for_each(|row| row.revents = PollEvents::NONE);
        Self::Rows(Cow::Owned(rows))
    }
}

impl Arg<'_> {
    /// In strace's notation, all of it. It is printable.
    pub fn written(&self) -> String {
        let mut text = String::new();
        write_arg(&mut text, self, ValueLimits::NONE);
        text
    }
}

impl Note<'_> {
    /// What `select` left in its sets and its timeout.
    pub fn select(sets: [Option<Vec<FdNumber>>; 3], left: Option<TimeVal>) -> Self {
        Self::Select { sets: sets.map(|set| set.map(Cow::Owned)), left }
    }
}

impl From<FdNumber> for Arg<'_> {
    fn from(fd: FdNumber) -> Self {
        Self::Fd(fd)
    }
}

impl From<BorrowedFd<'_>> for Arg<'_> {
    fn from(fd: BorrowedFd<'_>) -> Self {
        Self::Fd(fd.into())
    }
}

impl From<usize> for Arg<'_> {
    fn from(number: usize) -> Self {
        Self::Int(number as i64)
    }
}

impl From<i32> for Arg<'_> {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<Named> for Arg<'_> {
    fn from(named: Named) -> Self {
        Self::Named(named)
    }
}

/// How arguments are shown: how much of a string and of an array, and how an interface.
#[derive(Clone, Copy, Debug)]
pub struct ValueLimits {
    /// Bytes of a string.
    pub bytes: usize,
    /// Rows of an array.
    pub items: usize,
    /// The interface of an address of a link.
    pub interfaces: Interfaces,
}

/// How a network interface is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interfaces {
    /// By its name on this machine: `if_nametoindex("eth0")`, as strace writes it. For calls that are made now and here.
    Named,
    /// By its number: the call may be of another machine.
    Numbered,
}

impl ValueLimits {
    /// No limits, for what is kept.
    pub const NONE: Self =
        Self { bytes: usize::MAX, items: usize::MAX, interfaces: Interfaces::Numbered };
}

impl Default for ValueLimits {
    fn default() -> Self {
        Self { bytes: 32, items: 32, interfaces: Interfaces::Named }
    }
}
