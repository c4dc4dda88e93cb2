//! Connect and accept: how a connection comes about, or does not.

mod accept_after_rst;
mod connect_says_eagain;
mod nb_connect_ok;
mod nb_connect_refused;
mod pending_and_eintr;
mod syn_sent_again;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "connecting",
    title: "Connect and accept",
    labs: &[
        nb_connect_ok::LAB,
        nb_connect_refused::LAB,
        pending_and_eintr::LAB,
        connect_says_eagain::LAB,
        syn_sent_again::LAB,
        accept_after_rst::LAB,
    ],
};
