//! The kinds of a function's parameters.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::trace::Function;
use crate::trace::event::Args;

/// The kind of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    /// A descriptor.
    Fd,
    /// Two descriptors.
    Pair,
    /// A number.
    Int,
    /// Bytes that are sent or received.
    Bytes,
    /// A string of C.
    Str,
    /// A socket address.
    Address,
    /// A length, which the kernel may change.
    Length,
    /// A position in a file, which the kernel may change.
    Offset,
    /// A set of `select`.
    Set,
    /// The rows of `poll`.
    Rows,
    /// A timeout in milliseconds.
    Millis,
    /// A timeout in seconds and microseconds.
    TimeVal,
    /// A timeout in seconds and nanoseconds.
    TimeSpec,
    /// A set of signals.
    Mask,
    /// The action of a signal.
    Action,
    /// A `struct msghdr`.
    Message,
    /// Several messages, each with its length.
    Messages,
    /// Several buffers: `struct iovec`.
    Buffers,
    /// `AF_INET`.
    Domain,
    /// `SOCK_STREAM`.
    SocketType,
    /// `IPPROTO_TCP`.
    Protocol,
    /// `SOL_SOCKET`.
    Level,
    /// `SO_REUSEADDR`.
    OptionName,
    OptionValue,
    /// `SHUT_WR`.
    How,
    /// `MSG_PEEK`.
    MsgFlags,
    /// `SOCK_NONBLOCK`.
    SocketFlags,
    /// `SPLICE_F_MOVE`.
    SpliceFlags,
    /// `CLOSE_RANGE_CLOEXEC`.
    CloseRangeFlags,
    /// `F_SETFL`.
    Command,
    /// `FIONREAD`.
    Request,
    /// The third argument of `fcntl`.
    FcntlArgument,
    /// The third argument of `ioctl`.
    IoctlArgument,
    /// `SIGPIPE`.
    Signal,
    /// Anything else.
    Other,
}

/// The kinds of all parameters.
pub(super) type ParameterRow = [Parameter; Args::MOST];

/// A call that is known by its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownCall {
    /// The function, if it has a wrapper.
    pub(super) function: Option<Function>,
    /// The kinds of its parameters.
    pub(super) row: ParameterRow,
}

pub(super) fn known(name: &str) -> Option<&'static KnownCall> {
    static TABLE: OnceLock<HashMap<&'static str, KnownCall>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let others =
            OTHERS.iter().map(|(name, row)| (*name, KnownCall { function: None, row: *row }));
        let of_page =
            |one: Function| (one.name(), KnownCall { function: Some(one), row: row(one) });
        others.chain(Function::all().map(of_page)).collect()
    });
    table.get(name)
}

/// The kinds of a function's parameters, by their names in the prototype.
fn row(function: Function) -> ParameterRow {
    let mut row = [Parameter::Other; Args::MOST];
    for (place, name) in row.iter_mut().zip(function.page().parameters) {
        *place = match *name {
            "sockfd" | "fd" | "oldfd" | "newfd" | "out_fd" | "in_fd" | "fd_in" | "fd_out" => {
                Parameter::Fd
            }
            "sv" | "pipefd" => Parameter::Pair,
            "buf" => Parameter::Bytes,
            "addr" | "dest_addr" | "src_addr" => Parameter::Address,
            "addrlen" | "optlen" => Parameter::Length,
            "len" | "count" | "backlog" | "nfds" | "pid" | "iovcnt" | "vlen" | "first" | "last" => {
                Parameter::Int
            }
            "offset" | "off_in" | "off_out" => Parameter::Offset,
            "readfds" | "writefds" | "exceptfds" => Parameter::Set,
            "fds" => Parameter::Rows,
            "timeout" => match function.name() {
                "poll" => Parameter::Millis,
                "select" => Parameter::TimeVal,
                _ => Parameter::TimeSpec,
            },
            "tmo_p" => Parameter::TimeSpec,
            "sigmask" | "set" | "oldset" => Parameter::Mask,
            "act" | "oldact" => Parameter::Action,
            "msg" => Parameter::Message,
            "msgvec" => Parameter::Messages,
            "iov" => Parameter::Buffers,
            "domain" => Parameter::Domain,
            "type" => Parameter::SocketType,
            "protocol" => Parameter::Protocol,
            "level" => Parameter::Level,
            "optname" => Parameter::OptionName,
            "optval" => Parameter::OptionValue,
            "how" => Parameter::How,
            "flags" if function.name() == "accept4" => Parameter::SocketFlags,
            "flags" if function.name() == "splice" => Parameter::SpliceFlags,
            "flags" if function.name() == "close_range" => Parameter::CloseRangeFlags,
            "flags" => Parameter::MsgFlags,
            "cmd" => Parameter::Command,
            "request" => Parameter::Request,
            "arg" if function.name() == "ioctl" => Parameter::IoctlArgument,
            "arg" => Parameter::FcntlArgument,
            "signum" | "sig" => Parameter::Signal,
            "node" | "service" | "host" | "serv" | "name" | "proto" | "ifname" => Parameter::Str,
            _ => Parameter::Other,
        };
    }
    row
}

/// Calls about descriptors that no wrapper makes: where their descriptors are.
const OTHERS: &[(&str, ParameterRow)] = &[
    ("epoll_wait", first(1)),
    ("epoll_pwait", first(1)),
    ("epoll_pwait2", first(1)),
    ("epoll_ctl", FD_AT_0_AND_2),
    ("preadv", first(1)),
    ("pwritev", first(1)),
    ("preadv2", first(1)),
    ("pwritev2", first(1)),
    ("pread64", READ_AT),
    ("pwrite64", READ_AT),
    ("tee", first(2)),
    ("vmsplice", first(1)),
    ("copy_file_range", FD_AT_0_AND_2),
    ("dup3", first(2)),
    ("pipe2", PAIR),
    ("fstat", first(1)),
    ("fsync", first(1)),
    ("fdatasync", first(1)),
    ("ftruncate", first(1)),
    ("lseek", first(1)),
    ("getdents64", first(1)),
    ("io_uring_enter", first(1)),
    ("io_uring_register", first(1)),
    ("timerfd_settime", first(1)),
    ("inotify_add_watch", first(1)),
];

/// The first `count` parameters are descriptors.
const fn first(count: usize) -> ParameterRow {
    let mut row = [Parameter::Other; Args::MOST];
    let mut at = 0;
    while at < count {
        row[at] = Parameter::Fd;
        at += 1;
    }
    row
}

const FD_AT_0_AND_2: ParameterRow = {
    let mut row = first(1);
    row[2] = Parameter::Fd;
    row
};

const READ_AT: ParameterRow = {
    let mut row = first(1);
    row[1] = Parameter::Bytes;
    row
};

const PAIR: ParameterRow = {
    let mut row = first(0);
    row[0] = Parameter::Pair;
    row
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Parameters of which a log has only an address, or which are read as a whole.
    const AS_TEXT: &[&str] = &[];

    #[test]
    fn every_parameter_of_a_wrapper_has_its_kind() {
        for function in Function::all().filter(|function| !function.page().is_library) {
            let places = function.page().parameters.iter().zip(row(function));
            let unknown =
                places.filter(|(name, kind)| *kind == Parameter::Other && !AS_TEXT.contains(name));
            let unknown: Vec<_> = unknown.map(|(name, _)| *name).collect();
            assert_eq!(unknown, [""; 0], "{function} has parameters that a log's are not read as");
        }
    }
}
