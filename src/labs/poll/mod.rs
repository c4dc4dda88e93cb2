//! `poll`: what its results mean, state by state.

mod level_and_lowat;
mod poll_array_rules;
mod readiness_matrix;
mod tty_readiness;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "poll",
    title: "poll",
    labs: &[readiness_matrix::LAB, poll_array_rules::LAB, level_and_lowat::LAB, tty_readiness::LAB],
};
