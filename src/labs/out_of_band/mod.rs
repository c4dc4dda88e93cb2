//! Out-of-band data: TCP's urgent byte.

mod oob_except_clears;
mod oob_one_byte;

use super::Group;

/// The labs of this group.
pub(super) const GROUP: Group = Group {
    name: "out-of-band",
    title: "Out-of-band data",
    labs: &[oob_one_byte::LAB, oob_except_clears::LAB],
};
