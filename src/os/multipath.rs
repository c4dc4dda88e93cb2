//! Multipath TCP, which only Linux offers through `socket`.

use crate::names::Protocol;

/// The protocol number of multipath TCP for [`socket`](crate::sys::socket); `None` where the system has no such
/// protocol. If the kernel was built without it, `socket` reports that.
#[cfg(linux)]
pub const MULTIPATH_TCP: Option<Protocol> = Some(crate::names::IPPROTO_MPTCP);

/// This system has no such protocol.
#[cfg(not(linux))]
pub const MULTIPATH_TCP: Option<Protocol> = None;
