//! A header that arrived in two pieces and was used after the first.

use super::subject;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::World;

pub(super) const SHORT_RECV_AS_MESSAGE: Advice = Advice {
    name: "short-recv-as-message",
    gist: "a part of a message was used as the whole",
    means: "A stream has no messages: recv returns the bytes that have arrived so far. A reader that asks for a header \
        of four bytes and does not check the result may use two bytes, and two old bytes of the buffer, as a length.",
    shown_by: "A recv of a few bytes returns fewer. The next recv on the descriptor does not ask for exactly the \
        missing ones, but for another number.",
    remedy: "Call recv until the header is complete, asking each time for the missing bytes; then until the body is. \
        Or append all bytes to a buffer and take whole messages from its front.",
    lab: "header-splits",
    exercise: "Write a client for `baresock serve framed`, and let `--inject recv:chunk=1` give it one byte at a time.",
    cares_for: &[DidKind::Received],
    watch,
};

/// The most bytes of a header.
const LONGEST_HEADER: u64 = 16;

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct MessagesMemory {
    /// The length of the headers of this connection, once one was followed by a recv of the length that it gives.
    header: Option<u64>,
    /// The last complete header: its length, and the lengths that its bytes could mean.
    last: Option<(u64, [u64; 2])>,
    /// The last recv that returned less than it asked for, and what it asked for.
    short: Option<(SeenCall, u64, u64)>,
}

fn watch(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let (Did::Received(moved), Some(id)) = (now.did, now.socket) else { return };
    let Some(asked) = moved.asked else { return };
    let socket = world.socket_mut(id);
    if socket.making.is_datagram || !moved.flags.without(crate::names::MSG_NOSIGNAL).bits().eq(&0) {
        return;
    }
    let seen = &mut socket.seen.messages;
    let short = seen.short.take();
    let last = seen.last.take();
    let Some(got) = now.count().filter(|got| *got > 0) else {
        seen.short = short.filter(|_| now.failed(crate::names::Errno::EAGAIN));
        return;
    };
    let is_body = last.is_some_and(|(_, lengths)| lengths.contains(&asked));
    if let (true, Some((header, _))) = (is_body, last) {
        seen.header = Some(header);
    }
    let header = seen.header;
    if got < asked && (asked <= LONGEST_HEADER || is_body) {
        // Recorded for a body whose header was read before it.
        seen.short = Some((now.quote(), asked, got));
    } else if let Some(bytes) = moved.bytes.filter(|_| got == asked) {
        seen.last = lengths(&bytes.shown).map(|lengths| (asked, lengths));
    }
    let Some((mark, wanted, had)) = short else { return };
    if asked == wanted - had {
        return;
    }
    let certainty = match header {
        // A header that was used, or a body that was taken for complete.
        Some(header) if wanted == header || asked == header => Certainty::Certain,
        None if matches!(wanted, 2 | 4 | 8) && asked != wanted => Certainty::Perhaps,
        _ => return,
    };
    let missing = wanted - had;
    let says = || format!("{had} of {wanted} bytes were used as a message; {missing} came later");
    let then = format!("it does not ask for the {missing} missing bytes");
    let evidence = [(&mark, "only a part"), (&now.quote(), &then[..])];
    found.add(&SHORT_RECV_AS_MESSAGE, certainty, subject(now, world), says, &evidence);
}

/// The lengths that a header of two, four or eight bytes could mean.
fn lengths(bytes: &[u8]) -> Option<[u64; 2]> {
    if !matches!(bytes.len(), 2 | 4 | 8) {
        return None;
    }
    let number = |all: &mut dyn Iterator<Item = &u8>| {
        all.fold(0, |number: u64, byte| number << 8 | u64::from(*byte))
    };
    let both = [number(&mut bytes.iter()), number(&mut bytes.iter().rev())];
    both.iter().any(|length| *length > 0).then_some(both)
}
