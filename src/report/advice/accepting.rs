//! accept at the limit of descriptors, and accept that blocks although select reported readiness.

use super::{is_quick, subject};
use crate::names::Errno;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::World;

pub(super) const ACCEPT_EMFILE_SPIN: Advice = Advice {
    name: "accept-emfile-spin",
    gist: "accept fails with EMFILE again and again",
    means: "The client stays in the queue, so the listener stays ready, and select or poll returns at once: the loop \
        spins and can do nothing until a descriptor is free. macOS and gVisor drop the client instead.",
    shown_by: "accept fails five times in a row with EMFILE or ENFILE, and the process closes no descriptor in between.",
    remedy: "Take the listener out of the set until a connection has been closed or a moment has passed. Raise the \
        soft limit with setrlimit, and limit the number of clients below it.",
    lab: "emfile-accept-spin",
    exercise: "Run `baresock serve echo --nofile 16 --trace`, connect twenty clients, and see how it pauses.",
    cares_for: &[DidKind::Accepted],
    watch: watch_emfile,
};

pub(super) const BLOCKING_ACCEPT_AFTER_SELECT: Advice = Advice {
    name: "blocking-accept-after-select",
    gist: "select reported a client, but accept blocks",
    means: "Readiness is a hint. Between select and accept another process may take the client, or the client may \
        disconnect; a blocking accept then waits for the next client, and all other clients wait too.",
    shown_by: "select or poll reports a blocking listener as ready, and the next accept takes 50 milliseconds or \
        longer, or does not return.",
    remedy: "Make the listener non-blocking (O_NONBLOCK), and treat EAGAIN from accept as an empty queue.",
    lab: "readiness-is-a-hint",
    exercise: "Let two processes wait for one listener with select and accept from it, connect one client, and see \
        which call the other process is in.",
    cares_for: &[DidKind::Ready, DidKind::Accepted],
    watch: watch_blocking,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct AcceptingMemory {
    count: u32,
    first: Option<SeenCall>,
    at_close: u64,
    /// The processes that were told that a client waits.
    ready: Vec<(u32, SeenCall)>,
    was_told: bool,
}

const ENOUGH: u32 = 5;
const MOST_US: u64 = 100_000;
/// An accept that takes this long has waited.
const WAITED_US: u64 = 50_000;

fn watch_emfile(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let subject = subject(now, world);
    let closes = world.process(now.process).closes;
    let seen = &mut world.socket_mut(id).seen.accepting;
    if !(now.failed(Errno::EMFILE) || now.failed(Errno::ENFILE)) {
        // An EAGAIN in between shows that the queue was emptied.
        seen.count = 0;
        return;
    }
    if seen.count == 0 || seen.at_close != closes {
        (seen.count, seen.at_close, seen.first) = (0, closes, Some(now.quote()));
    }
    seen.count += 1;
    let Some(first) = seen.first.clone().filter(|_| seen.count == ENOUGH) else { return };
    if !is_quick(&first, &now.mark(), ENOUGH.into(), MOST_US) {
        seen.count = 0;
        return;
    }
    let says = || {
        format!("accept failed {ENOUGH} times in a row, and no descriptor was closed in between")
    };
    let evidence = [(&first, "no descriptor is free"), (&now.quote(), "and still none")];
    found.add(&ACCEPT_EMFILE_SPIN, Certainty::Certain, subject, says, &evidence);
}

fn watch_blocking(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket.filter(|id| world.socket(*id).is_listener()) else { return };
    let subject = subject(now, world);
    let socket = world.socket_mut(id);
    let may_wait = socket.file.nonblocking != Some(true);
    let seen = &mut socket.seen.accepting;
    let told = seen.ready.iter().position(|(pid, _)| *pid == subject.0);
    let ready = told.map(|at| seen.ready.swap_remove(at).1);
    match now.did {
        Did::Ready(ready) if ready.read && may_wait => seen.ready.push((subject.0, now.mark())),
        Did::Accepted(..) => {
            let waited = now.is_unfinished() || now.took_us().is_some_and(|us| us >= WAITED_US);
            let Some(ready) = ready.filter(|_| may_wait && waited && !seen.was_told) else {
                return;
            };
            seen.was_told = true;
            let says = || match now.took_us() {
                Some(us) => {
                    format!("accept blocked for {} ms: the queue was empty", us / 1_000)
                }
                None => "accept blocks: the queue is empty".to_string(),
            };
            let evidence = [(&ready, "the listener is ready"), (&now.quote(), "but accept blocks")];
            let advice = &BLOCKING_ACCEPT_AFTER_SELECT;
            found.add(advice, Certainty::Certain, subject, says, &evidence);
        }
        _ => {}
    }
}
