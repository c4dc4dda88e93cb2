//! What can stand between a call's parentheses and behind its result, by kind.
//! How it is written is `notation.rs`'s.

use std::borrow::Cow;
use std::os::fd::BorrowedFd;

use crate::addr::Address;
use crate::names::{Domain, FdFlags, IoctlRequest, Level, MsgFlags, Named};
use crate::names::{OpenFlags, Protocol, SCM_RIGHTS, SOL_SOCKET, SaFlags, Signal, SocketType};
use crate::values::{
    ControlMessage, FdNumber, Linger, PeerCredentials, PollRow, TimeSpec, TimeVal,
};

/// An argument, by its kind. What it lends from its caller (bytes, addresses, sets) it lends as a [`Cow`], so that an
/// event can be made without copying anything and kept without lending anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Arg<'a> {
    /// No argument: what stands in the unused places of [`Args`](super::event::Args).
    #[default]
    None,
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
    /// The `struct msghdr` of a `recvmsg` that failed, which says nothing but the room that was given.
    Unanswered {
        /// For the other side's address.
        name_len: u32,
    },
    /// The hints of `getaddrinfo` (flags, family, type, protocol), or NULL.
    Hints(Option<Box<[Named; 4]>>),
    /// What `getaddrinfo` found: type and address of each.
    Found(Cow<'a, [(SocketType, Address)]>),
    /// Names with their numbers, as `if_nameindex` gives them.
    Interfaces(Cow<'a, [(u32, String)]>),
    /// An argument that no other kind is for, in strace's notation: of a call that no wrapper here makes, read from a
    /// log. It is printable.
    Text(Cow<'a, str>),
}

/// Bytes that a call moved, or as many of them as are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes<'a> {
    /// The bytes that are shown.
    pub shown: Cow<'a, [u8]>,
    /// Whether there were more: whoever wrote the event down kept only the first.
    pub is_cut: bool,
}

impl Bytes<'_> {
    /// The first `limit` of them, and whether there are more.
    pub fn cut(&self, limit: usize) -> (&[u8], bool) {
        (&self.shown[..self.shown.len().min(limit)], self.is_cut || self.shown.len() > limit)
    }

    fn into_owned(self) -> Bytes<'static> {
        Bytes { shown: Cow::Owned(self.shown.into_owned()), is_cut: self.is_cut }
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

/// Who handles a signal.
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

    fn into_owned(self) -> Message<'static> {
        let buffers = self.buffers.into_iter();
        Message {
            name: self.name.map(own),
            name_len: self.name_len,
            buffers: buffers.map(|(bytes, len)| (bytes.into_owned(), len)).collect(),
            control: self.control,
            control_len: self.control_len,
            flags: self.flags,
        }
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
    /// What a log has behind the result of a call that no wrapper here makes, without the parentheses. It is printable.
    Text(Cow<'a, str>),
}

fn own<T: ToOwned + ?Sized>(lent: Cow<'_, T>) -> Cow<'static, T> {
    Cow::Owned(lent.into_owned())
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

    /// The rows of `poll`.
    pub const fn rows(rows: Vec<PollRow>) -> Self {
        Self::Rows(Cow::Owned(rows))
    }
}

impl Arg<'_> {
    /// The same, lending nothing.
    pub fn into_owned(self) -> Arg<'static> {
        match self {
            Self::Word(word) => Arg::Word(own(word)),
            Self::Bytes(bytes) => Arg::Bytes(bytes.into_owned()),
            Self::Str(text) => Arg::Str(text.map(own)),
            Self::Address(address) => Arg::Address(own(address)),
            Self::Value(value) => Arg::Value(value.into_owned()),
            Self::Set(members) => Arg::Set(members.map(own)),
            Self::Rows(rows) => Arg::Rows(own(rows)),
            Self::Message(message) => Arg::Message(Box::new(message.into_owned())),
            Self::Found(found) => Arg::Found(own(found)),
            Self::Interfaces(interfaces) => Arg::Interfaces(own(interfaces)),
            Self::Text(text) => Arg::Text(own(text)),
            Self::None => Arg::None,
            Self::Fd(fd) => Arg::Fd(fd),
            Self::Fds(pair) => Arg::Fds(pair),
            Self::Int(number) => Arg::Int(number),
            Self::Millis(timeout_ms) => Arg::Millis(timeout_ms),
            Self::Named(named) => Arg::Named(named),
            Self::Type(kind) => Arg::Type(kind),
            Self::Protocol(domain, protocol) => Arg::Protocol(domain, protocol),
            Self::OpenFlags(flags) => Arg::OpenFlags(flags),
            Self::Request(request) => Arg::Request(request),
            Self::Pointer(address) => Arg::Pointer(address),
            Self::Length { given, returned } => Arg::Length { given, returned },
            Self::Offset { given, returned } => Arg::Offset { given, returned },
            Self::OptionName(level, number) => Arg::OptionName(level, number),
            Self::TimeVal(time) => Arg::TimeVal(time),
            Self::TimeSpec(time) => Arg::TimeSpec(time),
            Self::Mask(signals) => Arg::Mask(signals),
            Self::Action(action) => Arg::Action(action),
            Self::Unanswered { name_len } => Arg::Unanswered { name_len },
            Self::Hints(hints) => Arg::Hints(hints),
        }
    }
}

impl Value<'_> {
    fn into_owned(self) -> Value<'static> {
        match self {
            Self::Bytes(bytes) => Value::Bytes(bytes.into_owned()),
            Self::Int(number) => Value::Int(number),
            Self::Byte(byte) => Value::Byte(byte),
            Self::Error(number) => Value::Error(number),
            Self::Linger(linger) => Value::Linger(linger),
            Self::TimeVal(time) => Value::TimeVal(time),
            Self::Credentials(credentials) => Value::Credentials(credentials),
        }
    }
}

impl Note<'_> {
    /// What `select` left in its sets and its timeout.
    pub fn select(sets: [Option<Vec<FdNumber>>; 3], left: Option<TimeVal>) -> Self {
        Self::Select { sets: sets.map(|set| set.map(Cow::Owned)), left }
    }

    /// The same, lending nothing.
    pub fn into_owned(self) -> Note<'static> {
        match self {
            Self::None => Note::None,
            Self::OpenFlags(flags) => Note::OpenFlags(flags),
            Self::FdFlags(flags) => Note::FdFlags(flags),
            Self::Select { sets, left } => {
                Note::Select { sets: sets.map(|set| set.map(own)), left }
            }
            Self::Poll(rows) => Note::Poll(own(rows)),
            Self::Code(code, text) => Note::Code(code, own(text)),
            Self::Text(text) => Note::Text(own(text)),
        }
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

/// How much of a string and of an array is shown.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a string.
    pub bytes: usize,
    /// Rows of an array.
    pub items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 32, items: 32 }
    }
}
