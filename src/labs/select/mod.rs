//! `select`: what it does to its sets and its timeout, and what it cannot report.

mod always_ready;
mod bad_fd_poisons_select;
mod exceptfds_is_not_errors;
mod fdsetsize_overflow;
mod nfds_and_count;
mod select_as_sleep;
mod select_eats_its_sets;
mod timeout_mutates;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "select",
    title: "select",
    labs: &[
        select_eats_its_sets::LAB,
        timeout_mutates::LAB,
        nfds_and_count::LAB,
        bad_fd_poisons_select::LAB,
        fdsetsize_overflow::LAB,
        exceptfds_is_not_errors::LAB,
        always_ready::LAB,
        select_as_sleep::LAB,
    ],
};
