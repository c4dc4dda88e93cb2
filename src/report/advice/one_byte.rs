//! A call for each byte.

use super::subject;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::{SocketRole, World};

pub(super) const ONE_BYTE_IO: Advice = Advice {
    name: "one-byte-io",
    gist: "a call for each byte",
    means: "Each call enters the kernel and returns, which costs as much for one byte as for thousands.",
    shown_by: "64 calls in a row on one socket ask for a single byte.",
    remedy: "Receive into a buffer of a few kilobytes, and search it for the end of the line. Collect the bytes to \
        send, and send them with one call.",
    lab: "no-message-boundaries",
    exercise: "Count the calls for one message with `strace -c`, before and after.",
    cares_for: &[DidKind::Received, DidKind::Sent],
    watch,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct OneByteMemory {
    receives: u32,
    sends: u32,
    first: Option<SeenCall>,
}

const ENOUGH: u32 = 64;

fn watch(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let (Some(id), Some(_)) = (now.socket, now.count()) else { return };
    let subject = subject(now, world);
    let socket = world.socket_mut(id);
    // One byte through a pair wakes a loop.
    if socket.role == SocketRole::Paired || socket.making.is_datagram {
        return;
    }
    let seen = &mut socket.seen.one_byte;
    let (count, asked) = match now.did {
        Did::Received(moved) => {
            seen.sends = 0;
            (&mut seen.receives, moved.asked)
        }
        Did::Sent(moved) => {
            seen.receives = 0;
            (&mut seen.sends, moved.asked)
        }
        _ => return,
    };
    if asked != Some(1) {
        *count = 0;
        return;
    }
    *count += 1;
    let count = *count;
    if count == 1 {
        seen.first = Some(now.mark());
    }
    let Some(first) = seen.first.clone().filter(|_| count == ENOUGH) else { return };
    let says = || format!("{ENOUGH} calls in a row moved one byte each");
    let evidence = [(&first, "one byte"), (&now.quote(), "and one more")];
    found.add(&ONE_BYTE_IO, Certainty::Certain, subject, says, &evidence);
}
