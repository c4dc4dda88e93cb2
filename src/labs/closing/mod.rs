//! Closing: what each side learns of it, and when.

mod cloexec_is_not_copied;
mod close_is_refcount;
mod half_close;
mod linger_blocks_close;
mod linger_zero;
mod multipath_hides_close;
mod rst_on_unread;
mod shut_rd_is_local;
mod silent_death;
mod write_after_fin;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "closing",
    title: "Closing",
    labs: &[
        write_after_fin::LAB,
        rst_on_unread::LAB,
        half_close::LAB,
        shut_rd_is_local::LAB,
        close_is_refcount::LAB,
        cloexec_is_not_copied::LAB,
        linger_zero::LAB,
        linger_blocks_close::LAB,
        silent_death::LAB,
        multipath_hides_close::LAB,
    ],
};
