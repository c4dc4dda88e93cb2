//! Reads arguments: those of calls that move bytes, and those of calls without a wrapper, which are text in a log of
//! strace.

use crate::names::{MSG_TRUNC, MsgFlags};
use crate::trace::Event;
use crate::trace::arg::{Arg, Message};

use super::did::{Did, Making, Moved, ProcessEnding, address, flags_of};
use super::wait::Wait;

/// The arguments of `epoll_ctl`.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The descriptor.
    pub fd: i32,
    /// The data that a wait will return for it.
    pub data: u64,
    /// Whether it is watched for writability.
    pub is_for_writing: bool,
}

/// The name of a call without a wrapper, if such calls are often evidence; otherwise empty.
pub(super) fn known_name(name: &str) -> &'static str {
    const NAMES: &[&str] =
        &["epoll_wait", "epoll_pwait", "epoll_pwait2", "dup3", "execve", "clone", "clone3"];
    NAMES.iter().find(|known| **known == name).copied().unwrap_or_default()
}

/// A number, in whatever form the event has it.
pub(super) fn number(arg: &Arg<'_>) -> Option<i64> {
    match arg {
        Arg::Int(number) => Some(*number),
        Arg::Millis(number) => Some((*number).into()),
        Arg::Fd(fd) => Some(fd.get().into()),
        Arg::Text(text) | Arg::Word(text) => leading_number(text),
        _ => None,
    }
}

/// The number at the beginning of a text: 5 in `5<TCP:[…]>`.
pub(super) fn leading_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    text[..text.len() - digits.len() + end].parse().ok()
}

/// The number after a word: 5 after `u64=` in `{u32=5, u64=5}`.
pub(super) fn number_after(text: &str, word: &str) -> Option<i64> {
    let first = *word.as_bytes().first()?;
    let mut places = memchr::memchr_iter(first, text.as_bytes());
    let at = places.find(|at| text.as_bytes()[*at..].starts_with(word.as_bytes()))?;
    leading_number(&text[at + word.len()..])
}

fn text<'e>(arg: Option<&'e Arg<'e>>) -> &'e str {
    match arg {
        Some(Arg::Text(text) | Arg::Word(text)) => text,
        Some(Arg::Str(Some(text))) => text,
        _ => "",
    }
}

/// What happened in a call without a wrapper.
pub(super) fn of_other<'e>(event: &'e Event<'e>) -> Did<'e> {
    let args = &event.args;
    match event.callee.name() {
        "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => Did::Waited(Wait::of(event)),
        "epoll_ctl" => registration(args).map_or(Did::Other, Did::Registered),
        "dup3" => Did::Copied {
            is_closed_on_exec: args.iter().any(|arg| text(Some(arg)).contains("O_CLOEXEC")),
        },
        "clone" | "clone3" | "fork" | "vfork" => Did::Forked {
            shares_descriptors: args.iter().any(|arg| text(Some(arg)).contains("CLONE_FILES")),
        },
        "execve" | "execveat" => Did::Executed,
        // `exit` ends a thread.
        "exit_group" => {
            Did::Ended(ProcessEnding::Exited(args.first().and_then(number).unwrap_or(0)))
        }
        "unlink" => Did::Removed(quoted(text(args.first()))),
        "unlinkat" => Did::Removed(quoted(text(args.get(1)))),
        "nanosleep" | "clock_nanosleep" => Did::Slept,
        "open" | "creat" => Did::Opened(Some(quoted(text(args.first())))),
        "openat" | "openat2" => Did::Opened(Some(quoted(text(args.get(1))))),
        "eventfd" | "eventfd2" | "epoll_create" | "epoll_create1" | "timerfd_create"
        | "signalfd" | "signalfd4" | "inotify_init" | "inotify_init1" | "memfd_create"
        | "pidfd_open" | "io_uring_setup" | "perf_event_open" => Did::Opened(None),
        _ => Did::Other,
    }
}

/// The range of `close_range`, and whether its descriptors are closed at once or by `execve`.
pub(super) fn closed_range<'e>(args: &[Arg<'_>]) -> Did<'e> {
    let number_at = |place: usize| args.get(place).and_then(number);
    let (Some(from), Some(to)) = (number_at(0), number_at(1)) else { return Did::Other };
    let only_marks = |flags: &Arg<'_>| flags.written().contains("CLOSE_RANGE_CLOEXEC");
    if args.get(2).is_some_and(only_marks) {
        Did::RangeClosedOnExec(from, to)
    } else {
        Did::ClosedRange(from, to)
    }
}

/// The text in quotes, or the text itself.
fn quoted(text: &str) -> &str {
    let text = text.strip_prefix('"').unwrap_or(text);
    text.split('"').next().unwrap_or(text)
}

/// The bytes that a call was asked to send or receive.
pub(super) fn moved<'e>(args: &'e [Arg<'e>]) -> Moved<'e> {
    let bytes = match args.get(1) {
        Some(Arg::Message(message)) => return moved_message(message, args.get(2)),
        Some(Arg::Buffers(buffers)) => {
            let asked = buffers.iter().map(|(_, len)| *len as u64).sum();
            let bytes = buffers.first().map(|(bytes, _)| bytes);
            return Moved { asked: Some(asked), bytes, ..Moved::NOTHING };
        }
        Some(Arg::Room(room)) => {
            let asked = room.iter().map(|(_, len)| *len as u64).sum();
            return Moved { asked: Some(asked), ..Moved::NOTHING };
        }
        // Several messages, or buffers that the log does not show.
        Some(Arg::Messages(_) | Arg::Text(_)) => return Moved::NOTHING,
        Some(Arg::Bytes(bytes)) => Some(bytes),
        _ => None,
    };
    // The length of `sendfile` comes after the offset.
    let len = if matches!(args.get(1), Some(Arg::Fd(_))) { 3 } else { 2 };
    let asked = args.get(len).and_then(number).and_then(|asked| asked.try_into().ok());
    let flags = MsgFlags::from_bits(flags_of(args.get(len + 1)) as i32);
    Moved { asked, flags, bytes, to: address(args.get(4)), ..Moved::NOTHING }
}

fn moved_message<'e>(message: &'e Message<'e>, flags: Option<&Arg<'_>>) -> Moved<'e> {
    let Message { name, buffers, flags: told, .. } = message;
    Moved {
        asked: Some(buffers.iter().map(|(_, len)| *len as u64).sum()),
        flags: MsgFlags::from_bits(flags_of(flags) as i32),
        bytes: buffers.first().map(|(bytes, _)| bytes),
        to: name.as_deref().ok(),
        is_cut: told.contains(MSG_TRUNC),
        message: Some(message),
    }
}

fn registration(args: &[Arg<'_>]) -> Option<Registration> {
    let fd = args.get(2).and_then(number)?.try_into().ok()?;
    let event = text(args.get(3));
    let data = number_after(event, "u64=").unwrap_or(i64::from(fd)) as u64;
    let is_for_writing = event.contains("EPOLLOUT");
    Some(Registration { fd, data, is_for_writing })
}

/// The creation of a descriptor that is not a socket.
pub(super) const NOT_A_SOCKET: Making = Making {
    is_inet: false,
    is_stream: false,
    is_datagram: false,
    is_nonblocking: false,
    is_closed_on_exec: false,
};
