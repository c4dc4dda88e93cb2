//! The setup that many labs share: `l`, a listener; `c`, a client that is connected to it; `a`, the accepted socket.
//! These calls are traced like all others. A lab about these calls makes them itself.

use std::time::{Duration, Instant};

use super::peers::Alarm;
use super::prediction::Observed;
use super::run::{Run, Stop};
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

/// An address at which no socket listens, so that every system refuses a connection there; the two ends of a connection
/// keep its port from other programs. (A socket that is bound and does not listen would not do: macOS, NetBSD and
/// OpenBSD drop the SYN, and connect waits for more than a minute.) A socket with `SO_REUSEADDR` can listen there
/// later.
///
/// # Errors
/// As [`socket`], [`setsockopt`], [`bind`], [`listen`], [`connect`] and [`accept`].
pub(super) fn deserted() -> Result<(Address, [Fd; 2])> {
    let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    setsockopt(&l, SOL_SOCKET, SO_REUSEADDR, &1)?;
    bind(&l, &loopback(0))?;
    listen(&l, 5)?;
    let address = getsockname(&l)?;
    let c = client_of(&address)?;
    let (a, _peer) = accept(&l)?;
    Ok((address, [c, a]))
}

/// Connects clients to a listener until its queue is full. With a backlog of 0 that is one client on Linux, 80 on
/// OpenBSD, 128 on macOS.
///
/// # Errors
/// As [`socket`] and [`poll`].
pub(super) fn fill_queue(address: &Address) -> Result<Vec<Fd>> {
    let mut clients = Vec::new();
    while clients.len() < MOST_CLIENTS {
        let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
        set_nonblocking(&c)?;
        // EINPROGRESS, or connected; SO_ERROR has the result.
        let _ = connect(&c, address);
        let is_done = poll(&mut [PollFd::new(c.as_fd(), POLLOUT)], A_MOMENT_MS)? == 1;
        if !is_done || getsockopt(&c, SOL_SOCKET, SO_ERROR)? != 0 {
            break;
        }
        clients.push(c);
    }
    Ok(clients)
}

const MOST_CLIENTS: usize = 150;
/// A connection over loopback either succeeds within this time or never.
const A_MOMENT_MS: i32 = 200;

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

/// Waits with `poll` until these events are reported, at most a second, and returns those that are. Loopback
/// usually delivers at once, but no standard promises it.
///
/// # Errors
/// As [`poll`].
pub(super) fn wait_for(fd: impl AsFd, events: PollEvents) -> Result<PollEvents> {
    let mut rows = [PollFd::new(fd.as_fd(), events)];
    poll(&mut rows, 1000)?;
    Ok(rows[0].revents())
}

/// Makes a socket non-blocking, sends this chunk again and again until `send` takes no more, and returns the number of
/// bytes taken. Bytes travel from one end's buffer to the other's, so a socket that was full a moment ago may have room
/// again: it is full only if `send`, then `poll` and then `send` again all say so. (`MSG_DONTWAIT` would not do instead
/// of `O_NONBLOCK`: macOS and NetBSD ignore it in `send`.)
///
/// # Errors
/// As [`set_nonblocking`], [`send`] and [`poll`].
pub(super) fn fill(lab: &mut Run<'_>, fd: impl AsFd, chunk: &[u8]) -> Result<usize> {
    lab.say(
        "The lab sends until send takes no more; poll tells whether room appears while the bytes travel.",
    );
    set_nonblocking(&fd)?;
    let mut taken = 0;
    let mut was_full = false;
    loop {
        match send(&fd, chunk, MSG_NOSIGNAL) {
            Ok(sent) => {
                taken += sent;
                was_full = false;
            }
            Err(Errno::EAGAIN) if was_full => return Ok(taken),
            Err(Errno::EAGAIN) => {
                poll(&mut [PollFd::new(fd.as_fd(), POLLOUT)], 100)?;
                was_full = true;
            }
            Err(errno) => return Err(errno),
        }
    }
}

/// The result of a call, or that it waits forever if only the signal has ended its wait. The lab has a handler for
/// `SIGUSR1`.
pub(super) fn or_waits_forever<T: Observed>(call: impl FnOnce() -> Result<T>) -> String {
    unless_signalled("waits forever", call)
}

/// The result of a call, or these words if only the signal has ended its wait. The lab has a handler for `SIGUSR1`.
pub(super) fn unless_signalled<T: Observed>(
    words: &str,
    call: impl FnOnce() -> Result<T>,
) -> String {
    let _alarm = Alarm::every(Duration::from_millis(1500), SIGUSR1);
    match call() {
        Err(Errno::EINTR) => words.to_string(),
        other => other.words(),
    }
}

/// What a call gives that ends within this time unless the machine is busy; then it is made again. (A time that is read
/// from such a call may say anything.)
///
/// # Errors
/// As the call; the lab is skipped if the machine stays too busy.
pub(super) fn unless_late<T>(
    lab: &mut Run<'_>,
    limit: Duration,
    mut call: impl FnMut() -> std::result::Result<T, Stop>,
) -> std::result::Result<T, Stop> {
    for _ in 0..ATTEMPTS {
        let began = Instant::now();
        let given = call()?;
        if began.elapsed() < limit {
            return Ok(given);
        }
        lab.say("This machine is busy, and that took too long. Once more.");
    }
    Err(Stop::skipped("this machine is too busy to measure a time"))
}

const ATTEMPTS: usize = 5;

/// Waits with `select` until it reports an exceptional condition (urgent data), at most a second. (Not with `poll`,
/// which on macOS never reports `POLLPRI` for a socket.)
///
/// # Errors
/// As [`select`]; `EINVAL` also if its number has no place in a set.
pub(super) fn wait_for_urgent(fd: impl AsFd) -> Result<()> {
    let mut except = only(fd).map_err(|_| Errno::EINVAL)?;
    select(except.nfds(), None, None, Some(&mut except), Some(&mut millis(1000)))?;
    Ok(())
}

/// A UDP socket without an address.
///
/// # Errors
/// As [`socket`].
pub(super) fn udp_socket() -> Result<Fd> {
    socket(AF_INET, SOCK_DGRAM, Protocol::default())
}

/// Two UDP sockets that are connected to each other.
///
/// # Errors
/// As [`socket`], [`bind`] and [`connect`].
pub(super) fn udp_pair() -> Result<(Fd, Fd)> {
    let (one, other) = (udp_socket()?, udp_socket()?);
    bind(&one, &loopback(0))?;
    bind(&other, &loopback(0))?;
    connect(&one, &getsockname(&other)?)?;
    connect(&other, &getsockname(&one)?)?;
    Ok((one, other))
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

/// What `asks` finds about a TCP socket that has received too few bytes to be readable. While the system is short of memory,
/// the kernel calls it readable all the same, so that the program takes what there is (Linux 6.18, tcp_epollin_ready); so
/// this asks again until it is not, for at most a second.
///
/// # Errors
/// As `asks`, and [`poll`].
pub(super) fn without_pressure<T>(
    mut asks: impl FnMut() -> Result<T>,
    is_readable: impl Fn(&T) -> bool,
) -> Result<T> {
    for _ in 0..20 {
        let found = asks()?;
        if !is_readable(&found) {
            return Ok(found);
        }
        poll(&mut [], 50)?;
    }
    asks()
}

/// Asks `select` for this descriptor in all three sets, without waiting, and returns the sets in which it stays:
/// "rw", or "none".
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
