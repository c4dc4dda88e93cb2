//! Makes listeners from addresses, and removes the files that they leave.

use std::os::unix::ffi::OsStrExt;

use baresock::addr::Address;
use baresock::names::{
    Errno, IPV6_V6ONLY, SO_REUSEADDR, SO_SNDBUF, SOCK_STREAM, SOL_IPV6, SOL_SOCKET, SocketType,
};
use baresock::os::accepting::set_nonblocking;
use baresock::os::privileges::Account;
use baresock::os::socket_file::{self, SocketFile};
use baresock::services::Transport;
use baresock::sys::{self, Fd};
use baresock::trace::Function;

use super::failure::Failure;
use super::messages::{Loudness, say};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Listening {
    pub(crate) transport: Transport,
    /// How many connections may wait to be accepted.
    pub(crate) backlog: i32,
    /// The size of the kernel's send buffer.
    pub(crate) sndbuf: Option<i32>,
    /// The permissions of a Unix-domain socket's file, as for `chmod`.
    pub(crate) mode: Option<u32>,
    pub(crate) loudness: Loudness,
}

impl Listening {
    /// For connections, with the system's defaults for everything else.
    pub(crate) const fn for_streams(backlog: i32) -> Self {
        Self {
            transport: Transport::Stream,
            backlog,
            sndbuf: None,
            mode: None,
            loudness: Loudness::Ordinary,
        }
    }
}

/// Makes non-blocking sockets at all of these addresses: listeners, or datagram sockets. `files` will remove their
/// files.
///
/// If both families are meant and the kernel chooses the port, the second socket gets the port of the first, if that is
/// free.
pub(crate) fn listen_at(
    addresses: Vec<Address>,
    how: Listening,
    files: &mut SocketFiles,
) -> Result<Vec<(Fd, Address)>, Failure> {
    let mut sockets: Vec<(Fd, Address)> = Vec::new();
    for address in addresses {
        let first_port = sockets.first().and_then(|(_, name)| name.port());
        let wanted = match (address.port(), first_port) {
            (Some(0), Some(port)) => address.clone().with_port(port),
            _ => address.clone(),
        };
        let (fd, at) = match bind(&wanted, how) {
            Err((_, Errno::EADDRINUSE)) if wanted != address => (bind(&address, how), &address),
            result => (result, &wanted),
        };
        let failure = |(call, errno)| Failure::at(call, &address, errno);
        let fd = fd.map_err(failure)?;
        files.add(at);
        if let Some(mode) = how.mode {
            // Before listen, so that no client can have connected.
            socket_file::set_mode(at, mode)
                .map_err(|error| Failure::from_std(format_args!("chmod {at}"), &error))?;
        }
        if how.transport == Transport::Stream {
            // At once: to another server that wants this path, a bound socket that does not listen looks abandoned.
            sys::listen(&fd, how.backlog).map_err(|errno| failure((Function::LISTEN, errno)))?;
        }
        set_nonblocking(&fd).map_err(|errno| failure((Function::FCNTL, errno)))?;
        let name = sys::getsockname(&fd).map_err(|errno| Failure::of("getsockname", errno))?;
        sockets.push((fd, name));
    }
    Ok(sockets)
}

fn bind(address: &Address, how: Listening) -> Result<Fd, (Function, Errno)> {
    let with = |call| move |errno| (call, errno);
    let kind = how.transport.socket_type();
    let fd = sys::socket(address.domain(), kind, sys::Protocol::default())
        .map_err(with(Function::SOCKET))?;
    let set = |result: baresock::names::Result<()>| result.map_err(with(Function::SETSOCKOPT));
    if kind == SOCK_STREAM && !matches!(address, Address::Unix(_)) {
        // Without it, a server that was just stopped could not be started again, because its old connections keep the
        // port.
        set(sys::setsockopt(&fd, SOL_SOCKET, SO_REUSEADDR, &1))?;
    }
    if matches!(address, Address::V6(_)) {
        // There is a separate listener for IPv4.
        set(sys::setsockopt(&fd, SOL_IPV6, IPV6_V6ONLY, &1))?;
    }
    if let Some(bytes) = how.sndbuf {
        // Accepted sockets inherit the size.
        set(sys::setsockopt(&fd, SOL_SOCKET, SO_SNDBUF, &bytes))?;
    }
    let bound = match sys::bind(&fd, address) {
        Err(Errno::EADDRINUSE) if makes_way(address, kind, how.loudness) => sys::bind(&fd, address),
        result => result,
    };
    bound.map_err(with(Function::BIND))?;
    Ok(fd)
}

/// Removes the file that a Unix-domain socket left behind, if no server listens on it; returns whether it did.
pub(crate) fn makes_way(address: &Address, kind: SocketType, loudness: Loudness) -> bool {
    if socket_file::is_abandoned(address, kind) != Ok(true) {
        return false;
    }
    let Ok(Some(abandoned)) = SocketFile::of(address) else { return false };
    if abandoned.remove().is_err() {
        return false;
    }
    if loudness >= Loudness::Ordinary {
        say(format_args!(
            "{address}: a leftover socket file, on which no server listens: it is replaced"
        ));
    }
    true
}

/// The files of Unix-domain listeners, removed when this is dropped, because `close` does not remove them.
#[derive(Debug, Default)]
pub(crate) struct SocketFiles(Vec<SocketFile>);

impl SocketFiles {
    /// Adds the file of a socket that was just bound, if it has one.
    pub(crate) fn add(&mut self, address: &Address) {
        // A file that is gone already need not be removed.
        self.0.extend(SocketFile::of(address).ok().flatten());
    }

    /// Whether there are no files.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes a user the owner of all of them.
    pub(crate) fn give_to(&self, account: &Account) -> Result<(), Failure> {
        self.0.iter().try_for_each(|file| {
            let given = file.give_to(account);
            given.map_err(|error| {
                let path = file.path().as_os_str().as_bytes().escape_ascii();
                Failure::from_std(format_args!("chown {path}"), &error)
            })
        })
    }
}

impl Drop for SocketFiles {
    fn drop(&mut self) {
        for file in &self.0 {
            if let Err(error) = file.remove() {
                let path = file.path().as_os_str().as_bytes().escape_ascii();
                say(Failure::from_std(format_args!("unlink {path}"), &error)
                    .adding("the file stays"));
            }
        }
    }
}
