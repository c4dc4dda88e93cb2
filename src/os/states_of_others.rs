//! The states of another process's TCP sockets, read from `/proc`. The socket itself is not queried, and its descriptor
//! is not copied: a copy would keep the connection open after its owner has closed it.

use std::fs;

use crate::names::{CLOSE_WAIT, CLOSING, LAST_ACK, LISTEN, TcpState};
use crate::sys::{self, AsFd};
use crate::values::{FdNumber, SocketState};

/// The state of a TCP socket that a process has under this descriptor; `None` where the system does not tell.
pub fn state_of_other(pid: u32, fd: FdNumber) -> Option<SocketState> {
    let link = fs::read_link(format!("/proc/{pid}/fd/{}", fd.get())).ok()?;
    let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_string();
    ["tcp", "tcp6"].iter().find_map(|table| {
        let table = fs::read_to_string(format!("/proc/{pid}/net/{table}")).ok()?;
        table.lines().find_map(|row| state(row, &inode))
    })
}

/// How many bytes the other end of a TCP connection on this machine has received and not read, whichever process has that
/// end; `None` where the system does not tell.
pub fn unread_at_peer(socket: impl AsFd) -> Option<u64> {
    let socket = socket.as_fd();
    let ours = sys::getsockname(socket).ok()?.port()?;
    let theirs = sys::getpeername(socket).ok()?.port()?;
    ["tcp", "tcp6"].iter().find_map(|table| {
        let table = fs::read_to_string(format!("/proc/self/net/{table}")).ok()?;
        table.lines().find_map(|row| unread(row, theirs, ours))
    })
}

/// The unread bytes in a row of the table, if the row belongs to the connection from this port to that.
fn unread(row: &str, from: u16, to: u16) -> Option<u64> {
    let mut words = row.split_ascii_whitespace().skip(1);
    let mut port = || u16::from_str_radix(words.next()?.rsplit_once(':')?.1, 16).ok();
    if port()? != from || port()? != to {
        return None;
    }
    let (_, unread) = words.nth(1)?.split_once(':')?;
    u64::from_str_radix(unread, 16).ok()
}

/// The state in a row of the table, if the row belongs to this socket.
fn state(row: &str, inode: &str) -> Option<SocketState> {
    let mut words = row.split_ascii_whitespace();
    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
    let state = words.nth(3)?;
    let queues = words.next()?;
    if words.nth(4)? != inode {
        return None;
    }
    let state = TcpState::from_bits(i32::from_str_radix(state, 16).ok()?);
    let (unacknowledged, unread) = queues.split_once(':')?;
    let bytes = |digits: &str| u64::from_str_radix(digits, 16).ok().filter(|_| state != LISTEN);
    // The end that the peer has sent counts as a byte there.
    let has_end = u64::from([CLOSE_WAIT, CLOSING, LAST_ACK].contains(&state));
    let unread = bytes(unread).map(|bytes| bytes.saturating_sub(has_end));
    let unacknowledged = bytes(unacknowledged);
    Some(SocketState { state, unread, unacknowledged, waiting: None })
}

#[cfg(all(test, linux))]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_state_is_the_one_that_the_kernel_has() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        client.write_all(b"five!").unwrap();
        let of = |fd: FdNumber| state_of_other(std::process::id(), fd).unwrap().to_string();
        assert_eq!(of(FdNumber::of(&listener)), "LISTEN");
        assert_eq!(of(FdNumber::of(&server)), "ESTABLISHED, 5 unread, 0 unacknowledged");
        assert_eq!(of(FdNumber::of(&client)), "ESTABLISHED, 0 unread, 0 unacknowledged");
        assert_eq!((unread_at_peer(&client), unread_at_peer(&server)), (Some(5), Some(0)));
        assert_eq!(unread_at_peer(&listener), None);
        // The end of the stream is not a byte that can be read.
        drop(client);
        assert_eq!(of(FdNumber::of(&server)), "CLOSE_WAIT, 5 unread, 0 unacknowledged");
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(state_of_other(std::process::id(), FdNumber::of(&file)), None);
    }
}
