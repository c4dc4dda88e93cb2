//! Out-of-band data: TCP's urgent byte.

mod oob_except_clears;
mod oob_one_byte;
mod urgent_byte_stops_splice;

use super::LabGroup;
use crate::os::queues::unarrived;
use crate::sys::*;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "out-of-band",
    title: "Out-of-band data",
    labs: &[oob_one_byte::LAB, oob_except_clears::LAB, urgent_byte_stops_splice::LAB],
};

/// Waits until the peer's kernel has acknowledged everything. `poll` reports only the first urgent byte, and nothing
/// behind it. On the BSDs and macOS `TIOCOUTQ` is for terminals only, and other requests count the same bytes. On a system
/// that does not report unacknowledged bytes at all, as OpenBSD, this waits a tenth of a second.
///
/// # Errors
/// As [`poll`].
fn wait_until_taken(c: &Fd) -> Result<()> {
    let mut unacknowledged = 0;
    for _ in 0..200 {
        let asked = ioctl(c, TIOCOUTQ, &mut unacknowledged).map(|_| unacknowledged == 0);
        // Where that request is for terminals only, another way may tell.
        let Some(is_taken) = asked.ok().or_else(|| unarrived(c).map(|bytes| bytes == 0)) else {
            poll(&mut [], 100)?;
            return Ok(());
        };
        if is_taken {
            return Ok(());
        }
        poll(&mut [], 5)?;
    }
    Ok(())
}
