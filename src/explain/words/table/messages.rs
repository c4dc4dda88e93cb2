//! The flags of `send` and `recv`, the kinds of control messages, and the events of `poll`.

use super::entries;

entries! { MESSAGE_FLAGS {
    MSG_OOB {
        means: "send marks the last byte as urgent; recv with the flag fetches that one byte.",
        when: "telnet's interrupt, and nowhere in new protocols.",
        advice: "Use a second connection. If a second urgent byte arrives before the first was read, the first loses its mark.",
        systems: "It is then lost on FreeBSD, NetBSD (ran) and macOS (read); Linux puts it back into the stream if an ordinary byte lies \
            before it. Recent Linux kernels support it on Unix-domain streams too; datagram sockets give EOPNOTSUPP. gVisor has no urgent data.",
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
        advice: "It does not limit which hosts may answer.",
    }
    MSG_CTRUNC {
        means: "recvmsg had too little room for the control messages; the rest is lost.",
        when: "In msg_flags, when a peer passes more descriptors than were expected.",
        advice: "Check it after every recvmsg that expects descriptors. Linux has closed those that did not fit; on \
            macOS they stay open.",
        systems: "On macOS they stay open, and the program does not learn their numbers (read in xnu 15.4). NetBSD says nothing where there is no \
            room for control data at all (ran 10.99.12).",
        lab: "fd-passing",
    }
    MSG_TRUNC {
        means: "In msg_flags: the rest of the datagram was discarded. As an argument of recv on Linux: return the real length.",
        when: "A buffer shorter than the datagram.",
        advice: "Use a buffer of 65,536 bytes, and ignore truncated datagrams. On TCP, Linux discards the bytes unread.",
        systems: "Linux accepts it as an argument; FreeBSD has done so for datagrams since 2022.",
        lab: "datagram-truncation",
    }
    MSG_DONTWAIT {
        means: "This one call behaves as if O_NONBLOCK were set; the descriptor is not changed.",
        when: "A descriptor that is shared with another process and must stay blocking.",
        advice: "Pass it every time: it applies to one call only.",
        systems: "send on macOS and NetBSD ignores it, and waits on a blocking socket (read in xnu 15.4; ran on 10.99.12).",
        lab: "nonblock-is-shared",
    }
    MSG_EOR {
        means: "The end of a record, for protocols that have records.",
        when: "SOCK_SEQPACKET of protocols such as SCTP.",
        advice: "TCP accepts the flag and ignores it: frame messages yourself.",
        lab: "no-message-boundaries",
    }
    MSG_WAITALL {
        means: "A blocking recv goes on until the buffer is full.",
        when: "Reading a header of known length without a loop.",
        advice: "Check the count all the same: end of file, an error or a signal makes it short. Leave it out on a non-blocking socket.",
        systems: "On a non-blocking socket Linux gives what is there. NetBSD and macOS say EAGAIN until all has come, \
            FreeBSD 13.0 and OpenBSD take the part and wait (read). With MSG_DONTWAIT it waits on NetBSD (ran), FreeBSD, OpenBSD and macOS (read). \
            With MSG_PEEK it does not wait on FreeBSD 13.0, and \
            shows the same bytes again (ran), nor in gVisor. After a signal NetBSD, OpenBSD and macOS say EINTR and keep what has come.",
        lab: "peek-waitall-trunc",
    }
    MSG_WAITFORONE {
        means: "recvmmsg waits for the first message only, and takes the others if they have arrived.",
        when: "Receiving many datagrams with one call on a blocking socket.",
        advice: "Pass it, or recvmmsg waits until the whole vector is filled.",
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
        means: "The call still fails with EPIPE, but does not raise SIGPIPE.",
        when: "Every send of a server: a client may disconnect at any moment.",
        advice: "Always pass it. write has no flags: ignore SIGPIPE there.",
        systems: "macOS knows it since version 11 (read in xnu-7195); SO_NOSIGPIPE works there at any age.",
        lab: "sigpipe-or-not",
    }
    MSG_MORE {
        means: "TCP_CORK for one send: more will follow at once.",
        when: "A header by one send, a body by the next.",
        advice: "Leave it out for the last piece, or the kernel holds that back for 200 ms. On UDP the pieces form one \
            datagram.",
        systems: "Linux only.",
    }
    MSG_CMSG_CLOEXEC {
        means: "Descriptors received by SCM_RIGHTS get FD_CLOEXEC before any other thread can fork.",
        when: "recvmsg in a program that starts others.",
        advice: "Pass it; on systems without it, fcntl afterwards leaves a gap.",
        systems: "Not on macOS.",
        lab: "fd-passing",
    }
} }

entries! { CONTROL_MESSAGES {
    SCM_RIGHTS {
        means: "The receiver gets new numbers for the same open files, as if by dup across processes.",
        when: "sendmsg and recvmsg over AF_UNIX.",
        advice: "Send at least one byte with it. recvmsg must provide room for control data, or Linux closes the \
            descriptors.",
        systems: "Linux takes 253 in one message, FreeBSD, NetBSD and macOS 254. On macOS what found no room stays open: any local client \
            can fill the table of a server that calls recv.",
        lab: "fd-passing",
    }
    SCM_CREDENTIALS {
        means: "Process, user and group of the sender; the kernel has verified them.",
        when: "recvmsg on a Unix-domain socket with SO_PASSCRED.",
        advice: "Provide room for a struct ucred: 12 bytes and the header.",
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
        means: "recv or accept would not wait: there are bytes, a datagram, a queued connection, an end of file, or a pending error.",
        when: "Ask for it whenever you have room to receive.",
        advice: "Call recv and trust its result: 0 is the end of file, EAGAIN is possible.",
        systems: "select's first set is its counterpart.",
        lab: "readiness-matrix",
    }
    POLLPRI {
        means: "On TCP: an urgent byte has come. On other files: something special of their own.",
        when: "select calls it exceptfds, which has nothing to do with errors.",
        advice: "recv with MSG_OOB. Do not ask for it without a use for it.",
        systems: "Linux clears it once the byte is read; FreeBSD reports it until the mark has been passed. On macOS poll never \
            reports urgent data of a socket, select does; if asked for, it comes beside POLLHUP there (read in xnu 15.4).",
        lab: "exceptfds-is-not-errors",
    }
    POLLOUT {
        means: "send would take at least some bytes, or fail at once. After a non-blocking connect: the attempt is finished.",
        when: "Ask for it only while you have unsent bytes, or the loop spins: an idle socket is always writable.",
        advice: "Send once and expect a short count.",
        systems: "On Linux it comes back only when about a third of a full buffer has drained. macOS does not report it with \
            POLLHUP, nor does FreeBSD 13.0 when it need not wait (ran).",
        lab: "always-ready",
    }
    POLLERR {
        means: "An error occurred while no call was waiting: a refused connection, a reset, an ICMP message for a \
            datagram.",
        when: "Reported without being asked for; never put it into events.",
        advice: "Read SO_ERROR, or call recv to get the error; then close. Reading the error clears it.",
        systems: "FreeBSD, NetBSD and OpenBSD do not report it for sockets, and macOS not for a reset: rely on recv's errno there.",
        lab: "readiness-matrix",
    }
    POLLHUP {
        means: "TCP: both sides have finished sending, or the connection was reset. A pipe: the last writer has closed.",
        when: "Reported unasked. On Linux also for a socket that was never connected, and for a listener after shutdown.",
        advice: "Keep reading until recv returns 0: there may still be bytes. The condition stays, so a loop that \
            ignores it spins.",
        systems: "macOS reports it after the peer's FIN alone; Linux, and FreeBSD since 14, then say POLLIN and \
            POLLRDHUP. NetBSD never reports it for sockets (ran 10.99.12).",
        lab: "readiness-matrix",
    }
    POLLNVAL {
        means: "The number in this row is not open. Only this row is affected.",
        when: "A descriptor that was closed and left in the array.",
        advice: "This is a mistake in the program: fix its table of connections. To disable a row, use a negative number.",
        systems: "macOS says it of /dev/tty, directories, disks and most other devices, too: watch those with select. Pseudo-terminals it \
            can watch (read in xnu 15.4).",
        lab: "bad-fd-poisons-select",
    }
    POLLRDNORM {
        means: "Ordinary data can be read.",
        when: "In old STREAMS programs, or in revents when it was asked for.",
        advice: "Ask for POLLIN.",
        systems: "macOS's poll(2) says that POLLIN equals this and POLLRDBAND.",
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
        when: "Linux reports it for UDP sockets, not for TCP.",
        advice: "Do not use it: it says nothing about what send will do.",
    }
    POLLRDHUP {
        means: "The peer's FIN has arrived. We may still send.",
        when: "Only if requested; bytes that arrived before the FIN can still be read.",
        advice: "Portable programs call recv until it returns 0, which means the same after the last byte.",
        systems: "Linux, and FreeBSD since 14; FreeBSD 13.0 ignores the bit (ran).",
        lab: "readiness-matrix",
    }
} }
