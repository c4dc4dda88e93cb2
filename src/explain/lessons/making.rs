//! Making a socket, naming it, preparing it, and finding a peer.

use super::Lesson;
use super::See::{Lab, Word};
use crate::explain::facts::Facts;
use crate::explain::figures::{bytes, grouped};
use crate::names::Errno;
use crate::trace::Function as F;
use crate::trace::descriptors::DescriptorKind as Kind;

pub(super) const LESSONS: &[Lesson] = &[
    Lesson {
        of: &[F::SOCKET],
        when: |call| call.succeeded(),
        says: |call| format!("{}: a socket, as yet without a name or a peer", call.returned()),
        see: Lab("names-appear-late"),
    },
    Lesson {
        of: &[F::SOCKET, F::PIPE],
        when: |call| call.failed(Errno::EMFILE),
        says: |_| "this process has no descriptor left (ulimit -n)".into(),
        see: Word("EMFILE"),
    },
    Lesson {
        of: &[F::SETSOCKOPT],
        when: |call| call.succeeded() && call.option_is("SO_REUSEADDR") && call.value != Some(0),
        says: |_| "in TCP, old connections will not block bind after a restart".into(),
        see: Lab("time-wait-bind"),
    },
    Lesson {
        of: &[F::SETSOCKOPT],
        when: |call| call.succeeded() && call.option_is("SO_SNDBUF"),
        says: |call| {
            let asked = bytes(call.value.unwrap_or(0));
            format!("asks for a send buffer of {asked}; getsockopt tells what it is now")
        },
        see: Lab("sockbuf-doubling"),
    },
    Lesson {
        of: &[F::SETSOCKOPT],
        when: |call| call.succeeded() && call.option_is("IPV6_V6ONLY") && call.value != Some(0),
        says: |_| "IPv6 only: IPv4 needs a socket of its own".into(),
        see: Lab("dual-stack"),
    },
    Lesson {
        of: &[F::SETSOCKOPT],
        when: |call| call.succeeded() && call.option_is("IPV6_V6ONLY") && call.value == Some(0),
        says: |_| "IPv4 peers may come too, named ::ffff: and their address".into(),
        see: Lab("dual-stack"),
    },
    Lesson {
        of: &[F::SETSOCKOPT],
        when: |call| {
            call.succeeded() && call.linger.is_some_and(|it| it.l_onoff != 0 && it.l_linger == 0)
        },
        says: |_| "close will throw away what is unsent, and reset".into(),
        see: Lab("linger-zero"),
    },
    Lesson {
        of: &[F::BIND],
        when: |call| call.succeeded() && call.port == Some(0),
        says: |_| "port 0: the system chooses a free one".into(),
        see: Lab("names-appear-late"),
    },
    Lesson {
        of: &[F::BIND],
        when: |call| call.succeeded() && call.port != Some(0) && call.known.kind != Kind::Datagram,
        says: |call| match call.port {
            Some(port) => format!("a name, with port {port}; nobody can connect yet"),
            None => "a name; nobody can connect yet".into(),
        },
        see: Lab("names-appear-late"),
    },
    Lesson {
        of: &[F::BIND],
        when: |call| call.succeeded() && call.port != Some(0) && call.known.kind == Kind::Datagram,
        says: |_| "a name: datagrams can come to it from now on".into(),
        see: Lab("names-appear-late"),
    },
    Lesson {
        of: &[F::BIND, F::LISTEN],
        when: |call| call.failed(Errno::EADDRINUSE) && !binds_a_path(call),
        says: |_| "another socket has it, or an old connection in TIME_WAIT".into(),
        see: Lab("time-wait-bind"),
    },
    Lesson {
        of: &[F::BIND],
        when: |call| call.failed(Errno::EADDRINUSE) && binds_a_path(call),
        says: |_| "that name is taken: a file stays when its server has ended".into(),
        see: Lab("stale-socket-file"),
    },
    Lesson {
        of: &[F::BIND],
        when: |call| call.failed(Errno::EACCES),
        says: |_| "ports below 1,024 are reserved; so may be a path".into(),
        see: Word("EACCES"),
    },
    Lesson {
        of: &[F::GETSOCKNAME],
        when: |call| call.succeeded() && call.port.is_some(),
        says: |call| format!("this end's name: the port is {}", call.port.unwrap_or(0)),
        see: Lab("names-appear-late"),
    },
    Lesson {
        of: &[F::LISTEN],
        when: |call| call.succeeded(),
        says: |call| {
            let backlog = grouped(call.number());
            format!("a listener: it only makes sockets; {backlog} may wait")
        },
        see: Lab("listener-cannot-talk"),
    },
    Lesson {
        of: &[F::FCNTL],
        when: |call| call.succeeded() && call.says("F_GETFL"),
        says: |_| "reads the flags: F_SETFL will set all of them".into(),
        see: Lab("nonblock-is-shared"),
    },
    Lesson {
        of: &[F::FCNTL],
        when: |call| call.succeeded() && call.makes_nonblocking(),
        says: |call| format!("instead of waiting, {} gives EAGAIN from now on", call.fd),
        see: Lab("blocking-or-eagain"),
    },
    Lesson {
        of: &[F::FCNTL],
        when: |call| call.succeeded() && call.says("FD_CLOEXEC"),
        says: |call| format!("{} will not be passed on to other programs", call.fd),
        see: Lab("close-is-refcount"),
    },
    Lesson {
        of: &[F::PIPE],
        when: |call| call.pair.is_some(),
        says: |call| {
            let [read_end, write_end] = call.pair.unwrap_or([-1; 2]);
            format!("what is written to {write_end} comes out of {read_end}")
        },
        see: Lab("signal-race"),
    },
    Lesson {
        of: &[F::SIGACTION],
        when: |call| call.succeeded() && call.sets_handler(),
        says: |call| format!("{} will call a function from now on", call.named("SIG")),
        see: Lab("signal-race"),
    },
    Lesson {
        of: &[F::CONNECT],
        when: |call| call.succeeded() && call.known.kind != Kind::Datagram,
        says: |_| "the peer's system has answered; its program may not know".into(),
        see: Lab("backlog-n-plus-1"),
    },
    Lesson {
        of: &[F::CONNECT],
        when: |call| call.succeeded() && call.known.kind == Kind::Datagram && call.port.is_some(),
        says: |call| format!("nothing is sent: {} has a peer now, and hears no other", call.fd),
        see: Lab("udp-connect-filters"),
    },
    Lesson {
        of: &[F::CONNECT],
        when: |call| call.failed(Errno::EINPROGRESS),
        says: |call| format!("under way: wait until {} is writable, then read SO_ERROR", call.fd),
        see: Lab("nb-connect-ok"),
    },
    Lesson {
        of: &[F::CONNECT],
        when: |call| call.failed(Errno::ECONNREFUSED),
        says: |_| "nobody listens there".into(),
        see: Lab("nb-connect-refused"),
    },
    Lesson {
        of: &[F::GETSOCKOPT],
        when: |call| call.option_is("SO_ERROR") && call.value == Some(0),
        says: |_| {
            "no error waits: a connect that has ended went well, if none was read before".into()
        },
        see: Lab("nb-connect-ok"),
    },
    Lesson {
        of: &[F::GETSOCKOPT],
        when: |call| call.option_is("SO_ERROR") && call.value.is_some_and(|errno| errno != 0),
        says: |call| {
            let errno = Errno::from_number(call.value.unwrap_or(0) as i32);
            format!(
                "{} waited here; now that it is read it is gone",
                errno.name().unwrap_or("an error")
            )
        },
        see: Lab("nb-connect-refused"),
    },
];

/// An address without a port is a path (or an abstract name).
fn binds_a_path(call: &Facts) -> bool {
    call.function == F::BIND && call.port.is_none()
}
