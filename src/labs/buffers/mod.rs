//! Blocking I/O and buffers: when a call waits, and what lies between the two ends.

mod accept_inherits;
mod blocking_or_eagain;
mod nonblock_is_shared;
mod partial_send;
mod peek_waitall_trunc;
mod rcvtimeo_not_poll;
mod recv_of_nothing;
mod send_is_a_copy;
mod sockbuf_doubling;
mod stdio_hides_readiness;
mod writable_hysteresis;
mod zero_is_three_things;

use super::LabGroup;
use crate::sys::*;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "buffers",
    title: "Blocking I/O and buffers",
    labs: &[
        blocking_or_eagain::LAB,
        send_is_a_copy::LAB,
        partial_send::LAB,
        writable_hysteresis::LAB,
        sockbuf_doubling::LAB,
        zero_is_three_things::LAB,
        peek_waitall_trunc::LAB,
        recv_of_nothing::LAB,
        nonblock_is_shared::LAB,
        accept_inherits::LAB,
        rcvtimeo_not_poll::LAB,
        stdio_hides_readiness::LAB,
    ],
};

/// Which part of `whole` bytes a call took or returned, in words.
fn share(result: Result<usize>, whole: usize) -> String {
    match result {
        Ok(0) => "nothing".to_string(),
        Ok(count) if count < whole => "a part".to_string(),
        Ok(_) => "all".to_string(),
        Err(errno) => crate::labs::prediction::Observed::words(&errno),
    }
}
