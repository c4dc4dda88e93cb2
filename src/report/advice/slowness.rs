//! Forty milliseconds: two small sends and a wait for the answer.

use super::subject;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::World;

pub(super) const NAGLE_DELAY: Advice = Advice {
    name: "nagle-delay",
    gist: "write, write, read: 40 milliseconds",
    means: "TCP holds the second small piece back until the first is acknowledged (Nagle's algorithm), and the peer's \
        kernel delays its acknowledgement by 40 ms, in the hope of sending it with an answer (delayed ACK). Both sides \
        are idle for that time.",
    shown_by: "Three times or more, two sends on a TCP socket without TCP_NODELAY are followed by a recv that ends between 35 and \
        60 ms later.",
    remedy: "Put the pieces into one send (or writev, or MSG_MORE for all but the last). If that is impossible, set TCP_NODELAY.",
    lab: "nagle-40ms",
    exercise: "Run it as `baresock watch --trace-duration -- COMMAND`, find the recv that takes 40 ms, join the two \
        sends, and look again.",
    cares_for: &[DidKind::Sent, DidKind::Received],
    watch,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct SlownessMemory {
    /// How many sends there were since the last receive, and when the last of them ended.
    sends: u32,
    last_sent_ns: u64,
    is_small: bool,
    /// How often the answer took its 40 ms.
    late: u32,
    first: Option<(SeenCall, SeenCall)>,
    last_send: Option<SeenCall>,
    was_told: bool,
}

/// A segment has at most this many bytes.
const SMALL: u64 = 1_448;
const DELAY_NS: std::ops::RangeInclusive<u64> = 35_000_000..=60_000_000;
const ENOUGH: u32 = 3;

fn watch(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let subject = subject(now, world);
    let socket = world.socket_mut(id);
    let is_tcp = socket.making.is_stream && socket.making.is_inet;
    if !is_tcp || socket.is_undelayed || now.event.end_ns == 0 {
        return;
    }
    let seen = &mut socket.seen.slowness;
    let Some(count) = now.count() else { return };
    if matches!(now.did, Did::Sent(_)) {
        seen.sends += 1;
        seen.last_sent_ns = now.event.end_ns;
        seen.is_small = count < SMALL;
        if seen.sends == 2 {
            seen.last_send = Some(now.mark());
        }
        return;
    }
    let delay_ns = now.event.end_ns.saturating_sub(seen.last_sent_ns);
    if seen.sends >= 2 && seen.is_small && count > 0 && DELAY_NS.contains(&delay_ns) {
        seen.late += 1;
        if let (None, Some(send)) = (&seen.first, seen.last_send.take()) {
            seen.first = Some((send, now.mark()));
        }
    }
    seen.sends = 0;
    let Some((sent, got)) = seen.first.clone().filter(|_| seen.late == ENOUGH && !seen.was_told)
    else {
        return;
    };
    seen.was_told = true;
    let says = || format!("{ENOUGH} answers came some 40 ms after the second of two small sends");
    let evidence =
        [(&sent, "the second piece"), (&got, "40 ms later"), (&now.quote(), "and again")];
    found.add(&NAGLE_DELAY, Certainty::Likely, subject, says, &evidence);
}
