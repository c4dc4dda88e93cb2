//! Connections in the making: `EINPROGRESS`, then writable, then `SO_ERROR`; and the next address if it was in vain.

use std::time::{Duration, Instant};

use super::endpoints::Endpoint;
use super::{EventLoop, ServiceId};
use crate::addr::Address;
use crate::conn::Ends;
use crate::events::{Event, Token};
use crate::names::{Errno, Protocol, Result, SO_ERROR, SOCK_STREAM, SOL_SOCKET};
use crate::os::accepting::set_nonblocking;
use crate::sys::{self, FD_CLOEXEC, Fd};
use crate::trace;

/// A connection that is being made.
#[derive(Debug)]
pub(super) struct Connecting {
    service: ServiceId,
    asked_by: Token,
    address: Address,
    /// The addresses that are still to be tried, the next one last.
    others: Vec<Address>,
    time_limit: Duration,
    pub(super) deadline: Instant,
}

impl EventLoop {
    /// Begins to connect to the first of `addresses` that answers.
    pub fn open(
        &mut self,
        by: Token,
        service: ServiceId,
        addresses: &[Address],
        time_limit: Duration,
    ) {
        let others = addresses.iter().rev().cloned().collect();
        self.try_next(by, service, others, time_limit, Errno::EADDRNOTAVAIL);
    }

    fn try_next(
        &mut self,
        by: Token,
        service: ServiceId,
        mut others: Vec<Address>,
        time_limit: Duration,
        last: Errno,
    ) {
        let mut why = last;
        while let Some(address) = others.pop() {
            match begin(&address) {
                Ok((fd, Begun::Done)) => return self.opened(by, service, fd, &address),
                Ok((fd, Begun::InProgress)) if self.poller.can_watch(fd.number()) => {
                    trace::intent(
                        "the connection is being made: wait until it is writable, then ask SO_ERROR",
                    );
                    self.has_deadlines = true;
                    let deadline = Instant::now() + time_limit;
                    let connecting =
                        Connecting { service, asked_by: by, address, others, time_limit, deadline };
                    self.endpoints.insert(Ends::Socket(fd), Endpoint::Connecting(connecting));
                    return;
                }
                Ok((_, Begun::InProgress)) => why = Errno::EMFILE,
                Err(errno) => why = errno,
            }
        }
        self.later.refusals.push((by, service, why));
    }

    /// A connection is writable, or has failed: `SO_ERROR` says which.
    pub(super) fn connected(&mut self, token: Token) {
        let error = self
            .endpoints
            .ends(token)
            .and_then(Ends::output)
            .map(|fd| sys::getsockopt(fd, SOL_SOCKET, SO_ERROR));
        let Some((Ends::Socket(fd), Endpoint::Connecting(connecting))) =
            self.endpoints.remove(token)
        else {
            return;
        };
        let Connecting { service, asked_by, address, others, time_limit, .. } = connecting;
        match error {
            Some(Ok(0)) => self.opened(asked_by, service, fd, &address),
            Some(Ok(number)) => {
                drop(fd); // after a failed connect a socket's state is unspecified: the next address gets a new one
                self.try_next(asked_by, service, others, time_limit, Errno::from_number(number));
            }
            Some(Err(errno)) => self.try_next(asked_by, service, others, time_limit, errno),
            None => {}
        }
    }

    /// No answer within the time limit.
    pub(super) fn give_up(&mut self, token: Token) {
        let Some((ends, Endpoint::Connecting(connecting))) = self.endpoints.remove(token) else {
            return;
        };
        drop(ends);
        let Connecting { service, asked_by, others, time_limit, .. } = connecting;
        self.try_next(asked_by, service, others, time_limit, Errno::ETIMEDOUT);
    }

    fn opened(&mut self, by: Token, service: ServiceId, fd: Fd, address: &Address) {
        // Whoever asked may be gone by now; then nobody wants the connection.
        if self.endpoints.stream(by).is_some() {
            self.later.arrivals.push((fd, address.clone(), service, by));
        }
    }

    /// Tells of connections that were made, or not, once no service is speaking.
    pub(super) fn tell_opened(&mut self) {
        for (fd, address, service, by) in std::mem::take(&mut self.later.arrivals) {
            self.add_connection(Ends::Socket(fd), &address, service, Some(by));
        }
        for (by, service, errno) in std::mem::take(&mut self.later.refusals) {
            if self.endpoints.stream(by).is_some() {
                self.tell(by, service, Event::NotOpened(errno));
            }
        }
    }
}

enum Begun {
    Done,
    InProgress,
}

fn begin(address: &Address) -> Result<(Fd, Begun)> {
    let fd = sys::socket(address.domain(), SOCK_STREAM, Protocol::default())?;
    sys::fcntl_setfd(&fd, FD_CLOEXEC)?;
    set_nonblocking(&fd)?;
    match sys::connect(&fd, address) {
        Ok(()) => Ok((fd, Begun::Done)),
        // A signal that comes while connect is being made does not stop it.
        Err(Errno::EINPROGRESS | Errno::EINTR) => Ok((fd, Begun::InProgress)),
        Err(errno) => Err(errno),
    }
}
