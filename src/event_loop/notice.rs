//! What the program that runs the loop may want to tell a person.

use crate::addr::Address;
use crate::names::Errno;
use crate::trace::Function;

/// Something that the program that runs the loop may want to tell a person.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A connection was accepted, or made.
    Opened(&'a Address),
    /// A connection has ended in the ordinary way.
    Closed(&'a Address),
    /// A call failed, and with it the connection.
    Failed(&'a Address, Function, Errno),
    /// A file, a pipe or a terminal could not be read or written.
    FileFailed(Function, Errno),
    /// A connection could not be made.
    NotConnected {
        /// The address that was tried.
        address: &'a Address,
        /// Why.
        errno: Errno,
        /// How many other addresses are tried now.
        others: usize,
    },
    /// A connection was silent for too long.
    TimedOut(&'a Address),
    /// A peer did not read, and too many bytes were queued for it.
    TooSlow(&'a Address),
    /// Its descriptor cannot be watched: a number from FD_SETSIZE on, under `select`.
    Unwatchable(&'a Address, i32),
    /// `poll` may not be asked about so many descriptors: the newest client is closed.
    Refused(&'a Address),
    /// The wait failed, which may pass: the loop asks again after a moment.
    WaitFailed(Function, Errno),
    /// `accept` found no descriptor free, or no memory; no client is accepted until one is, or a moment has passed.
    NoDescriptor(Errno),
    /// `accept` failed otherwise; the listener goes on after a moment.
    AcceptFailed(Errno),
    /// A datagram could not be sent or received; the server goes on.
    DatagramFailed(Errno),
    /// The loop ends: this many connections still have queued bytes.
    Draining(usize),
}
