//! The plain values that calls take and return: a descriptor's number, times, the linger setting, a row of `poll`.
//! Having one gives no access to a descriptor; [`crate::sys`] converts them to C's structures.

use std::ffi::c_long;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use crate::names::{Level, PollEvents, TcpState};

/// A descriptor's *number*: it names the descriptor, and gives no right to use it.
///
/// Sets, the pollers' answers and the trace contain such numbers; no wrapper accepts one. To use a descriptor, code
/// must own it ([`crate::sys::Fd`]) or borrow it ([`BorrowedFd`]), so that it cannot use a number that was closed, and
/// perhaps reused for another connection, in the meantime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FdNumber(RawFd);

impl FdNumber {
    /// The number itself, to print it or to index a table.
    pub const fn get(self) -> RawFd {
        self.0
    }

    /// A number that was read, for example in a log.
    pub const fn new(number: RawFd) -> Self {
        Self(number)
    }

    /// The number of a descriptor that the caller owns or borrows.
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
/// The fields are not checked, as in C: libc and the kernel decide what is out of range.
#[doc(alias = "timeval")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeVal {
    /// Whole seconds.
    pub tv_sec: i64,
    /// Microseconds beyond the seconds, 0 to 999,999.
    pub tv_usec: i64,
}

impl TimeVal {
    /// How many bytes C's structure has in this program: two numbers as wide as a `long`.
    pub(crate) const C_LEN: usize = 2 * size_of::<c_long>();

    /// Reads C's structure, also that of a program whose `long` is narrower or wider than here.
    pub(crate) fn from_c_bytes(bytes: &[u8]) -> Option<Self> {
        let (tv_sec, tv_usec) = match (bytes.as_chunks::<8>(), bytes.as_chunks::<4>()) {
            (([sec, usec], []), _) => (i64::from_ne_bytes(*sec), i64::from_ne_bytes(*usec)),
            (_, ([sec, usec], [])) => {
                (i32::from_ne_bytes(*sec).into(), i32::from_ne_bytes(*usec).into())
            }
            _ => return None,
        };
        Some(Self { tv_sec, tv_usec })
    }

    /// C's structure as it lies in the memory of this program.
    pub(crate) fn to_c_bytes(self) -> Vec<u8> {
        [self.tv_sec as c_long, self.tv_usec as c_long].map(c_long::to_ne_bytes).concat()
    }
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
    /// Not zero: `close` waits or resets, as `l_linger` says. Zero: `close` returns at once and the kernel goes on
    /// sending.
    pub l_onoff: i32,
    /// How many seconds `close` may wait; 0 discards unsent bytes and resets the connection.
    pub l_linger: i32,
}

/// C's `struct ucred`, the value of `SO_PEERCRED` (Linux): the process that called `connect`, `listen` or `socketpair`
/// at the other end of a Unix-domain socket, at that time.
#[doc(alias = "ucred")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCredentials {
    /// The process id.
    pub pid: i32,
    /// The user id of that process.
    pub uid: u32,
    /// The group id of that process.
    pub gid: u32,
}

/// One row of `poll` as a value: the descriptor's number, the events asked for, and the events that `poll` returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollRow {
    /// The descriptor's number; a row with a negative one is skipped by `poll`.
    pub fd: FdNumber,
    /// The events that the caller asks for.
    pub events: PollEvents,
    /// The events that `poll` returned.
    pub revents: PollEvents,
}

/// One control message (ancillary data): something that travels beside the bytes of a message, or that the kernel
/// reports about it.
#[doc(alias = "cmsghdr")]
#[doc(alias = "cmsg")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlMessage {
    /// `cmsg_level`: [`SOL_SOCKET`](crate::names::SOL_SOCKET), or the protocol that the message belongs to.
    pub level: Level,
    /// `cmsg_type`: the kind of message within that level. At a protocol's level it is usually the number of the option
    /// that requested it (`IP_PKTINFO`), but what `IP_RECVTTL` requests arrives as `IP_TTL` on Linux.
    pub kind: i32,
    /// The data as the system wrote it, in the machine's byte order.
    pub data: Vec<u8>,
}

/// What the kernel reports about a TCP socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketState {
    /// The connection's state, such as `ESTABLISHED`.
    pub state: TcpState,
    /// Bytes received but not yet read.
    pub unread: Option<u64>,
    /// Bytes that the kernel took for sending and the peer's kernel has not acknowledged yet.
    pub unacknowledged: Option<u64>,
    /// For a listener: how many connections wait to be accepted, and how many may wait (the backlog).
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_from_bytes_of_either_width() {
        let time = TimeVal { tv_sec: 5, tv_usec: -1 };
        let narrow = [5i32, -1].map(i32::to_ne_bytes).concat();
        let wide = [5i64, -1].map(i64::to_ne_bytes).concat();
        assert_eq!(TimeVal::from_c_bytes(&narrow), Some(time));
        assert_eq!(TimeVal::from_c_bytes(&wide), Some(time));
        assert_eq!(TimeVal::from_c_bytes(&wide[1..]), None);
        assert_eq!(time.to_c_bytes(), if TimeVal::C_LEN == 8 { narrow } else { wide });
    }
}
