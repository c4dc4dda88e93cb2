//! Making a socket, naming it, preparing it, and finding a peer.

use super::Lesson;
use super::See::{Lab, Word};
use crate::explain::figures::{bytes, grouped};
use crate::names::Errno;
use crate::trace::Function as F;

pub(super) const LESSONS: &[Lesson] = &[
    Lesson {
        of: &[F::Socket],
        when: |call| call.succeeded(),
        says: |call| {
            format!("descriptor {}: a socket without a name or a peer yet", call.returned())
        },
        see: Lab("names-appear-late"),
    },
    Lesson {
        of: &[F::Socket, F::Pipe],
        when: |call| call.failed(Errno::EMFILE),
        says: |_| "this process has no descriptor left (ulimit -n)".into(),
        see: Word("EMFILE"),
    },
    Lesson {
        of: &[F::Setsockopt],
        when: |call| call.succeeded() && call.option_is("SO_REUSEADDR"),
        says: |_| "a restart may bind the port while old connections are in TIME_WAIT".into(),
        see: Lab("time-wait-bind"),
    },
    Lesson {
        of: &[F::Setsockopt],
        when: |call| call.succeeded() && call.option_is("SO_SNDBUF"),
        says: |call| {
            let asked = bytes(call.value.unwrap_or(0));
            format!("asks for a send buffer of {asked}; on a listener, for its connections")
        },
        see: Lab("sockbuf-doubling"),
    },
    Lesson {
        of: &[F::Setsockopt],
        when: |call| call.succeeded() && call.option_is("IPV6_V6ONLY"),
        says: |_| "only IPv6 comes to this socket; IPv4 needs one of its own".into(),
        see: Lab("dual-stack"),
    },
    Lesson {
        of: &[F::Setsockopt],
        when: |call| {
            call.succeeded() && call.linger.is_some_and(|it| it.l_onoff != 0 && it.l_linger == 0)
        },
        says: |_| "close will throw away what is unsent and reset the connection".into(),
        see: Lab("linger-zero"),
    },
    Lesson {
        of: &[F::Bind],
        when: |call| call.succeeded() && call.port == Some(0),
        says: |_| "port 0 lets the system choose a free one; getsockname tells which".into(),
        see: Lab("names-appear-late"),
    },
    Lesson {
        of: &[F::Bind],
        when: |call| call.succeeded() && call.port != Some(0),
        says: |call| match call.port {
            Some(port) => {
                format!("the socket has a name now, with port {port}; nobody can connect yet")
            }
            None => "the socket has a name now; nobody can connect yet".into(),
        },
        see: Lab("names-appear-late"),
    },
    Lesson {
        of: &[F::Bind, F::Listen],
        when: |call| call.failed(Errno::EADDRINUSE),
        says: |_| {
            "another socket has this address, or an old connection of it is in TIME_WAIT".into()
        },
        see: Lab("time-wait-bind"),
    },
    Lesson {
        of: &[F::Bind],
        when: |call| call.failed(Errno::EACCES),
        says: |_| "this address is not for everybody: ports below 1,024 are reserved".into(),
        see: Word("EACCES"),
    },
    Lesson {
        of: &[F::Getsockname],
        when: |call| call.succeeded() && call.port.is_some(),
        says: |call| format!("this end's name, with port {}", call.port.unwrap_or(0)),
        see: Lab("names-appear-late"),
    },
    Lesson {
        of: &[F::Listen],
        when: |call| call.succeeded(),
        says: |call| {
            let backlog = grouped(call.number());
            format!("a listener now: it only makes other sockets; {backlog} may wait in its queue")
        },
        see: Lab("listener-cannot-talk"),
    },
    Lesson {
        of: &[F::Fcntl],
        when: |call| call.succeeded() && call.says("F_GETFL"),
        says: |_| "reads the flags first, for F_SETFL sets all of them at once".into(),
        see: Lab("nonblock-is-shared"),
    },
    Lesson {
        of: &[F::Fcntl],
        when: |call| call.succeeded() && call.makes_nonblocking(),
        says: |call| format!("on {} a call that would wait now gives EAGAIN instead", call.fd),
        see: Lab("blocking-or-eagain"),
    },
    Lesson {
        of: &[F::Fcntl],
        when: |call| call.succeeded() && call.says("FD_CLOEXEC"),
        says: |call| format!("{} is closed if this process becomes another program", call.fd),
        see: Lab("close-is-refcount"),
    },
    Lesson {
        of: &[F::Pipe],
        when: |call| call.pair.is_some(),
        says: |call| {
            let [read_end, write_end] = call.pair.unwrap_or([-1; 2]);
            format!("what is written to {write_end} comes out of {read_end}")
        },
        see: Lab("signal-race"),
    },
    Lesson {
        of: &[F::Sigaction],
        when: |call| call.succeeded() && call.sets_handler(),
        says: |call| format!("{} calls a function now, instead of its default", call.named("SIG")),
        see: Lab("signal-race"),
    },
    Lesson {
        of: &[F::Connect],
        when: |call| call.succeeded(),
        says: |_| "connected: the peer's system has answered, its program perhaps not yet".into(),
        see: Lab("backlog-n-plus-1"),
    },
    Lesson {
        of: &[F::Connect],
        when: |call| call.failed(Errno::EINPROGRESS),
        says: |call| {
            format!("under way: when {} is writable, SO_ERROR tells how it ended", call.fd)
        },
        see: Lab("nb-connect-ok"),
    },
    Lesson {
        of: &[F::Connect],
        when: |call| call.failed(Errno::ECONNREFUSED),
        says: |_| "nobody listens there: the peer's system said so at once".into(),
        see: Lab("nb-connect-refused"),
    },
    Lesson {
        of: &[F::Getsockopt],
        when: |call| call.option_is("SO_ERROR") && call.value == Some(0),
        says: |_| "no error waits: a connect that was under way has succeeded".into(),
        see: Lab("nb-connect-ok"),
    },
    Lesson {
        of: &[F::Getsockopt],
        when: |call| call.option_is("SO_ERROR") && call.value.is_some_and(|errno| errno != 0),
        says: |call| {
            let errno = Errno::from_number(call.value.unwrap_or(0) as i32);
            format!(
                "{} waited here; now that it is read, it is gone",
                errno.name().unwrap_or("an error")
            )
        },
        see: Lab("nb-connect-refused"),
    },
];
