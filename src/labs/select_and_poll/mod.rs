//! `select` against `poll`: what only one of them can report, what both miss, and what each costs.

mod close_under_wait;
mod cost_is_the_highest_fd;
mod hup_maps_to_r;
mod poll_in_tiers;
mod readable_but_recv_blocks;
mod readiness_is_a_hint;
mod stopped_while_waiting;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "select-and-poll",
    title: "select against poll",
    labs: &[
        hup_maps_to_r::LAB,
        close_under_wait::LAB,
        readiness_is_a_hint::LAB,
        readable_but_recv_blocks::LAB,
        cost_is_the_highest_fd::LAB,
        poll_in_tiers::LAB,
        stopped_while_waiting::LAB,
    ],
};
