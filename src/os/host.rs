//! The properties of sockets on this machine: all that a program can find out without a privilege.

use serde::Serialize;

use super::interfaces::{Bindable, Interface, interfaces};
use super::layouts::{Layout, layouts};
use super::{limits, machine, settings};
use crate::addr::Address;
use crate::byteorder::{HOST_IS_NETWORK_ORDER, htons, shown};
use crate::names::{
    AF_INET, AF_UNIX, Constant, Domain, FcntlCommand, IoctlRequest, MsgFlags, OPTIONS, OptionName,
    PollEvents, Protocol, Result, SO_RCVBUF, SO_SNDBUF, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET,
    SocketFlags, SocketType,
};
use crate::sys::{self, FD_SETSIZE, FdSet};
use crate::trace::Function;

/// The port whose bytes serve as an example.
const PORT: u16 = 7007;

/// The properties of sockets on this machine.
#[derive(Clone, Debug, Serialize)]
pub struct HostFacts {
    /// The version of this structure; fields may be added without a new version.
    pub schema: u32,
    /// The system, its version and its processor architecture.
    pub system: String,
    /// The order of bytes in memory.
    pub byte_order: ByteOrder,
    /// How many descriptors an `fd_set` has bits for.
    pub fd_setsize: usize,
    /// The bytes of an `fd_set`.
    pub fd_set_bytes: usize,
    /// The limits on descriptors.
    pub descriptors: Descriptors,
    /// The limits on connections that wait to be accepted.
    pub backlog: Backlog,
    /// The buffers of new sockets.
    pub buffers: Vec<Buffer>,
    /// The range of ephemeral ports: first and last.
    pub ephemeral_ports: Option<[u64; 2]>,
    /// The layout of socket addresses in memory.
    pub addresses: Vec<Layout>,
    /// The wrapped calls.
    pub calls: Vec<Here>,
    /// Flags and options that some systems lack.
    pub flags: Vec<Here>,
    /// The network interfaces.
    pub interfaces: Vec<Interface>,
    /// The addresses that a server can be bound to on any machine.
    pub bindable: Vec<Bindable>,
}

/// A port in both byte orders.
#[derive(Clone, Debug, Serialize)]
pub struct ByteOrder {
    /// `little-endian` or `big-endian`.
    pub host: &'static str,
    /// The example port.
    pub port: u16,
    /// Its bytes in memory.
    pub in_host_order: String,
    /// Its bytes after `htons`.
    pub in_network_order: String,
    /// The port that the kernel sees if `htons` was forgotten.
    pub without_htons: u16,
}

/// The limits on descriptors.
#[derive(Clone, Debug, Serialize)]
pub struct Descriptors {
    /// The limit in force for this process.
    pub soft: Option<u64>,
    /// The limit to which the process may raise it; `None` if there is no such limit.
    pub hard: Option<u64>,
    /// The limit for all processes together.
    pub system: Option<u64>,
}

/// The limits on connections that wait to be accepted.
#[derive(Clone, Debug, Serialize)]
pub struct Backlog {
    /// `SOMAXCONN` in the header of the C library.
    pub somaxconn: i32,
    /// The kernel's setting.
    pub setting: Option<u64>,
    /// The backlog of a listener that asked for more than the kernel allows, where the system tells.
    pub in_force: Option<u64>,
}

/// The size of one buffer of one kind of socket.
#[derive(Clone, Debug, Serialize)]
pub struct Buffer {
    /// The kind of socket.
    pub socket: &'static str,
    /// `SO_RCVBUF` or `SO_SNDBUF`.
    pub option: &'static str,
    /// The size that `getsockopt` returns for a new socket. (Linux includes its own bookkeeping: twice the value that
    /// was set.)
    pub default_bytes: i32,
    /// The size that `getsockopt` returns after setting as much as possible.
    pub most_bytes: i32,
}

/// Whether a call or a flag exists on this system.
#[derive(Clone, Debug, Serialize)]
pub struct Here {
    /// Its name in C.
    pub name: &'static str,
    /// Whether it exists here.
    pub here: bool,
}

/// Collects everything. What cannot be found out is left out.
pub fn host() -> HostFacts {
    crate::trace::suspended(|| HostFacts {
        schema: 1,
        system: machine::system(),
        byte_order: byte_order(),
        fd_setsize: FD_SETSIZE,
        fd_set_bytes: size_of::<FdSet>(),
        descriptors: descriptors(),
        backlog: Backlog {
            somaxconn: libc::SOMAXCONN,
            setting: settings::listen_backlog(),
            in_force: backlog_in_force(),
        },
        buffers: buffers(),
        ephemeral_ports: settings::ephemeral_ports(),
        addresses: layouts(),
        calls: calls(),
        flags: flags(),
        interfaces: interfaces(),
        bindable: Bindable::everywhere(),
    })
}

fn byte_order() -> ByteOrder {
    ByteOrder {
        host: if HOST_IS_NETWORK_ORDER { "big-endian" } else { "little-endian" },
        port: PORT,
        in_host_order: shown(&PORT.to_ne_bytes()),
        in_network_order: shown(&htons(PORT).to_ne_bytes()),
        without_htons: u16::from_be_bytes(PORT.to_ne_bytes()),
    }
}

fn descriptors() -> Descriptors {
    let limits = limits::descriptor_limits().ok();
    // "Infinite" is the highest number; where the type is signed, the highest positive one.
    let hard = limits.map(|limits| limits.hard).filter(|hard| *hard < i64::MAX as u64);
    Descriptors { soft: limits.map(|limits| limits.soft), hard, system: settings::open_files() }
}

/// The backlog that the kernel grants when asked for more than it allows, if it tells. (gVisor has TCP_INFO, but leaves
/// this at 0.)
fn backlog_in_force() -> Option<u64> {
    let listener = sys::socket(AF_INET, SOCK_STREAM, Protocol::default()).ok()?;
    sys::bind(&listener, &Address::v4(std::net::Ipv4Addr::LOCALHOST, 0)).ok()?;
    sys::listen(&listener, i32::MAX).ok()?;
    let (_, backlog) = sys::socket_state(listener.number())?.waiting?;
    Some(backlog.into()).filter(|backlog| *backlog > 0)
}

fn buffers() -> Vec<Buffer> {
    let kinds = [
        ("TCP", AF_INET, SOCK_STREAM),
        ("UDP", AF_INET, SOCK_DGRAM),
        ("Unix-domain", AF_UNIX, SOCK_STREAM),
    ];
    let options = [("SO_RCVBUF", SO_RCVBUF), ("SO_SNDBUF", SO_SNDBUF)];
    let all = kinds.iter().flat_map(|kind| options.iter().map(move |option| (kind, option)));
    let buffer = |(kind, option): (&(&'static str, Domain, SocketType), &(&'static str, _))| {
        let (default_bytes, most_bytes) = buffer(kind.1, kind.2, option.1).ok()?;
        Some(Buffer { socket: kind.0, option: option.0, default_bytes, most_bytes })
    };
    all.filter_map(buffer).collect()
}

/// The default size, and the largest that can be set: Linux reduces a larger value, the others refuse it with ENOBUFS;
/// so did macOS up to 14.3, which now reduces to 8 MiB (read in xnu).
fn buffer(domain: Domain, kind: SocketType, option: OptionName<i32>) -> Result<(i32, i32)> {
    const TOO_MUCH: i32 = 1 << 30;
    let socket = sys::socket(domain, kind, Protocol::default())?;
    let default = sys::getsockopt(&socket, SOL_SOCKET, option)?;
    if sys::setsockopt(&socket, SOL_SOCKET, option, &TOO_MUCH).is_err() {
        let mut taken = default;
        let mut refused = TOO_MUCH;
        while refused - taken > 1024 {
            let tried = taken + (refused - taken) / 2;
            match sys::setsockopt(&socket, SOL_SOCKET, option, &tried) {
                Ok(()) => taken = tried,
                Err(_) => refused = tried,
            }
        }
    }
    Ok((default, sys::getsockopt(&socket, SOL_SOCKET, option)?))
}

fn calls() -> Vec<Here> {
    let all = Function::all().map(Function::page);
    all.map(|page| Here { name: page.name, here: page.is_here }).collect()
}

/// The flags that one system or another lacks, looked up in the tables of names.
fn flags() -> Vec<Here> {
    let tables: [(&[Constant], &[&'static str]); 5] = [
        (SocketFlags::CONSTANTS, &["SOCK_CLOEXEC", "SOCK_NONBLOCK"]),
        (
            MsgFlags::CONSTANTS,
            &[
                "MSG_NOSIGNAL",
                "MSG_DONTWAIT",
                "MSG_WAITALL",
                "MSG_MORE",
                "MSG_TRUNC",
                "MSG_ERRQUEUE",
                "MSG_CMSG_CLOEXEC",
            ],
        ),
        (PollEvents::CONSTANTS, &["POLLRDNORM", "POLLWRNORM", "POLLRDBAND", "POLLRDHUP"]),
        (IoctlRequest::CONSTANTS, &["FIONREAD", "TIOCOUTQ", "SIOCATMARK"]),
        (FcntlCommand::CONSTANTS, &["F_DUPFD_CLOEXEC"]),
    ];
    let in_tables = tables.into_iter().flat_map(|(known, names)| {
        let is_here = |name: &str| known.iter().any(|constant| constant.name == name);
        names.iter().map(move |name| Here { name, here: is_here(name) }).collect::<Vec<_>>()
    });
    let options = NAMES_OF_OPTIONS.iter().map(|name| Here { name, here: has_option(name) });
    in_tables.chain(options).collect()
}

const NAMES_OF_OPTIONS: &[&str] = &[
    "SO_REUSEPORT",
    "SO_NOSIGPIPE",
    "SO_ACCEPTCONN",
    "SO_DOMAIN",
    "SO_PEERCRED",
    "SO_NREAD",
    "TCP_KEEPIDLE",
    "TCP_KEEPALIVE",
    "TCP_CORK",
    "TCP_NOPUSH",
    "TCP_QUICKACK",
    "TCP_USER_TIMEOUT",
    "TCP_FASTOPEN",
    "IP_PKTINFO",
];

fn has_option(name: &str) -> bool {
    OPTIONS.iter().flat_map(|(_, known)| known.iter()).any(|known| known.name == name)
}
