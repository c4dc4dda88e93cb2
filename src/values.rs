//! The plain values that calls take and give back: a descriptor's number, times, lingering, a row of
//! `poll`. They carry no rights and touch nothing; [`crate::sys`] turns them into C's structures.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use crate::names::{Level, PollEvents, TcpState};

/// A descriptor's *number*: a name without rights.
///
/// Sets, evidence and the trace yield it; no wrapper accepts it. To use a descriptor, code must own
/// it ([`crate::sys::Fd`]) or borrow it ([`BorrowedFd`]), so that it cannot use a number that was
/// closed, and perhaps reused for another connection, in the meantime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FdNumber(RawFd);

impl FdNumber {
    /// The number as a number, to print it or to index a table with it.
    pub const fn get(self) -> RawFd {
        self.0
    }

    pub(crate) const fn new(number: RawFd) -> Self {
        Self(number)
    }

    /// The number of a descriptor that one owns or borrows.
    pub fn of(fd: &impl AsFd) -> Self {
        Self(fd.as_fd().as_raw_fd())
    }
}

impl From<BorrowedFd<'_>> for FdNumber {
    fn from(fd: BorrowedFd<'_>) -> Self {
        Self(fd.as_raw_fd())
    }
}

impl fmt::Display for FdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// C's `struct timeval`: seconds and microseconds, as `select` and `SO_RCVTIMEO` take them.
///
/// The fields are free, as in C: what is out of range is for libc and the kernel to judge.
#[doc(alias = "timeval")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeVal {
    /// Whole seconds.
    pub tv_sec: i64,
    /// Microseconds beyond the seconds, 0 to 999,999.
    pub tv_usec: i64,
}

/// C's `struct timespec`: seconds and nanoseconds, as `pselect` and `ppoll` take them.
#[doc(alias = "timespec")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeSpec {
    /// Whole seconds.
    pub tv_sec: i64,
    /// Nanoseconds beyond the seconds, 0 to 999,999,999.
    pub tv_nsec: i64,
}

/// C's `struct linger`, the value of `SO_LINGER`: what `close` does with bytes not yet delivered.
///
/// (macOS counts the time of `SO_LINGER` in hundredths of a second, and has `SO_LINGER_SEC`.)
#[doc(alias = "linger")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Linger {
    /// Not zero: linger.
    pub l_onoff: i32,
    /// For how many seconds; 0 throws away what is unsent and resets the connection.
    pub l_linger: i32,
}

/// C's `struct ucred`, the value of `SO_PEERCRED` (Linux): the process that called `connect`, `listen` or `socketpair`
/// at the other end of a Unix-domain socket, at that time.
#[doc(alias = "ucred")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCredentials {
    /// The process.
    pub pid: i32,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

/// One row of `poll` as a value: the number asked about, what was asked, what was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollRow {
    /// The descriptor's number; a row with a negative one is skipped by `poll`.
    pub fd: FdNumber,
    /// What was asked.
    pub events: PollEvents,
    /// What was answered.
    pub revents: PollEvents,
}

/// One control message: something that travels or is told beside the bytes of a message.
#[doc(alias = "cmsghdr")]
#[doc(alias = "cmsg")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlMessage {
    /// `cmsg_level`: [`SOL_SOCKET`](crate::names::SOL_SOCKET), or the protocol that tells it.
    pub level: Level,
    /// `cmsg_type`: which of that level's. For a protocol the number of an option: as a rule the one that asked for it
    /// (`IP_PKTINFO`), but what `IP_RECVTTL` asks for comes as `IP_TTL` on Linux.
    pub kind: i32,
    /// The data as the system wrote it, in the machine's byte order.
    pub data: Vec<u8>,
}

/// What the kernel tells of a TCP socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketState {
    /// Where the connection is in its life.
    pub state: TcpState,
    /// Bytes received but not yet read.
    pub unread: Option<u64>,
    /// Bytes taken for sending that the peer's system has not acknowledged yet.
    pub unacknowledged: Option<u64>,
    /// Of a listener: how many connections wait to be accepted, and how many may.
    pub waiting: Option<(u32, u32)>,
}

/// As the trace shows it: `ESTABLISHED, 5 unread, 0 unacknowledged`.
impl fmt::Display for SocketState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.state)?;
        if let Some(bytes) = self.unread {
            write!(f, ", {bytes} unread")?;
        }
        if let Some(bytes) = self.unacknowledged {
            write!(f, ", {bytes} unacknowledged")?;
        }
        if let Some((now, most)) = self.waiting {
            write!(f, ", {now} of {most} waiting")?;
        }
        Ok(())
    }
}
