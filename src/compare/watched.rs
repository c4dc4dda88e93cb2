//! Descriptors to watch, not ready until one is made ready.
//!
//! Their kind matters: the kernel asks the file behind each descriptor, and a pipe answers twice as fast as a TCP
//! connection. A UDP socket lies between, and needs no peer, so every descriptor of the limit can be one.

use crate::addr::Address;
use crate::names::{
    AF_INET, AF_UNIX, Errno, MSG_DONTWAIT, Protocol, Result, SOCK_DGRAM, SOCK_STREAM,
};
use crate::sys::{self, FD_SETSIZE, Fd};

/// The kind of descriptor that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchedKind {
    /// A UDP socket.
    Udp,
    /// One end of a TCP connection.
    Tcp,
    /// One end of a `socketpair`.
    Unix,
    /// The reading end of a pipe.
    Pipe,
}

impl WatchedKind {
    /// The name for `--watch`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Unix => "unix",
            Self::Pipe => "pipe",
        }
    }

    /// How many descriptors of the limit each one takes.
    pub(super) const fn descriptors(self) -> usize {
        if matches!(self, Self::Udp) { 1 } else { 2 }
    }

    /// What a person calls several of them.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Udp => "UDP sockets",
            Self::Tcp => "TCP connections",
            Self::Unix => "Unix-domain sockets",
            Self::Pipe => "pipes",
        }
    }
}

/// Descriptors in the order of their numbers, the lowest free ones; and the peer of each, which keeps it quiet and can
/// make it ready. A UDP socket needs no peer.
pub(super) struct Watched {
    pairs: Vec<(Fd, Option<Fd>)>,
}

impl Watched {
    /// Makes as many as asked for, or as many as possible.
    pub(super) fn make(kind: WatchedKind, count: usize) -> Result<Self> {
        let mut pairs = Vec::with_capacity(count);
        let listener = (kind == WatchedKind::Tcp).then(listener).transpose()?;
        while pairs.len() < count {
            match pair(kind, listener.as_ref()) {
                Ok((fd, peer)) => pairs.push((fd, peer.map(out_of_the_way))),
                Err(errno) if pairs.is_empty() => return Err(errno),
                Err(_) => break,
            }
        }
        pairs.sort_by_key(|(fd, _)| fd.number());
        Ok(Self { pairs })
    }

    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    pub(super) fn fds(&self) -> impl Iterator<Item = &Fd> {
        self.pairs.iter().map(|(fd, _)| fd)
    }

    /// The descriptor with the highest number up to this one.
    pub(super) fn up_to(&self, number: i32) -> Option<&Fd> {
        let at = self.pairs.partition_point(|(fd, _)| fd.number().get() <= number);
        self.pairs[..at].last().map(|(fd, _)| fd)
    }

    /// How many of them have a bit in an `fd_set`.
    pub(super) fn with_a_bit(&self) -> usize {
        self.pairs.partition_point(|(fd, _)| fd.number().get() < FD_SETSIZE as i32)
    }

    /// Makes one readable.
    pub(super) fn make_ready(&self, at: usize) -> Result<()> {
        let (fd, peer) = &self.pairs[at];
        if let Some(peer) = peer {
            return sys::write(peer, b"x").map(drop);
        }
        // It sends to itself; a socket without an address could not be sent to.
        if sys::getsockname(fd)?.port() == Some(0) {
            sys::bind(fd, &loopback())?;
        }
        sys::sendto(fd, b"x", MSG_DONTWAIT, &sys::getsockname(fd)?).map(drop)
    }

    /// Reads from it until it is not readable.
    pub(super) fn make_quiet(&self, at: usize) -> Result<()> {
        match sys::read(&self.pairs[at].0, &mut [0; 8]) {
            Err(Errno::EAGAIN) => Ok(()),
            result => result.map(drop),
        }
    }
}

fn loopback() -> Address {
    Address::v4(std::net::Ipv4Addr::LOCALHOST, 0)
}

fn listener() -> Result<Fd> {
    let listener = sys::socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    sys::bind(&listener, &loopback())?;
    sys::listen(&listener, 128)?;
    Ok(out_of_the_way(listener))
}

/// A descriptor and its peer.
fn pair(kind: WatchedKind, listener: Option<&Fd>) -> Result<(Fd, Option<Fd>)> {
    let two = |[one, other]: [Fd; 2]| (one, Some(other));
    match (kind, listener) {
        (WatchedKind::Tcp, Some(listener)) => {
            let ours = sys::socket(AF_INET, SOCK_STREAM, Protocol::default())?;
            sys::connect(&ours, &sys::getsockname(listener)?)?;
            let (theirs, _) = sys::accept(listener)?;
            Ok((ours, Some(theirs)))
        }
        (WatchedKind::Unix, _) => {
            sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).map(two)
        }
        (WatchedKind::Pipe, _) => sys::pipe().map(two),
        _ => Ok((sys::socket(AF_INET, SOCK_DGRAM, Protocol::default())?, None)),
    }
}

/// Moves a descriptor to a number that `select` cannot use anyway, so that the lower numbers are left for the watched
/// descriptors. If the limit is too low for that, it stays where it is.
fn out_of_the_way(fd: Fd) -> Fd {
    sys::fcntl_dupfd(&fd, FD_SETSIZE as i32).unwrap_or(fd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::POLLIN;
    use crate::sys::{PollFd, poll};
    use std::os::fd::AsFd;

    #[test]
    fn each_kind_is_quiet_until_made_ready_and_quiet_again() {
        for kind in [WatchedKind::Udp, WatchedKind::Tcp, WatchedKind::Unix, WatchedKind::Pipe] {
            let watched = Watched::make(kind, 5).unwrap();
            let ready = || {
                let rows = watched.fds().map(|fd| PollFd::new(fd.as_fd(), POLLIN));
                let mut rows: Vec<_> = rows.collect();
                poll(&mut rows, 0).unwrap();
                (0..5).filter(|at| rows[*at].revents() == POLLIN).collect::<Vec<_>>()
            };
            assert_eq!(ready(), [0; 0], "{kind:?}");
            watched.make_ready(3).unwrap();
            assert_eq!(ready(), [3], "{kind:?}");
            watched.make_quiet(3).unwrap();
            assert_eq!(ready(), [0; 0], "{kind:?}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_left_out() {
        let watched = Watched::make(WatchedKind::Udp, 3).unwrap();
        assert_eq!((watched.len(), watched.with_a_bit()), (3, 3));
        assert!(watched.fds().is_sorted_by_key(Fd::number));
    }
}
