//! What the two calls can watch.

use std::os::fd::AsFd;

use crate::names::PollEvents;

/// Whether `poll` can watch this descriptor: macOS's is asked. It is made of kqueue, which knows sockets, pipes, files and
/// pseudo-terminals (those of Terminal, ssh and script), but not /dev/tty, /dev/null, disks and directories; those it
/// answers with `POLLNVAL`, as if the descriptor were not open (read in xnu 15.4: tty_ptmx.c, spec_vnops.c, vn_kqfilter).
/// Its `select` watches them all.
#[cfg(apple)]
pub fn poll_can_watch(fd: impl AsFd) -> bool {
    use crate::names::{POLLIN, POLLNVAL};
    use crate::sys::{PollFd, poll};
    // Asked for something: a row that asks for nothing is not even told POLLNVAL there.
    let mut rows = [PollFd::new(fd.as_fd(), POLLIN)];
    poll(&mut rows, 0).is_ok() && !rows[0].revents().contains(POLLNVAL)
}

/// Whether `poll` can watch this descriptor: here it can watch any.
#[cfg(not(apple))]
pub fn poll_can_watch(_fd: impl AsFd) -> bool {
    true
}

/// `POLLRDHUP`, which tells that the peer has finished sending, where `poll` can be asked for it; nothing elsewhere.
#[cfg(any(linux, freebsd))]
pub const PEER_FINISHED: PollEvents = crate::names::POLLRDHUP;

/// `POLLRDHUP`, which tells that the peer has finished sending, where `poll` can be asked for it; nothing here.
#[cfg(not(any(linux, freebsd)))]
pub const PEER_FINISHED: PollEvents = PollEvents::NONE;
