//! One connection: what came in and is not yet used, what must go out and is not yet sent, and which half is
//! closed. An idle connection holds no memory for either.
//!
//! The descriptors ([`Ends`]) stand apart from the rest ([`Conn`]): the loop walks over all descriptors each turn,
//! and over the rest only where something happens.

mod ends;
mod owed;
mod part;
mod receiving;
mod sending;
#[cfg(test)]
mod tests;

use crate::addr::Address;
use crate::os::receiving::RECV_KEEPS_DESCRIPTORS;

pub use ends::{Ends, FileEnd, Files};
pub use part::FilePart;
pub use receiving::{Incoming, ReceivingHalf};
pub use sending::SendingHalf;

/// Everything about a connection but its descriptors.
#[derive(Debug, Default)]
pub struct Conn {
    /// What came in.
    pub receiving: ReceivingHalf,
    /// What must go out.
    pub sending: SendingHalf,
}

impl Conn {
    /// A connection with this peer.
    pub fn with(peer: &Address) -> Self {
        let receiving = match peer {
            Address::Unix(_) if RECV_KEEPS_DESCRIPTORS => ReceivingHalf::that_closes_passed(),
            _ => ReceivingHalf::default(),
        };
        Self { receiving, ..Self::default() }
    }

    /// How many bytes are still to be sent.
    #[inline]
    pub fn owed(&self) -> usize {
        self.sending.owed()
    }
}
