//! Multipath TCP, which only Linux offers through `socket`.

use crate::names::Protocol;

/// The protocol of multipath TCP for [`socket`](crate::sys::socket); none where the system has no such protocol. A kernel may
/// have been built without it, and then `socket` says so.
#[cfg(linux)]
pub const MULTIPATH_TCP: Option<Protocol> = Some(crate::names::IPPROTO_MPTCP);

/// This system has no such protocol.
#[cfg(not(linux))]
pub const MULTIPATH_TCP: Option<Protocol> = None;
