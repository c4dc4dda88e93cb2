//! Finds out whether a program listens on an address, without connecting to it, which the program would notice.

use std::path::Path;

use crate::addr::{Address, UnixName};
use crate::names::{SOCK_DGRAM, SocketType};

/// Whether a socket is bound to this address, and is listening if it is a stream socket; `None` where the system does
/// not tell. A socket bound to all addresses counts.
pub fn is_served(address: &Address, kind: SocketType) -> Option<bool> {
    match address {
        Address::V4(at) => in_table(table(kind, ""), at.port(), kind),
        Address::V6(at) => in_table(table(kind, "6"), at.port(), kind),
        Address::Unix(UnixName::Path(path)) => in_unix_table(path),
        _ => None,
    }
}

const fn table(kind: SocketType, version: &str) -> &'static str {
    match (kind.bits() == SOCK_DGRAM.bits(), version.is_empty()) {
        (false, true) => "/proc/net/tcp",
        (false, false) => "/proc/net/tcp6",
        (true, true) => "/proc/net/udp",
        (true, false) => "/proc/net/udp6",
    }
}

/// The rows are `sl local_address rem_address st …`, with addresses as `0100007F:1B5F`.
fn in_table(table: &str, port: u16, kind: SocketType) -> Option<bool> {
    const LISTENS: &str = "0A";
    let text = std::fs::read_to_string(table).ok()?;
    Some(text.lines().skip(1).any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local = fields.get(1).and_then(|local| local.rsplit_once(':'));
        let is_it = local.is_some_and(|(_, at)| u16::from_str_radix(at, 16) == Ok(port));
        is_it && (kind == SOCK_DGRAM || fields.get(3) == Some(&LISTENS))
    }))
}

/// The rows are `Num RefCount Protocol Flags Type St Inode Path`, with a flag for listeners.
fn in_unix_table(path: &Path) -> Option<bool> {
    const ACCEPTS: u32 = 0x1_0000;
    let text = std::fs::read("/proc/net/unix").ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let name = path.to_str()?;
    Some(text.lines().skip(1).any(|line| {
        let flags = line.split_whitespace().nth(3);
        let flags = flags.and_then(|flags| u32::from_str_radix(flags, 16).ok());
        line.ends_with(&format!(" {name}")) && flags.is_some_and(|flags| flags & ACCEPTS != 0)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::SOCK_STREAM;

    #[test]
    fn a_listener_is_seen_and_a_free_port_is_not() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = Address::v4(std::net::Ipv4Addr::LOCALHOST, port);
        let Some(is_served) = is_served(&address, SOCK_STREAM) else { return };
        assert!(is_served);
        drop(listener);
        assert_eq!(super::is_served(&address, SOCK_STREAM), Some(false));
    }
}
