//! What a fault at a call must come to.

/// When the call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Before the first wait.
    Starting,
    /// From then on.
    Serving,
}

use Phase::{Serving, Starting};

/// What is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The server does not start: status 1, and a line that says which errno it was.
    NotStarted,
    /// No client notices: the call is made again, or was not needed.
    Unnoticed,
    /// The connection that the call was made on ends, and no other; the server says why.
    ConnectionEnds,
    /// The listener rests for a moment, and the server reports it. Every client is served in the
    /// end.
    ListenerRests,
    /// Nothing but a datagram is lost, and the server says so.
    DatagramLost,
    /// It can hear no signal any more, so it says so and ends as if one had come.
    EndsAsAsked,
    /// The wait has failed, which may pass: the server says so, and waits again after a moment.
    WaitedOut,
    /// The wait itself has failed: status 1, and a line that says so.
    ServerEnds,
}

use Expected::*;

/// The first row that fits holds. `*` is any call, or any errno of its table.
const TABLE: &[(Phase, &[&str], &[&str], Expected)] = &[
    (Starting, &["close"], &["*"], Unnoticed),
    (Starting, &["*"], &["*"], NotStarted),
    (Serving, &["select", "poll"], &["EINTR"], Unnoticed),
    (Serving, &["select", "poll"], &["ENOMEM"], WaitedOut),
    (Serving, &["select", "poll"], &["*"], ServerEnds),
    // The client has gone, or the network has broken its connection: the next one in the queue is not affected.
    (
        Serving,
        &["accept", "accept4"],
        &["EAGAIN", "EINTR", "ECONNABORTED", "EPROTO", "ENETDOWN", "EHOSTUNREACH"],
        Unnoticed,
    ),
    (Serving, &["accept", "accept4"], &["*"], ListenerRests),
    (Serving, &["recv", "send", "read", "recvfrom", "sendto"], &["EAGAIN", "EINTR"], Unnoticed),
    // EINVAL says that the system cannot send this file, nor then, that it has no such call: it is read and sent.
    (Serving, &["sendfile"], &["EAGAIN", "EINTR", "EINVAL"], Unnoticed),
    (Serving, &["recv", "send", "sendfile", "shutdown"], &["*"], ConnectionEnds),
    (Serving, &["recvfrom", "sendto"], &["*"], DatagramLost),
    // Of the self-pipe.
    (Serving, &["read"], &["*"], EndsAsAsked),
    // The descriptor is closed whatever close says.
    (Serving, &["close"], &["*"], Unnoticed),
    // A connection that relay makes.
    (Serving, &["connect"], &["EINPROGRESS", "EINTR"], Unnoticed),
    (Serving, &["socket", "fcntl", "connect", "getsockopt"], &["*"], ConnectionEnds),
    (Serving, &["setsockopt SO_SNDBUF"], &["*"], ConnectionEnds),
    (
        Serving,
        &["setsockopt TCP_NODELAY", "setsockopt SO_LINGER", "getpeername", "getsockname"],
        &["*"],
        Unnoticed,
    ),
];

/// What is expected of this errno at this call, which may have a word that says more: `setsockopt TCP_NODELAY`.
pub(crate) fn expected(phase: Phase, call: &str, errno: &str) -> Option<Expected> {
    let function = call.split(' ').next().unwrap();
    let fits = |names: &[&str], name: &str| names.iter().any(|one| *one == "*" || *one == name);
    let row = TABLE.iter().find(|(its_phase, calls, errnos, _)| {
        *its_phase == phase && (fits(calls, call) || fits(calls, function)) && fits(errnos, errno)
    });
    row.map(|(.., expected)| *expected)
}
