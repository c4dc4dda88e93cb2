//! What the kernel holds for a connection: bytes received and not read, bytes sent and not acknowledged.

use crate::names::FIONREAD;
use crate::sys::{self, AsFd};

/// How many sent bytes have not arrived, if the system tells.
#[cfg(linux)]
pub fn unarrived(socket: impl AsFd) -> Option<usize> {
    // Linux counts bytes that the peer's kernel has not acknowledged, whether sent or not. (tcp(7) says that SIOCOUTQ,
    // the same request, counts unsent data: that would be SIOCOUTQNSD.)
    let mut bytes = 0;
    sys::ioctl(socket, crate::names::TIOCOUTQ, &mut bytes).ok()?;
    usize::try_from(bytes).ok()
}

/// How many sent bytes have not arrived, if the system tells.
#[cfg(any(freebsd, netbsd))]
pub fn unarrived(socket: impl AsFd) -> Option<usize> {
    // The bytes in the send buffer (sys/filio.h): they stay there until they are acknowledged.
    let mut bytes = 0;
    sys::ioctl(socket, crate::names::FIONWRITE, &mut bytes).ok()?;
    usize::try_from(bytes).ok()
}

/// How many sent bytes have not arrived, if the system tells.
#[cfg(apple)]
pub fn unarrived(socket: impl AsFd) -> Option<usize> {
    unarrived_by_state(socket)
}

/// How many sent bytes of a TCP connection have not arrived, without `ioctl`: on macOS, TIOCOUTQ is for terminals only (read
/// in xnu 15.4: soo_ioctl knows no such request), and the state of the socket comes with the option SO_NWRITE, which counts
/// the bytes in the send buffer.
#[cfg(any(apple, all(test, linux)))]
fn unarrived_by_state(socket: impl AsFd) -> Option<usize> {
    let number = crate::values::FdNumber::from(socket.as_fd());
    let state = crate::sys::socket_state(number)?;
    usize::try_from(state.unacknowledged?).ok()
}

/// OpenBSD does not tell.
#[cfg(openbsd)]
pub fn unarrived(_: impl AsFd) -> Option<usize> {
    None
}

/// Whether a connection can be closed without losing bytes: all received bytes are read (otherwise the peer would get a
/// reset, which destroys bytes on their way to it), and all sent bytes have arrived, as far as this system tells.
pub fn is_quiet(socket: impl AsFd) -> bool {
    let socket = socket.as_fd();
    let mut unread = 0;
    // If the request itself fails, waiting would not help.
    let is_read = sys::ioctl(socket, FIONREAD, &mut unread).is_err() || unread == 0;
    is_read && unarrived(socket).is_none_or(|bytes| bytes == 0)
}

#[cfg(all(test, linux))]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_state_of_a_socket_tells_as_ioctl_does_how_much_has_not_arrived() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let _peer = listener.accept().unwrap();
        assert_eq!((unarrived(&client), unarrived_by_state(&client)), (Some(0), Some(0)));
        assert!(is_quiet(&client));
        // The peer does not read: in the end its kernel takes no more.
        client.set_nonblocking(true).unwrap();
        while client.write(&[7; 100_000]).is_ok() {}
        // Acknowledgements may still arrive between two questions.
        let limit = Instant::now() + Duration::from_secs(10);
        loop {
            let (by_ioctl, by_state) = (unarrived(&client), unarrived_by_state(&client));
            if by_ioctl == by_state {
                break;
            }
            assert!(Instant::now() < limit, "ioctl: {by_ioctl:?}, state: {by_state:?}");
        }
        assert!(unarrived_by_state(&client) > Some(0) && !is_quiet(&client));
        assert_eq!(unarrived_by_state(UdpSocket::bind("127.0.0.1:0").unwrap()), None);
    }
}
