//! What a call did, in the words of sockets: `recv`, `recvfrom`, `recvmsg`, `read` and `readv` all received.
//!
//! Nothing is copied or allocated: everything that is not a number is borrowed from the event.

use crate::addr::Address;
use crate::names::{
    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFL, F_SETFD, F_SETFL, FD_CLOEXEC, Level, MsgFlags, OpenFlags,
    SO_ERROR, SOL_SOCKET, SocketFlags, SocketType,
};
use crate::trace::arg::{Arg, Bytes, Message, Value};
use crate::trace::page::Effect;
use crate::trace::{Event, Function};

use super::reading::{self, number};
use super::wait::{ReadyFor, Wait};

/// What happened, without details: an advice states which of these it looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DidKind {
    /// `socket`.
    Made,
    /// `accept`, whether or not it returned a connection.
    Accepted,
    /// `bind`.
    Bound,
    /// `listen`.
    Listened,
    /// `connect`.
    Connected,
    /// A call that sends bytes.
    Sent,
    /// A call that receives bytes.
    Received,
    /// `select`, `poll` and similar calls returned.
    Waited,
    /// A descriptor that a wait reported as ready; one for each, before `Waited`.
    Ready,
    /// `shutdown`.
    Finished,
    /// `close`.
    Closed,
    /// The last descriptor of a socket is gone: by `close`, at the end of its process, or because the log ends.
    Gone,
    /// `fcntl` with `F_GETFL`.
    FlagsAsked,
    /// `fcntl` with `F_SETFL`.
    FlagsSet,
    /// `setsockopt`.
    OptionSet,
    /// `getsockopt` or an `ioctl` that asks.
    OptionAsked,
    /// `getsockname` and `getpeername`.
    NameAsked,
    /// A name was looked up, or a file was opened that a lookup reads.
    LookedUp,
    /// The process became another program.
    Executed,
    /// A file was removed.
    Removed,
    /// A process ended, or the log did.
    Ended,
    /// A signal arrived.
    Signalled,
    /// Anything else.
    Other,
}

impl DidKind {
    /// How many kinds there are.
    pub const COUNT: usize = Self::Other as usize + 1;
}

/// What a call did.
#[derive(Debug)]
pub enum Did<'e> {
    /// A socket was made.
    Made(Making),
    /// Two connected ends were made.
    Paired([i32; 2], Making),
    /// A connection was taken from a listener.
    Accepted(Option<&'e Address>, SocketFlags),
    /// An address was set.
    Bound(Option<&'e Address>),
    /// A listener was made, with this backlog.
    Listened(i64),
    /// A connection was asked for.
    Connected(Option<&'e Address>),
    /// Bytes were sent.
    Sent(Moved<'e>),
    /// Bytes were received.
    Received(Moved<'e>),
    /// Bytes were received from the moment's descriptor and sent through this one. A result of 0 need not be the end of file:
    /// splice returns it at the mark of an urgent byte, too.
    Spliced(i32),
    /// The process waited.
    Waited(Wait<'e>),
    /// What a wait reported about the moment's descriptor.
    Ready(ReadyFor),
    /// The sending half was closed, or the receiving one, or both.
    Finished {
        /// By `SHUT_WR` or `SHUT_RDWR`.
        sending: bool,
        /// By `SHUT_RD` or `SHUT_RDWR`.
        receiving: bool,
    },
    /// A descriptor was closed.
    Closed,
    /// All descriptors of a range were closed.
    ClosedRange(i64, i64),
    /// All descriptors of a range are to be closed by `execve`.
    RangeClosedOnExec(i64, i64),
    /// The last descriptor of the moment's socket is gone, for this reason.
    Gone(Departure),
    /// A descriptor got a second number.
    Copied {
        /// Whether the new number has `FD_CLOEXEC`.
        is_closed_on_exec: bool,
    },
    /// Status flags were asked for.
    FlagsAsked,
    /// Status flags were set.
    FlagsSet(OpenFlags),
    /// `F_SETFD`.
    CloseOnExec {
        /// Whether `FD_CLOEXEC` was among the flags.
        is_set: bool,
    },
    /// An option was set.
    OptionSet(Level, i32, Option<&'e Value<'e>>),
    /// An option was asked for.
    OptionAsked(Level, i32, Option<&'e Value<'e>>),
    /// The address of this end was asked for.
    NameAsked(Option<&'e Address>),
    /// The address of the peer was asked for.
    PeerAsked(Option<&'e Address>),
    /// A name was looked up, with the results, if the call shows them.
    LookedUp(&'e [(SocketType, Address)]),
    /// Another process or thread began.
    Forked {
        /// Whether it shares the descriptors, as a thread does; a process has copies.
        shares_descriptors: bool,
    },
    /// The process became another program.
    Executed,
    /// A file was removed.
    Removed(&'e str),
    /// A descriptor was made that is not a socket; the name of its file, if it has one.
    Opened(Option<&'e str>),
    /// `epoll_ctl`.
    Registered(reading::Registration),
    /// The process sleeps.
    Slept,
    /// The process ended, or the log did.
    Ended(ProcessEnding<'e>),
    /// A signal arrived.
    Signalled(&'e str),
    /// Anything else.
    Other,
}

/// How the socket of a descriptor was made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Making {
    /// Whether it is of IPv4 or IPv6.
    pub is_inet: bool,
    /// Whether it is a stream.
    pub is_stream: bool,
    /// Whether it is a datagram socket.
    pub is_datagram: bool,
    /// Whether it is non-blocking.
    pub is_nonblocking: bool,
    /// Whether it is closed by `execve`.
    pub is_closed_on_exec: bool,
}

/// The bytes that a call was asked to move.
#[derive(Clone, Copy, Debug)]
pub struct Moved<'e> {
    /// How many, if the line shows it.
    pub asked: Option<u64>,
    /// The flags of the call.
    pub flags: MsgFlags,
    /// The first bytes, if the line shows them.
    pub bytes: Option<&'e Bytes<'e>>,
    /// The destination of a datagram.
    pub to: Option<&'e Address>,
    /// Whether `recvmsg` reported that the datagram was truncated.
    pub is_cut: bool,
    /// The message of `sendmsg` and `recvmsg`, which may pass descriptors.
    pub message: Option<&'e Message<'e>>,
}

/// Why a socket is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// `close`, `dup2` over it, or `execve`.
    Closed,
    /// The end of the process.
    Exit,
    /// It is not gone, but the log ends.
    LogOver,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEnding<'e> {
    /// `exit` with this status.
    Exited(i64),
    /// A signal of this name killed it.
    Killed(&'e str),
    /// The log ends, and the process goes on.
    LogOver,
}

impl<'e> Did<'e> {
    /// What happened in an event.
    pub fn of(event: &'e Event<'e>) -> Self {
        match event.function() {
            Some(function) => Self::of_known(function, event),
            None => reading::of_other(event),
        }
    }

    fn of_known(function: Function, event: &'e Event<'e>) -> Self {
        let args = &event.args;
        match function.effect() {
            Effect::MakesSocket => Self::Made(making(args)),
            Effect::MakesPair | Effect::MakesPipe => paired(event, function.effect()),
            Effect::Accepts => Self::Accepted(
                address(args.get(1)),
                SocketFlags::from_bits(flags_of(args.get(3)) as i32),
            ),
            Effect::Binds => Self::Bound(address(args.get(1))),
            Effect::Listens => Self::Listened(args.get(1).and_then(number).unwrap_or(0)),
            Effect::Connects => Self::Connected(address(args.get(1))),
            Effect::Sends => Self::Sent(reading::moved(args)),
            Effect::Receives => Self::Received(reading::moved(args)),
            Effect::Splices => {
                let to = args.get(2).and_then(number).and_then(|to| i32::try_from(to).ok());
                to.map_or(Self::Other, Self::Spliced)
            }
            Effect::Selects | Effect::Polls => Self::Waited(Wait::of(event)),
            Effect::ShutsDown => finished(args.get(1)),
            Effect::Closes => Self::Closed,
            Effect::ClosesRange => reading::closed_range(args),
            Effect::Copies => Self::Copied { is_closed_on_exec: false },
            Effect::Commands if matches!(args.get(1), Some(Arg::Request(_))) => {
                Self::OptionAsked(Level::from_bits(-1), 0, value(args.get(2)))
            }
            Effect::Commands => of_fcntl(args),
            Effect::SetsOption => match args.get(2) {
                Some(Arg::OptionName(level, name)) => {
                    Self::OptionSet(*level, *name, value(args.get(3)))
                }
                _ => Self::Other,
            },
            Effect::TellsOption => match args.get(2) {
                Some(Arg::OptionName(level, name)) => {
                    Self::OptionAsked(*level, *name, value(args.get(3)))
                }
                _ => Self::Other,
            },
            Effect::TellsName => Self::NameAsked(address(args.get(1))),
            Effect::TellsPeer => Self::PeerAsked(address(args.get(1))),
            Effect::Resolves => Self::LookedUp(match args.get(3) {
                Some(Arg::Found(found)) => found,
                _ => &[],
            }),
            Effect::None => Self::Other,
        }
    }

    /// Its kind.
    pub const fn what(&self) -> DidKind {
        match self {
            Self::Made(_) | Self::Paired(..) => DidKind::Made,
            Self::Accepted(..) => DidKind::Accepted,
            Self::Bound(_) => DidKind::Bound,
            Self::Listened(_) => DidKind::Listened,
            Self::Connected(_) => DidKind::Connected,
            Self::Sent(_) => DidKind::Sent,
            Self::Received(_) => DidKind::Received,
            Self::Waited(_) => DidKind::Waited,
            Self::Ready(_) => DidKind::Ready,
            Self::Finished { .. } => DidKind::Finished,
            Self::Closed => DidKind::Closed,
            Self::Gone(_) => DidKind::Gone,
            Self::FlagsAsked => DidKind::FlagsAsked,
            Self::FlagsSet(_) => DidKind::FlagsSet,
            Self::OptionSet(..) => DidKind::OptionSet,
            Self::OptionAsked(..) => DidKind::OptionAsked,
            Self::NameAsked(..) | Self::PeerAsked(..) => DidKind::NameAsked,
            Self::LookedUp(_) | Self::Opened(Some(_)) => DidKind::LookedUp,
            Self::Executed => DidKind::Executed,
            Self::Removed(_) => DidKind::Removed,
            Self::Ended(_) => DidKind::Ended,
            Self::Signalled(_) => DidKind::Signalled,
            _ => DidKind::Other,
        }
    }

    /// Whether it asks for `SO_ERROR`, that is, whether a connect has succeeded.
    pub fn asks_for_error(&self) -> bool {
        matches!(self, Self::OptionAsked(SOL_SOCKET, option, _) if *option == SO_ERROR.number())
    }
}

impl Moved<'_> {
    /// A call of which the log shows nothing.
    pub(super) const NOTHING: Self = Self {
        asked: None,
        flags: MsgFlags::NONE,
        bytes: None,
        to: None,
        is_cut: false,
        message: None,
    };
}

pub(super) fn address<'e>(arg: Option<&'e Arg<'e>>) -> Option<&'e Address> {
    match arg {
        Some(Arg::Address(address)) => Some(address),
        _ => None,
    }
}

fn value<'e>(arg: Option<&'e Arg<'e>>) -> Option<&'e Value<'e>> {
    match arg {
        Some(Arg::Value(value)) => Some(value),
        _ => None,
    }
}

pub(super) fn flags_of(arg: Option<&Arg<'_>>) -> i64 {
    match arg {
        Some(Arg::Named(named)) => named.value,
        Some(Arg::Int(number)) => *number,
        _ => 0,
    }
}

fn making(args: &[Arg<'_>]) -> Making {
    let kind = match args.get(1) {
        Some(Arg::Type(kind)) => *kind,
        Some(Arg::Named(named)) => SocketType::from_bits(named.value as i32),
        _ => SocketType::default(),
    };
    let domain = crate::names::Domain::from_bits(flags_of(args.first()) as i32);
    let alone = kind.without_flags();
    let flags = kind.flags();
    Making {
        is_inet: matches!(domain, crate::names::AF_INET | crate::names::AF_INET6),
        is_stream: alone == crate::names::SOCK_STREAM,
        is_datagram: alone == crate::names::SOCK_DGRAM,
        is_nonblocking: flags.asks_for_nonblocking(),
        is_closed_on_exec: flags.asks_for_close_on_exec(),
    }
}

fn paired<'e>(event: &'e Event<'e>, effect: Effect) -> Did<'e> {
    let pair = event.args.iter().find_map(|arg| match arg {
        Arg::Fds(pair) => Some(pair.map(crate::values::FdNumber::get)),
        _ => None,
    });
    let made = match effect {
        Effect::MakesPipe => Making::default(),
        _ => making(&event.args),
    };
    pair.map_or(Did::Other, |pair| Did::Paired(pair, made))
}

fn finished<'e>(how: Option<&Arg<'_>>) -> Did<'e> {
    let how = crate::names::ShutdownHow::from_bits(flags_of(how) as i32);
    Did::Finished { sending: how != crate::names::SHUT_RD, receiving: how != crate::names::SHUT_WR }
}

fn of_fcntl<'e>(args: &'e [Arg<'e>]) -> Did<'e> {
    let command = crate::names::FcntlCommand::from_bits(flags_of(args.get(1)) as i32);
    match (command, args.get(2)) {
        (F_GETFL, _) => Did::FlagsAsked,
        (F_SETFL, Some(Arg::OpenFlags(flags))) => Did::FlagsSet(*flags),
        (F_SETFD, flags) => {
            Did::CloseOnExec { is_set: flags_of(flags) & i64::from(FD_CLOEXEC.bits()) != 0 }
        }
        (F_DUPFD, _) => Did::Copied { is_closed_on_exec: false },
        (F_DUPFD_CLOEXEC, _) => Did::Copied { is_closed_on_exec: true },
        _ => Did::Other,
    }
}
