//! From a written address to listeners.

use std::path::PathBuf;

use baresock::addr::{Address, UnixName, Written};
use baresock::names::{
    Errno, IPV6_V6ONLY, SO_REUSEADDR, SO_SNDBUF, SOCK_DGRAM, SOCK_STREAM, SOL_IPV6, SOL_SOCKET,
};
use baresock::os::naming;
use baresock::services::Transport;
use baresock::sys::{self, Fd};
use baresock::trace::Function;

use super::failure::Failure;

/// Sockets bound to every address that `written` means.
///
/// Where both families are meant and the system chooses the port, the second is given the port of the first if that
/// is free.
pub(crate) fn bind_all(
    written: &Written,
    transport: Transport,
    sndbuf: Option<i32>,
) -> Result<Vec<(Fd, Address)>, Failure> {
    let addresses = naming::resolve(written).map_err(Failure::new)?;
    let mut bound: Vec<(Fd, Address)> = Vec::new();
    for address in addresses {
        let first_port = bound.first().and_then(|(_, name)| name.port());
        let wanted = match (address.port(), first_port) {
            (Some(0), Some(port)) => address.clone().with_port(port),
            _ => address.clone(),
        };
        let fd = match bind(&wanted, transport, sndbuf) {
            Err((_, Errno::EADDRINUSE)) if wanted != address => bind(&address, transport, sndbuf),
            result => result,
        };
        let fd = fd.map_err(|(call, errno)| Failure::at(call, &address, errno))?;
        let name = sys::getsockname(&fd).map_err(|errno| Failure::of("getsockname", errno))?;
        bound.push((fd, name));
    }
    Ok(bound)
}

fn bind(
    address: &Address,
    transport: Transport,
    sndbuf: Option<i32>,
) -> Result<Fd, (Function, Errno)> {
    let with = |call| move |errno| (call, errno);
    let kind = match transport {
        Transport::Stream => SOCK_STREAM,
        Transport::Datagram => SOCK_DGRAM,
    };
    let fd = sys::socket(address.domain(), kind, sys::Protocol::default())
        .map_err(with(Function::Socket))?;
    let set = |result: baresock::names::Result<()>| result.map_err(with(Function::Setsockopt));
    if transport == Transport::Stream && !matches!(address, Address::Unix(_)) {
        // Without it a server that was just stopped could not be started again: its old connections keep the port.
        set(sys::setsockopt(&fd, SOL_SOCKET, SO_REUSEADDR, &1))?;
    }
    if matches!(address, Address::V6(_)) {
        // IPv4 has a listener of its own.
        set(sys::setsockopt(&fd, SOL_IPV6, IPV6_V6ONLY, &1))?;
    }
    if let Some(bytes) = sndbuf {
        // Accepted sockets inherit it.
        set(sys::setsockopt(&fd, SOL_SOCKET, SO_SNDBUF, &bytes))?;
    }
    sys::bind(&fd, address).map_err(with(Function::Bind))?;
    Ok(fd)
}

/// Removes the files of Unix-domain listeners when it is dropped: `close` leaves them.
#[derive(Debug, Default)]
pub(crate) struct SocketFiles(Vec<PathBuf>);

impl SocketFiles {
    pub(crate) fn add(&mut self, address: &Address) {
        if let Address::Unix(UnixName::Path(path)) = address {
            self.0.push(path.clone());
        }
    }
}

impl Drop for SocketFiles {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}
