//! The calls that move bytes, and those that set and ask.

use super::entries;

entries! { MOVING {
    send {
        gist: "gives bytes to the kernel for the peer",
        result: "How many bytes were taken, perhaps fewer than offered: a short send.",
        trap: "Taken is not delivered: the bytes are in the kernel's buffer. The rest is the program's to send, when the socket is \
            writable again.",
        errnos: "EAGAIN EINTR EPIPE ECONNRESET ENOTCONN EDESTADDRREQ ECONNREFUSED EMSGSIZE ENOBUFS ETIMEDOUT EHOSTUNREACH EOPNOTSUPP ENOTSOCK",
        man: "send(2)",
        posix: "send",
        systems: "A blocking send returns short only after a signal or a timeout, on Linux.",
        lab: "partial-send",
    }
    recv {
        gist: "takes bytes that have come",
        result: "How many; any number from 1 to len. 0 on a stream: end of file, the peer has finished sending.",
        trap: "One recv is not one send: messages arrive joined or in pieces. On a datagram socket 0 is an empty message, no end.",
        errnos: "EAGAIN EINTR ECONNRESET ENOTCONN ECONNREFUSED ETIMEDOUT EHOSTUNREACH ENOMEM EINVAL EOPNOTSUPP ENOTSOCK",
        man: "recv(2)",
        posix: "recv",
        lab: "no-message-boundaries",
    }
    sendto {
        gist: "sends a datagram to an address",
        result: "The whole length, or -1: a datagram goes whole or not at all.",
        trap: "Success says that it left, not that it came. A refusal is heard of only on a connected socket, at a later call.",
        errnos: "EAGAIN EISCONN EACCES EINVAL EAFNOSUPPORT ENETUNREACH EMSGSIZE ENAMETOOLONG ENOTSOCK",
        man: "sendto(2)",
        posix: "sendto",
        lab: "udp-refused-later",
    }
    recvfrom {
        gist: "takes a datagram and its sender's address",
        result: "The bytes that fitted. The rest of that datagram is gone.",
        trap: "The sender's address is whatever the packet says; anyone can write there.",
        errnos: "EAGAIN EINTR ECONNREFUSED ENOTCONN ENOTSOCK",
        man: "recvfrom(2)",
        posix: "recvfrom",
        lab: "datagram-truncation",
    }
    sendmsg {
        gist: "sends from several buffers, with control data",
        result: "Bytes taken over all the buffers together.",
        trap: "It may stop in the middle of a buffer. Descriptors travel with the first byte: repeat only the bytes.",
        errnos: "EAGAIN EPIPE ECONNRESET EINVAL EMSGSIZE ETOOMANYREFS ENAMETOOLONG",
        man: "sendmsg(2)",
        posix: "sendmsg",
        lab: "fd-passing",
    }
    recvmsg {
        gist: "receives into several buffers, with control data",
        result: "Bytes received; msg_flags says what was cut (MSG_TRUNC, MSG_CTRUNC).",
        trap: "Descriptors that arrive are open, wanted or not: close what you do not use, or a peer fills your table.",
        errnos: "EAGAIN EINTR ECONNRESET EMSGSIZE ENOTCONN ENOMEM",
        man: "recvmsg(2)",
        posix: "recvmsg",
        systems: "Without room in the table, FreeBSD's recv(2) says EMSGSIZE.",
        lab: "fd-passing",
    }
    read {
        gist: "takes bytes from any descriptor",
        result: "On a socket as recv without flags; 0 is the end of a file or stream.",
        trap: "With length 0 it leaves a datagram where it is; recv would take it (Linux). From a terminal it returns a line at most.",
        errnos: "EAGAIN EINTR EIO EISDIR EBADF ECONNRESET",
        man: "read(2)",
        posix: "read",
        lab: "zero-is-three-things",
    }
    write {
        gist: "gives bytes to any descriptor",
        result: "How many were taken. Pipes and sockets may take fewer than offered.",
        trap: "No flags, so no MSG_NOSIGNAL: a peer that is gone brings SIGPIPE.",
        errnos: "EAGAIN EINTR EPIPE ECONNRESET ENOSPC EFBIG EIO EBADF",
        man: "write(2)",
        posix: "write",
        lab: "sigpipe-or-not",
    }
    sendfile {
        gist: "sends bytes of a file without reading them first",
        result: "How many were taken, perhaps fewer than asked for. 0: the file has no byte there, now.",
        trap: "A file that becomes shorter on the way gives 0, again and again. No flags, so no MSG_NOSIGNAL: a peer that is gone brings \
            SIGPIPE. Bytes that are changed before they have arrived may arrive changed.",
        errnos: "EAGAIN EINTR EPIPE EDESTADDRREQ EINVAL ESPIPE EBADF EOVERFLOW EIO ENOMEM",
        man: "sendfile(2)",
        posix: "",
        systems: "This is Linux's. FreeBSD and macOS have another of that name: the file first, other arguments, its header and trailer. \
            OpenBSD and NetBSD have none.",
    }
} }

entries! { ASKING {
    setsockopt {
        gist: "sets an option of a socket",
        result: "0. It does not promise the very value: read it back.",
        trap: "Order matters: SO_REUSEADDR and IPV6_V6ONLY before bind, SO_RCVBUF before connect or listen.",
        errnos: "ENOPROTOOPT EINVAL EDOM EPERM EOPNOTSUPP EISCONN ENOTSOCK",
        man: "setsockopt(2)",
        posix: "setsockopt",
        systems: "macOS gives EINVAL for a connection that is over.",
        lab: "sockbuf-doubling",
    }
    getsockopt {
        gist: "reads an option of a socket",
        result: "0; the value and its length through the pointers.",
        trap: "Reading SO_ERROR clears it: who looks twice sees 0.",
        errnos: "ENOPROTOOPT EINVAL EOPNOTSUPP ENOTSOCK",
        man: "getsockopt(2)",
        posix: "getsockopt",
        lab: "nb-connect-refused",
    }
    fcntl {
        gist: "flags, owners and duplicates of a descriptor",
        result: "Depends on the command: flags, a new number, or 0.",
        trap: "F_SETFL replaces all flags, and they belong to everybody who shares the open file.",
        errnos: "EBADF EINVAL EMFILE EPERM ESRCH",
        man: "fcntl(2)",
        posix: "fcntl",
        lab: "nonblock-is-shared",
    }
    ioctl {
        gist: "requests that have no call of their own",
        result: "0; the answer is where the argument points to.",
        trap: "The request decides what the argument must be, and no compiler checks it. Ours allow only those with an int.",
        errnos: "ENOTTY EINVAL EBADF",
        man: "ioctl(2)",
        posix: "",
    }
    sockatmark {
        gist: "whether the urgent mark is next",
        result: "1 at the mark, 0 elsewhere.",
        trap: "recv never reads across the mark, so ask after each recv.",
        errnos: "ENOTTY EBADF",
        man: "sockatmark(3)",
        posix: "sockatmark",
        lab: "oob-one-byte",
    }
} }
