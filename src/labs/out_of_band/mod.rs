//! Out-of-band data: TCP's urgent byte.

mod oob_except_clears;
mod oob_one_byte;

use super::LabGroup;
use crate::sys::*;

/// The labs of this group.
pub(super) const GROUP: LabGroup = LabGroup {
    name: "out-of-band",
    title: "Out-of-band data",
    labs: &[oob_one_byte::LAB, oob_except_clears::LAB],
};

/// Waits until the peer's kernel has acknowledged everything. `poll` reports only the first urgent byte, and nothing
/// behind it. On a system that does not report unacknowledged bytes, this waits a tenth of a second.
///
/// # Errors
/// As [`poll`].
fn wait_until_taken(c: &Fd) -> Result<()> {
    let mut unacknowledged = 0;
    for _ in 0..200 {
        if ioctl(c, TIOCOUTQ, &mut unacknowledged).is_err() {
            poll(&mut [], 100)?;
            return Ok(());
        }
        if unacknowledged == 0 {
            return Ok(());
        }
        poll(&mut [], 5)?;
    }
    Ok(())
}
