//! What touches the system and is not the subject: limits on descriptors, states and queues of TCP, which
//! thread this is. Safe wrappers of others serve here, so there is no `unsafe`.

pub mod accepting;
pub mod descriptors;
pub mod identity;
pub mod keepalive;
pub mod limits;
pub mod naming;
pub mod sending;
pub mod signals;
pub mod sigpipe;
pub mod system;
pub mod watching;
