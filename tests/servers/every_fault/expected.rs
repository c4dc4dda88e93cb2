//! What a fault at a call must come to.

use baresock::trace::Function;
use baresock::trace::page::Effect;

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

/// What is expected of this errno at this call. It follows from what the call does, which its page says, and from its option or
/// command, if it has one. `None`: no server is known to make such a call.
pub(crate) fn expected(
    phase: Phase,
    function: Function,
    option: Option<&str>,
    errno: &str,
) -> Option<Expected> {
    let would_wait = matches!(errno, "EAGAIN" | "EINTR");
    let expected = match (phase, function.effect()) {
        // The descriptor is closed whatever close says.
        (_, Effect::Closes) => Unnoticed,
        (Starting, _) => NotStarted,
        (Serving, Effect::Selects | Effect::Polls) => match errno {
            "EINTR" => Unnoticed,
            "ENOMEM" => WaitedOut,
            _ => ServerEnds,
        },
        (Serving, Effect::Accepts) => match errno {
            _ if would_wait => Unnoticed,
            // The client has gone, or the network has broken its connection: the next one in the queue is not affected.
            "ECONNABORTED" | "EPROTO" | "ENETDOWN" | "EHOSTUNREACH" => Unnoticed,
            _ => ListenerRests,
        },
        (Serving, Effect::Sends | Effect::Receives) if would_wait => Unnoticed,
        // EINVAL says that the system cannot send this file, nor then, that it has no such call: it is read and sent.
        (Serving, Effect::Sends) if function == Function::SENDFILE && errno == "EINVAL" => {
            Unnoticed
        }
        (Serving, Effect::Sends | Effect::Receives) if function.page().is_for_datagrams() => {
            DatagramLost
        }
        // Of the self-pipe.
        (Serving, Effect::Receives) if function == Function::READ => EndsAsAsked,
        (Serving, Effect::Sends | Effect::Receives | Effect::ShutsDown) => ConnectionEnds,
        // A connection that relay makes.
        (Serving, Effect::Connects) if matches!(errno, "EINPROGRESS" | "EINTR") => Unnoticed,
        (
            Serving,
            Effect::Connects | Effect::MakesSocket | Effect::Commands | Effect::TellsOption,
        ) => ConnectionEnds,
        (Serving, Effect::SetsOption) => match option? {
            "SO_SNDBUF" => ConnectionEnds,
            "TCP_NODELAY" | "SO_LINGER" => Unnoticed,
            _ => return None,
        },
        (Serving, Effect::TellsName | Effect::TellsPeer) => Unnoticed,
        (
            Serving,
            Effect::None
            | Effect::MakesPair
            | Effect::MakesPipe
            | Effect::Binds
            | Effect::Listens
            | Effect::ClosesRange
            | Effect::Copies
            | Effect::Splices
            | Effect::Resolves,
        ) => return None,
    };
    Some(expected)
}
