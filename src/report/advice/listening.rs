//! A port that is still in use, and a queue that is full.

use super::subject;
use crate::addr::Address;
use crate::names::Errno;
use crate::report::advice::Advice;
use crate::report::did::{Departure, Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::{SocketRole, World};

pub(super) const NO_REUSEADDR: Advice = Advice {
    name: "no-reuseaddr",
    gist: "EADDRINUSE, and SO_REUSEADDR was not set",
    means: "The side that closes a TCP connection first keeps its port in TIME_WAIT for a minute or so. Without \
        SO_REUSEADDR a restarted server cannot bind its port again.",
    shown_by: "bind of a TCP socket fails with EADDRINUSE, and SO_REUSEADDR was not set on it. It is certain if the log shows \
        a connection on that port that this side closed first.",
    remedy: "Always set SO_REUSEADDR before bind, on every listener. If another program listens there, bind still fails.",
    lab: "time-wait-bind",
    exercise: "Let a client connect, end the server first, and start it again at once: bind must not fail.",
    cares_for: &[DidKind::Bound, DidKind::Gone],
    watch: watch_bind,
};

pub(super) const BACKLOG_OVERFLOW: Advice = Advice {
    name: "backlog-overflow",
    gist: "more clients than the listener's queue holds",
    means: "The kernel queues connections until the server accepts them, as many as the backlog of listen says, and \
        one more on Linux. Further clients are not refused: their kernels send the SYN again, each second at first. In the Unix \
        domain connect gives EAGAIN: no connection is under way then, and poll cannot tell when there is room.",
    shown_by: "A connect takes 1, 2, 3, 4, 5, 7 or 11 seconds, and the queue of its listener is short; or accept returns at once as \
        often in a row as the queue is long, and one time more; or a connect to a Unix domain socket gives EAGAIN.",
    remedy: "Pass listen a larger backlog (128 or SOMAXCONN), and call accept until EAGAIN each time the listener is \
        ready. A client in the Unix domain calls connect again.",
    lab: "backlog-n-plus-1",
    exercise: "Stop the server (`kill -STOP PID`), connect ten clients, and read with `ss -ltn` how many wait in \
        the listener's queue.",
    cares_for: &[
        DidKind::Connected,
        DidKind::Accepted,
        DidKind::Waited,
        DidKind::Gone,
        DidKind::Listened,
    ],
    watch: watch_backlog,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct ListeningMemory {
    /// How many connections were accepted in a row without waiting, and the first of them.
    run: u32,
    first: Option<SeenCall>,
    at_wait: u64,
    was_told: bool,
}

/// What this advice remembers beyond processes.
#[derive(Debug, Default)]
pub(in crate::report) struct ListeningOfWorld {
    /// Ports on which this side closed a connection first, the latest last.
    closed_first: Vec<(u16, SeenCall)>,
    /// Connects that took as long as a second SYN, with their ports.
    slow: Vec<(u16, SeenCall)>,
    /// Listeners with their ports and the length of their queues.
    listeners: Vec<(u16, i64, SeenCall)>,
    refused_port: Option<u16>,
}

/// How many of each are kept.
const MOST: usize = 64;

fn keep<T>(list: &mut Vec<T>, one: T) {
    if list.len() >= MOST {
        list.remove(0);
    }
    list.push(one);
}

fn watch_bind(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let socket = world.socket(id);
    match now.did {
        Did::Gone(Departure::Closed | Departure::Exit)
            if socket.role == SocketRole::Accepted && !socket.is_over() && !socket.file.abrupt =>
        {
            if let Some(port) = socket.file.local.as_ref().and_then(Address::port) {
                let mark = now.mark();
                let closed = &mut world.seen.listening.closed_first;
                if closed.last().is_none_or(|(last, _)| *last != port) {
                    keep(closed, (port, mark));
                }
            }
        }
        Did::Bound(Some(to)) if now.failed(Errno::EADDRINUSE) => {
            let is_tcp = socket.making.is_inet && socket.making.is_stream;
            let Some(port) = to.port().filter(|port| *port != 0) else { return };
            if !is_tcp || socket.reuses_address || world.seen.listening.refused_port == Some(port) {
                return;
            }
            world.seen.listening.refused_port = Some(port);
            let closed = &world.seen.listening.closed_first;
            let closed =
                closed.iter().rev().find(|(of, _)| *of == port).map(|(_, mark)| mark.clone());
            let certainty = if closed.is_some() { Certainty::Certain } else { Certainty::Likely };
            let says = || format!("port {port} is still in use, and SO_REUSEADDR was not set");
            let last = now.quote();
            let mut evidence = vec![(&last, "no SO_REUSEADDR before it")];
            if let Some(closed) = &closed {
                evidence.push((closed, "this side closes first: TIME_WAIT"));
            }
            found.add(&NO_REUSEADDR, certainty, subject(now, world), says, &evidence);
        }
        _ => {}
    }
}

/// Longer than connecting on this machine takes, and about as long as connecting takes whose SYN was sent again: after
/// 1, 2, 3, 4, 5, 7 and 11 seconds, and before Linux 6.5 after 1, 3 and 7.
fn is_repeated(took_us: u64) -> bool {
    [1, 2, 3, 4, 5, 7, 11]
        .map(|seconds| seconds * 1_000_000)
        .iter()
        .any(|at| took_us.abs_diff(*at) < at / 8)
}

fn watch_backlog(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    match now.did {
        Did::Listened(backlog) if now.count().is_some() => {
            let local = now.socket.and_then(|id| world.socket(id).file.local.as_ref());
            let port = local.and_then(Address::port).unwrap_or(0);
            keep(&mut world.seen.listening.listeners, (port, *backlog, now.quote()));
        }
        Did::Connected(Some(Address::Unix(_))) if now.failed(Errno::EAGAIN) => {
            let says = || "the queue of the listener is full".to_string();
            let evidence = [(&now.quote(), "no room in the queue")];
            found.add(&BACKLOG_OVERFLOW, Certainty::Certain, subject(now, world), says, &evidence);
        }
        Did::Connected(Some(to)) if now.took_us().is_some_and(is_repeated) => {
            let is_stream = now.socket.is_some_and(|id| !world.socket(id).making.is_datagram);
            if let (Some(port), true) = (to.port(), is_stream && now.count() == Some(0)) {
                keep(&mut world.seen.listening.slow, (port, now.quote()));
            }
        }
        Did::Accepted(..) if now.count().is_some() => accepted(now, world),
        Did::Gone(_) => judge(now, world, found),
        _ => {}
    }
}

fn accepted(now: &Moment<'_>, world: &mut World) {
    let Some(id) = now.socket else { return };
    let waits = world.process(now.process).waits;
    let seen = &mut world.socket_mut(id).seen.listening;
    let waited = seen.at_wait != waits || now.took_us().is_none_or(|took| took > 1_000);
    if waited || seen.run == 0 {
        seen.run = 0;
        seen.first = Some(now.mark());
    }
    seen.at_wait = waits;
    seen.run += 1;
}

/// At the end of a listener: were there clients whose SYN had to be sent again?
fn judge(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket.filter(|id| world.socket(*id).is_listener()) else { return };
    let socket = world.socket(id);
    let (Some(port), backlog) =
        (socket.file.local.as_ref().and_then(Address::port), socket.backlog)
    else {
        return;
    };
    let slow = world.seen.listening.slow.iter().find(|(of, _)| *of == port);
    let Some((_, slow)) = slow.cloned().filter(|_| !socket.seen.listening.was_told && backlog < 64)
    else {
        return;
    };
    let listened = socket.named.clone();
    world.socket_mut(id).seen.listening.was_told = true;
    let says = || {
        format!("a client waited for seconds: the queue holds {backlog} connections and one more")
    };
    let mut evidence = vec![(&slow, "the client's kernel had to try again")];
    if let Some(listened) = &listened {
        evidence.push((listened, "the queue is short"));
    }
    found.add(&BACKLOG_OVERFLOW, Certainty::Likely, subject(now, world), says, &evidence);
}

#[cfg(test)]
mod tests {
    use super::is_repeated;

    #[test]
    fn an_attempt_that_was_repeated_takes_whole_seconds() {
        for took_us in [1_020_000, 2_030_000, 3_050_000, 4_040_000, 5_050_000, 7_100_000] {
            assert!(is_repeated(took_us), "{took_us}");
        }
        for took_us in [200, 400_000, 1_500_000, 20_000_000] {
            assert!(!is_repeated(took_us), "{took_us}");
        }
    }
}
