//! What sockets are like on this machine: all that a program can find out without privilege.

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

/// The port whose bytes are shown.
const PORT: u16 = 7007;

/// What sockets are like here.
#[derive(Clone, Debug, Serialize)]
pub struct HostFacts {
    /// The number of this form; fields may be added without a new one.
    pub schema: u32,
    /// The system, its version and its kind of processor.
    pub system: String,
    /// Which byte comes first.
    pub byte_order: ByteOrder,
    /// How many descriptors an `fd_set` has bits for.
    pub fd_setsize: usize,
    /// The bytes of an `fd_set`.
    pub fd_set_bytes: usize,
    /// Limits on descriptors.
    pub descriptors: Descriptors,
    /// How many connections may wait to be accepted.
    pub backlog: Backlog,
    /// The buffers of new sockets.
    pub buffers: Vec<Buffer>,
    /// The range of ephemeral ports: first and last.
    pub ephemeral_ports: Option<[u64; 2]>,
    /// The socket addresses in memory.
    pub addresses: Vec<Layout>,
    /// The wrapped calls.
    pub calls: Vec<Here>,
    /// Flags and options that not every system has.
    pub flags: Vec<Here>,
    /// The network interfaces.
    pub interfaces: Vec<Interface>,
    /// What a server can be bound to on any machine.
    pub bindable: Vec<Bindable>,
}

/// A port in the two orders.
#[derive(Clone, Debug, Serialize)]
pub struct ByteOrder {
    /// `little-endian` or `big-endian`.
    pub host: &'static str,
    /// The port that is the example.
    pub port: u16,
    /// Its bytes in memory.
    pub in_host_order: String,
    /// Its bytes after `htons`.
    pub in_network_order: String,
    /// The port that the kernel sees if `htons` was forgotten.
    pub without_htons: u16,
}

/// Limits on descriptors.
#[derive(Clone, Debug, Serialize)]
pub struct Descriptors {
    /// In force for this process.
    pub soft: Option<u64>,
    /// How far it may raise that; none if there is no limit.
    pub hard: Option<u64>,
    /// Of all processes together.
    pub system: Option<u64>,
}

/// How many connections may wait to be accepted.
#[derive(Clone, Debug, Serialize)]
pub struct Backlog {
    /// `SOMAXCONN` of the C library's header.
    pub somaxconn: i32,
    /// The kernel's setting.
    pub setting: Option<u64>,
    /// What a listener got that asked for more than there is, where the system tells.
    pub in_force: Option<u64>,
}

/// One buffer of one kind of socket.
#[derive(Clone, Debug, Serialize)]
pub struct Buffer {
    /// The kind of socket.
    pub socket: &'static str,
    /// `SO_RCVBUF` or `SO_SNDBUF`.
    pub option: &'static str,
    /// As `getsockopt` gives it for a new socket. (Linux counts its own bookkeeping: twice what was set.)
    pub default_bytes: i32,
    /// As `getsockopt` gives it after as much as possible was set.
    pub most_bytes: i32,
}

/// Whether something exists on this system.
#[derive(Clone, Debug, Serialize)]
pub struct Here {
    /// Its name in C.
    pub name: &'static str,
    /// Whether it is here.
    pub here: bool,
}

/// Looks at everything. What cannot be found out is left out.
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
    // "Infinite" is the highest number; on systems with signs, the highest positive one.
    let hard = limits.map(|limits| limits.hard).filter(|hard| *hard < i64::MAX as u64);
    Descriptors { soft: limits.map(|limits| limits.soft), hard, system: settings::open_files() }
}

/// What the kernel made of more than it allows, if it tells. (gVisor has TCP_INFO, and leaves this at 0.)
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

/// The default, and the most that can be set: Linux cuts what is too much, the others refuse it with ENOBUFS; so did
/// macOS up to 14.3, which cuts at 8 MiB since (read in xnu).
fn buffer(domain: Domain, kind: SocketType, option: OptionName<i32>) -> Result<(i32, i32)> {
    const TOO_MUCH: i32 = 1 << 30;
    let socket = sys::socket(domain, kind, Protocol::default())?;
    let default = sys::getsockopt(&socket, SOL_SOCKET, option)?;
    if sys::setsockopt(&socket, SOL_SOCKET, option, &TOO_MUCH).is_err() {
        let (mut taken, mut refused) = (default, TOO_MUCH);
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

/// Those that one system or another lacks, looked up in the tables of names.
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
    "TCP_QUICKACK",
    "TCP_USER_TIMEOUT",
    "TCP_FASTOPEN",
    "IP_PKTINFO",
];

fn has_option(name: &str) -> bool {
    OPTIONS.iter().flat_map(|(_, known)| known.iter()).any(|known| known.name == name)
}
