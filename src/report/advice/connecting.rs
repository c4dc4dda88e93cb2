//! A connect that continues after it has returned, and one that has failed.

use super::subject;
use crate::names::Errno;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::following::ends_a_connection;
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::World;

pub(super) const CONNECT_NOT_CHECKED: Advice = Advice {
    name: "connect-not-checked",
    gist: "the result of connect was never checked",
    means: "After EINPROGRESS, writable means only that connect has finished, with or without success. A refused \
        connection is writable, too; SO_ERROR has the result.",
    shown_by: "connect gives EINPROGRESS, and send or recv is called on the descriptor, and fails, before getsockopt(SO_ERROR), \
        a second connect or getpeername.",
    remedy: "When the socket becomes writable, call getsockopt(SO_ERROR): 0 is success, anything else is the error.",
    lab: "nb-connect-refused",
    exercise: "Connect to a port where nothing listens: the program must say so.",
    cares_for: &[
        DidKind::Connected,
        DidKind::OptionAsked,
        DidKind::NameAsked,
        DidKind::Sent,
        DidKind::Received,
    ],
    watch: watch_unchecked,
};

pub(super) const CONNECT_AGAIN_AFTER_FAILURE: Advice = Advice {
    name: "connect-again-after-failure",
    gist: "connect again after connect had failed",
    means: "POSIX does not define the state of a socket after a failed connect. Linux lets it try again; on other \
        systems the second call fails (ECONNABORTED, EINVAL), whatever the server does.",
    shown_by: "connect fails on a TCP socket with ECONNREFUSED, ETIMEDOUT or the like, and the program calls it again \
        on the same socket.",
    remedy: "Close the socket, and make a new one for each attempt.",
    lab: "nb-connect-refused",
    exercise: "Start the client first and the server a second later: the client must reach the server.",
    cares_for: &[DidKind::Connected],
    watch: watch_again,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct ConnectingMemory {
    pending: Option<SeenCall>,
    failed: Option<SeenCall>,
    was_told: bool,
}

fn watch_unchecked(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let subject = subject(now, world);
    let socket = world.socket_mut(id);
    let seen = &mut socket.seen.connecting;
    match now.did {
        Did::Connected(_) => {
            seen.pending = now.failed(Errno::EINPROGRESS).then(|| now.quote());
        }
        Did::PeerAsked(_) => seen.pending = None,
        Did::OptionAsked(..) if now.did.asks_for_error() => seen.pending = None,
        Did::Sent(_) | Did::Received(_) => {
            // EALREADY is another matter: it is tried again.
            if now.failed(Errno::EAGAIN) || now.failed(Errno::ENOTCONN) || now.is_unfinished() {
                return;
            }
            let Some(pending) = seen.pending.take() else { return };
            // If it succeeded, the call was the question.
            if !now.event.errno().is_some_and(ends_a_connection) {
                return;
            }
            let says = || "the result of connect was not checked: it had failed".to_string();
            let evidence = [(&pending, "under way"), (&now.quote(), "used without SO_ERROR")];
            found.add(&CONNECT_NOT_CHECKED, Certainty::Certain, subject, says, &evidence);
        }
        _ => {}
    }
}

fn watch_again(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let (Did::Connected(to), Some(id)) = (now.did, now.socket) else { return };
    let subject = subject(now, world);
    let socket = world.socket_mut(id);
    let is_inet = to.is_some_and(|to| to.port().is_some());
    if socket.making.is_datagram || !is_inet {
        return;
    }
    let seen = &mut socket.seen.connecting;
    match &seen.failed {
        Some(failed) if !seen.was_told => {
            seen.was_told = true;
            let says =
                || "a socket whose connect had failed was used for another connect".to_string();
            let evidence =
                [(failed, "it fails"), (&now.quote(), "and is tried on the same socket")];
            found.add(&CONNECT_AGAIN_AFTER_FAILURE, Certainty::Certain, subject, says, &evidence);
        }
        None if now.event.errno().is_some_and(ends_a_connection) => seen.failed = Some(now.quote()),
        _ => {}
    }
}
