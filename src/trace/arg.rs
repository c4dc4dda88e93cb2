//! What can stand between a call's parentheses and behind its result, by kind.
//! How it is written is `notation.rs`'s.

use std::os::fd::BorrowedFd;

use crate::addr::Address;
use crate::names::{Domain, FdFlags, IoctlRequest, Level, MsgFlags, Named, OpenFlags};
use crate::names::{Protocol, SaFlags, Signal, SocketType};
use crate::values::{
    ControlMessage, FdNumber, Linger, PeerCredentials, PollRow, TimeSpec, TimeVal,
};

/// An argument as the wrapper saw it, by kind; the sinks decide how to write it.
#[derive(Clone, Debug)]
pub enum Arg<'a> {
    /// A descriptor.
    Fd(FdNumber),
    /// The two descriptors of `socketpair` and `pipe`.
    Fds([FdNumber; 2]),
    /// A number: a length, a count.
    Int(i64),
    /// A timeout in milliseconds; 0 does not wait, -1 waits for ever.
    Millis(i32),
    /// A constant or flags with a name.
    Named(Named),
    /// A constant that stands for itself.
    Word(&'static str),
    /// A socket's type with the flags joined to it.
    Type(SocketType),
    /// A protocol, which has a name in the internet domains only.
    Protocol(Domain, Protocol),
    /// A file's status flags.
    OpenFlags(OpenFlags),
    /// Which `ioctl`.
    Request(IoctlRequest),
    /// Bytes sent or received.
    Bytes(&'a [u8]),
    /// A string of C, or NULL.
    Str(Option<&'a str>),
    /// A socket address.
    Address(&'a Address),
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
    /// A socket option's value.
    Value(Value<'a>),
    /// The members of an `fd_set`, or NULL.
    Set(Option<Vec<FdNumber>>),
    /// The rows of `poll` before the call.
    Rows(Vec<PollRow>),
    /// A `struct timeval`, or NULL.
    TimeVal(Option<TimeVal>),
    /// A `struct timespec`, or NULL.
    TimeSpec(Option<TimeSpec>),
    /// A set of signals, or NULL.
    Mask(Option<Vec<Signal>>),
    /// A `struct sigaction`, or NULL.
    Action(Option<Action>),
    /// A `struct msghdr`.
    Message(Message<'a>),
    /// The `struct msghdr` of a `recvmsg` that failed, which says nothing but the room that was given.
    Unanswered {
        /// For the other side's address.
        name_len: u32,
    },
    /// The hints of `getaddrinfo`, or NULL.
    Hints(Option<[Named; 4]>),
    /// What `getaddrinfo` found: type and address of each.
    Found(&'a [(SocketType, Address)]),
    /// Names with their numbers, as `if_nameindex` gives them.
    Interfaces(&'a [(u32, String)]),
    /// What was written before, in strace's notation: of a call that is read from a trace and told again.
    Written(&'a str),
}

/// The value of a socket option, or what an `ioctl` points to.
#[derive(Clone, Copy, Debug)]
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
    Bytes(&'a [u8]),
}

/// A `struct sigaction` as the trace shows it.
#[derive(Clone, Debug)]
pub struct Action {
    /// `SIG_DFL`, `SIG_IGN` or an address.
    pub handler: Handler,
    /// The signals that wait while the handler runs.
    pub mask: Vec<Signal>,
    /// How the handler is called.
    pub flags: SaFlags,
}

/// Who handles a signal.
#[derive(Clone, Copy, Debug)]
pub enum Handler {
    /// `SIG_DFL`.
    Default,
    /// `SIG_IGN`.
    Ignore,
    /// A function at this address.
    Function(usize),
}

/// A `struct msghdr` as the trace shows it.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// The other side's address, or the pointer where it would stand.
    pub name: Result<&'a Address, usize>,
    /// The length of that address, before and after.
    pub name_len: (u32, u32),
    /// Each buffer's bytes and its whole length.
    pub buffers: Vec<(&'a [u8], usize)>,
    /// Control messages.
    pub control: Vec<ControlMessage>,
    /// The length of the control data; after `recvmsg`, of what it wrote.
    pub control_len: usize,
    /// What the system says of the message (`recvmsg`).
    pub flags: MsgFlags,
}

/// What stands behind the result, because the call told more than its number.
#[derive(Clone, Debug, Default)]
pub enum Note {
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
        sets: [Option<Vec<FdNumber>>; 3],
        /// What is left of the timeout, where the system tells.
        left: Option<TimeVal>,
    },
    /// The rows that `poll` answered.
    Poll(Vec<PollRow>),
    /// An error code that is no errno, and its text.
    Code(Named, String),
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
