//! The kinds of values that a trace shows: the arguments of a call, and the notes behind its result. `notation.rs`
//! writes them.

use std::borrow::Cow;
use std::os::fd::BorrowedFd;

use super::line::LineBuffer;
use super::notation::write_arg;
use crate::addr::Address;
use crate::names::{Domain, FdFlags, IoctlRequest, Level, MsgFlags, Named};
use crate::names::{
    OpenFlags, PollEvents, Protocol, SCM_RIGHTS, SOL_SOCKET, SaFlags, Signal, SocketType,
};
use crate::values::{
    ControlMessage, FdNumber, Linger, PeerCredentials, PollRow, TimeSpec, TimeVal,
};

/// An argument, by its kind. Bytes, addresses and sets are borrowed from the caller in a [`Cow`], so that an event can
/// be made without a copy, and kept when it owns them.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg<'a> {
    /// A descriptor.
    Fd(FdNumber),
    /// The two descriptors of `socketpair` and `pipe`.
    Fds([FdNumber; 2]),
    /// A number: a length, a count.
    Int(i64),
    /// A timeout in milliseconds: 0 does not wait, -1 waits forever.
    Millis(i32),
    /// A constant or flags with a name.
    Named(Named),
    /// A constant, by its name only, because this program has no table with its value: `EPOLL_CTL_ADD`.
    Word(Cow<'a, str>),
    /// A socket's type, with the flags that are joined to it.
    Type(SocketType),
    /// A protocol; only those of the internet domains have names.
    Protocol(Domain, Protocol),
    /// A file's status flags.
    OpenFlags(OpenFlags),
    /// The request of an `ioctl`.
    Request(IoctlRequest),
    /// Bytes sent or received.
    Bytes(Bytes<'a>),
    /// A string of C, or NULL.
    Str(Option<Cow<'a, str>>),
    /// A socket address.
    Address(Cow<'a, Address>),
    /// An address in memory without content: where a failed call would have written. 0 is NULL.
    Pointer(usize),
    /// A length that the caller passes and the kernel changes: `[128 => 16]`.
    Length {
        /// The length that the caller passed.
        given: i64,
        /// The length that the kernel wrote.
        returned: i64,
    },
    /// A position in a file that the caller passes and the kernel moves: `[0] => [5]`.
    Offset {
        /// The position that the caller passed.
        given: i64,
        /// The position that the kernel wrote, if it did.
        returned: Option<i64>,
    },
    /// The name of a socket option, which depends on the level.
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
    /// The messages of `sendmmsg` and `recvmmsg`, and how many bytes of each were moved, if the call reported it.
    Messages(Vec<(Message<'a>, Option<u32>)>),
    /// The buffers of `readv` and `writev`: the bytes of each, and its whole length.
    Buffers(Vec<(Bytes<'a>, usize)>),
    /// The buffers of a `readv` that failed: address and length of each.
    Room(Vec<(usize, usize)>),
    /// The `struct msghdr` of a `recvmsg` that failed: it says only how much room there was.
    Unanswered {
        /// Room for the peer's address.
        name_len: u32,
    },
    /// The hints of `getaddrinfo` (flags, family, type, protocol), or NULL.
    Hints(Option<Box<[Named; 4]>>),
    /// The results of `getaddrinfo`: type and address of each.
    Found(Cow<'a, [(SocketType, Address)]>),
    /// An argument in strace's notation, of a kind that has no form here: read from a log, in a call that no wrapper
    /// makes. It is printable.
    Text(Cow<'a, str>),
}

/// The bytes that a call moved, or the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes<'a> {
    /// The bytes that are shown.
    pub shown: Cow<'a, [u8]>,
    /// Whether there were more bytes than are kept.
    pub is_cut: bool,
}

impl Bytes<'_> {
    /// The first `limit` bytes, and whether there are more.
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
    /// A pending error, shown by name: the value of `SO_ERROR` is an errno.
    Error(i32),
    /// A `struct linger`.
    Linger(Linger),
    /// A `struct timeval`.
    TimeVal(TimeVal),
    /// A `struct ucred`.
    Credentials(PeerCredentials),
    /// Bytes of an unknown structure.
    Bytes(Bytes<'a>),
}

/// A `struct sigaction` as the trace shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalAction {
    /// `SIG_DFL`, `SIG_IGN` or an address.
    pub handler: SignalHandler,
    /// The signals that are blocked while the handler runs.
    pub mask: Vec<Signal>,
    /// The flags `sa_flags`.
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
    /// The peer's address, or the pointer to where it would be written.
    pub name: Result<Cow<'a, Address>, usize>,
    /// The length of that address, before and after the call.
    pub name_len: (u32, u32),
    /// The bytes and the whole length of each buffer.
    pub buffers: Vec<(Bytes<'a>, usize)>,
    /// Control messages.
    pub control: Vec<ControlMessage>,
    /// The length of the control data; after `recvmsg`, of the data that the call wrote.
    pub control_len: usize,
    /// The flags that the kernel set for the message (`recvmsg`).
    pub flags: MsgFlags,
}

impl Message<'_> {
    /// The descriptors that the message passes (`SCM_RIGHTS`).
    pub fn passed(&self) -> impl Iterator<Item = FdNumber> {
        let rights = self
            .control
            .iter()
            .filter(|control| (control.level, control.kind) == (SOL_SOCKET, SCM_RIGHTS.bits()));
        let numbers = rights.flat_map(|control| control.data.chunks_exact(4));
        numbers.flat_map(<[u8; 4]>::try_from).map(|bytes| FdNumber::new(i32::from_ne_bytes(bytes)))
    }
}

/// What the trace shows behind the result, when the call reported more than its number.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Note<'a> {
    /// Nothing.
    #[default]
    None,
    /// The number holds a file's status flags.
    OpenFlags(OpenFlags),
    /// The number holds a descriptor's flags.
    FdFlags(FdFlags),
    /// The sets and the timeout after `select`; `None` for NULL.
    Select {
        /// The three sets after the call.
        sets: [Option<Cow<'a, [FdNumber]>>; 3],
        /// The rest of the timeout, where the system reports it.
        left: Option<TimeVal>,
    },
    /// The rows that `poll` answered.
    Poll(Cow<'a, [PollRow]>),
    /// An error code that is not an errno, and its text.
    Code(Named, Cow<'a, str>),
    /// Other text behind the result: a name, or what a log has there. Without the parentheses; it is printable.
    Text(Cow<'a, str>),
}

impl<'a> Arg<'a> {
    /// All of these bytes.
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

    /// The rows of `poll`, without the answers of an earlier call.
    pub fn rows(mut rows: Vec<PollRow>) -> Self {
        rows.iter_mut().for_each(|row| row.revents = PollEvents::NONE);
        Self::Rows(Cow::Owned(rows))
    }
}

impl Arg<'_> {
    /// The complete argument in strace's notation. It is printable.
    pub fn written(&self) -> String {
        let mut text = LineBuffer::new();
        write_arg(&mut text, self, ValueLimits::NONE);
        text.into()
    }
}

impl Note<'_> {
    /// The sets and the timeout after `select`.
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

/// How much of an argument is shown, and how an interface is shown.
#[derive(Clone, Copy, Debug)]
pub struct ValueLimits {
    /// The most bytes of a string.
    pub bytes: usize,
    /// The most rows of an array.
    pub items: usize,
    /// How the interface of a link-local address is shown.
    pub interfaces: Interfaces,
}

/// How a network interface is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interfaces {
    /// By its name on this machine, as strace writes it: `if_nametoindex("eth0")`. For calls that are made here and
    /// now.
    Named,
    /// By its number, because the call may have been made on another machine.
    Numbered,
}

impl ValueLimits {
    /// No limits, for an event that is kept.
    pub const NONE: Self =
        Self { bytes: usize::MAX, items: usize::MAX, interfaces: Interfaces::Numbered };
}

impl Default for ValueLimits {
    fn default() -> Self {
        Self { bytes: 32, items: 32, interfaces: Interfaces::Named }
    }
}
