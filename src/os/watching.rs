//! Which descriptors the two calls can watch.

use std::os::fd::AsFd;

use crate::names::PollEvents;

/// Whether `poll` can watch this descriptor: on macOS, `poll` itself is asked. It is built on kqueue, which supports
/// sockets, pipes, files and pseudo-terminals (those of Terminal, ssh and script), but not /dev/tty, /dev/null, disks
/// and directories; for those it reports `POLLNVAL`, as if the descriptor were closed (read in xnu 15.4: tty_ptmx.c,
/// spec_vnops.c, vn_kqfilter). Its `select` watches all of them.
#[cfg(apple)]
pub fn poll_can_watch(fd: impl AsFd) -> bool {
    use crate::names::{POLLIN, POLLNVAL};
    use crate::sys::{PollFd, poll};
    // It must ask for an event: there, a row that asks for nothing does not even get POLLNVAL.
    let mut rows = [PollFd::new(fd.as_fd(), POLLIN)];
    poll(&mut rows, 0).is_ok() && !rows[0].revents().contains(POLLNVAL)
}

/// Whether `poll` can watch this descriptor: here it can watch any.
#[cfg(not(apple))]
pub fn poll_can_watch(_fd: impl AsFd) -> bool {
    true
}

/// `POLLRDHUP`, which reports that the peer has closed its half, where `poll` has it; nothing elsewhere.
#[cfg(any(linux, freebsd))]
pub const PEER_FINISHED: PollEvents = crate::names::POLLRDHUP;

/// `POLLRDHUP`, which reports that the peer has closed its half, where `poll` has it; nothing here.
#[cfg(not(any(linux, freebsd)))]
pub const PEER_FINISHED: PollEvents = PollEvents::NONE;
