//! Finds out whether a program listens on an address, without connecting to it, which the program would notice.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use super::children::descendants;
use super::system::{System, this_system};
use crate::addr::{Address, UnixName};
use crate::names::{SOCK_DGRAM, SocketType};

/// Whose socket is bound to an address, and listens if it is a stream socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerOwner {
    /// No such socket exists.
    None,
    /// A descendant of this process has it, or may have it: the descriptors of some descendant cannot be read.
    Descendant,
    /// Other processes have it.
    Other,
}

/// Whether a socket is bound to this address, and is listening if it is a stream socket; `None` where the system does
/// not tell. A socket bound to all addresses counts.
pub fn is_served(address: &Address, kind: SocketType) -> Option<bool> {
    Some(!sockets_at(address, kind)?.is_empty())
}

/// Whose socket [`is_served`] finds; `None` where the system does not tell.
pub fn listener_owner(address: &Address, kind: SocketType) -> Option<ListenerOwner> {
    let sockets = sockets_at(address, kind)?;
    if sockets.is_empty() {
        return Some(ListenerOwner::None);
    }
    let has_one = descendants(std::process::id()).into_iter().any(|pid| may_have(pid, &sockets));
    Some(if has_one { ListenerOwner::Descendant } else { ListenerOwner::Other })
}

/// Whether a process has one of these sockets. A process with other privileges does not let this one look.
fn may_have(pid: u32, inodes: &[String]) -> bool {
    let entries = match std::fs::read_dir(format!("/proc/{pid}/fd")) {
        Ok(entries) => entries,
        Err(error) => return error.kind() == ErrorKind::PermissionDenied,
    };
    let links = entries.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    links.filter_map(|link| link.into_os_string().into_string().ok()).any(|link| {
        let inode = link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        inode.is_some_and(|inode| inodes.iter().any(|one| one == inode))
    })
}

/// The inodes of the sockets that are bound to this address, and listen if they are stream sockets.
fn sockets_at(address: &Address, kind: SocketType) -> Option<Vec<String>> {
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

/// Whether a process has a socket with this port, in whatever state; `None` where the system does not tell. A connection
/// whose process has closed it, such as one in TIME_WAIT, belongs to no process.
pub fn is_held(address: &Address, kind: SocketType) -> Option<bool> {
    let port = address.port()?;
    let is_of_a_process = |row: &SocketRow| row.port == port && row.inode != "0";
    let mut is_held = false;
    for version in ["", "6"] {
        let table = BufReader::new(File::open(table(kind, version)).ok()?);
        is_held |= rows(table).any(|row| is_of_a_process(&row));
    }
    Some(is_held)
}

/// A row of a table of sockets.
struct SocketRow {
    port: u16,
    listens: bool,
    inode: String,
}

/// The rows are `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …`, with addresses as
/// `0100007F:1B5F`.
fn rows(table: impl BufRead) -> impl Iterator<Item = SocketRow> {
    const LISTENS: &str = "0A";
    table.lines().skip(1).map_while(|line| {
        let line = line.ok()?;
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, port) = fields.get(1)?.rsplit_once(':')?;
        Some(SocketRow {
            port: u16::from_str_radix(port, 16).ok()?,
            listens: *fields.get(3)? == LISTENS,
            inode: (*fields.get(9)?).to_string(),
        })
    })
}

fn in_table(table: &str, port: u16, kind: SocketType) -> Option<Vec<String>> {
    let rows = rows(BufReader::new(File::open(table).ok()?));
    let is_datagram = kind == SOCK_DGRAM;
    // Linux lists listeners before all else (tcp_get_idx in net/ipv4/tcp_ipv4.c), and behind them tens of thousands of
    // connections in TIME_WAIT, which take the longer to read the more of them there are.
    let listeners_first = !is_datagram && this_system() != System::GVisor;
    let found = rows
        .take_while(|row| row.listens || !listeners_first)
        .filter(|row| (row.listens || is_datagram) && row.port == port);
    Some(found.map(|row| row.inode).collect())
}

/// The rows are `Num RefCount Protocol Flags Type St Inode Path`, with a flag for listeners.
fn in_unix_table(path: &Path) -> Option<Vec<String>> {
    const ACCEPTS: u32 = 0x1_0000;
    let text = std::fs::read("/proc/net/unix").ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let name = path.to_str()?;
    let inode = |line: &str| {
        let mut fields = line.split_whitespace();
        let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
        let inode = fields.nth(2)?;
        let is_it = line.ends_with(&format!(" {name}")) && flags & ACCEPTS != 0;
        is_it.then(|| inode.to_string())
    };
    Some(text.lines().skip(1).filter_map(inode).collect())
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
        assert_eq!(is_held(&address, SOCK_STREAM), Some(true));
        // This process has it, and is no descendant of its own.
        assert_eq!(listener_owner(&address, SOCK_STREAM), Some(ListenerOwner::Other));
        let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        // Closing the listener would reset a connection that it has not accepted.
        let _accepted = listener.accept().unwrap();
        drop(listener);
        assert_eq!(super::is_served(&address, SOCK_STREAM), Some(false));
        assert_eq!(listener_owner(&address, SOCK_STREAM), Some(ListenerOwner::None));
        let own = Address::v4(std::net::Ipv4Addr::LOCALHOST, client.local_addr().unwrap().port());
        assert_eq!(is_held(&own, SOCK_STREAM), Some(true));
        assert_eq!(super::is_served(&own, SOCK_STREAM), Some(false));
    }
}
