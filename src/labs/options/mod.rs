//! IPv6, options, limits.

mod backlog_n_plus_1;
mod dual_stack;
mod nagle_40ms;
mod old_options;
mod reuseport_and_self;
mod what_std_hides;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "options",
    title: "IPv6, options, limits",
    labs: &[
        dual_stack::LAB,
        nagle_40ms::LAB,
        reuseport_and_self::LAB,
        backlog_n_plus_1::LAB,
        old_options::LAB,
        what_std_hides::LAB,
    ],
};
