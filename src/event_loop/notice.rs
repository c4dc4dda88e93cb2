//! Messages of the loop for the person who runs the program.

use crate::addr::Address;
use crate::names::Errno;
use crate::trace::Function;

/// Something that the program may tell the person who runs it.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A connection was accepted or made.
    Opened(&'a Address),
    /// A connection has ended in the ordinary way.
    Closed(&'a Address),
    /// A call failed, which ended the connection.
    Failed(&'a Address, Function, Errno),
    /// A file, a pipe or a terminal could not be read or written.
    FileFailed(Function, Errno),
    /// A connection could not be made.
    NotConnected {
        /// The address that was tried.
        address: &'a Address,
        /// Why.
        errno: Errno,
        /// How many other addresses will be tried now.
        others: usize,
    },
    /// A socket was connected to itself: no program listens at this address.
    ConnectedToItself {
        /// The address that was tried.
        address: &'a Address,
        /// How many other addresses will be tried now.
        others: usize,
    },
    /// A connection was silent for longer than the idle timeout.
    TimedOut(&'a Address),
    /// A peer did not read, and too many bytes were queued for it.
    TooSlow(&'a Address),
    /// A connection's descriptor cannot be watched: under `select`, a number from FD_SETSIZE on.
    Unwatchable(&'a Address, i32),
    /// No pipe could be made, so the bytes of this connection are copied instead.
    NotSpliced(&'a Address, Errno),
    /// `poll` cannot watch this many descriptors: the newest client is closed.
    Refused(&'a Address),
    /// The wait failed in a way that may pass: the loop asks again after a pause.
    WaitFailed(Function, Errno),
    /// `accept` found no free descriptor, or no memory; the loop accepts no client until one is free, or a pause is
    /// over.
    NoDescriptor(Errno),
    /// `accept` failed for another reason; the listener continues after a pause.
    AcceptFailed(Errno),
    /// A datagram could not be sent or received; the server goes on.
    DatagramFailed(Errno),
    /// The loop ends: this many connections still have queued bytes, or are not yet closed.
    Draining(usize),
}
