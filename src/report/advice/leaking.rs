//! Descriptors that stay open: connections that are over, and sockets that another program inherits.

use super::{subject, subject_of};
use crate::report::advice::Advice;
use crate::report::did::{Departure, Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::{ProcessId, SocketId, SocketRole, World};

pub(super) const DESCRIPTOR_LEAK: Advice = Advice {
    name: "descriptor-leak",
    gist: "finished connections are never closed",
    means: "A descriptor stays open until the program closes it, whatever the peer does. A server that leaks one for \
        each client runs out of descriptors: accept fails with EMFILE, and the peers wait forever for the end of file.",
    shown_by: "Three or more connections whose peers have finished, or that have failed, were neither used again nor \
        closed, while the process opened others.",
    remedy: "Close the descriptor on every path that ends a connection: at end of file, on an error, and after fork in \
        the process that does not serve the client.",
    lab: "drop-closes",
    exercise: "Connect and leave a hundred times, and count the entries of /proc/PID/fd before and after.",
    cares_for: &[DidKind::Gone],
    watch: watch_gone,
};

pub(super) const NEVER_CLOSED: Advice = Advice {
    name: "never-closed",
    gist: "a finished connection keeps its descriptor",
    means: "The connection ends for the peer only when its last descriptor is closed, in every process that has a \
        copy. Until then the peer waits.",
    shown_by: "The peer has finished, or another process that shares the descriptor has closed its copy; this process \
        keeps its own to the end without using it, and serves other clients.",
    remedy: "Close the descriptor when the connection ends. After fork, close in the parent the connection that the \
        child serves.",
    lab: "close-is-refcount",
    exercise: "Connect and leave twenty times, and count the server's connections with `ss -tn state close-wait`.",
    cares_for: &[DidKind::Gone],
    watch: |_, _, _| (),
};

pub(super) const INHERIT_LEAK: Advice = Advice {
    name: "inherit-leak",
    gist: "another program inherits a socket",
    means: "execve keeps every descriptor that is not marked FD_CLOEXEC. The new program does not know of the socket \
        and never closes it: a port stays in use, a peer never gets the end of file.",
    shown_by: "execve succeeds while the process has a socket above descriptor 2 without FD_CLOEXEC.",
    remedy: "Create sockets with SOCK_CLOEXEC, accept with accept4 and the same flag, or set FD_CLOEXEC with fcntl.",
    lab: "close-is-refcount",
    exercise: "Let the server start a program that sleeps, end the server, and start it again while that program \
        lives.",
    cares_for: &[DidKind::Executed],
    watch: watch_exec,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct LeakingMemory {
    /// When it was over: the state of the process at that time, and the process.
    over: Option<Over>,
    /// Whether a second process has it, and has closed it; when.
    pub(super) served_elsewhere: Option<(SeenCall, Over)>,
    /// The process that has used it.
    pub(super) user: Option<u32>,
}

/// The state of a process.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Over {
    waits: u64,
    made: u64,
}

impl Over {
    fn now(world: &World, process: ProcessId) -> Self {
        let process = world.process(process);
        Self { waits: process.waits, made: process.sockets_made }
    }
}

/// Records when a socket is over, which is not an advice by itself, but two of them need it.
pub(in crate::report) fn note(now: &Moment<'_>, world: &mut World) {
    let Some(id) = now.socket else { return };
    let over = Over::now(world, now.process);
    let pid = world.process(now.process).pid;
    let socket = world.socket_mut(id);
    match now.did {
        Did::Sent(_) | Did::Received(_) => {
            socket.seen.leaking.user = Some(pid);
            socket.seen.leaking.over = socket.is_over().then_some(over);
        }
        Did::Connected(_) if socket.failed.is_some() => socket.seen.leaking.over = Some(over),
        _ => {}
    }
}

/// A descriptor was closed that leads to a socket which another process has as well.
pub(in crate::report) fn note_close(now: &Moment<'_>, world: &mut World, id: SocketId) {
    let pid = world.process(now.process).pid;
    let socket = world.socket(id);
    if socket.copies != 1 || socket.seen.leaking.user != Some(pid) {
        return;
    }
    // Find the process that keeps it. Only one that never used it is of interest.
    let keeper = world.living().find(|other| {
        *other != now.process && world.sockets_of(*other).any(|(_, held)| held == id)
    });
    let Some(keeper) = keeper else { return };
    let over = Over::now(world, keeper);
    world.socket_mut(id).seen.leaking.served_elsewhere = Some((now.quote(), over));
}

/// When a process ends, its sockets go one after the other; the first of them examines all.
fn watch_gone(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Did::Gone(departure) = now.did else { return };
    if *departure == Departure::Closed || world.process(now.process).seen.leaks_were_told {
        return;
    }
    world.process_mut(now.process).seen.leaks_were_told = true;
    let mut ids: Vec<_> = now.socket.into_iter().collect();
    ids.extend(
        world.sockets_of(now.process).map(|(_, id)| id).filter(|id| Some(*id) != now.socket),
    );
    let left: Vec<_> = ids.into_iter().filter_map(|id| left(world, now.process, id)).collect();
    let advice = if left.len() >= 3 { &DESCRIPTOR_LEAK } else { &NEVER_CLOSED };
    let count = left.len();
    let Some((id, made, over, shows)) = left.into_iter().min_by_key(|(_, made, ..)| made.line)
    else {
        return;
    };
    let says = || match count {
        1 => "a finished connection was never closed".to_string(),
        _ => format!("{count} finished connections were never closed"),
    };
    let last = now.quote();
    let evidence = [(&made, "made"), (&over, shows), (&last, "never closed until here")];
    found.add(advice, Certainty::Certain, subject_of(world, id), says, &evidence);
}

/// Whether a socket was left open, and the lines that show it.
fn left(
    world: &World,
    process: ProcessId,
    id: SocketId,
) -> Option<(SocketId, SeenCall, SeenCall, &'static str)> {
    let socket = world.socket(id);
    let made = socket.made.clone()?;
    if !matches!(socket.role, SocketRole::Accepted | SocketRole::Connected)
        || socket.making.is_datagram
    {
        return None;
    }
    let at = Over::now(world, process);
    let pid = world.process(process).pid;
    if let Some((closed, then)) = &socket.seen.leaking.served_elsewhere {
        let went_on = at.waits > then.waits || at.made > then.made;
        let is_unused = socket.seen.leaking.user != Some(pid);
        return (went_on && is_unused)
            .then(|| (id, made, closed.clone(), "the process that served it has closed it"));
    }
    let then = socket.seen.leaking.over?;
    let went_on = at.made > then.made || at.waits > then.waits + 3;
    let finished =
        socket.peer_finished.as_ref().or(socket.failed.as_ref().map(|(mark, _)| mark))?;
    let is_untouched = socket.touched <= finished.line;
    (went_on && is_untouched).then(|| (id, made, finished.clone(), "the connection is over"))
}

fn watch_exec(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    if now.count() != Some(0) {
        return;
    }
    let inherited = world.sockets_of(now.process).filter(|(fd, id)| {
        let entry = world.entry(now.process, *fd);
        let is_marked = entry.is_none_or(|entry| entry.is_closed_on_exec);
        *fd > 2 && !is_marked && world.socket(*id).role != SocketRole::Paired
    });
    let inherited: Vec<_> = inherited.collect();
    let Some((fd, id)) = inherited.first().copied() else { return };
    let Some(made) = world.socket(id).made.clone() else { return };
    let says = || match inherited.len() {
        1 => format!("descriptor {fd}, a socket, stays open in the program that execve started"),
        count => format!("{count} sockets stay open in the program that execve started"),
    };
    let evidence = [(&made, "made without close-on-exec"), (&now.quote(), "and inherited here")];
    let subject = crate::report::findings::Subject(subject(now, world).0, fd);
    found.add(&INHERIT_LEAK, Certainty::Certain, subject, says, &evidence);
}
