//! The errors that come from this end: waiting, descriptors, arguments, resources, files.

use super::entries;

entries! { WAITING {
    EAGAIN {
        means: "A blocking call would have slept here. Nothing was done and nothing is wrong. EWOULDBLOCK is another name for it.",
        when: "recv with nothing there, send with a full buffer, accept with an empty queue, on a non-blocking socket, with \
            MSG_DONTWAIT, or when SO_RCVTIMEO ran out. Also after select or poll, because readiness is only a hint. And \
            connect to a Unix-domain listener whose queue is full (Linux): then nothing is in progress.",
        advice: "Wait for that descriptor with select or poll; never retry in a loop without waiting. After connect no \
            readiness will come: call connect again after a pause, up to a time limit.",
        systems: "EAGAIN and EWOULDBLOCK are the same number on all systems here; POSIX allows two numbers. On macOS and \
            NetBSD send ignores MSG_DONTWAIT and waits.",
        lab: "blocking-or-eagain",
    }
    EINTR {
        means: "A signal handler ran while the call slept, and the call returned before it had moved a byte.",
        when: "select and poll after any handled signal, even with SA_RESTART; recv, accept and connect without SA_RESTART.",
        advice: "Check what the handler noted, then repeat the call with sets built again. Do not repeat connect (wait \
            for writability instead) nor close.",
        systems: "On Linux, stopping and continuing a process interrupts a recv with SO_RCVTIMEO, without any handler; select and \
            poll sleep on. On macOS and the BSDs connect says EINTR also with SA_RESTART, and goes on by itself.",
        lab: "eintr-despite-sa-restart",
    }
    EDEADLK {
        means: "The wait for that lock could never end, because its holder waits for us (a deadlock).",
        when: "Record locks of files (fcntl F_SETLKW); no socket call in this program reports it.",
        advice: "Take locks in the same order everywhere.",
    }
    ECANCELED {
        means: "The operation was cancelled before it was done.",
        when: "Asynchronous input and output (aio, io_uring); no call that this program makes reports it.",
        advice: "Nothing to repair: a program asked for it.",
    }
} }

entries! { DESCRIPTORS {
    EBADF {
        means: "No file is open at that number in this process, or the open file does not allow this direction.",
        when: "A descriptor used after close; a closed one left in an fd_set; read on one that is open for writing only.",
        advice: "Find the code that closed it. Beware: if the kernel had reused the number, the call would have reached another connection.",
        systems: "select does not say which descriptor, poll marks the row with POLLNVAL.",
        lab: "bad-fd-poisons-select",
    }
    ENOTSOCK {
        means: "The descriptor is open, but it is a file, a pipe or a terminal: socket calls do not work on it.",
        when: "recv on standard input; a number that was closed and then reused for a file.",
        advice: "read and write work on both kinds.",
    }
    EMFILE {
        means: "This process has as many descriptors as RLIMIT_NOFILE allows; other processes are not affected.",
        when: "accept on a busy server, or on one that forgets to close: the usual soft limit is 1024 on Linux.",
        advice: "Raise the soft limit (ulimit -n), look for a leak, and pause accepting: the client stays queued and the listener stays \
            readable, so a loop would spin.",
        systems: "macOS and gVisor drop the queued connection instead: the client sees its end.",
        lab: "emfile-accept-spin",
    }
    ENFILE {
        means: "All processes together have used up the table of open files.",
        when: "accept, socket or pipe on an overloaded machine.",
        advice: "Pause accepting as with EMFILE; raising your own limit does not help.",
    }
    ENOTTY {
        means: "The ioctl request does not apply to this kind of file. The name comes from terminals, its first use.",
        when: "TIOCOUTQ on a regular file; SIOCATMARK on a UDP socket.",
        advice: "Check the descriptor, then the request.",
    }
    EOPNOTSUPP {
        means: "The call is valid, but for another kind of socket.",
        when: "listen or accept on UDP; socketpair in AF_INET; MSG_OOB on a datagram socket; TCP options on a Unix-domain socket.",
        advice: "Use a type of socket that supports it, or leave the flag out.",
        systems: "ENOTSUP has the same number on Linux and FreeBSD, another one on macOS, NetBSD and OpenBSD. accept on UDP is EINVAL on \
            FreeBSD (ran 13.0).",
    }
    ENOTSUP {
        means: "The system knows the request but does not support it.",
        when: "Calls of POSIX that an object does not take part in. Socket calls say EOPNOTSUPP.",
        advice: "Use another call, or do without.",
        systems: "On Linux and FreeBSD this is EOPNOTSUPP under a second name, and the trace prints that one.",
    }
    ENOPROTOOPT {
        means: "The level has no option of that number, or this one is read only or not for this protocol.",
        when: "setsockopt of SO_ERROR or SO_TYPE; a TCP option on a UDP socket; an IPv6 option on an IPv4 socket.",
        advice: "Check that level and option belong together: numbers repeat from level to level.",
        systems: "Linux returns it for SO_SNDLOWAT as well, which FreeBSD lets you set.",
        lab: "sockbuf-doubling",
    }
    ESPIPE {
        means: "This file has no position: its bytes only arrive and leave.",
        when: "lseek on a socket, a pipe or a terminal.",
        advice: "Keep what you may need again: a stream cannot be rewound. MSG_PEEK looks without taking.",
    }
    ENODEV {
        means: "The driver behind the file has no such operation.",
        when: "mmap on a socket or a pipe; hardly any call of this program.",
        advice: "Use read and write.",
    }
    ENXIO {
        means: "The file exists, but nothing can be opened through it.",
        when: "open on the file of a Unix-domain socket: the file is only a name.",
        advice: "connect to it instead.",
        systems: "FreeBSD and macOS say EOPNOTSUPP to that open.",
    }
} }

entries! { ARGUMENTS {
    EINVAL {
        means: "The kernel knows the call but not this value, or the socket is in the wrong state for it.",
        when: "accept before listen; bind a second time; a negative nfds or timeout; a length shorter than the address; IPV6_V6ONLY after \
            bind; MSG_OOB with no urgent byte.",
        advice: "See the list in the call's man page: the errno alone does not say which argument is wrong.",
        lab: "listener-cannot-talk",
    }
    EFAULT {
        means: "The pointer of a buffer, an address or a structure is invalid.",
        when: "In C: an uninitialised pointer, NULL for a length. The safe wrappers of this program cannot pass such a pointer.",
        advice: "Find the wrong pointer.",
    }
    EDOM {
        means: "The value is out of the option's range.",
        when: "SO_RCVTIMEO or SO_SNDTIMEO with tv_usec of a million or more.",
        advice: "Carry whole seconds over into tv_sec.",
        systems: "FreeBSD and NetBSD say it of a negative l_linger, too (ran).",
    }
    ERANGE {
        means: "The result does not fit its type or buffer.",
        when: "Numbers read with strtol; looking up services with the functions that take a buffer. No socket call here.",
        advice: "Enlarge the buffer, or refuse the number.",
    }
    EOVERFLOW {
        means: "A value does not fit in a field of the caller's structure.",
        when: "Sizes and offsets of huge files in 32-bit programs. The wrappers here refuse a timeout of more than 68 years there, and on macOS and NetBSD microseconds beyond 32 bits.",
        advice: "Use the 64-bit types.",
    }
    ENOSYS {
        means: "The kernel has no entry for the call, though the C library has a function.",
        when: "A program made for a newer kernel; a sandbox that hides calls.",
        advice: "Fall back: accept and fcntl do what accept4 does.",
    }
    EEXIST {
        means: "A new file cannot get a name that already exists.",
        when: "Files and directories. bind to a Unix-domain path that exists says EADDRINUSE instead.",
        advice: "Choose another name, or remove the old file if it is yours.",
    }
    EPERM {
        means: "The rule is about privilege, not about the permissions of a file.",
        when: "A raw socket as an ordinary user; a signal to another user's process; a firewall that rejects one's own send (Linux).",
        advice: "Run it privileged, or better, do without the privilege.",
        systems: "Some systems say EACCES to raw sockets.",
    }
    EACCES {
        means: "The permissions do not allow this process to do it.",
        when: "bind to a port below 1024 without privilege; a datagram to a broadcast address without SO_BROADCAST; a Unix-domain file \
            or directory that may not be written.",
        advice: "Take a port above 1023; set SO_BROADCAST; look at the file's mode.",
        systems: "macOS reserves those ports at a specific address only: at 0.0.0.0 and :: any user may bind them (read in xnu 15.4).",
        lab: "wildcard-vs-loopback",
    }
    EBUSY {
        means: "Another thread is using it at this moment.",
        when: "dup2 on Linux, in a race with another thread that opens that very number.",
        advice: "Try again; better, let the system choose numbers.",
    }
    ESRCH {
        means: "The named process or group has ended or never existed.",
        when: "kill with an old process ID; F_SETOWN to a process that has ended.",
        advice: "Beware of the opposite: process IDs are reused, and then the call hits another process.",
    }
    ECHILD {
        means: "wait has no child to wait for.",
        when: "A server that forks, has SIGCHLD ignored or SA_NOCLDWAIT set, and then waits.",
        advice: "Decide on one: reap children, or let the system do so.",
    }
} }

entries! { RESOURCES {
    ENOBUFS {
        means: "The network code had no memory for the bytes to send or queue.",
        when: "send in a storm of packets; accept and socket when memory is short.",
        advice: "Wait a little and try again. The connection is not at fault.",
        systems: "FreeBSD reports a full queue of the interface so, and the BSDs and macOS a full Unix-domain datagram queue, \
            even to a blocking socket; Linux drops the datagram and says nothing (send(2)). On the BSDs, and on macOS up to 14.3, \
            setsockopt says it of an SO_SNDBUF or SO_RCVBUF that is too large; Linux takes less.",
    }
    ENOMEM {
        means: "The kernel could not allocate what this call needs.",
        when: "Any call on a machine at its limit.",
        advice: "Free memory: close idle connections. An immediate retry does not help.",
    }
    ETOOMANYREFS {
        means: "Too many descriptors were sent over Unix-domain sockets and not yet received.",
        when: "sendmsg with SCM_RIGHTS, when the receiver does not keep up (Linux).",
        advice: "Let the receiver catch up; it must receive them or close.",
        lab: "fd-passing",
    }
    EIO {
        means: "The device failed, or the terminal is gone.",
        when: "write to a terminal that hung up (read returns 0); read at the master's end of a pseudo-terminal that \
            no process has open any more (Linux); read from the background; a failing disk. Sockets do not report it.",
        advice: "On a terminal: treat it as end of file.",
        lab: "tty-readiness",
    }
    ENOSPC {
        means: "There is no space left for the bytes of this write.",
        when: "A trace or a log on a full disk; /dev/full gives it always, which is good for tests.",
        advice: "Report it once and continue without the log.",
    }
    EFBIG {
        means: "The write would make the file larger than allowed.",
        when: "A log at the limit of ulimit -f, together with SIGXFSZ.",
        advice: "Begin a new file.",
    }
    ENOENT {
        means: "A part of the path does not exist.",
        when: "connect to a Unix-domain path before the server has bound it; bind in a directory that is missing.",
        advice: "Check the directory and where a relative path starts from.",
        lab: "stale-socket-file",
    }
    ENOTDIR {
        means: "A part in the middle of the path is a file, not a directory.",
        when: "bind or connect with unix:file/name.",
        advice: "Correct the path.",
    }
    EISDIR {
        means: "The descriptor is a directory, from which no bytes can be read.",
        when: "read on a descriptor that was opened on one.",
        advice: "Open a file in it.",
    }
    ELOOP {
        means: "The symbolic links form a loop, or the chain is too long.",
        when: "connect or bind with a Unix-domain path that contains a link to itself.",
        advice: "Resolve the path by hand and remove the link.",
    }
    EROFS {
        means: "The file system at this path is read-only.",
        when: "bind to a Unix-domain path on a mounted image.",
        advice: "Put the socket into a place for run-time files, /tmp or /run.",
    }
    ESTALE {
        means: "The server of a network file system has forgotten the file behind this descriptor.",
        when: "Files over NFS; sockets never.",
        advice: "Open it again by name.",
    }
} }
