//! A peer that has closed, and its effects: the signal, the error, the end of the program.

use super::subject;
use crate::names::Errno;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind, ProcessEnding};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::{Held, SocketId, SocketRole, World};

pub(super) const SIGPIPE_DEATH: Advice = Advice {
    name: "sigpipe-death",
    gist: "SIGPIPE killed the program: the peer had closed",
    means: "A send on a stream whose peer has closed raises SIGPIPE, which kills the process unless it handles or \
        ignores the signal: one client that disconnects at the wrong moment ends the whole server.",
    shown_by: "A send on a socket fails with EPIPE, and the process is killed by SIGPIPE.",
    remedy: "Send with MSG_NOSIGNAL, or ignore SIGPIPE at the start (signal(SIGPIPE, SIG_IGN)), or set SO_NOSIGPIPE on \
        systems that have it. Then EPIPE ends only the connection.",
    lab: "sigpipe-or-not",
    exercise: "Let a client leave in the middle of a long answer (Ctrl-C in `baresock connect`): the server must \
        serve the next one.",
    cares_for: &[DidKind::Sent, DidKind::Ended],
    watch: watch_sigpipe,
};

pub(super) const SEND_AFTER_RESET: Advice = Advice {
    name: "send-after-reset",
    gist: "send on a connection that is over",
    means: "After ECONNRESET or EPIPE no more bytes can arrive. A program that keeps sending does not check the result of send.",
    shown_by: "A send or recv on a stream fails with ECONNRESET, EPIPE or ETIMEDOUT, and a send on the same descriptor follows.",
    remedy: "Check the result of every send and recv. On such an error close the descriptor and discard its unsent bytes.",
    lab: "write-after-fin",
    exercise: "Let a client leave in the middle of an answer (Ctrl-C in `baresock connect`), and read the log: after \
        ECONNRESET or EPIPE the only call on that descriptor is close.",
    cares_for: &[DidKind::Sent, DidKind::Received],
    watch: watch_send,
};

pub(super) const ONE_RESET_ENDS_ALL: Advice = Advice {
    name: "one-reset-ends-all",
    gist: "one client's reset ended the whole server",
    means: "ECONNRESET, EPIPE and ETIMEDOUT mean that one connection is over. Any client can end a server that exits \
        on these errors.",
    shown_by: "A recv or send on an accepted connection fails with one of them, and the process then exits with a \
        nonzero status, with a listener or other clients open.",
    remedy: "On an error of one connection close that connection, and continue with the others.",
    lab: "linger-zero",
    exercise: "Write a client that sets SO_LINGER to 0 and closes, and run it against your server.",
    cares_for: &[
        DidKind::Sent,
        DidKind::Received,
        DidKind::Accepted,
        DidKind::Waited,
        DidKind::Closed,
        DidKind::Ended,
    ],
    watch: watch_all,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct EndingMemory {
    broken: Option<SeenCall>,
    was_told: bool,
}

/// What this advice remembers about a process.
#[derive(Debug, Default)]
pub(in crate::report) struct EndingOfProcess {
    /// The last send that found its peer gone.
    broken_pipe: Option<(SeenCall, i32, Option<SeenCall>)>,
    /// The last error that ended a client's connection, if nothing has been done since.
    reset: Option<(SeenCall, SocketId)>,
}

fn is_over(now: &Moment<'_>) -> bool {
    let errnos = [Errno::ECONNRESET, Errno::EPIPE, Errno::ETIMEDOUT];
    now.event.errno().is_some_and(|errno| errnos.contains(&errno))
}

fn watch_sigpipe(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    match now.did {
        Did::Sent(_) if now.failed(Errno::EPIPE) => {
            // A pipeline ends in this way: `program | head`.
            let Some(id) = now.socket.filter(|id| world.socket(*id).making.is_stream) else {
                return;
            };
            let end = world.socket(id).peer_finished.clone();
            let seen = &mut world.process_mut(now.process).seen.ending;
            seen.broken_pipe = Some((now.quote(), now.fd, end));
        }
        Did::Ended(ProcessEnding::Killed("SIGPIPE")) => {
            let seen = &mut world.process_mut(now.process).seen.ending;
            let Some((sent, fd, end)) = seen.broken_pipe.take() else { return };
            let subject = crate::report::findings::Subject(subject(now, world).0, fd);
            let says = || "the peer had closed, and SIGPIPE killed the program".to_string();
            let last = now.quote();
            let mut evidence =
                vec![(&sent, "the peer has closed"), (&last, "the program is killed")];
            if let Some(end) = &end {
                evidence.push((end, "the peer has finished"));
            }
            found.add(&SIGPIPE_DEATH, Certainty::Certain, subject, says, &evidence);
        }
        _ => {}
    }
}

fn watch_send(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let subject = subject(now, world);
    let socket = world.socket_mut(id);
    // EPIPE after its own shutdown is another matter.
    if !socket.making.is_stream || socket.finished.is_some() {
        return;
    }
    let seen = &mut socket.seen.ending;
    match (&seen.broken, now.did) {
        (Some(broken), Did::Sent(_)) if !seen.was_told => {
            seen.was_told = true;
            let says = || "the connection was over, but the program kept sending".to_string();
            let evidence = [
                (broken, "the connection is over"),
                (&now.quote(), "and the program keeps sending"),
            ];
            found.add(&SEND_AFTER_RESET, Certainty::Certain, subject, says, &evidence);
        }
        (None, _) if is_over(now) => seen.broken = Some(now.quote()),
        _ => {}
    }
}

fn watch_all(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    match (now.did, now.socket) {
        (Did::Sent(_) | Did::Received(_), Some(id)) => {
            let is_client = world.socket(id).role == SocketRole::Accepted;
            let seen = &mut world.process_mut(now.process).seen.ending;
            seen.reset = (is_over(now) && is_client).then(|| (now.quote(), id));
        }
        (Did::Waited(_), _) | (Did::Accepted(..) | Did::Closed, Some(_)) => {
            world.process_mut(now.process).seen.ending.reset = None;
        }
        (Did::Ended(ProcessEnding::Exited(status)), _) if *status != 0 => {
            let seen = &mut world.process_mut(now.process).seen.ending;
            let Some((reset, id)) = seen.reset.take() else { return };
            let others = world.sockets_of(now.process).filter(|(_, other)| {
                let socket = world.socket(*other);
                *other != id && (socket.is_listener() || socket.role == SocketRole::Accepted)
            });
            let others = others.count();
            let entries = &world.process(now.process).entries;
            let fd = entries.iter().position(|entry| entry.held == Held::Socket(id));
            let fd = fd.map_or(-1, |fd| fd as i32);
            let subject = crate::report::findings::Subject(subject(now, world).0, fd);
            if others == 0 {
                return;
            }
            let says = || {
                format!("one connection ended, and the program with it; {others} more were open")
            };
            let evidence =
                [(&reset, "this connection is over"), (&now.quote(), "and so is the program")];
            found.add(&ONE_RESET_ENDS_ALL, Certainty::Certain, subject, says, &evidence);
        }
        _ => {}
    }
}
