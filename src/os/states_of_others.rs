//! The states of another process's TCP sockets, read from `/proc`. The socket itself is not queried, and its descriptor
//! is not copied: a copy would keep the connection open after its owner has closed it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::addr::Address;
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
    let ours = internet(&sys::getsockname(socket).ok()?)?;
    let theirs = internet(&sys::getpeername(socket).ok()?)?;
    ["tcp", "tcp6"].iter().find_map(|table| {
        let table = fs::read_to_string(format!("/proc/self/net/{table}")).ok()?;
        table.lines().find_map(|row| unread(row, theirs, ours))
    })
}

/// An address and its port. One end of a connection may have an IPv4 address, and the other the same as an IPv6 address.
fn internet(address: &Address) -> Option<SocketAddr> {
    match address {
        Address::V4(v4) => Some((*v4).into()),
        Address::V6(v6) => Some(SocketAddr::new(v6.ip().to_canonical(), v6.port())),
        _ => None,
    }
}

/// The unread bytes in a row of the table, if the row belongs to the end of a connection that is here, with its peer there.
fn unread(row: &str, here: SocketAddr, there: SocketAddr) -> Option<u64> {
    let mut words = row.split_ascii_whitespace().skip(1);
    if address_in_row(words.next()?)? != here || address_in_row(words.next()?)? != there {
        return None;
    }
    let (_, unread) = words.nth(1)?.split_once(':')?;
    u64::from_str_radix(unread, 16).ok()
}

/// An address as the table has it: words of 32 bits in hexadecimal digits, each as the processor reads it from memory.
fn address_in_row(text: &str) -> Option<SocketAddr> {
    let (digits, port) = text.split_once(':')?;
    let words = digits.as_bytes().chunks(8).map(|word| {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        Some(word.to_ne_bytes())
    });
    let bytes = words.collect::<Option<Vec<_>>>()?.concat();
    let ip = match <[u8; 4]>::try_from(&bytes[..]) {
        Ok(v4) => IpAddr::V4(Ipv4Addr::from(v4)),
        Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[..]).ok()?).to_canonical(),
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
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
    use crate::names::{AF_INET, Protocol, SOCK_STREAM};
    use crate::sys::{accept, bind, connect, listen, socket};

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

    #[test]
    fn connections_with_the_same_ports_are_told_apart_by_their_addresses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let _server = listener.accept().unwrap();
        client.write_all(b"five!").unwrap();
        // The same ports of another address.
        let there = |port| Address::v4(Ipv4Addr::new(127, 0, 0, 2), port);
        let port = |address: std::io::Result<SocketAddr>| address.unwrap().port();
        let other_listener = socket(AF_INET, SOCK_STREAM, Protocol::default()).unwrap();
        bind(&other_listener, &there(port(listener.local_addr()))).unwrap();
        listen(&other_listener, 1).unwrap();
        let other = socket(AF_INET, SOCK_STREAM, Protocol::default()).unwrap();
        bind(&other, &there(port(client.local_addr()))).unwrap();
        connect(&other, &there(port(listener.local_addr()))).unwrap();
        let _other_server = accept(&other_listener).unwrap();
        assert_eq!((unread_at_peer(&client), unread_at_peer(&other)), (Some(5), Some(0)));
    }

    #[test]
    fn one_end_may_have_an_ipv4_address_and_the_other_the_same_as_an_ipv6_address() {
        let Ok(listener) = TcpListener::bind("[::]:0") else {
            return; // this machine has no IPv6
        };
        let port = listener.local_addr().unwrap().port();
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(b"five!").unwrap();
        server.write_all(b"four").unwrap();
        assert_eq!((unread_at_peer(&client), unread_at_peer(&server)), (Some(5), Some(4)));
    }
}
