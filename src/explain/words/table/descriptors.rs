//! The constants of `fcntl`, `ioctl` and descriptors.

use super::entries;

entries! { STATUS_FLAGS {
    O_RDONLY {
        gist: "open for reading only",
        means: "The value 0: there is no bit to test, only the absence of the two others.",
        when: "F_GETFL of a pipe's reading end.",
        advice: "Compare flags & O_ACCMODE with it.",
    }
    O_RDWR {
        means: "Every socket is opened this way.",
        when: "F_GETFL of a socket: 0x2 on Linux.",
        advice: "F_SETFL cannot change it.",
    }
    O_WRONLY {
        means: "read on it says EBADF.",
        when: "The writing end of a pipe; standard output sent to a file.",
        advice: "Nothing to do: it belongs to how the file was opened.",
    }
    O_APPEND {
        means: "Each write goes to the current end of the file, so that several writers do not overwrite one another.",
        when: "Log files, and shells' >>.",
        advice: "F_SETFL with O_NONBLOCK alone clears it: read the flags with F_GETFL first.",
        lab: "nonblock-is-shared",
    }
    O_NONBLOCK {
        means: "A call on this open file that would sleep fails with EAGAIN instead.",
        when: "Every socket of an event loop: readiness is a hint, and one blocked call stops all clients.",
        advice: "F_GETFL first, then F_SETFL with the old flags and this one. Beware of standard input: the flag is shared with the shell.",
        systems: "Accepted sockets inherit it on the BSDs and macOS, not on Linux.",
        lab: "blocking-or-eagain",
    }
    O_SYNC {
        means: "Each write waits for the disk.",
        when: "Databases and journals; it has no meaning for sockets.",
        advice: "Give it when opening: on Linux F_SETFL ignores it.",
    }
    O_ASYNC {
        means: "The owner (F_SETOWN) gets SIGIO when input or room comes.",
        when: "Old signal-driven programs.",
        advice: "select or poll tell which descriptor it is; a signal does not.",
        systems: "FIOASYNC sets the same flag.",
    }
    O_LARGEFILE {
        means: "A mark of the kernel's own on files opened by a 64-bit program.",
        when: "In the trace: F_GETFL of a redirected descriptor.",
        advice: "Ignore it; a C program's own O_LARGEFILE is 0 there.",
        systems: "Linux only.",
    }
} }

entries! { DESCRIPTOR_FLAGS {
    FD_CLOEXEC {
        means: "exec closes this descriptor. A duplicate has its own flag, which dup clears.",
        when: "Any program that starts another: leaked descriptors keep connections open and ports in use.",
        advice: "Set it from the start with SOCK_CLOEXEC, or F_SETFD at once.",
        lab: "close-is-refcount",
    }
    FD_SETSIZE {
        gist: "how many descriptors, from 0, an fd_set has bits for",
        means: "The first number that select cannot watch, however few descriptors there are.",
        when: "Servers with more clients than that. C's FD_SET writes beyond the set or aborts; ours returns an error.",
        advice: "Use poll, which has no such limit.",
        systems: "1024; 256 on NetBSD. The BSDs let a C program define it larger; glibc does not. On macOS, since version 11, FD_SET checks \
            the number first and writes nothing (read).",
        lab: "fdsetsize-overflow",
    }
} }

entries! { SPLICE_FLAGS {
    SPLICE_F_MOVE {
        means: "A request to hand over pages of memory; the kernel has ignored it since 2.6.21.",
        when: "In many programs that call splice; it changes nothing.",
        advice: "Leave it out: splice avoids copying where it can.",
        systems: "Linux has splice, and no other system.",
    }
    SPLICE_F_NONBLOCK {
        means: "EAGAIN instead of a wait for bytes in the pipe, or for room in it.",
        when: "Filling or emptying a pipe in a loop that must not wait.",
        advice: "It does not make a socket non-blocking: set O_NONBLOCK on the socket as well.",
        systems: "Linux only, as splice.",
        lab: "urgent-byte-stops-splice",
    }
    SPLICE_F_MORE {
        means: "Another splice will bring more bytes, so a socket may wait with a packet that is not full.",
        when: "splice into a socket, several times in a row.",
        advice: "It is what MSG_MORE is for send. Leave it out at the last call.",
        systems: "Linux alone knows it.",
    }
    SPLICE_F_GIFT {
        means: "The caller promises never to change the pages again that vmsplice puts into a pipe.",
        when: "vmsplice only; splice ignores it.",
        advice: "A promise that is broken changes bytes that are still on their way.",
        systems: "Linux, with vmsplice.",
    }
} }

entries! { CLOSE_RANGE_FLAGS {
    CLOSE_RANGE_UNSHARE {
        means: "The calling thread leaves the descriptors of the process and gets copies for itself; then the range is closed.",
        when: "A child made by clone with CLONE_FILES, before it closes what only its parent needs.",
        advice: "Not in an ordinary thread: what other threads open afterwards has no number there.",
        systems: "Linux only, since 5.9.",
    }
    CLOSE_RANGE_CLOEXEC {
        means: "FD_CLOEXEC is set on each descriptor of the range that is open now; nothing is closed before exec.",
        when: "close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) before exec, so that the new program inherits 0, 1 and 2 alone.",
        advice: "Call it last: a descriptor that is opened later has no mark, unless it is opened with one.",
        systems: "Linux since 5.11, FreeBSD since 13.1; before that the flag gives EINVAL.",
        lab: "cloexec-is-not-copied",
    }
} }

entries! { FCNTL_COMMANDS {
    F_DUPFD {
        means: "Like dup, but with a minimum: the lowest free number not below the argument.",
        when: "Tests of select's limit; moving a descriptor out of the way of 0, 1 and 2.",
        advice: "The two share position and status flags, not FD_CLOEXEC.",
    }
    F_DUPFD_CLOEXEC {
        means: "As F_DUPFD, and FD_CLOEXEC is set in the same step.",
        when: "Duplicates in a program that may exec at any time.",
        advice: "Prefer it to dup.",
    }
    F_GETFD {
        means: "The result is 0 or FD_CLOEXEC.",
        when: "Checking what a child would inherit; also whether a number is open at all.",
        advice: "A number that is not open gives EBADF.",
    }
    F_SETFD {
        means: "Sets or clears FD_CLOEXEC of this number alone.",
        when: "After accept where accept4 is missing.",
        advice: "Do it before another thread can fork.",
    }
    F_GETFL {
        means: "The result is the access mode and flags such as O_NONBLOCK.",
        when: "Before every F_SETFL.",
        advice: "Its flags belong to the open file, and so to every process that shares it.",
    }
    F_SETFL {
        means: "Replaces O_APPEND, O_NONBLOCK and O_ASYNC at once; it clears every flag that is not named.",
        when: "Making a socket non-blocking. A bare O_NONBLOCK clobbers the rest.",
        advice: "fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK).",
        lab: "nonblock-is-shared",
    }
    F_GETOWN {
        means: "A process id, or a group as its negative.",
        when: "Finding out where SIGURG goes.",
        advice: "A group with a small number looks like an error to a careless program.",
    }
    F_SETOWN {
        means: "Without it no process gets SIGURG; SIGIO also needs O_ASYNC.",
        when: "Urgent data by signal.",
        advice: "Give the process id; a negative number is a group. ESRCH: there is none.",
        lab: "oob-one-byte",
    }
} }

entries! { IOCTL_REQUESTS {
    FIONREAD {
        means: "How many bytes one recv could return without waiting; for UDP, the length of the first datagram (Linux).",
        when: "Curiosity, and choosing a buffer.",
        advice: "0 means empty or finished: only recv tells which. On a listener it gives EINVAL (Linux).",
        systems: "On the BSDs and macOS it is the total of all datagrams, except on OpenBSD with 16 bytes for each address (ran on FreeBSD \
            and NetBSD); macOS's SO_NREAD gives the first.",
        lab: "datagram-truncation",
    }
    FIONBIO {
        means: "Changes O_NONBLOCK alone, in one call.",
        when: "Where F_GETFL and F_SETFL are one call too many.",
        advice: "fcntl is POSIX, this is not; both set the same flag.",
    }
    FIOASYNC {
        means: "Switches O_ASYNC.",
        when: "Signal-driven programs, with F_SETOWN.",
        advice: "Prefer select or poll.",
    }
    TIOCOUTQ {
        means: "The bytes still in the send buffer: not sent, or sent and not yet acknowledged.",
        when: "Were the bytes delivered? 0 means that the peer's kernel has them, not its program.",
        advice: "If you must know, let the peer's program answer.",
        systems: "Linux answers it for sockets; for a Unix-domain one in memory used, not in bytes sent. Elsewhere it is for terminals, and a socket \
            refuses it: see FIONWRITE and SO_NWRITE.",
        lab: "send-is-a-copy",
    }
    FIONWRITE {
        means: "The same question as Linux's TIOCOUTQ.",
        when: "Looking into a send buffer on FreeBSD or NetBSD.",
        advice: "See SO_NWRITE for macOS.",
        systems: "FreeBSD and NetBSD.",
    }
    SIOCATMARK {
        means: "1 if the stream has reached the urgent byte. recv then returns the byte after it, unless SO_OOBINLINE \
            is set.",
        when: "Telnet-like protocols that discard everything up to the mark.",
        advice: "sockatmark is the portable way to ask.",
        lab: "oob-one-byte",
    }
} }
