//! One connection: the bytes received and not yet used, the bytes queued and not yet sent, and which half is closed. An
//! idle connection holds no memory for either.
//!
//! The descriptors ([`Ends`]) are kept apart from the rest ([`Conn`]): the loop walks over all descriptors in each
//! turn, and looks at the rest only where something happens.

mod ends;
mod owed;
mod part;
mod pipe;
mod receiving;
mod sending;
#[cfg(test)]
mod tests;

use crate::addr::Address;
use crate::os::receiving::PassedDescriptors;

pub use ends::{Ends, FileEnd, Files};
pub use part::FilePart;
pub use pipe::SplicePipe;
pub use receiving::{Incoming, ReceivingHalf};
pub use sending::SendingHalf;

/// Everything about a connection but its descriptors.
#[derive(Debug, Default)]
pub struct Conn {
    /// The receiving half.
    pub receiving: ReceivingHalf,
    /// The sending half.
    pub sending: SendingHalf,
}

impl Conn {
    /// A connection with this peer.
    pub fn with(peer: &Address) -> Self {
        Self::where_passed(PassedDescriptors::HERE, peer)
    }

    /// A connection with this peer, on a system that treats passed descriptors so.
    fn where_passed(passed: PassedDescriptors, peer: &Address) -> Self {
        let receiving = if passed.can_fill_the_table(peer) {
            ReceivingHalf::that_closes_passed()
        } else {
            ReceivingHalf::default()
        };
        Self { receiving, ..Self::default() }
    }

    /// How many bytes are queued and not yet sent.
    #[inline]
    pub fn owed(&self) -> usize {
        self.sending.owed()
    }
}
