//! What many labs begin with, once: `l`, a listener; `c`, a client that is connected to it; `a`, the socket that was
//! accepted. The calls are traced like all others. A lab whose subject they are writes them out instead.

use crate::addr::Address;
use crate::sys::*;

/// A TCP listener on loopback at a free port, and its address.
///
/// # Errors
/// As [`socket`], [`bind`] and [`listen`].
pub(super) fn listener() -> Result<(Fd, Address)> {
    let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    bind(&l, &loopback(0))?;
    listen(&l, 5)?;
    let address = getsockname(&l)?;
    Ok((l, address))
}

/// The two ends of a TCP connection, blocking: the client's and the accepted one. The listener is closed again.
///
/// # Errors
/// As [`socket`], [`bind`], [`listen`], [`connect`] and [`accept`].
pub(super) fn tcp_pair() -> Result<(Fd, Fd)> {
    let (l, address) = listener()?;
    let c = client_of(&address)?;
    let (a, _peer) = accept(&l)?;
    Ok((c, a))
}

/// A client that is connected to this address.
///
/// # Errors
/// As [`socket`] and [`connect`].
pub(super) fn client_of(address: &Address) -> Result<Fd> {
    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    connect(&c, address)?;
    Ok(c)
}

/// 127.0.0.1 with this port.
pub(super) const fn loopback(port: u16) -> Address {
    Address::v4(std::net::Ipv4Addr::LOCALHOST, port)
}

/// Sets `O_NONBLOCK` and keeps the other flags.
///
/// # Errors
/// As [`fcntl_getfl`] and [`fcntl_setfl`].
pub(super) fn set_nonblocking(fd: impl AsFd) -> Result<()> {
    let flags = fcntl_getfl(&fd)?;
    fcntl_setfl(&fd, flags | O_NONBLOCK)
}

/// Waits with `poll` until these events are there, at most a second, and says which are. What loopback delivers is
/// there at once as a rule, but nobody promises it.
///
/// # Errors
/// As [`poll`].
pub(super) fn wait_for(fd: impl AsFd, events: PollEvents) -> Result<PollEvents> {
    let mut rows = [PollFd::new(fd.as_fd(), events)];
    poll(&mut rows, 1000)?;
    Ok(rows[0].revents())
}

/// A set with this descriptor alone.
///
/// # Errors
/// Its number has no place in a set.
pub(super) fn only(fd: impl AsFd) -> std::result::Result<FdSet, BeyondSetSize> {
    let mut set = FdSet::new();
    set.set(fd)?;
    Ok(set)
}

/// A time for `select`.
pub(super) const fn millis(ms: i64) -> TimeVal {
    TimeVal { tv_sec: ms / 1000, tv_usec: ms % 1000 * 1000 }
}

/// Asks `select` for this descriptor in all three sets, without waiting, and says in which it stays: "rw", or "none".
///
/// # Errors
/// As [`select`]; `EINVAL` also if its number has no place in a set.
pub(super) fn sets_of(fd: impl AsFd) -> Result<String> {
    let fd = fd.as_fd();
    let asked = only(fd).map_err(|_| Errno::EINVAL)?;
    let [mut r, mut w, mut x] = [asked; 3];
    select(asked.nfds(), Some(&mut r), Some(&mut w), Some(&mut x), Some(&mut millis(0)))?;
    let letters = [(r, "r"), (w, "w"), (x, "x")];
    let stays: String =
        letters.iter().filter(|(set, _)| set.isset(fd)).map(|(_, letter)| *letter).collect();
    Ok(if stays.is_empty() { "none".to_string() } else { stays })
}
