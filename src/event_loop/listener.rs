//! A listener: it only makes other sockets.

use std::time::{Duration, Instant};

use crate::addr::Address;
use crate::events::ServiceId;
use crate::names::Errno;
use crate::os::accepting::accept_nonblocking;
use crate::sys::{BorrowedFd, Fd};

/// The most that one listener accepts in one turn; the rest wait for the next. (Only listeners are emptied: a stream gets
/// one receive in each turn, and would cost a call more to find that nothing is left.)
pub(super) const ACCEPTS_PER_TURN: usize = 256;

/// After EMFILE, how long until accepting is tried again even if no connection of ours has ended: a descriptor may
/// have become free elsewhere.
pub(super) const REST: Duration = Duration::from_secs(1);

/// A listener in the loop.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) service: ServiceId,
    /// No descriptor was left: not before this moment.
    pub(super) rests_until: Option<Instant>,
}

/// What has come of an `accept`.
#[derive(Debug)]
pub(super) enum Accepted {
    /// A client.
    Client(Fd, Address),
    /// The queue is empty.
    NoMore,
    /// This client has gone; the next one in the queue is not to blame.
    Gone,
    /// No descriptor is left, or no memory. The connection stays in the queue and the listener stays ready: asking on
    /// would spin. (macOS and gVisor drop the connection, and asking on would drop the next one.)
    NoDescriptor(Errno),
    /// Another error. Whatever it is, it may be so again at once.
    Failed(Errno),
}

/// Accepts once.
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

/// The client has gone in the meantime, or the network has spoiled its connection (Linux tells such errors here), or a
/// signal came. The next one in the queue is not to blame, and does not wait.
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
