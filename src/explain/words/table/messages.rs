//! The flags of `send` and `recv`, the kinds of control messages, and the events of `poll`.

use super::entries;

entries! { MESSAGE_FLAGS {
    MSG_OOB {
        means: "Of what is sent, the last byte is marked urgent; recv with the flag fetches that one byte.",
        when: "telnet's interrupt, and nowhere in new protocols.",
        advice: "Use a second connection. A second urgent byte overtakes the first, which is lost.",
        systems: "Recent kernels of Linux have it on Unix-domain streams too; datagram sockets say EOPNOTSUPP.",
        lab: "oob-one-byte",
    }
    MSG_PEEK {
        means: "The next recv gets the same bytes again.",
        when: "Finding out what protocol a client speaks before handing it on.",
        advice: "Do not loop on it: the socket stays ready, and select or poll return at once each time.",
        lab: "peek-waitall-trunc",
    }
    MSG_DONTROUTE {
        means: "SO_DONTROUTE for one send: no gateway.",
        when: "Diagnosis and routing daemons.",
        advice: "It does not limit who may answer.",
    }
    MSG_CTRUNC {
        means: "recvmsg had too little room for the control messages; what was cut is gone.",
        when: "In msg_flags, when a peer passes more descriptors than were expected.",
        advice: "Look at it after every recvmsg that expects descriptors; those that did not fit were closed.",
        lab: "fd-passing",
    }
    MSG_TRUNC {
        means: "In msg_flags: the rest of the datagram was thrown away. Given to recv on Linux: return the real length.",
        when: "A buffer shorter than the datagram.",
        advice: "Take a buffer of 65,536 bytes, and drop what is cut. On TCP, Linux throws the bytes away unread.",
        systems: "As an argument it is Linux's; FreeBSD has had it for datagrams since 2022.",
        lab: "datagram-truncation",
    }
    MSG_DONTWAIT {
        means: "This one call behaves as if O_NONBLOCK were set; the descriptor is not changed.",
        when: "A descriptor shared with another process, whose mode must stay.",
        advice: "Give it every time: it does not stick.",
        systems: "NetBSD and macOS do not heed it in send: set O_NONBLOCK there.",
        lab: "nonblock-is-shared",
    }
    MSG_EOR {
        means: "The end of a record, for protocols that have records.",
        when: "SOCK_SEQPACKET of protocols such as SCTP.",
        advice: "TCP takes it and marks nothing: frame messages yourself.",
        lab: "no-message-boundaries",
    }
    MSG_WAITALL {
        means: "A blocking recv goes on until the buffer is full.",
        when: "Reading a header of known length without a loop.",
        advice: "Check the count all the same: the end, an error or a signal cuts it short. On a non-blocking socket it changes nothing.",
        systems: "At a signal NetBSD, OpenBSD and macOS give EINTR, and the bytes stay. With MSG_PEEK it does not wait on FreeBSD.",
        lab: "peek-waitall-trunc",
    }
    MSG_WAITFORONE {
        means: "recvmmsg waits for the first message and takes the others only if they are there.",
        when: "Receiving many datagrams with one call on a blocking socket.",
        advice: "Give it, or recvmmsg waits until every place is taken.",
        systems: "Linux, FreeBSD, NetBSD and OpenBSD; not on macOS, which has no recvmmsg.",
    }
    MSG_ERRQUEUE {
        means: "recvmsg returns a queued error and the packet that caused it, not data.",
        when: "UDP with IP_RECVERR; poll says POLLERR.",
        advice: "It never waits: an empty queue is EAGAIN.",
        systems: "Linux (recv(2)).",
        lab: "udp-refused-later",
    }
    MSG_NOSIGNAL {
        means: "The same EPIPE, but the program is not killed for it.",
        when: "Every send of a server: a client may be gone at any moment.",
        advice: "Give it always. write has no flags: there ignore SIGPIPE.",
        systems: "macOS knows it since about version 12; SO_NOSIGPIPE works there at any age.",
        lab: "sigpipe-or-not",
    }
    MSG_MORE {
        means: "TCP_CORK for one send: more will follow at once.",
        when: "A header by one send, a body by the next.",
        advice: "Leave it out with the last piece, or that waits for 200 ms. On UDP it gathers one datagram.",
        systems: "Linux only.",
    }
    MSG_CMSG_CLOEXEC {
        means: "Descriptors received by SCM_RIGHTS get FD_CLOEXEC before any other thread can fork.",
        when: "recvmsg in a program that starts others.",
        advice: "Give it; where it is missing, fcntl afterwards leaves a gap.",
        systems: "Not on macOS.",
        lab: "fd-passing",
    }
} }

entries! { CONTROL_MESSAGES {
    SCM_RIGHTS {
        means: "The receiver gets new numbers for the same open files, as if by dup across processes.",
        when: "sendmsg and recvmsg over AF_UNIX.",
        advice: "Send at least one byte with it. recvmsg must give room for control data, or what arrives is closed.",
        systems: "Linux takes 253 in one message.",
        lab: "fd-passing",
    }
    SCM_CREDENTIALS {
        means: "Process, user and group of whoever sent this message; the kernel has checked them.",
        when: "recvmsg on a Unix-domain socket with SO_PASSCRED.",
        advice: "Give room for a struct ucred: 12 bytes and the header.",
        systems: "Linux; FreeBSD's recv(2) calls its own SCM_CREDS, with another structure.",
    }
    SCM_TIMESTAMP {
        means: "A struct timeval: when the kernel received the datagram.",
        when: "recvmsg on a socket with SO_TIMESTAMP. The trace writes it under that option's name, as strace does.",
        advice: "It is wall-clock time, which may be set back.",
    }
} }

entries! { POLL_EVENTS {
    POLLIN {
        means: "recv or accept would not wait: bytes, a datagram, a queued connection, end of file, or an error to be told.",
        when: "Ask for it whenever there is room to receive.",
        advice: "Call recv and believe its result: 0 is the end, EAGAIN is possible.",
        systems: "select's first set says the same.",
        lab: "readiness-matrix",
    }
    POLLPRI {
        means: "On TCP: an urgent byte has come. On other files: something special of their own.",
        when: "select calls it exceptfds, which has nothing to do with errors.",
        advice: "recv with MSG_OOB. Do not ask for it without a use for it.",
        systems: "Linux clears it once the byte is read; FreeBSD reports it until the mark has been passed.",
        lab: "exceptfds-is-not-errors",
    }
    POLLOUT {
        means: "send would take at least something, or fail at once. After a non-blocking connect: the attempt is over.",
        when: "Ask for it only while bytes are owed, or the loop spins: an idle socket is always writable.",
        advice: "Send once and expect a short count.",
        systems: "On Linux it comes back only when about a third of a full buffer has drained. macOS never reports it with POLLHUP.",
        lab: "always-ready",
    }
    POLLERR {
        means: "Something went wrong while no call was waiting: a refusal, a reset, a datagram that came back.",
        when: "Reported without being asked for; never put it into events.",
        advice: "Read SO_ERROR, or let recv tell; then close. It goes away when the error is read.",
        systems: "FreeBSD does not report it for sockets, and macOS not for a reset: rely on recv's errno there.",
        lab: "readiness-matrix",
    }
    POLLHUP {
        means: "TCP: both sides have finished, or a reset. A pipe: the last writer is gone.",
        when: "Unasked. On Linux also for a fresh socket that was never connected, and for a listener after shutdown.",
        advice: "Go on reading until recv says 0: bytes may still be there. It stays, so a descriptor that is kept and ignored makes \
            poll spin.",
        systems: "macOS reports it after the peer's FIN alone; Linux and FreeBSD then say POLLIN and POLLRDHUP.",
        lab: "readiness-matrix",
    }
    POLLNVAL {
        means: "The number in this row is not open. Only this row is affected.",
        when: "A descriptor that was closed and left in the array.",
        advice: "Repair the table of connections: it is a mistake of the program. A negative number switches a row off properly.",
        systems: "macOS says it of terminals and other devices too: watch those with select.",
        lab: "bad-fd-poisons-select",
    }
    POLLRDNORM {
        means: "Ordinary data can be read.",
        when: "In old STREAMS programs, or in revents when it was asked for.",
        advice: "Ask for POLLIN.",
        systems: "macOS's poll(2) says that POLLIN is as much as this and POLLRDBAND.",
    }
    POLLRDBAND {
        means: "Data of a priority band, an idea of STREAMS.",
        when: "Practically never on sockets; an urgent TCP byte does not set it on Linux.",
        advice: "Use POLLPRI for urgent bytes.",
    }
    POLLWRNORM {
        means: "Ordinary data can be sent.",
        when: "Linux adds it to POLLOUT when it is asked for.",
        advice: "Ask for POLLOUT.",
    }
    POLLWRBAND {
        means: "There is room to send in a priority band.",
        when: "Linux says it of UDP sockets and not of TCP ones.",
        advice: "Do not use it: it promises nothing that send keeps.",
    }
    POLLRDHUP {
        means: "The peer's FIN has come. We may still send.",
        when: "Only if it is asked for; bytes that came before it can still be read.",
        advice: "Portable programs wait for recv to say 0, which says the same after the bytes.",
        systems: "Linux, and FreeBSD since 2021.",
        lab: "readiness-matrix",
    }
} }
