//! Connections in the making: `EINPROGRESS`, then writable, then `SO_ERROR`; and the next address if it was in vain.

use std::time::{Duration, Instant};

use super::endpoints::Endpoint;
use super::{EventLoop, Notice, ServiceId};
use crate::addr::Address;
use crate::conn::Ends;
use crate::events::{Event, Token};
use crate::names::{Errno, Protocol, Result, SO_ERROR, SO_SNDBUF, SOCK_STREAM, SOL_SOCKET};
use crate::os::accepting::set_nonblocking;
use crate::os::sigpipe::suppress_sigpipe;
use crate::sys::{self, BorrowedFd, FD_CLOEXEC, Fd};
use crate::trace;

/// A connection that is being made.
#[derive(Debug)]
pub(super) struct Connecting {
    address: Address,
    wish: Wish,
    pub(super) deadline: Instant,
}

/// What was asked for.
#[derive(Debug)]
pub(super) struct Wish {
    service: ServiceId,
    asked_by: Token,
    /// The addresses that are still to be tried, the next one last.
    others: Vec<Address>,
    time_limit: Duration,
}

impl EventLoop {
    /// Begins to connect to the first of `addresses` that answers.
    pub fn open(
        &mut self,
        asked_by: Token,
        service: ServiceId,
        addresses: &[Address],
        time_limit: Duration,
    ) {
        let others = addresses.iter().rev().cloned().collect();
        let wish = Wish { service, asked_by, others, time_limit };
        self.try_next(wish, Errno::EADDRNOTAVAIL);
    }

    fn try_next(&mut self, mut wish: Wish, mut why: Errno) {
        while let Some(address) = wish.others.pop() {
            let begun = begin(&address, self.limits.send_buffer);
            match begun {
                // Asked before anything else: a wait with such a descriptor in its question would fail for everybody.
                Ok((fd, _)) if !self.poller.can_watch(fd.number()) => {
                    self.notice(&Notice::Unwatchable(&address, fd.number().get()));
                    why = Errno::EMFILE;
                }
                Ok((fd, Begun::Done)) => return self.opened(wish, fd, address),
                Ok((fd, Begun::InProgress)) => {
                    trace::intent(
                        "the connection is being made: wait until it is writable, then ask SO_ERROR",
                    );
                    self.has_deadlines = true;
                    let deadline = Instant::now() + wish.time_limit;
                    let connecting = Connecting { address, wish, deadline };
                    self.endpoints.insert(Ends::Socket(fd), Endpoint::Connecting(connecting));
                    return;
                }
                Err(errno) => {
                    self.tell_of_failure(&address, errno, &wish);
                    why = errno;
                }
            }
        }
        self.later.refusals.push((wish.asked_by, wish.service, why));
    }

    fn tell_of_failure(&mut self, address: &Address, errno: Errno, wish: &Wish) {
        let others = wish.others.len();
        self.notice(&Notice::NotConnected { address, errno, others });
    }

    /// A connection is writable, or has failed: `SO_ERROR` says which.
    pub(super) fn connected(&mut self, token: Token) {
        let Some((_, Endpoint::Connecting(connecting))) = self.endpoints.at(token.place) else {
            return;
        };
        let Some(fd) = self.endpoints.ends(token).and_then(Ends::output) else { return };
        let outcome = outcome(fd, &connecting.address);
        if outcome == Ok(Outcome::StillInProgress) {
            return;
        }
        let Some((Ends::Socket(fd), Endpoint::Connecting(connecting))) =
            self.endpoints.remove(token)
        else {
            return;
        };
        let Connecting { address, wish, .. } = connecting;
        let failure = match outcome {
            Ok(_) => return self.opened(wish, fd, address),
            Err(errno) => errno,
        };
        // After a failed connect a socket's state is unspecified: the next address gets a new one.
        drop(fd);
        self.tell_of_failure(&address, failure, &wish);
        self.try_next(wish, failure);
    }

    /// No answer within the time limit.
    pub(super) fn give_up(&mut self, token: Token) {
        let Some((ends, Endpoint::Connecting(connecting))) = self.endpoints.remove(token) else {
            return;
        };
        drop(ends);
        let Connecting { address, wish, .. } = connecting;
        self.tell_of_failure(&address, Errno::ETIMEDOUT, &wish);
        self.try_next(wish, Errno::ETIMEDOUT);
    }

    fn opened(&mut self, wish: Wish, fd: Fd, address: Address) {
        self.later.arrivals.push((fd, address, wish.service, wish.asked_by));
    }

    /// Tells of connections that were made, or not, once no service is speaking.
    pub(super) fn tell_opened(&mut self) {
        for (fd, address, service, by) in std::mem::take(&mut self.later.arrivals) {
            // Whoever asked may be gone by now; then nobody wants the connection.
            if self.endpoints.stream(by).is_some() {
                self.notice(&Notice::Opened(&address));
                self.add_connection(Ends::Socket(fd), &address, service, Some(by));
            }
        }
        for (by, service, errno) in std::mem::take(&mut self.later.refusals) {
            if self.endpoints.stream(by).is_some() {
                self.tell(by, service, Event::NotOpened(errno));
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    StillInProgress,
    Connected,
}

/// What has become of it. That there is no error does not say that there is a connection, but a peer's name does.
fn outcome(fd: BorrowedFd<'_>, address: &Address) -> Result<Outcome> {
    match sys::getsockopt(fd, SOL_SOCKET, SO_ERROR)? {
        0 if sys::getpeername(fd) == Err(Errno::ENOTCONN) => again(fd, address),
        0 => Ok(Outcome::Connected),
        number => Err(Errno::from_number(number)),
    }
}

/// Readiness was only a hint; or nothing is under way, and a socket without a connection is always "writable": then to
/// wait on would be to spin. Asked again, `connect` tells the two apart, and begins what was not begun.
fn again(fd: BorrowedFd<'_>, address: &Address) -> Result<Outcome> {
    match sys::connect(fd, address) {
        Ok(()) | Err(Errno::EISCONN) => Ok(Outcome::Connected),
        Err(Errno::EALREADY | Errno::EINPROGRESS | Errno::EINTR) => Ok(Outcome::StillInProgress),
        Err(errno) => Err(errno),
    }
}

enum Begun {
    Done,
    InProgress,
}

fn begin(address: &Address, send_buffer: Option<i32>) -> Result<(Fd, Begun)> {
    let fd = sys::socket(address.domain(), SOCK_STREAM, Protocol::default())?;
    sys::fcntl_setfd(&fd, FD_CLOEXEC)?;
    set_nonblocking(&fd)?;
    suppress_sigpipe(&fd)?;
    if let Some(bytes) = send_buffer {
        sys::setsockopt(&fd, SOL_SOCKET, SO_SNDBUF, &bytes)?;
    }
    match sys::connect(&fd, address) {
        Ok(()) => Ok((fd, Begun::Done)),
        // A signal that comes while a connection is being made does not stop it.
        Err(Errno::EINPROGRESS | Errno::EINTR) => Ok((fd, Begun::InProgress)),
        Err(errno) => Err(errno),
    }
}
