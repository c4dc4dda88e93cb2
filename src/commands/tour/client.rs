//! The other side: a client whose calls are not shown. Everything it does has a time limit.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};

use baresock::addr::Address;
use baresock::names::{
    AF_INET, Errno, POLLOUT, SO_ERROR, SO_LINGER, SO_RCVBUF, SOCK_STREAM, SOL_SOCKET, SOL_TCP,
    TCP_NODELAY,
};
use baresock::os::accepting::set_nonblocking;
use baresock::sys::{self, Fd, PollFd};
use baresock::trace::suspended;
use baresock::values::Linger;

use super::stage::{PATIENCE, overdue};
use crate::commands::failure::Failure;

/// The clients' descriptors are numbered from here, so that the server's follow one another in the trace as they do
/// when a server is alone in its process.
const LOWEST_DESCRIPTOR: i32 = 32;

/// A client. What is owned by `std` is closed without a line in the trace.
#[derive(Debug)]
pub(super) struct Client {
    name: &'static str,
    stream: TcpStream,
    /// Its own address, by which the server knows it.
    pub(super) address: Address,
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}", self.name)
    }
}

impl Client {
    /// A client that is connected to the server, with a receive buffer of the given size.
    pub(super) fn connect(
        name: &'static str,
        server: &Address,
        rcvbuf: Option<i32>,
    ) -> Result<Self, Failure> {
        let failed =
            |errno| Failure::new(format_args!("the tour: client {name}: connect: {errno}"));
        let (fd, address) = suspended(|| connect(server, rcvbuf)).map_err(failed)?;
        let stream = TcpStream::from(OwnedFd::from(fd));
        let set = stream
            .set_nonblocking(false)
            .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        let client = Self { name, stream, address };
        set.map_err(|error| client.failed("connect", &error))?;
        Ok(client)
    }

    /// Sends all of it.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(bytes).map_err(|error| self.failed("send", &error))
    }

    /// Receives until it has so many bytes.
    pub(super) fn receive(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).map_err(|error| self.failed("recv", &error))?;
        Ok(bytes)
    }

    /// Receives the end of the stream, and nothing before it.
    pub(super) fn receive_end(&mut self) -> Result<(), Failure> {
        match self.stream.read(&mut [0; 1]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(Failure::new(format_args!("the tour: {self}: a byte too many came back"))),
            Err(error) => Err(self.failed("recv", &error)),
        }
    }

    /// Says that it has finished sending.
    pub(super) fn finish(&self) -> Result<(), Failure> {
        let finished = self.stream.shutdown(std::net::Shutdown::Write);
        finished.map_err(|error| self.failed("shutdown", &error))
    }

    /// Makes room for what it has not read yet.
    pub(super) fn widen(&self) {
        // If the system will not, reading only takes longer.
        let _ = suspended(|| sys::setsockopt(&self.stream, SOL_SOCKET, SO_RCVBUF, &(256 * 1024)));
    }

    /// Breaks off: its system sends a reset instead of an end.
    pub(super) fn reset(self) -> Result<(), Failure> {
        let at_once = Linger { l_onoff: 1, l_linger: 0 };
        suspended(|| sys::setsockopt(&self.stream, SOL_SOCKET, SO_LINGER, &at_once))
            .map_err(|errno| Failure::of("the tour: setsockopt SO_LINGER", errno))
    }

    fn failed(&self, call: &str, error: &std::io::Error) -> Failure {
        match error.kind() {
            // How std says that the time limit was reached.
            ErrorKind::WouldBlock => overdue(format_args!("{self}: {call}: not done")),
            _ => Failure::from_std(format_args!("the tour: {self}: {call}"), error),
        }
    }
}

/// Connects without waiting longer than there is patience for.
fn connect(server: &Address, rcvbuf: Option<i32>) -> Result<(Fd, Address), Errno> {
    let fd = sys::socket(AF_INET, SOCK_STREAM, sys::Protocol::default())?;
    // Under a very low limit on descriptors it keeps the number that it has.
    let fd = sys::fcntl_dupfd_cloexec(&fd, LOWEST_DESCRIPTOR).unwrap_or(fd);
    if let Some(bytes) = rcvbuf {
        // Before connect: it decides how large a window the connection can have.
        sys::setsockopt(&fd, SOL_SOCKET, SO_RCVBUF, &bytes)?;
    }
    sys::setsockopt(&fd, SOL_TCP, TCP_NODELAY, &1)?;
    set_nonblocking(&fd)?;
    match sys::connect(&fd, server) {
        Ok(()) => {}
        Err(Errno::EINPROGRESS) => {
            let mut rows = [PollFd::new(fd.as_fd(), POLLOUT)];
            if sys::poll(&mut rows, PATIENCE.as_millis() as i32)? == 0 {
                return Err(Errno::ETIMEDOUT);
            }
            match sys::getsockopt(&fd, SOL_SOCKET, SO_ERROR)? {
                0 => {}
                errno => return Err(Errno::from_number(errno)),
            }
        }
        Err(errno) => return Err(errno),
    }
    let address = sys::getsockname(&fd)?;
    Ok((fd, address))
}
