//! Errors and signals.

mod eintr_despite_sa_restart;
mod eintr_without_handler;
mod emfile_accept_spin;
mod signal_race;
mod sigpipe_or_not;
mod time_wait_bind;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "errors",
    title: "Errors and signals",
    labs: &[
        eintr_despite_sa_restart::LAB,
        eintr_without_handler::LAB,
        signal_race::LAB,
        sigpipe_or_not::LAB,
        time_wait_bind::LAB,
        emfile_accept_spin::LAB,
    ],
};
