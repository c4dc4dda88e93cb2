//! Closing: who is told what, and when.

mod half_close;

use super::Group;

/// The labs of this group.
pub(super) const GROUP: Group =
    Group { name: "closing", title: "Closing", labs: &[half_close::LAB] };
