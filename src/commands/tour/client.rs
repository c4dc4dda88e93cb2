//! The other side: a client whose calls are not in the server's trace, but may be in one of its own. Everything it does
//! has a time limit.

use std::fmt;
use std::os::fd::AsFd;

use baresock::addr::Address;
use baresock::names::{
    AF_INET, Errno, MSG_NOSIGNAL, MsgFlags, O_NONBLOCK, OpenFlags, POLLOUT, SHUT_WR, SO_ERROR,
    SO_LINGER, SO_RCVBUF, SO_RCVTIMEO, SO_SNDTIMEO, SOCK_STREAM, SOL_SOCKET, SOL_TCP, TCP_NODELAY,
};
use baresock::os::accepting::set_nonblocking;
use baresock::sys::{self, Fd, PollFd};
use baresock::trace::{Tracer, suspended, traced_by};
use baresock::values::{Linger, TimeVal};

use super::stage::{PATIENCE, overdue};
use crate::commands::failure::Failure;

/// The numbers of the clients' descriptors begin here, so that those of the server are consecutive, as when a server is
/// alone in its process.
const LOWEST_DESCRIPTOR: i32 = 32;

#[derive(Debug)]
pub(super) struct TourClient {
    name: &'static str,
    fd: Option<Fd>,
    /// Its own address, by which the server knows it.
    pub(super) address: Address,
    /// The tracer of its calls; without one they are not traced.
    tracer: Option<Tracer>,
}

impl fmt::Display for TourClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Drop for TourClient {
    fn drop(&mut self) {
        let fd = self.fd.take();
        traced_by(&mut self.tracer, || drop(fd));
    }
}

impl TourClient {
    /// A client that is connected to the server, with a receive buffer of the given size.
    pub(super) fn connect(
        name: &'static str,
        server: &Address,
        rcvbuf: Option<i32>,
        mut tracer: Option<Tracer>,
    ) -> Result<Self, Failure> {
        let failed = |errno| Failure::new(format_args!("the tour: {name}: connect: {errno}"));
        let fd = suspended(socket).map_err(failed)?;
        let connected = traced_by(&mut tracer, || connect(&fd, server, rcvbuf));
        let address = connected.and_then(|()| suspended(|| prepare(&fd))).map_err(failed)?;
        Ok(Self { name, fd: Some(fd), address, tracer })
    }

    /// Makes a call that may be interrupted.
    fn call<T>(
        &mut self,
        name: &str,
        mut call: impl FnMut(&Fd) -> Result<T, Errno>,
    ) -> Result<T, Failure> {
        let Some(fd) = &self.fd else { return Err(self.failed(name, Errno::EBADF)) };
        let called = traced_by(&mut self.tracer, || {
            loop {
                match call(fd) {
                    Err(Errno::EINTR) => {}
                    called => break called,
                }
            }
        });
        called.map_err(|errno| self.failed(name, errno))
    }

    /// Sends all of it.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut unsent = bytes;
        while !unsent.is_empty() {
            let sent = self.call("send", |fd| sys::send(fd, unsent, MSG_NOSIGNAL))?;
            unsent = &unsent[sent..];
        }
        Ok(())
    }

    /// Receives until it has this many bytes.
    pub(super) fn receive(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; count];
        let mut received = 0;
        while received < count {
            let room = &mut bytes[received..];
            match self.call("recv", |fd| sys::recv(fd, room, MsgFlags::NONE))? {
                0 => {
                    return Err(Failure::new(format_args!(
                        "the tour: {self}: end of file too early"
                    )));
                }
                more => received += more,
            }
        }
        Ok(bytes)
    }

    /// Receives the end of file, and no byte before it.
    pub(super) fn receive_end(&mut self) -> Result<(), Failure> {
        match self.call("recv", |fd| sys::recv(fd, &mut [0; 1], MsgFlags::NONE))? {
            0 => Ok(()),
            _ => Err(Failure::new(format_args!("the tour: {self}: a byte too many came back"))),
        }
    }

    /// Shuts down sending.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.call("shutdown", |fd| sys::shutdown(fd, SHUT_WR))
    }

    /// Enlarges the receive buffer for the bytes that it has not read yet.
    pub(super) fn widen(&mut self) {
        // If that fails, reading only takes longer.
        let _ = self.call("setsockopt SO_RCVBUF", |fd| {
            sys::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(256 * 1024))
        });
    }

    /// Aborts the connection: the kernel sends a reset instead of a FIN.
    pub(super) fn reset(mut self) -> Result<(), Failure> {
        let at_once = Linger { l_onoff: 1, l_linger: 0 };
        self.call("setsockopt SO_LINGER", |fd| sys::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once))
    }

    fn failed(&self, call: &str, errno: Errno) -> Failure {
        match errno {
            // This errno means that a time limit was reached.
            Errno::EAGAIN => overdue(format_args!("{self}: {call}: not done")),
            _ => Failure::of(format_args!("the tour: {self}: {call}"), errno),
        }
    }
}

/// A non-blocking socket.
fn socket() -> Result<Fd, Errno> {
    let fd = sys::socket(AF_INET, SOCK_STREAM, sys::Protocol::default())?;
    // If the limit on descriptors is very low, it keeps its number.
    let fd = sys::fcntl_dupfd_cloexec(&fd, LOWEST_DESCRIPTOR).unwrap_or(fd);
    sys::setsockopt(&fd, SOL_TCP, TCP_NODELAY, &1)?;
    set_nonblocking(&fd)?;
    Ok(fd)
}

/// Connects, within the time limit.
fn connect(fd: &Fd, server: &Address, rcvbuf: Option<i32>) -> Result<(), Errno> {
    if let Some(bytes) = rcvbuf {
        // Set before connect, because it decides how large the window can be.
        sys::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes)?;
    }
    match sys::connect(fd, server) {
        Err(Errno::EINPROGRESS) => {}
        connected => return connected,
    }
    let mut rows = [PollFd::new(fd.as_fd(), POLLOUT)];
    if sys::poll(&mut rows, PATIENCE.as_millis() as i32)? == 0 {
        return Err(Errno::ETIMEDOUT);
    }
    match sys::getsockopt(fd, SOL_SOCKET, SO_ERROR)? {
        0 => Ok(()),
        errno => Err(Errno::from_number(errno)),
    }
}

/// From now on its calls block, but not forever. Returns its address.
fn prepare(fd: &Fd) -> Result<Address, Errno> {
    sys::fcntl_setfl(fd, OpenFlags::from_bits(sys::fcntl_getfl(fd)?.bits() & !O_NONBLOCK.bits()))?;
    let patience = TimeVal { tv_sec: PATIENCE.as_secs() as i64, tv_usec: 0 };
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
        sys::setsockopt(fd, SOL_SOCKET, option, &patience)?;
    }
    sys::getsockname(fd)
}
