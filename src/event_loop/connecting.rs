//! A connection that is being made: `EINPROGRESS`, then writable, then `SO_ERROR`.

use std::time::{Duration, Instant};

use crate::addr::Address;
use crate::events::{ServiceId, Token};
use crate::names::{Errno, Protocol, Result, SO_ERROR, SO_SNDBUF, SOCK_STREAM, SOL_SOCKET};
use crate::os::accepting::set_nonblocking;
use crate::os::sigpipe::suppress_sigpipe;
use crate::sys::{self, AsFd, BorrowedFd, FD_CLOEXEC, Fd};

/// A connection that is being made.
#[derive(Debug)]
pub(super) struct Connecting {
    pub(super) address: Address,
    pub(super) wish: ConnectRequest,
    pub(super) deadline: Instant,
    /// The listener's queue was full and nothing is in progress: when to call `connect` again.
    pub(super) retry: Option<Retry>,
}

/// When `connect` is called again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    pub(super) at: Instant,
    /// How long the pause before the next call is.
    pause: Duration,
}

/// The first pause, and the longest: each pause is twice as long as the one before. No readiness reports that there is
/// room in the queue of a Unix-domain listener.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

impl Retry {
    /// After the first `connect` that found the queue full.
    pub(super) fn first() -> Self {
        Self { at: Instant::now() + FIRST_PAUSE, pause: FIRST_PAUSE }
    }

    /// After another one.
    pub(super) fn following(self) -> Self {
        let pause = (self.pause * 2).min(LONGEST_PAUSE);
        Self { at: Instant::now() + pause, pause }
    }
}

impl Connecting {
    /// The moment of the next step, if the socket does not become writable before.
    pub(super) fn next_try(&self) -> Instant {
        self.retry.map_or(self.deadline, |retry| retry.at.min(self.deadline))
    }
}

/// What the service asked for.
#[derive(Debug)]
pub(super) struct ConnectRequest {
    pub(super) service: ServiceId,
    pub(super) asked_by: Token,
    /// The addresses that are not tried yet, the next one last.
    pub(super) others: Vec<Address>,
    pub(super) time_limit: Duration,
}

/// The state of a connection attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectProgress {
    /// The connection is made.
    Connected,
    /// The connection is made, and leads back to the same socket: no program listens at the address, and the kernel
    /// picked its port for this end.
    ConnectedToItself,
    /// The socket becomes writable when the connection is made or has failed.
    InProgress,
    /// A Unix-domain listener's queue is full. Nothing is in progress, and no readiness will come.
    QueueIsFull,
}

/// Creates a socket and begins to connect it.
pub(super) fn begin(address: &Address, send_buffer: Option<i32>) -> Result<(Fd, ConnectProgress)> {
    let fd = sys::socket(address.domain(), SOCK_STREAM, Protocol::default())?;
    sys::fcntl_setfd(&fd, FD_CLOEXEC)?;
    set_nonblocking(&fd)?;
    suppress_sigpipe(&fd)?;
    if let Some(bytes) = send_buffer {
        sys::setsockopt(&fd, SOL_SOCKET, SO_SNDBUF, &bytes)?;
    }
    let attempt = call_connect(fd.as_fd(), address)?;
    Ok((fd, attempt))
}

/// Calls `connect`, for the first time or after the listener's queue was full.
pub(super) fn call_connect(fd: BorrowedFd<'_>, address: &Address) -> Result<ConnectProgress> {
    match sys::connect(fd, address) {
        // In the Unix domain the kernel picks no name.
        Ok(()) if matches!(address, Address::Unix(_)) => Ok(ConnectProgress::Connected),
        Ok(()) => {
            Ok(sys::getpeername(fd)
                .map_or(ConnectProgress::Connected, |peer| connected_to(fd, &peer)))
        }
        // A signal that arrives during the handshake does not stop the handshake.
        Err(Errno::EINPROGRESS | Errno::EINTR) => Ok(ConnectProgress::InProgress),
        Err(Errno::EAGAIN) if matches!(address, Address::Unix(_)) => {
            Ok(ConnectProgress::QueueIsFull)
        }
        Err(errno) => Err(errno),
    }
}

/// The state of an attempt whose socket is writable. `SO_ERROR` 0 does not prove that there is a connection, but a
/// peer's name does.
pub(super) fn check(fd: BorrowedFd<'_>, address: &Address) -> Result<ConnectProgress> {
    match sys::getsockopt(fd, SOL_SOCKET, SO_ERROR)? {
        0 => match sys::getpeername(fd) {
            Err(Errno::ENOTCONN) => connect_again(fd, address),
            Err(_) => Ok(ConnectProgress::Connected),
            Ok(peer) => Ok(connected_to(fd, &peer)),
        },
        number => Err(Errno::from_number(number)),
    }
}

/// Tells whether the peer is the socket itself.
fn connected_to(fd: BorrowedFd<'_>, peer: &Address) -> ConnectProgress {
    match sys::getsockname(fd) {
        Ok(local) if local == *peer => ConnectProgress::ConnectedToItself,
        _ => ConnectProgress::Connected,
    }
}

/// Either readiness was only a hint, or nothing is in progress: a socket without a connection is always "writable", so
/// waiting for it would spin. A second `connect` tells the two apart, and begins what had not begun.
fn connect_again(fd: BorrowedFd<'_>, address: &Address) -> Result<ConnectProgress> {
    match sys::connect(fd, address) {
        Ok(()) | Err(Errno::EISCONN) => Ok(ConnectProgress::Connected),
        Err(Errno::EALREADY | Errno::EINPROGRESS | Errno::EINTR) => Ok(ConnectProgress::InProgress),
        Err(errno) => Err(errno),
    }
}
