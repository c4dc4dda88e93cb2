//! UDP: messages, without guarantees.

mod datagram_truncation;
mod udp_connect_filters;
mod udp_drops_silently;
mod udp_refused_later;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "udp",
    title: "UDP",
    labs: &[
        udp_refused_later::LAB,
        datagram_truncation::LAB,
        udp_drops_silently::LAB,
        udp_connect_filters::LAB,
    ],
};
