//! Byte order and addresses: numbers on the wire, and the structures that carry an address.

mod forgot_htons;
mod inet_aton_traps;
mod int_on_the_wire;
mod sockaddr_layout;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "byte-order",
    title: "Byte order and addresses",
    labs: &[forgot_htons::LAB, int_on_the_wire::LAB, inet_aton_traps::LAB, sockaddr_layout::LAB],
};
