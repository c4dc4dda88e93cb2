//! A listener: its only readiness is a client that waits, and all it does is accept.

use std::time::{Duration, Instant};

use crate::addr::Address;
use crate::events::ServiceId;
use crate::names::Errno;
use crate::os::accepting::accept_nonblocking;
use crate::sys::{BorrowedFd, Fd};

/// The most clients that one listener accepts in one turn; the rest wait for the next turn. (Only listeners are emptied
/// in this way: a stream gets one receive in each turn, because finding that nothing is left costs a call more.)
pub(super) const ACCEPTS_PER_TURN: usize = 256;

/// After EMFILE, how long to wait before accepting again although no connection of ours has ended: another part of the
/// process may have freed a descriptor.
pub(super) const REST: Duration = Duration::from_secs(1);

/// A listener in the loop.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) service: ServiceId,
    /// Whether it belongs to the observer: then the limits for clients do not apply.
    pub(super) is_observers: bool,
    /// No descriptor was free: do not accept before this moment.
    pub(super) rests_until: Option<Instant>,
}

/// The result of an `accept`.
#[derive(Debug)]
pub(super) enum Accepted {
    Client(Fd, Address),
    /// The queue is empty.
    NoMore,
    /// This client has gone; the next one in the queue is not affected.
    Gone,
    /// No descriptor is free, or no memory. The connection stays in the queue and the listener stays ready, so
    /// accepting again at once would spin. (macOS and gVisor drop the connection; accepting again would drop the next
    /// one.)
    NoDescriptor(Errno),
    /// Another error, which may come again at once.
    Failed(Errno),
}

/// Calls `accept` once.
pub(super) fn accept_one(listener: BorrowedFd<'_>) -> Accepted {
    match accept_nonblocking(listener) {
        Ok((fd, peer)) => Accepted::Client(fd, peer),
        Err(Errno::EAGAIN) => Accepted::NoMore,
        Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM)) => {
            Accepted::NoDescriptor(errno)
        }
        Err(errno) if is_of_the_client(errno) => Accepted::Gone,
        Err(errno) => Accepted::Failed(errno),
    }
}

/// The client has gone in the meantime, or the network has broken its connection (Linux reports such errors here), or a
/// signal came. The next client in the queue is not affected and must not wait.
fn is_of_the_client(errno: Errno) -> bool {
    const ITS: [Errno; 7] = [
        Errno::EINTR,
        Errno::ECONNABORTED,
        Errno::EPROTO,
        Errno::ENETDOWN,
        Errno::ENETUNREACH,
        Errno::EHOSTDOWN,
        Errno::EHOSTUNREACH,
    ];
    ITS.contains(&errno)
}
