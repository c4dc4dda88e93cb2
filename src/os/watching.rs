//! What the two calls can watch.

use std::os::fd::AsFd;

use crate::names::PollEvents;

/// Whether `poll` can watch this descriptor. macOS's poll(2) knows no devices, terminals among them: it answers
/// `POLLNVAL`, as if the descriptor were not open. Its `select` does.
#[cfg(apple)]
pub fn poll_can_watch(fd: impl AsFd) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let copy = fd.as_fd().try_clone_to_owned().map(std::fs::File::from);
    let kind = copy.and_then(|file| file.metadata()).map(|metadata| metadata.file_type());
    !kind.is_ok_and(|kind| kind.is_char_device() || kind.is_block_device())
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
