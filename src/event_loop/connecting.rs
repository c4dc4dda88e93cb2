//! A connection in the making: `EINPROGRESS`, then writable, then `SO_ERROR`.

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
    /// The listener's queue is full, and nothing is in progress: when to call `connect` again.
    pub(super) retry: Option<Retry>,
}

/// When `connect` is called again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    pub(super) at: Instant,
    /// How long the pause before that is.
    pause: Duration,
}

/// The first pause, and the longest: each is twice as long as the one before. No readiness tells when there is room in the
/// queue of a Unix-domain listener.
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
    /// When something is to be done about it, if it does not become writable before.
    pub(super) fn next_try(&self) -> Instant {
        self.retry.map_or(self.deadline, |retry| retry.at.min(self.deadline))
    }
}

/// What was asked for.
#[derive(Debug)]
pub(super) struct ConnectRequest {
    pub(super) service: ServiceId,
    pub(super) asked_by: Token,
    /// The addresses that are still to be tried, the next one last.
    pub(super) others: Vec<Address>,
    pub(super) time_limit: Duration,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectProgress {
    /// It is made.
    Connected,
    /// The socket becomes writable when it is made, or has failed.
    InProgress,
    /// A Unix-domain listener's queue is full. Nothing is in progress, and no readiness will come.
    QueueIsFull,
}

/// Begins to connect.
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
        Ok(()) => Ok(ConnectProgress::Connected),
        // A signal that comes while a connection is being made does not stop it.
        Err(Errno::EINPROGRESS | Errno::EINTR) => Ok(ConnectProgress::InProgress),
        Err(Errno::EAGAIN) if matches!(address, Address::Unix(_)) => {
            Ok(ConnectProgress::QueueIsFull)
        }
        Err(errno) => Err(errno),
    }
}

/// What has become of it. That there is no error does not say that there is a connection, but a peer's name does.
pub(super) fn check(fd: BorrowedFd<'_>, address: &Address) -> Result<ConnectProgress> {
    match sys::getsockopt(fd, SOL_SOCKET, SO_ERROR)? {
        0 if sys::getpeername(fd) == Err(Errno::ENOTCONN) => connect_again(fd, address),
        0 => Ok(ConnectProgress::Connected),
        number => Err(Errno::from_number(number)),
    }
}

/// Readiness was only a hint; or nothing is under way, and a socket without a connection is always "writable": then to
/// wait on would be to spin. Asked again, `connect` tells the two apart, and begins what was not begun.
fn connect_again(fd: BorrowedFd<'_>, address: &Address) -> Result<ConnectProgress> {
    match sys::connect(fd, address) {
        Ok(()) | Err(Errno::EISCONN) => Ok(ConnectProgress::Connected),
        Err(Errno::EALREADY | Errno::EINPROGRESS | Errno::EINTR) => Ok(ConnectProgress::InProgress),
        Err(errno) => Err(errno),
    }
}
