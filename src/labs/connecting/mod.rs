//! Connect and accept: how a connection comes about, or does not.

mod accept_after_rst;
mod nb_connect_ok;
mod nb_connect_refused;
mod pending_and_eintr;

use super::LabGroup;

/// The labs of this group.
pub(super) const GROUP: LabGroup = LabGroup {
    name: "connecting",
    title: "Connect and accept",
    labs: &[
        nb_connect_ok::LAB,
        nb_connect_refused::LAB,
        pending_and_eintr::LAB,
        accept_after_rst::LAB,
    ],
};
