//! Framing: TCP carries bytes; both sides must agree where a message ends.

mod header_splits;
mod no_message_boundaries;
mod one_slow_client;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "framing",
    title: "Framing",
    labs: &[no_message_boundaries::LAB, header_splits::LAB, one_slow_client::LAB],
};
