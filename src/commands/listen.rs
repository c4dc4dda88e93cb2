//! From a written address to listeners.

use baresock::addr::{Address, Written};
use baresock::names::{
    Errno, IPV6_V6ONLY, SO_REUSEADDR, SO_SNDBUF, SOCK_DGRAM, SOCK_STREAM, SOL_IPV6, SOL_SOCKET,
    SocketType,
};
use baresock::os::naming;
use baresock::os::privileges::Account;
use baresock::os::socket_file::{self, SocketFile};
use baresock::services::Transport;
use baresock::sys::{self, Fd};
use baresock::trace::Function;

use super::failure::Failure;
use super::messages::{Loudness, say};

/// How a socket is to be bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding {
    pub(crate) transport: Transport,
    /// The system's buffer for sending.
    pub(crate) sndbuf: Option<i32>,
    /// Who may connect to a Unix-domain socket, as `chmod` has it.
    pub(crate) mode: Option<u32>,
    pub(crate) loudness: Loudness,
}

impl Binding {
    /// As the system has it.
    pub(crate) const fn ordinary(transport: Transport) -> Self {
        Self { transport, sndbuf: None, mode: None, loudness: Loudness::Ordinary }
    }
}

/// Sockets bound to every address that `written` means. `files` removes what that leaves behind.
///
/// Where both families are meant and the system chooses the port, the second is given the port of the first if that
/// is free.
pub(crate) fn bind_all(
    written: &Written,
    binding: Binding,
    files: &mut SocketFiles,
) -> Result<Vec<(Fd, Address)>, Failure> {
    let addresses = naming::resolve(written).map_err(Failure::new)?;
    let mut bound: Vec<(Fd, Address)> = Vec::new();
    for address in addresses {
        let first_port = bound.first().and_then(|(_, name)| name.port());
        let wanted = match (address.port(), first_port) {
            (Some(0), Some(port)) => address.clone().with_port(port),
            _ => address.clone(),
        };
        let fd = match bind(&wanted, binding) {
            Err((_, Errno::EADDRINUSE)) if wanted != address => bind(&address, binding),
            result => result,
        };
        let fd = fd.map_err(|(call, errno)| Failure::at(call, &address, errno))?;
        let name = sys::getsockname(&fd).map_err(|errno| Failure::of("getsockname", errno))?;
        files.add(&name);
        if let Some(mode) = binding.mode {
            // Before listen, so that nobody has connected by then.
            socket_file::set_mode(&name, mode)
                .map_err(|error| Failure::from_std(format_args!("chmod {name}"), &error))?;
        }
        bound.push((fd, name));
    }
    Ok(bound)
}

fn bind(address: &Address, binding: Binding) -> Result<Fd, (Function, Errno)> {
    let with = |call| move |errno| (call, errno);
    let kind = match binding.transport {
        Transport::Stream => SOCK_STREAM,
        Transport::Datagram => SOCK_DGRAM,
    };
    let fd = sys::socket(address.domain(), kind, sys::Protocol::default())
        .map_err(with(Function::Socket))?;
    let set = |result: baresock::names::Result<()>| result.map_err(with(Function::Setsockopt));
    if kind == SOCK_STREAM && !matches!(address, Address::Unix(_)) {
        // Without it a server that was just stopped could not be started again: its old connections keep the port.
        set(sys::setsockopt(&fd, SOL_SOCKET, SO_REUSEADDR, &1))?;
    }
    if matches!(address, Address::V6(_)) {
        // IPv4 has a listener of its own.
        set(sys::setsockopt(&fd, SOL_IPV6, IPV6_V6ONLY, &1))?;
    }
    if let Some(bytes) = binding.sndbuf {
        // Accepted sockets inherit it.
        set(sys::setsockopt(&fd, SOL_SOCKET, SO_SNDBUF, &bytes))?;
    }
    let bound = match sys::bind(&fd, address) {
        Err(Errno::EADDRINUSE) if makes_way(address, kind, binding.loudness) => {
            sys::bind(&fd, address)
        }
        result => result,
    };
    bound.map_err(with(Function::Bind))?;
    Ok(fd)
}

/// Removes the file of a Unix-domain socket on which nobody listens any more; says whether it did.
fn makes_way(address: &Address, kind: SocketType, loudness: Loudness) -> bool {
    if socket_file::is_abandoned(address, kind) != Ok(true) {
        return false;
    }
    // It is nobody's, so it is taken over, and removed as one's own is.
    let Ok(Some(abandoned)) = SocketFile::of(address) else { return false };
    drop(abandoned);
    if loudness >= Loudness::Ordinary {
        say(format_args!("{address}: nobody listened on this socket any more: it is replaced"));
    }
    true
}

/// The files of Unix-domain listeners, which are removed when this is dropped: `close` leaves them.
#[derive(Debug, Default)]
pub(crate) struct SocketFiles(Vec<SocketFile>);

impl SocketFiles {
    /// Adds the file of a socket that was just bound, if it has one.
    pub(crate) fn add(&mut self, address: &Address) {
        // One that is gone already need not be removed.
        self.0.extend(SocketFile::of(address).ok().flatten());
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives all of them to a user.
    pub(crate) fn give_to(&self, account: &Account) -> Result<(), Failure> {
        self.0.iter().try_for_each(|file| {
            let given = file.give_to(account);
            given.map_err(|error| {
                Failure::from_std(format_args!("chown {}", file.path().display()), &error)
            })
        })
    }
}
