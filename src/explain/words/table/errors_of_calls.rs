//! The errors that come from this end: waiting, descriptors, arguments, resources, files.

use super::entries;

entries! { WAITING {
    EAGAIN {
        means: "A blocking call would have slept here. Nothing was done and nothing is wrong. EWOULDBLOCK is another name for it.",
        when: "recv with nothing there, send with a full buffer, accept with an empty queue, on a non-blocking socket, with \
            MSG_DONTWAIT, or when SO_RCVTIMEO ran out. Also after select or poll said ready: that is a hint.",
        advice: "Go back to select or poll and ask for that descriptor; never try again in a circle.",
        systems: "One number with EWOULDBLOCK on all systems here; POSIX would allow two.",
        lab: "blocking-or-eagain",
    }
    EINTR {
        means: "A handler ran while the call slept, and the call gave up before it had moved a byte.",
        when: "select and poll after any handled signal, even with SA_RESTART; recv, accept and connect without SA_RESTART.",
        advice: "Look at what the handler noted, then make the call again with sets built anew. connect alone must not be repeated: wait \
            for writability. close must not either.",
        systems: "On Linux, stopping and continuing a process interrupts a recv with SO_RCVTIMEO, without any handler; select and \
            poll sleep on.",
        lab: "eintr-despite-sa-restart",
    }
    EDEADLK {
        means: "Waiting for that lock could never end, because its holder waits for us.",
        when: "Record locks of files (fcntl F_SETLKW); no socket call in this program reports it.",
        advice: "Take locks in one order everywhere.",
    }
    ECANCELED {
        means: "Somebody withdrew the operation before it was done.",
        when: "Asynchronous input and output (aio, io_uring); no call that this program makes reports it.",
        advice: "Nothing to repair: it was asked for.",
    }
} }

entries! { DESCRIPTORS {
    EBADF {
        means: "The table of this process's descriptors is empty at that number, or what is open there has no such direction.",
        when: "A descriptor used after close; a closed one left in an fd_set; read on one that is open for writing only.",
        advice: "Find who closed it. Beware: had the number been given out again, the call would have reached a stranger.",
        systems: "select names no culprit, poll marks the row with POLLNVAL.",
        lab: "bad-fd-poisons-select",
    }
    ENOTSOCK {
        means: "Something is open at that number, but a file, a pipe or a terminal: socket calls do not work on it.",
        when: "recv on standard input; a number that was closed and then given to a file.",
        advice: "read and write work on both kinds.",
    }
    EMFILE {
        means: "The table of descriptors is full up to RLIMIT_NOFILE; other processes are not concerned.",
        when: "accept on a busy server, or on one that forgets to close: the usual soft limit is 1024 on Linux.",
        advice: "Raise the soft limit (ulimit -n), look for a leak, and pause accepting: the client stays queued and the listener stays \
            readable, so a loop would spin.",
        systems: "A macOS kernel drops the queued connection.",
        lab: "emfile-accept-spin",
    }
    ENFILE {
        means: "All processes together have used up the table of open files.",
        when: "accept, socket or pipe on an overloaded machine.",
        advice: "Pause accepting as with EMFILE; raising one's own limit does not help.",
    }
    ENOTTY {
        means: "ioctl met a kind of file that the request was not made for. The name speaks of terminals, its first use.",
        when: "TIOCOUTQ on a regular file; SIOCATMARK on a UDP socket.",
        advice: "Check the number of the descriptor, then the request.",
    }
    EOPNOTSUPP {
        means: "The call is a good one, for another kind of socket.",
        when: "listen or accept on UDP; socketpair in AF_INET; MSG_OOB on a datagram socket; TCP options on a Unix-domain socket.",
        advice: "Take the type of socket that can, or leave the flag out.",
        systems: "ENOTSUP has the same number on Linux and FreeBSD, another one on macOS, NetBSD and OpenBSD.",
    }
    ENOTSUP {
        means: "The system knows what was meant and does not offer it.",
        when: "Calls of POSIX that an object does not take part in. Socket calls say EOPNOTSUPP.",
        advice: "Ask for it in another way, or do without.",
        systems: "On Linux and FreeBSD this is EOPNOTSUPP under a second name, and the trace prints that one.",
    }
    ENOPROTOOPT {
        means: "The level has no option of that number, or this one is read only or not for this protocol.",
        when: "setsockopt of SO_ERROR or SO_TYPE; a TCP option on a UDP socket; an IPv6 option on an IPv4 socket.",
        advice: "Check that level and option belong together: numbers repeat from level to level.",
        systems: "Linux says so to SO_SNDLOWAT as well, which FreeBSD lets you set.",
        lab: "sockbuf-doubling",
    }
    ESPIPE {
        means: "A position was asked for where bytes only come and go.",
        when: "lseek on a socket, a pipe or a terminal.",
        advice: "Keep what you may need again: a stream cannot be rewound. MSG_PEEK looks without taking.",
    }
    ENODEV {
        means: "The driver behind the file has no such operation.",
        when: "mmap on a socket or a pipe; hardly any call of this program.",
        advice: "Use read and write.",
    }
    ENXIO {
        means: "The file is there, but nothing stands behind it that could be opened.",
        when: "open on the file of a Unix-domain socket: it is only a name, not a way in.",
        advice: "connect to it instead.",
        systems: "FreeBSD and macOS say EOPNOTSUPP to that open.",
    }
} }

entries! { ARGUMENTS {
    EINVAL {
        means: "The kernel understood the call and not the value, or the socket is in the wrong state for it.",
        when: "accept before listen; bind a second time; a negative nfds or timeout; a length shorter than the address; IPV6_V6ONLY after \
            bind; MSG_OOB with no urgent byte.",
        advice: "Look in the man page's list for this call: the number says only that it is there.",
        lab: "listener-cannot-talk",
    }
    EFAULT {
        means: "A buffer, an address or a structure was not where the pointer said.",
        when: "In C: an uninitialised pointer, NULL for a length. The safe wrappers of this program cannot pass such a pointer.",
        advice: "Find the pointer; the kernel looked at nothing else.",
    }
    EDOM {
        means: "A figure that the option cannot hold.",
        when: "SO_RCVTIMEO or SO_SNDTIMEO with tv_usec of a million or more.",
        advice: "Carry whole seconds over into tv_sec.",
    }
    ERANGE {
        means: "A result does not fit the type or buffer that was meant for it.",
        when: "Numbers read with strtol; looking up services with the functions that take a buffer. No socket call here.",
        advice: "Enlarge the buffer, or refuse the number.",
    }
    EOVERFLOW {
        means: "The kernel's figure is larger than the caller's field.",
        when: "Sizes and offsets of huge files in 32-bit programs; no ordinary socket call.",
        advice: "Use the 64-bit types.",
    }
    ENOSYS {
        means: "The kernel has no entry for the call, though the C library has a function.",
        when: "A program made for a newer kernel; a sandbox that hides calls.",
        advice: "Fall back: accept and fcntl do what accept4 does.",
    }
    EEXIST {
        means: "Something new was to be made under a name that is taken.",
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
        means: "The object has rules, and this process does not meet them.",
        when: "bind to a port below 1024 without privilege; a datagram to a broadcast address without SO_BROADCAST; a Unix-domain file \
            or directory that may not be written.",
        advice: "Take a port above 1023; set SO_BROADCAST; look at the file's mode.",
        lab: "wildcard-vs-loopback",
    }
    EBUSY {
        means: "Somebody is at work on it at this moment.",
        when: "dup2 on Linux, in a race with another thread that opens that very number.",
        advice: "Try again; better, let the system choose numbers.",
    }
    ESRCH {
        means: "The process or group that was named has ended or never was.",
        when: "kill with an old process id; F_SETOWN to a process that is gone.",
        advice: "Beware of the opposite: a process id is given out again, and then it is a stranger's.",
    }
    ECHILD {
        means: "wait found nothing to wait for.",
        when: "A server that forks, has SIGCHLD ignored or SA_NOCLDWAIT set, and then waits.",
        advice: "Decide on one: reap children, or let the system do so.",
    }
} }

entries! { RESOURCES {
    ENOBUFS {
        means: "The network code found no memory for what was to be sent or queued.",
        when: "send in a storm of packets; accept and socket when memory is short.",
        advice: "Wait a little and try again. It is no fault of the connection.",
        systems: "FreeBSD reports a full queue of the interface so; Linux drops the datagram and says nothing (send(2)).",
    }
    ENOMEM {
        means: "The kernel could not allocate what this call needs.",
        when: "Any call on a machine at its limit.",
        advice: "Free something: close idle connections. Repeating at once does not help.",
    }
    ETOOMANYREFS {
        means: "Descriptors sent over Unix-domain sockets and not yet received have reached their limit.",
        when: "sendmsg with SCM_RIGHTS, when the receiver does not keep up (Linux).",
        advice: "Let the receiver catch up; it must receive them or close.",
        lab: "fd-passing",
    }
    EIO {
        means: "Below the file something went wrong, or the terminal has been taken away.",
        when: "write to a terminal that hung up (read says 0); read at the master's end of one that nobody has open any more (Linux); read \
            from the background; a disk that fails. Sockets do not report it.",
        advice: "On a terminal: treat it as end of file.",
        lab: "tty-readiness",
    }
    ENOSPC {
        means: "The bytes of this write have no place left to go.",
        when: "A trace or a log on a full disk; /dev/full gives it always, which is good for tests.",
        advice: "Say it once and go on without the log.",
    }
    EFBIG {
        means: "The file may not grow to where this write would end.",
        when: "A log at the limit of ulimit -f, together with SIGXFSZ.",
        advice: "Begin a new file.",
    }
    ENOENT {
        means: "Following the path, one part was not found.",
        when: "connect to a Unix-domain path before the server has bound it; bind in a directory that is missing.",
        advice: "Check the directory and where a relative path starts from.",
        lab: "stale-socket-file",
    }
    ENOTDIR {
        means: "Something in the middle of the path is a file, and files have nothing inside.",
        when: "bind or connect with unix:file/name.",
        advice: "Correct the path.",
    }
    EISDIR {
        means: "Bytes were asked of a directory.",
        when: "read on a descriptor that was opened on one.",
        advice: "Open a file in it.",
    }
    ELOOP {
        means: "Links lead to links, round in a circle or too far.",
        when: "connect or bind with a Unix-domain path that contains a link to itself.",
        advice: "Resolve the path by hand and remove the link.",
    }
    EROFS {
        means: "Nothing new can be made where the path leads.",
        when: "bind to a Unix-domain path on a mounted image.",
        advice: "Put the socket into a place for run-time files, /tmp or /run.",
    }
    ESTALE {
        means: "The server of a network file system has forgotten the file behind this descriptor.",
        when: "Files over NFS; sockets never.",
        advice: "Open it again by name.",
    }
} }
