//! Making sockets, naming them, connecting them, ending them.

use std::borrow::Cow;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use libc::c_int;

use super::fd::{Fd, pair};
use super::sockaddr::RawAddress;
use super::{number, status};
use crate::addr::Address;
use crate::names::{Domain, Protocol, Result, ShutdownHow, SocketFlags, SocketType};
use crate::trace::arg::Arg;
use crate::trace::call::{self, Entered, enter};
use crate::trace::function::Function;

/// `int socket(int domain, int type, int protocol);` makes one end of a connection that does not exist yet.
///
/// Protocol 0 (`Protocol::default()`, which is [`IPPROTO_IP`](crate::names::IPPROTO_IP)) chooses the one that
/// goes with the type.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAFNOSUPPORT` | no such domain here (IPv6 switched off) |
/// | `EPROTONOSUPPORT` | no such protocol in this domain |
/// | `ESOCKTNOSUPPORT` | no such type in this domain (Linux; elsewhere `EPROTOTYPE` or `EPROTONOSUPPORT`) |
/// | `EINVAL` | unknown type or flags |
/// | `EMFILE` | this process has no descriptor left |
/// | `ENFILE` | the system has none left |
/// | `EPERM` | raw sockets are for the privileged (`EACCES` on some systems) |
///
/// Systems differ: the flags `SOCK_NONBLOCK` and `SOCK_CLOEXEC` do not exist on macOS.
///
/// References: `socket(2)`; POSIX `socket`.
pub fn socket(domain: Domain, kind: SocketType, protocol: Protocol) -> Result<Fd> {
    let call = enter(Function::Socket, || {
        [domain.named().into(), Arg::Type(kind), Arg::Protocol(domain, protocol)]
    });
    let result = call.make(|| {
        // SAFETY: takes no pointers.
        let raw = number(unsafe { libc::socket(domain.bits(), kind.bits(), protocol.bits()) })?;
        // SAFETY: the kernel has just made `raw` for us.
        Ok(unsafe { Fd::own(raw) })
    });
    call.returns(result)
}

/// `int socketpair(int domain, int type, int protocol, int sv[2]);` two sockets that are connected to each
/// other, without names.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EOPNOTSUPP` | this domain has no pairs (only `AF_UNIX` has) |
/// | `EAFNOSUPPORT` | no such domain here |
/// | `EPROTONOSUPPORT` | no such protocol in this domain |
/// | `EMFILE` | this process has no two descriptors left |
///
/// References: `socketpair(2)`; POSIX `socketpair`.
pub fn socketpair(domain: Domain, kind: SocketType, protocol: Protocol) -> Result<[Fd; 2]> {
    let call = enter(Function::Socketpair, || {
        // strace knows the names of protocols in `socket` only.
        [domain.named().into(), Arg::Type(kind), protocol.bits().into()]
    });
    let mut raw: [RawFd; 2] = [-1; 2];
    let result = call.make(|| {
        // SAFETY: `raw` has room for the two numbers that the call writes.
        status(unsafe {
            libc::socketpair(domain.bits(), kind.bits(), protocol.bits(), raw.as_mut_ptr())
        })
    });
    call.rest(|| [pair(raw, result.is_ok())]).returns(result)?;
    // SAFETY: the call succeeded and has just made both descriptors for us.
    Ok(raw.map(|raw| unsafe { Fd::own(raw) }))
}

/// `int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);` gives a socket its own name. Port
/// 0 lets the system choose one; [`getsockname`] tells which.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EADDRINUSE` | another socket has it, or an old connection of it is in `TIME_WAIT` (see `SO_REUSEADDR`); a Unix-domain path exists |
/// | `EADDRNOTAVAIL` | the address is not one of this machine's |
/// | `EACCES` | the port is reserved; no permission for the path's directory |
/// | `EINVAL` | the socket has a name already; (Linux) it is Unix-domain and the address is not, or the address is too short for its family |
/// | `EAFNOSUPPORT` | the address is of another family, otherwise |
/// | `ENOENT` | a directory of the path does not exist |
/// | `ENOTDIR` | a part of the path is no directory |
/// | `ENAMETOOLONG` | (refused) the path does not fit into `sun_path` |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// References: `bind(2)`, `ip(7)`, `unix(7)`; POSIX `bind`.
pub fn bind(sockfd: impl AsFd, addr: &Address) -> Result<()> {
    let sockfd = sockfd.as_fd();
    with_address(Function::Bind, sockfd, addr, |raw| {
        // SAFETY: the pointer and the length are of one `RawAddress`, which lives through the call.
        status(unsafe { libc::bind(sockfd.as_raw_fd(), raw.as_ptr(), raw.len()) })
    })
}

/// `int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen);` asks for a connection to `addr`.
/// On a datagram socket it only fixes the peer.
///
/// A blocking socket waits until the peer's system has answered. A non-blocking one gives `EINPROGRESS`:
/// wait until it is writable, then read `SO_ERROR`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINPROGRESS` | it is under way (non-blocking) |
/// | `EALREADY` | an earlier one is under way (non-blocking; on Linux a blocking socket waits for that one's end) |
/// | `EISCONN` | it is connected already |
/// | `ECONNREFUSED` | nobody listens there |
/// | `ETIMEDOUT` | no answer, for minutes |
/// | `EHOSTUNREACH`, `ENETUNREACH` | there is no way to that host or network |
/// | `EADDRNOTAVAIL` | no local port is left for this peer |
/// | `EINTR` | a signal came; the connection is still being made: wait until it is writable, as after `EINPROGRESS` |
/// | `EAGAIN` | a Unix-domain listener's queue is full (non-blocking) |
/// | `ENOENT` | a Unix-domain path does not exist |
/// | `EACCES` | a Unix-domain path may not be written; a broadcast address without `SO_BROADCAST` |
/// | `EPROTOTYPE` | the Unix-domain socket there is of another type |
/// | `EAFNOSUPPORT` | the address is of another family |
/// | `EINVAL` | (Linux) of another family, where [`bind`] gives it too |
/// | `ENAMETOOLONG` | (refused) the path does not fit into `sun_path` |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// Systems differ: on Linux a socket can try again after a failure. POSIX leaves its state open, so make a new one.
///
/// References: `connect(2)`; POSIX `connect`.
pub fn connect(sockfd: impl AsFd, addr: &Address) -> Result<()> {
    let sockfd = sockfd.as_fd();
    let result = with_address(Function::Connect, sockfd, addr, |raw| {
        // SAFETY: the pointer and the length are of one `RawAddress`, which lives through the call.
        status(unsafe { libc::connect(sockfd.as_raw_fd(), raw.as_ptr(), raw.len()) })
    });
    if matches!(result, Ok(()) | Err(crate::names::Errno::EINPROGRESS)) {
        tell_connection(sockfd, Some(addr));
    }
    result
}

/// The calls that read one address.
fn with_address(
    function: Function,
    sockfd: BorrowedFd<'_>,
    addr: &Address,
    make: impl FnOnce(&RawAddress) -> Result<()>,
) -> Result<()> {
    let raw = RawAddress::encode(addr);
    let len = raw.as_ref().map_or(0, RawAddress::len);
    let read = raw.as_ref().map_or(Cow::Borrowed(addr), |raw| raw.as_read(addr));
    let call = enter(function, || [sockfd.into(), Arg::address(&read), Arg::Int(len.into())]);
    match raw {
        Err(errno) => call.refuse(errno),
        Ok(raw) => {
            let result = call.make(|| make(&raw));
            call.returns(result)
        }
    }
}

/// `int listen(int sockfd, int backlog);` makes a socket a listener: from now on it only makes other sockets.
/// Up to `backlog` connections (Linux: one more) wait to be accepted; the system has a limit of its own.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EADDRINUSE` | another socket listens there |
/// | `EINVAL` | the socket is connected (`EISCONN` on some systems) |
/// | `EOPNOTSUPP` | this type of socket cannot listen |
/// | `EDESTADDRREQ` | the socket has no name and its domain cannot choose one (elsewhere than Linux; there `EINVAL`) |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// References: `listen(2)`; POSIX `listen`.
pub fn listen(sockfd: impl AsFd, backlog: c_int) -> Result<()> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::Listen, || [sockfd.into(), backlog.into()]);
    let result = call.make(|| {
        // SAFETY: takes no pointers.
        status(unsafe { libc::listen(sockfd.as_raw_fd(), backlog) })
    });
    call.returns(result)
}

/// `int accept(int sockfd, struct sockaddr *addr, socklen_t *addrlen);` takes the next connection that waits at a
/// listener: a new socket, and the peer's address.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | none waits (non-blocking, or `SO_RCVTIMEO`); also after readiness: it is a hint |
/// | `EINTR` | a signal came before one did |
/// | `ECONNABORTED` | the one that waited has gone (the BSDs; Linux gives a socket that is dead) |
/// | `EMFILE` | this process has no descriptor left; the connection stays in the queue |
/// | `ENFILE` | the system has none left |
/// | `ENOBUFS`, `ENOMEM` | no memory |
/// | `EINVAL` | the socket does not listen |
/// | `EOPNOTSUPP` | this type of socket cannot listen |
/// | `EPROTO`, `ENETDOWN`, `EHOSTUNREACH`, … | (Linux) an error of the new connection: treat it like `EAGAIN` |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// The new socket has the listener's options (`TCP_NODELAY`, buffer sizes). Systems differ: on the BSDs and macOS it
/// inherits `O_NONBLOCK`, too, on Linux it does not.
///
/// References: `accept(2)`; POSIX `accept`.
pub fn accept(sockfd: impl AsFd) -> Result<(Fd, Address)> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::Accept, || [sockfd.into()]);
    let mut peer = RawAddress::room();
    let result = call.make(|| {
        // SAFETY: `peer` has as much room as its length says; the kernel changes both.
        number(unsafe { libc::accept(sockfd.as_raw_fd(), peer.as_mut_ptr(), peer.len_mut()) })
    });
    accepted(call, result, &mut peer, None)
}

/// `int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags);` like [`accept`], and the new
/// socket is non-blocking or closed on exec at once, which saves two calls of `fcntl`.
///
/// # Errors
/// As [`accept`], and `EINVAL` for flags that do not exist.
///
/// Systems differ: not on macOS. Whether the new socket is non-blocking only `flags` say, on any system.
///
/// References: `accept4(2)`; POSIX (2024) `accept4`.
#[cfg(has_accept4)]
pub fn accept4(sockfd: impl AsFd, flags: SocketFlags) -> Result<(Fd, Address)> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::Accept4, || [sockfd.into()]);
    let mut peer = RawAddress::room();
    let result = call.make(|| {
        // SAFETY: `peer` has as much room as its length says; the kernel changes both.
        number(unsafe {
            libc::accept4(sockfd.as_raw_fd(), peer.as_mut_ptr(), peer.len_mut(), flags.bits())
        })
    });
    accepted(call, result, &mut peer, Some(flags))
}

fn accepted(
    call: Entered,
    result: Result<RawFd>,
    peer: &mut RawAddress,
    flags: Option<SocketFlags>,
) -> Result<(Fd, Address)> {
    let shown = peer.shown();
    let call = call.rest(|| written(&result, peer, &shown));
    let call = match flags {
        None => call,
        Some(flags) => call.rest(|| [flags.named().into()]),
    };
    // SAFETY: the kernel has just made this descriptor for us.
    let result = result.map(|raw| (unsafe { Fd::own(raw) }, shown));
    let (fd, peer) = call.returns(result)?;
    tell_connection(fd.as_fd(), Some(&peer));
    Ok((fd, peer))
}

/// An address that a call wrote, and its length; after a failure, where it would have stood.
pub(super) fn written<'a, T>(
    result: &Result<T>,
    raw: &RawAddress,
    shown: &'a Address,
) -> [Arg<'a>; 2] {
    let given = RawAddress::room().len().into();
    match result {
        Ok(_) => [Arg::address(shown), Arg::Length { given, returned: raw.len().into() }],
        Err(_) => [Arg::Pointer(raw.as_ptr() as usize), Arg::Length { given, returned: given }],
    }
}

/// `int shutdown(int sockfd, int how);` ends one direction of a connection, or both, at once and for every
/// descriptor of the socket. The descriptor stays open.
///
/// `SHUT_WR` sends a FIN after what is still unsent: the peer reads end of file, and may go on sending.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOTCONN` | the socket is not connected, or no longer; (macOS) that half is shut down already |
/// | `EINVAL` | `how` is none of the three |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// References: `shutdown(2)`; POSIX `shutdown`.
pub fn shutdown(sockfd: impl AsFd, how: ShutdownHow) -> Result<()> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::Shutdown, || [sockfd.into(), how.named().into()]);
    let result = call.make(|| {
        // SAFETY: takes no pointers.
        status(unsafe { libc::shutdown(sockfd.as_raw_fd(), how.bits()) })
    });
    call.returns(result)
}

/// `int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen);` this end's name: what `bind` was
/// given, or what the system chose.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINVAL` | (macOS) the socket was shut down |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// References: `getsockname(2)`; POSIX `getsockname`.
pub fn getsockname(sockfd: impl AsFd) -> Result<Address> {
    let sockfd = sockfd.as_fd();
    name_of(Function::Getsockname, sockfd, |raw| {
        // SAFETY: `raw` has as much room as its length says; the kernel changes both.
        status(unsafe { libc::getsockname(sockfd.as_raw_fd(), raw.as_mut_ptr(), raw.len_mut()) })
    })
}

/// `int getpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen);` the other end's name.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOTCONN` | there is no other end, or no longer one |
/// | `EINVAL` | (macOS) the socket was shut down |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// References: `getpeername(2)`; POSIX `getpeername`.
pub fn getpeername(sockfd: impl AsFd) -> Result<Address> {
    let sockfd = sockfd.as_fd();
    name_of(Function::Getpeername, sockfd, |raw| {
        // SAFETY: `raw` has as much room as its length says; the kernel changes both.
        status(unsafe { libc::getpeername(sockfd.as_raw_fd(), raw.as_mut_ptr(), raw.len_mut()) })
    })
}

/// The calls that write one address.
fn name_of(
    function: Function,
    sockfd: BorrowedFd<'_>,
    make: impl FnOnce(&mut RawAddress) -> Result<()>,
) -> Result<Address> {
    let call = enter(function, || [sockfd.into()]);
    let mut raw = RawAddress::room();
    let result = call.make(|| make(&mut raw));
    let shown = raw.shown();
    call.rest(|| written(&result, &raw, &shown)).returns(result)?;
    Ok(shown)
}

/// Tells the trace both ends of a new connection, if it asked: two calls that it does not show.
fn tell_connection(sockfd: BorrowedFd<'_>, peer: Option<&Address>) {
    if call::wants_connections() {
        let local = call::suspended(|| getsockname(sockfd).ok());
        call::connection(sockfd.into(), local, peer.cloned());
    }
}
