//! The calls that make sockets and connections, name them, and end them.

use super::entries;

entries! { MAKING {
    socket {
        gist: "makes one end of a connection that does not exist yet",
        result: "A new descriptor, the lowest free number.",
        trap: "It has no name, no peer and no privilege; nothing has gone over the network. The number may be one that was just closed.",
        errnos: "EAFNOSUPPORT EPROTONOSUPPORT ESOCKTNOSUPPORT EINVAL EMFILE ENFILE EPERM",
        man: "socket(2)",
        posix: "socket",
        systems: "SOCK_NONBLOCK and SOCK_CLOEXEC do not exist on macOS.",
        lab: "names-appear-late",
    }
    socketpair {
        gist: "two sockets, connected to each other",
        result: "0; the two descriptors are in sv.",
        trap: "Both ends must be closed: end of file comes only when every copy of the other end is gone, also those in children.",
        errnos: "EOPNOTSUPP EAFNOSUPPORT EPROTONOSUPPORT EMFILE",
        man: "socketpair(2)",
        posix: "socketpair",
        lab: "socketpair-talks",
    }
    bind {
        gist: "gives a socket its own address",
        result: "0. With port 0 the system has chosen: getsockname tells what.",
        trap: "Clients need no bind. A socket can be bound once only, and 127.0.0.1 is reached from this machine alone.",
        errnos: "EADDRINUSE EADDRNOTAVAIL EACCES EINVAL EAFNOSUPPORT ENOENT ENOTDIR ENAMETOOLONG ENOTSOCK",
        man: "bind(2)",
        posix: "bind",
        systems: "A wrong family is EAFNOSUPPORT; on Linux EINVAL where the address is also too short, and on a Unix-domain socket. sun_path is \
            shorter on the others (104).",
        lab: "time-wait-bind",
    }
    listen {
        gist: "turns a socket into a listener",
        result: "0. From now on the kernel makes connections, whether or not accept is called.",
        trap: "backlog bounds the queue of those that wait for accept, not the clients. A listener never receives or sends.",
        errnos: "EADDRINUSE EINVAL EOPNOTSUPP EDESTADDRREQ ENOTSOCK",
        man: "listen(2)",
        posix: "listen",
        systems: "Linux queues backlog + 1, at most net.core.somaxconn + 1, and ignores further SYNs. FreeBSD queues 1.5 times as many; \
            macOS at most 128.",
        lab: "backlog-n-plus-1",
    }
    accept {
        gist: "takes the next connection out of a listener's queue",
        result: "A new descriptor for this connection; the peer's address through the pointer. The listener stays what it was.",
        trap: "On a listener set to block it may wait although select said ready: the client can be gone again.",
        errnos: "EAGAIN EINTR ECONNABORTED EMFILE ENFILE ENOBUFS ENOMEM EINVAL EOPNOTSUPP ENOTSOCK",
        man: "accept(2)",
        posix: "accept",
        systems: "O_NONBLOCK is inherited on the BSDs and macOS, not on Linux; options such as TCP_NODELAY are inherited on Linux.",
        lab: "accept-inherits",
    }
    accept4 {
        gist: "accept, with flags for the new socket",
        result: "As accept: the new descriptor.",
        trap: "Its flags are SOCK_NONBLOCK and SOCK_CLOEXEC, not O_NONBLOCK and FD_CLOEXEC.",
        errnos: "EAGAIN EINTR ECONNABORTED EMFILE ENFILE EINVAL",
        man: "accept4(2)",
        posix: "accept4 (since 2024)",
        systems: "Not on macOS.",
        lab: "accept-inherits",
    }
    connect {
        gist: "asks for a connection to an address",
        result: "0: for TCP, the peer's kernel has answered. Its program may not have accepted yet.",
        trap: "Interrupted or non-blocking, it goes on by itself: wait for writability, then read SO_ERROR. After a failure make a \
            new socket. On UDP it sends nothing and only fixes the peer.",
        errnos: "EINPROGRESS EALREADY EISCONN ECONNREFUSED ETIMEDOUT EHOSTUNREACH ENETUNREACH EADDRNOTAVAIL EINTR EAGAIN ENOENT EACCES \
            EPROTOTYPE EAFNOSUPPORT ENAMETOOLONG ENOTSOCK",
        man: "connect(2)",
        posix: "connect",
        lab: "nb-connect-ok",
    }
    shutdown {
        gist: "ends one direction of a connection, or both",
        result: "0. The descriptor is still open and must still be closed.",
        trap: "Unlike close it acts on the connection itself: for all duplicates and all processes, at once.",
        errnos: "ENOTCONN EINVAL ENOTSOCK",
        man: "shutdown(2)",
        posix: "shutdown",
        systems: "Shutting a half twice is fine on Linux and FreeBSD; on macOS the second is ENOTCONN.",
        lab: "half-close",
    }
    close {
        gist: "gives a number back",
        result: "0. The connection ends only if this was its last descriptor; unsent bytes still go out.",
        trap: "Bytes left unread turn the FIN into a reset, and the peer may lose your last answer. Never repeat it after EINTR: the \
            number may be somebody else's by then.",
        errnos: "EBADF EINTR EIO",
        man: "close(2)",
        posix: "close",
        systems: "After EINTR the descriptor is closed on Linux and FreeBSD. POSIX (2024) would have it open then, and wants EINPROGRESS where it is \
            closed. With bytes unread the BSDs send a FIN, and the reset when more comes.",
        lab: "rst-on-unread",
    }
    dup {
        gist: "a second number for the same open file",
        result: "The lowest free number.",
        trap: "Both share O_NONBLOCK and the position. The peer sees the end only after both are closed.",
        errnos: "EBADF EMFILE",
        man: "dup(2)",
        posix: "dup",
        lab: "close-is-refcount",
    }
    dup2 {
        gist: "a second number of one's choice for the same open file",
        result: "newfd, which was closed first if it was open.",
        trap: "That close happens silently: an error of it is lost. With two equal numbers nothing happens, FD_CLOEXEC included.",
        errnos: "EBADF EBUSY EINTR",
        man: "dup2(2)",
        posix: "dup2",
        lab: "fdsetsize-overflow",
    }
    pipe {
        gist: "a one-way channel inside the machine",
        result: "0; pipefd[0] is for reading, pipefd[1] for writing.",
        trap: "A process that keeps its copy of the writing end waits for its own end of file.",
        errnos: "EMFILE ENFILE",
        man: "pipe(2)",
        posix: "pipe",
        systems: "FreeBSD's pipe(2) has pipes that go both ways; do not count on it elsewhere.",
        lab: "readiness-matrix",
    }
    getsockname {
        gist: "this end's address",
        result: "0; the address and its real length through the pointers.",
        trap: "Before bind, listen or connect it is 0.0.0.0 and port 0. If the room was too short the address is cut, and only the \
            length tells.",
        errnos: "EINVAL ENOTSOCK",
        man: "getsockname(2)",
        posix: "getsockname",
        systems: "macOS says EINVAL after shutdown.",
        lab: "names-appear-late",
    }
    getpeername {
        gist: "the other end's address",
        result: "0; the peer's address and its length.",
        trap: "After a reset there is no peer any more: keep what accept gave you if you want to log it.",
        errnos: "ENOTCONN EINVAL ENOTSOCK",
        man: "getpeername(2)",
        posix: "getpeername",
        lab: "accept-after-rst",
    }
} }
