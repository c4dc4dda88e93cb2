//! Which descriptors the two calls can watch.

use std::os::fd::AsFd;

use crate::names::{POLLIN, POLLNVAL, PollEvents};
use crate::sys::{PollFd, poll};

/// Whether `poll` can watch this descriptor: on macOS, `poll` itself is asked. It is built on kqueue, which supports
/// sockets, pipes, files and pseudo-terminals (those of Terminal, ssh and script), but not /dev/tty, /dev/null, disks
/// and directories; for those it reports `POLLNVAL`, as if the descriptor were closed (read in xnu 15.4: tty_ptmx.c,
/// spec_vnops.c, vn_kqfilter). Its `select` watches all of them. On other systems `poll` watches any descriptor.
pub fn poll_can_watch(fd: impl AsFd) -> bool {
    !cfg!(apple) || poll_accepts(fd)
}

/// Whether `poll`, asked now, accepts this descriptor.
fn poll_accepts(fd: impl AsFd) -> bool {
    // It must ask for an event: on macOS, a row that asks for nothing does not even get POLLNVAL.
    let mut rows = [PollFd::new(fd.as_fd(), POLLIN)];
    poll(&mut rows, 0).is_ok() && !rows[0].revents().contains(POLLNVAL)
}

/// `POLLRDHUP`, which reports that the peer has closed its half, where `poll` has it; nothing elsewhere.
#[cfg(any(linux, freebsd))]
pub const PEER_FINISHED: PollEvents = crate::names::POLLRDHUP;

/// `POLLRDHUP`, which reports that the peer has closed its half, where `poll` has it; nothing here.
#[cfg(not(any(linux, freebsd)))]
pub const PEER_FINISHED: PollEvents = PollEvents::NONE;

#[cfg(all(test, linux))]
mod tests {
    use std::fs::File;

    use nix::fcntl::{OFlag, open};
    use nix::sys::stat::Mode;

    use super::*;

    #[test]
    fn a_descriptor_that_poll_refuses_is_open_all_the_same() {
        let file = File::open("/dev/null").unwrap();
        assert!(poll_accepts(&file));
        // With this flag Linux's poll, too, answers an open descriptor with POLLNVAL.
        // (nix opens it: with musl, std takes this flag for a part of O_ACCMODE and drops it.)
        let place = open("/dev/null", OFlag::O_PATH, Mode::empty()).unwrap();
        assert!(!poll_accepts(&place));
        assert!(poll_can_watch(&place), "only macOS asks");
    }
}
