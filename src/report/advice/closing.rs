//! A close that discards received bytes, and so resets the connection.

use super::subject_of;
use crate::addr::Address;
use crate::names::Errno;
use crate::report::advice::Advice;
use crate::report::did::{Departure, Did, DidKind};
use crate::report::findings::{Certainty, Findings, Subject};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::{SocketRole, World};

pub(super) const CLOSE_WITH_UNREAD: Advice = Advice {
    name: "close-with-unread",
    gist: "closed with bytes unread: the peer gets a reset",
    means: "close with unread input makes the kernel send a reset instead of a FIN. The peer's next call gives \
        ECONNRESET, and the answer that was on its way may be lost.",
    shown_by: "The socket had unread bytes when it was closed; or its peer, in the same log, had sent more than was \
        received, and gets ECONNRESET; or the last select or poll reported it readable, and no recv followed.",
    remedy: "Read the whole request before you close. To end early, shut down sending (SHUT_WR), read until recv \
        returns 0, then close.",
    lab: "rst-on-unread",
    exercise: "Send the server a request that is longer than what it reads: does the client get the whole answer and \
        then 0, or ECONNRESET?",
    cares_for: &[DidKind::Ready, DidKind::Received, DidKind::Gone, DidKind::Closed],
    watch,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct ClosingMemory {
    /// The wait that reported it readable, if nothing was received since.
    readable: Option<SeenCall>,
}

/// What this advice remembers beyond processes.
#[derive(Debug, Default)]
pub(in crate::report) struct ClosingOfWorld {
    /// Connections that a server closed first, the latest last.
    closed: Vec<Closed>,
}

#[derive(Debug)]
struct Closed {
    port: u16,
    bytes_in: u64,
    mark: SeenCall,
    subject: Subject,
}

const MOST: usize = 64;

fn watch(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    match now.did {
        Did::Ready(ready) => {
            let is_plain = ready.read && !ready.trouble;
            let mark = is_plain.then(|| now.mark());
            world.socket_mut(id).seen.closing.readable = mark;
        }
        Did::Received(_) => {
            world.socket_mut(id).seen.closing.readable = None;
            if now.failed(Errno::ECONNRESET) {
                was_reset(now, world, found);
            }
        }
        Did::Gone(Departure::Closed | Departure::Exit) => gone(now, world, found),
        _ => {}
    }
}

fn gone(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let socket = world.socket_mut(id);
    let unread = now.event.states.before.and_then(|state| state.unread).unwrap_or(0);
    let is_stream = socket.is_connection() && socket.role != SocketRole::Paired;
    if !is_stream || socket.is_over() || socket.file.abrupt {
        return;
    }
    let readable = socket.seen.closing.readable.take();
    let role = socket.role;
    let bytes_in = socket.file.bytes_in;
    let port = socket.file.local.as_ref().and_then(Address::port);
    let subject = subject_of(world, id);
    let last = now.mark();
    if unread > 0 {
        let says =
            || format!("{unread} bytes were unread when it was closed: the peer gets a reset");
        let evidence = [(&last, "closed with bytes unread")];
        found.add(&CLOSE_WITH_UNREAD, Certainty::Certain, subject, says, &evidence);
        return;
    }
    if let (SocketRole::Accepted, Some(port)) = (role, port) {
        let closed = &mut world.seen.closing.closed;
        if closed.len() >= MOST {
            closed.remove(0);
        }
        closed.push(Closed { port, bytes_in, mark: last.clone(), subject });
    }
    if let Some(readable) = readable.filter(|_| matches!(now.did, Did::Gone(Departure::Closed))) {
        let says = || {
            "it was readable when it was closed: if bytes had come, the peer gets a reset"
                .to_string()
        };
        let evidence = [(&readable, "readable"), (&last, "and closed without a recv")];
        found.add(&CLOSE_WITH_UNREAD, Certainty::Perhaps, subject, says, &evidence);
    }
}

/// A client in the same log was reset: by which close?
fn was_reset(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let socket = world.socket(id);
    let (SocketRole::Connected, Some(port)) =
        (socket.role, socket.file.peer.as_ref().and_then(Address::port))
    else {
        return;
    };
    let sent = socket.file.bytes_out;
    let closed = &mut world.seen.closing.closed;
    let mut all = closed.iter();
    let Some(at) = all.position(|closed| closed.port == port && closed.bytes_in < sent) else {
        return;
    };
    let Closed { bytes_in, mark, subject, .. } = closed.remove(at);
    let says = || {
        format!(
            "it was closed with {} of {sent} bytes unread, and the peer was reset",
            sent - bytes_in
        )
    };
    let evidence = [(&mark, "closed with bytes unread"), (&now.quote(), "the peer")];
    found.replace(&CLOSE_WITH_UNREAD, Certainty::Certain, subject, says, &evidence);
}
