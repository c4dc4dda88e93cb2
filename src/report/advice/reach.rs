//! Which clients can reach a listener, and which connected.

use super::subject_of;
use crate::addr::Reach;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::Moment;
use crate::report::wait::Patience;
use crate::report::world::{SocketId, World};

pub(super) const LOOPBACK_ONLY: Advice = Advice {
    name: "loopback-only",
    gist: "a listener on loopback, and no client came",
    means: "A server that is bound to 127.0.0.1 or ::1 serves only programs on this machine. From another machine its \
        port looks closed.",
    shown_by: "A listener is bound to a loopback address, the program waits for a second or longer, and accepts no client.",
    remedy: "If other machines should reach it, bind to the wildcard address (INADDR_ANY, in6addr_any) or to the \
        address of one interface. If not, everything is fine.",
    lab: "wildcard-vs-loopback",
    exercise: "Connect from another machine, before and after the change; `ss -ltn` shows the listener's address.",
    cares_for: &[DidKind::Waited, DidKind::Accepted, DidKind::Gone],
    watch: watch_loopback,
};

pub(super) const OPEN_TO_ALL: Advice = Advice {
    name: "open-to-all",
    gist: "open to every machine, used only from this one",
    means: "A server that is bound to 0.0.0.0 or :: accepts clients from every network that this machine is on.",
    shown_by: "A listener is bound to the wildcard address, and every client that it accepted has a loopback address.",
    remedy: "If it is only for programs on this machine, bind to 127.0.0.1 or ::1. If it is for every machine, \
        everything is fine.",
    lab: "wildcard-vs-loopback",
    exercise: "Start the server on 0.0.0.0 and then on 127.0.0.1, and try both times to connect from another \
        machine.",
    cares_for: &[DidKind::Accepted, DidKind::Gone],
    watch: watch_open,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct ReachMemory {
    /// Whether a wait has reported it ready.
    pub(super) was_ready: bool,
    /// How long the program has waited for clients, in microseconds.
    waited_us: u64,
    /// Clients from this machine, and from others.
    clients: (u64, u64),
}

/// This long without a client is worth a remark.
const LONG_US: u64 = 1_000_000;

fn watch_loopback(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    match now.did {
        // Which descriptors a wait asks about matters only as long as no client has come.
        Did::Waited(wait) if now.count() == Some(0) || now.is_unfinished() => {
            let waited_us = match (now.took_us(), wait.patience) {
                (Some(us), _) | (None, Patience::Us(us)) => us,
                (None, _) => LONG_US,
            };
            let listeners: Vec<(i32, SocketId)> = world.sockets_of(now.process).collect();
            for (fd, id) in listeners {
                let socket = world.socket_mut(id);
                if socket.is_listener() && socket.clients == 0 && wait.asks_for(fd) {
                    socket.seen.reach.waited_us += waited_us;
                }
            }
        }
        Did::Accepted(..) if now.count().is_none() => {
            let Some(id) = now.socket else { return };
            let waited_us = if now.is_unfinished() { LONG_US } else { now.took_us().unwrap_or(0) };
            world.socket_mut(id).seen.reach.waited_us += waited_us;
        }
        Did::Gone(_) => {
            let Some(id) = now.socket else { return };
            let socket = world.socket(id);
            let reach = socket.file.local.as_ref().map(crate::addr::Address::reach);
            let is_inet = socket.file.local.as_ref().is_some_and(|local| local.port().is_some());
            let is_loopback = is_inet && reach == Some(Reach::ThisMachine);
            let waited_us = socket.seen.reach.waited_us;
            if !socket.is_listener() || !is_loopback || socket.clients > 0 || waited_us < LONG_US {
                return;
            }
            let (Some(listened), Some(local)) = (socket.named.clone(), socket.file.local.clone())
            else {
                return;
            };
            let says =
                || format!("no client connected to {local}, which only this machine can reach");
            let evidence = [(&listened, "on loopback")];
            let subject = subject_of(world, id);
            found.add(&LOOPBACK_ONLY, Certainty::Perhaps, subject, says, &evidence);
        }
        _ => {}
    }
}

fn watch_open(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    match now.did {
        Did::Accepted(from, _) if now.count().is_some() => {
            let is_near = from.is_some_and(|from| from.reach() == Reach::ThisMachine);
            let (near, far) = &mut world.socket_mut(id).seen.reach.clients;
            // Nothing is known about a client whose address was not asked for.
            *if is_near { near } else { far } += 1;
        }
        Did::Gone(_) if world.socket(id).is_listener() => {
            let socket = world.socket(id);
            let (near, far) = socket.seen.reach.clients;
            let Some(local) = socket.file.local.clone() else { return };
            if local.reach() != Reach::EveryInterface || near == 0 || far > 0 {
                return;
            }
            let Some(listened) = socket.named.clone() else { return };
            let clients = if near == 1 { "its client" } else { "all its clients" };
            let says =
                || format!("{local} is open to every machine; {clients} connected from this one");
            let evidence = [(&listened, "on every interface")];
            let subject = subject_of(world, id);
            found.add(&OPEN_TO_ALL, Certainty::Perhaps, subject, says, &evidence);
        }
        _ => {}
    }
}
