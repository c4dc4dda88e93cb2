//! What the arguments of a call say about waiting: of this call, and of those that come after it.

use super::arg::Arg;
use super::page::{Effect, Function};
use crate::names::{MSG_DONTWAIT, MsgFlags, O_NONBLOCK, SocketFlags};

/// Whether these arguments, the first ones of a call or those that its wrapper tells afterwards, make a descriptor
/// non-blocking (or blocking) if the call succeeds.
pub(super) fn turns_nonblocking(function: Function, args: &[Arg<'_>]) -> Option<bool> {
    // By its name, for macOS has no such flag.
    let is_set = |flags: SocketFlags| flags.named().to_string().contains("SOCK_NONBLOCK");
    match (function.effect(), args) {
        // Of fcntl's commands only F_SETFL takes these flags.
        (Effect::Commands, [Arg::OpenFlags(flags)]) => Some(flags.contains(O_NONBLOCK)),
        (Effect::MakesSocket, [_, Arg::Type(kind), _]) => Some(is_set(kind.flags())),
        (Effect::Accepts, [Arg::Named(flags)]) => {
            Some(is_set(SocketFlags::from_bits(flags.value as i32)))
        }
        _ => None,
    }
}

/// `MSG_DONTWAIT`, or a timeout of zero.
pub(super) fn asks_not_to_wait(arg: &Arg<'_>) -> bool {
    match arg {
        Arg::Named(_) => has_message_flag(arg, MSG_DONTWAIT),
        Arg::Millis(timeout_ms) => *timeout_ms == 0,
        Arg::TimeVal(Some(time)) => (time.tv_sec, time.tv_usec) == (0, 0),
        Arg::TimeSpec(Some(time)) => (time.tv_sec, time.tv_nsec) == (0, 0),
        _ => false,
    }
}

/// Whether it is flags of a message, and this one among them.
pub(super) fn has_message_flag(arg: &Arg<'_>, flag: MsgFlags) -> bool {
    match arg {
        Arg::Named(named) if named.unknown == MsgFlags::NONE.named().unknown => {
            named.value & i64::from(flag.bits()) != 0
        }
        _ => false,
    }
}
