//! A call that blocks on one client while other clients wait for the program.

use super::subject;
use crate::names::MSG_DONTWAIT;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings, Subject};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::{SocketId, SocketRole, World};

pub(super) const ONE_CLIENT_BLOCKS_ALL: Advice = Advice {
    name: "one-client-blocks-all",
    gist: "a call blocks on one client, so all others wait",
    means: "A blocking recv waits until this client sends, a blocking send until it reads. In the meantime the thread \
        serves no other client: one slow or malicious client stops them all.",
    shown_by: "A recv or send on an accepted connection takes 100 milliseconds or longer, or does not return, in a \
        thread that serves other clients as well; and its next calls find another client waiting.",
    remedy: "Make every connection non-blocking, and wait for all of them with select or poll. Keep an incomplete \
        message in a buffer until the rest arrives.",
    lab: "one-slow-client",
    exercise: "Connect a client that says nothing (`baresock connect ADDR`), then a second one: the second must be \
        answered at once.",
    cares_for: &[
        DidKind::Sent,
        DidKind::Received,
        DidKind::Accepted,
        DidKind::Ready,
        DidKind::Waited,
    ],
    watch,
};

/// What this advice remembers about a thread.
#[derive(Debug, Default)]
pub(in crate::report) struct BlockingMemory {
    /// The clients that it served last.
    served: [Option<SocketId>; 4],
    next: usize,
    /// A call that took long, and the client that it was for.
    waited: Option<(SeenCall, SocketId, Subject)>,
    was_told: bool,
}

const LONG_US: u64 = 100_000;
/// A call that takes no longer found bytes there.
const AT_ONCE_US: u64 = 1_000;

fn watch(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let subject = subject(now, world);
    let Some(caller) = world.caller_mut() else { return };
    let waited = caller.seen.blocking.waited.clone();
    match now.did {
        Did::Ready(_) => {
            let Some((mark, id, of)) = waited else { return };
            if now.socket.is_some_and(|ready| ready != id) && at_once(now) {
                tell(now, world, found, &mark, of, Certainty::Certain);
            }
        }
        Did::Waited(_) => caller.seen.blocking.waited = None,
        Did::Accepted(..) => {
            caller.seen.blocking.waited = None;
            if let Some(made) = now.made {
                serve(world, made);
            }
            if let Some((mark, _, of)) = waited.filter(|_| now.made.is_some() && at_once(now)) {
                tell(now, world, found, &mark, of, Certainty::Likely);
            }
        }
        Did::Sent(moved) | Did::Received(moved) => {
            let Some(id) = now.socket else { return };
            let is_receive = matches!(now.did, Did::Received(_));
            // A broadcast to other clients in between does not show which client waits.
            if let Some((mark, blocked, of)) = waited.as_ref().filter(|_| is_receive) {
                caller.seen.blocking.waited = None;
                let got_some = now.count().is_some_and(|count| count > 0);
                if *blocked != id && is_client(world, id) && got_some && at_once(now) {
                    tell(now, world, found, mark, *of, Certainty::Certain);
                }
            }
            moved_bytes(now, world, found, id, moved.flags.contains(MSG_DONTWAIT), subject);
        }
        _ => {}
    }
}

fn is_client(world: &World, id: SocketId) -> bool {
    world.socket(id).role == SocketRole::Accepted
}

fn at_once(now: &Moment<'_>) -> bool {
    now.took_us().is_some_and(|us| us < AT_ONCE_US)
}

/// Records that the present thread serves this client, and whether it serves others, too.
fn serve(world: &mut World, id: SocketId) -> bool {
    let Some(caller) = world.caller_mut() else { return false };
    let seen = &mut caller.seen.blocking;
    if !seen.served.contains(&Some(id)) {
        seen.served[seen.next] = Some(id);
        seen.next = (seen.next + 1) % seen.served.len();
    }
    let others = seen.served.into_iter().flatten().filter(|other| *other != id);
    others.into_iter().any(|other| is_client(world, other))
}

fn moved_bytes(
    now: &Moment<'_>,
    world: &mut World,
    found: &mut Findings,
    id: SocketId,
    does_not_wait: bool,
    subject: Subject,
) {
    if !is_client(world, id) {
        return;
    }
    let may_wait = !does_not_wait && world.socket(id).file.nonblocking != Some(true);
    let serves_others = serve(world, id);
    if !may_wait {
        return;
    }
    if now.is_unfinished() {
        if serves_others {
            let mark = now.quote();
            tell(now, world, found, &mark, subject, Certainty::Likely);
        }
        return;
    }
    let is_long = now.took_us().is_some_and(|us| us >= LONG_US);
    // At the end of a stream the client may be the next one, too.
    let moved_some = now.count().is_some_and(|count| count > 0);
    if is_long
        && moved_some
        && let Some(caller) = world.caller_mut()
    {
        caller.seen.blocking.waited = Some((now.quote(), id, subject));
    }
}

fn tell(
    now: &Moment<'_>,
    world: &mut World,
    found: &mut Findings,
    mark: &SeenCall,
    subject: Subject,
    certainty: Certainty,
) {
    let Some(caller) = world.caller_mut() else { return };
    caller.seen.blocking.waited = None;
    if std::mem::replace(&mut caller.seen.blocking.was_told, true) {
        return;
    }
    let took_ms = mark.end_ns.saturating_sub(mark.begin_ns) / 1_000_000;
    let last = now.quote();
    if now.is_unfinished() {
        let says = || "the call blocks on one client, and others are open".to_string();
        let evidence = [(mark, "it has not returned")];
        found.add(&ONE_CLIENT_BLOCKS_ALL, certainty, subject, says, &evidence);
        return;
    }
    let says =
        || format!("the call blocked for {took_ms} ms on one client while another was waiting");
    let evidence = [(mark, "it waits"), (&last, "another client was already waiting")];
    found.add(&ONE_CLIENT_BLOCKS_ALL, certainty, subject, says, &evidence);
}
