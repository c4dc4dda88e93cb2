//! Calls that no wrapper of this crate makes, as a log of strace has them: their arguments are text.

use crate::trace::Event;
use crate::trace::arg::Arg;

use super::did::{Did, Making, Moved, ProcessEnding};
use super::wait::Wait;
use crate::names::MsgFlags;

/// What `epoll_ctl` says of a descriptor.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The descriptor.
    pub fd: i32,
    /// What a wait will give for it.
    pub data: u64,
    /// Whether it is to be watched for room to send.
    pub is_for_writing: bool,
}

/// A number, however the event has it.
pub(super) fn number(arg: &Arg<'_>) -> Option<i64> {
    match arg {
        Arg::Int(number) => Some(*number),
        Arg::Millis(number) => Some((*number).into()),
        Arg::Fd(fd) => Some(fd.get().into()),
        Arg::Text(text) | Arg::Word(text) => leading_number(text),
        _ => None,
    }
}

/// The number that a text begins with: `5` of `5<TCP:[…]>`.
pub(super) fn leading_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    text[..text.len() - digits.len() + end].parse().ok()
}

/// The number behind a word: of `u64=` in `{u32=5, u64=5}` it is 5.
pub(super) fn number_after(text: &str, word: &str) -> Option<i64> {
    let (_, after) = text.split_once(word)?;
    leading_number(after)
}

fn text<'e>(arg: Option<&'e Arg<'e>>) -> &'e str {
    match arg {
        Some(Arg::Text(text) | Arg::Word(text)) => text,
        Some(Arg::Str(Some(text))) => text,
        _ => "",
    }
}

/// What a call did of which no wrapper is known.
pub(super) fn of_other<'e>(event: &'e Event<'e>) -> Did<'e> {
    let args = &event.args;
    match event.callee.name() {
        "readv" | "recvmmsg" => Did::Received(moved_vectors(args)),
        "writev" | "sendmmsg" => Did::Sent(moved_vectors(args)),
        "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => Did::Waited(Wait::of(event)),
        "epoll_ctl" => registration(args).map_or(Did::Other, Did::Registered),
        "dup3" => Did::Copied {
            is_closed_on_exec: args.iter().any(|arg| text(Some(arg)).contains("O_CLOEXEC")),
        },
        "close_range" => match (args.first().and_then(number), args.get(1).and_then(number)) {
            (Some(from), Some(to)) => Did::ClosedRange(from, to),
            _ => Did::Other,
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

/// What stands in quotes, or the text itself.
fn quoted(text: &str) -> &str {
    let text = text.strip_prefix('"').unwrap_or(text);
    text.split('"').next().unwrap_or(text)
}

fn moved_vectors<'e>(args: &'e [Arg<'e>]) -> Moved<'e> {
    let lens = text(args.get(1)).split("iov_len=").skip(1).filter_map(leading_number);
    let asked = args.get(1).map(|_| lens.sum::<i64>()).filter(|asked| *asked > 0);
    let flags = MsgFlags::NONE;
    let asked = asked.and_then(|asked| asked.try_into().ok());
    Moved { asked, flags, bytes: None, to: None, is_cut: false }
}

fn registration(args: &[Arg<'_>]) -> Option<Registration> {
    let fd = args.get(2).and_then(number)?.try_into().ok()?;
    let event = text(args.get(3));
    let data = number_after(event, "u64=").unwrap_or(i64::from(fd)) as u64;
    let is_for_writing = event.contains("EPOLLOUT");
    Some(Registration { fd, data, is_for_writing })
}

/// How a descriptor was made that is no socket.
pub(super) const NOT_A_SOCKET: Making = Making {
    is_inet: false,
    is_stream: false,
    is_datagram: false,
    is_nonblocking: false,
    is_closed_on_exec: false,
};
