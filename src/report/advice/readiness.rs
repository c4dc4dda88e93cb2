//! Readiness that the program does not use: the wait returns at once, again and again.

use super::{is_quick, subject};
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::World;

pub(super) const EOF_IGNORED: Advice = Advice {
    name: "eof-ignored",
    gist: "recv returned 0, and is called again",
    means: "0 means that the peer has finished sending. A socket at end of file is readable, and every recv on it \
        returns 0 at once: the loop spins.",
    shown_by: "A recv on a stream returns 0. After it, recv returns 0 twice more, or three waits report the descriptor as readable.",
    remedy: "Treat 0 as the end of file: send the remaining bytes, close the descriptor, and take it out of the set. \
        To keep sending after it (half-close), stop asking for readability.",
    lab: "always-ready",
    exercise: "Write an echo loop without the test for 0, run it under `strace -c`, and count the calls in a second.",
    cares_for: &[DidKind::Received, DidKind::Ready],
    watch: watch_eof,
};

pub(super) const SPIN: Advice = Advice {
    name: "spin",
    gist: "a wait returns at once, and nothing is served",
    means: "select and poll report a state, not changes (they are level-triggered). A ready descriptor stays ready \
        until the program reads, writes or closes it; a loop that does none of these uses a whole processor.",
    shown_by: "Ten waits in a row report the same descriptor as readable, and no call is made on it in between.",
    remedy: "Serve every descriptor that the wait reports, or take it out of the set until you can serve it.",
    lab: "level-and-lowat",
    exercise: "Let the server run for a second with a client that says nothing, and count its calls with `strace -c \
        -f -p PID`: there must be none or one.",
    cares_for: &[DidKind::Ready],
    watch: watch_spin,
};

pub(super) const WRITABLE_ALWAYS_ASKED: Advice = Advice {
    name: "writable-always-asked",
    gist: "a wait for room with nothing to send",
    means: "A socket is writable nearly all the time: whenever its send buffer has room. A loop that always asks for writability never waits.",
    shown_by: "Ten waits in a row report the same descriptor as writable, and nothing is sent on it in between.",
    remedy: "Ask for writability (the second set, POLLOUT) only while you have unsent bytes, and stop when the last is sent.",
    lab: "always-ready",
    exercise: "Compare with `baresock serve echo --via poll --trace`: it asks for POLLOUT only while bytes wait to be \
        sent.",
    cares_for: &[DidKind::Ready, DidKind::Sent, DidKind::Connected],
    watch: watch_writable,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct ReadinessMemory {
    again: u32,
    ready_after_end: u32,
    end_was_told: bool,
    /// How often it was reported readable and not served.
    unserved: u32,
    first_unserved: Option<SeenCall>,
    last_ready: u64,
    /// How often it was reported writable and nothing was sent.
    unsent: u32,
    first_unsent: Option<SeenCall>,
}

/// From this many times in a row on, it is not an accident.
const ENOUGH: u32 = 10;
/// If more time than this passes between two of them, the program does something else.
const MOST_US: u64 = 10_000;

fn watch_eof(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let socket = world.socket_mut(id);
    let Some(end) = &socket.peer_finished else { return };
    let seen = &mut socket.seen.readiness;
    match now.did {
        Did::Received(moved) if now.count() == Some(0) && moved.asked != Some(0) => seen.again += 1,
        Did::Ready(ready) if ready.read => seen.ready_after_end += 1,
        _ => return,
    }
    if seen.end_was_told || (seen.again < 2 && seen.ready_after_end < 3) {
        return;
    }
    seen.end_was_told = true;
    let end = end.clone();
    let says = || "the peer has finished, and the descriptor is still read or watched".to_string();
    let evidence = [(&end, "the peer has finished"), (&now.quote(), "and is asked again")];
    found.add(&EOF_IGNORED, Certainty::Certain, subject(now, world), says, &evidence);
}

fn watch_spin(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let (Did::Ready(ready), Some(id)) = (now.did, now.socket) else { return };
    let socket = world.socket_mut(id);
    let touched = socket.touched;
    let is_over = socket.peer_finished.is_some();
    let seen = &mut socket.seen.readiness;
    let was_served = touched > seen.last_ready;
    seen.last_ready = now.line;
    if was_served || is_over || !(ready.read || ready.trouble) {
        seen.unserved = 0;
        return;
    }
    seen.unserved += 1;
    if seen.unserved == 1 {
        seen.first_unserved = Some(now.mark());
    }
    let Some(first) = seen.first_unserved.clone().filter(|_| seen.unserved == ENOUGH) else {
        return;
    };
    if !is_quick(&first, &now.mark(), ENOUGH.into(), MOST_US) {
        seen.unserved = 0;
        return;
    }
    let says = || format!("{ENOUGH} waits in a row reported it as ready, and it was not served");
    let evidence = [(&first, "ready, and not served"), (&now.quote(), "still ready")];
    found.add(&SPIN, Certainty::Certain, subject(now, world), says, &evidence);
}

fn watch_writable(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let seen = &mut world.socket_mut(id).seen.readiness;
    match now.did {
        // An edge-triggered wait reports writability together with other events.
        Did::Ready(ready) if ready.write && !ready.read && !ready.trouble => seen.unsent += 1,
        Did::Ready(_) => return,
        _ => {
            seen.unsent = 0;
            return;
        }
    }
    if seen.unsent == 1 {
        seen.first_unsent = Some(now.mark());
    }
    let Some(first) = seen.first_unsent.clone().filter(|_| seen.unsent == ENOUGH) else { return };
    if !is_quick(&first, &now.mark(), ENOUGH.into(), MOST_US) {
        seen.unsent = 0;
        return;
    }
    let says = || format!("{ENOUGH} waits in a row reported it as writable, and nothing was sent");
    let evidence = [(&first, "writable, with nothing to send"), (&now.quote(), "and again")];
    found.add(&WRITABLE_ALWAYS_ASKED, Certainty::Certain, subject(now, world), says, &evidence);
}
