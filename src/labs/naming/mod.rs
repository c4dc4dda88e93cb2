//! Creating and naming: what a socket is before it is connected, and what owns it.

mod drop_closes;
mod gai_fans_out;
mod listener_cannot_talk;
mod names_appear_late;
mod socketpair_talks;
mod wildcard_vs_loopback;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "naming",
    title: "Creating and naming",
    labs: &[
        names_appear_late::LAB,
        listener_cannot_talk::LAB,
        wildcard_vs_loopback::LAB,
        gai_fans_out::LAB,
        drop_closes::LAB,
        socketpair_talks::LAB,
    ],
};
