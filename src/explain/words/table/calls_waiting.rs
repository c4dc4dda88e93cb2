//! The calls that wait, those about signals, and those of the library.

use super::entries;

entries! { WAITING {
    select {
        gist: "waits until one of many descriptors is ready",
        result: "How many bits are set in the three sets together; 0 when the time is up. The sets now hold the answer.",
        trap: "Question and answer share the sets, and on Linux the timeout: build all of them anew each time. nfds is the highest number \
            plus one. Numbers from FD_SETSIZE on do not fit.",
        errnos: "EBADF EINTR EINVAL ENOMEM",
        man: "select(2)",
        posix: "select",
        systems: "The remaining time is written back by Linux (not through musl), not by macOS, FreeBSD and OpenBSD.",
        lab: "select-eats-its-sets",
    }
    pselect {
        gist: "select, with a signal mask for as long as it waits",
        result: "As select; the timeout is left alone.",
        trap: "The signals must be blocked before: only then can none slip in between looking and sleeping.",
        errnos: "EBADF EINTR EINVAL ENOMEM",
        man: "pselect(2)",
        posix: "pselect",
        lab: "signal-race",
    }
    poll {
        gist: "waits, with a row for each descriptor",
        result: "How many rows have an answer in revents; 0 when the time is up.",
        trap: "POLLERR, POLLHUP and POLLNVAL come unasked: who looks for POLLIN alone spins. The timeout is in milliseconds, -1 for ever.",
        errnos: "EINTR EINVAL ENOMEM",
        man: "poll(2)",
        posix: "poll",
        systems: "macOS's cannot watch terminals and other devices.",
        lab: "poll-array-rules",
    }
    ppoll {
        gist: "poll, with a signal mask and nanoseconds",
        result: "As poll.",
        trap: "A NULL timeout waits for ever, where poll takes -1.",
        errnos: "EINTR EINVAL ENOMEM",
        man: "ppoll(2)",
        posix: "ppoll (since 2024)",
        systems: "Not on macOS.",
        lab: "signal-race",
    }
    sigaction {
        gist: "says what a signal does",
        result: "0; what was set before through oldact.",
        trap: "A handler may call very little: write one byte into a pipe and return. A handled signal interrupts select and poll.",
        errnos: "EINVAL",
        man: "sigaction(2)",
        posix: "sigaction",
        lab: "eintr-despite-sa-restart",
    }
    sigprocmask {
        gist: "holds signals back for a while",
        result: "0; the old mask through oldset.",
        trap: "Unblock, then select, and a signal between the two is missed: that gap is why pselect exists.",
        man: "sigprocmask(2)",
        posix: "sigprocmask",
        systems: "In a process with threads POSIX wants pthread_sigmask, which is what our wrapper calls.",
        lab: "signal-race",
    }
    kill {
        gist: "sends a signal",
        result: "0: sent, which is not handled.",
        trap: "Signal 0 only asks whether the process exists. A negative id means a whole group, -1 everybody.",
        errnos: "ESRCH EPERM EINVAL",
        man: "kill(2)",
        posix: "kill",
        lab: "signal-race",
    }
} }

entries! { LIBRARY {
    getaddrinfo {
        gist: "from a host and a service to addresses",
        result: "0, or an EAI_ code that is no errno; res is a list.",
        trap: "It may wait for the network and stop the whole loop. Without hints each address comes three times, once for each type. \
            Try all the answers.",
        errnos: "EAI_NONAME EAI_AGAIN EAI_SERVICE EAI_FAMILY EAI_SYSTEM",
        man: "getaddrinfo(3)",
        posix: "getaddrinfo",
        lab: "gai-fans-out",
    }
    getnameinfo {
        gist: "from an address to a host and a service in words",
        result: "0, or an EAI_ code.",
        trap: "Without NI_NUMERICHOST it asks a name server, which can take seconds.",
        errnos: "EAI_NONAME EAI_AGAIN EAI_OVERFLOW EAI_FAMILY EAI_SYSTEM",
        man: "getnameinfo(3)",
        posix: "getnameinfo",
    }
    gethostname {
        gist: "what this machine calls itself",
        result: "0; the name in the buffer.",
        trap: "What that name resolves to decides who can reach a server bound to it: often loopback alone.",
        errnos: "ENAMETOOLONG",
        man: "gethostname(2)",
        posix: "gethostname",
        lab: "wildcard-vs-loopback",
    }
    getservbyname {
        gist: "from a service's name to its port",
        result: "A structure, or NULL if there is none. C sets no errno then; our wrapper says ENOENT.",
        trap: "s_port is in network order already. The structure is static: the next call overwrites it.",
        errnos: "ENOENT",
        man: "getservbyname(3)",
        posix: "getservbyname",
        lab: "forgot-htons",
    }
    if_nameindex {
        gist: "the network interfaces, with their numbers",
        result: "An array that ends with 0, to be freed with if_freenameindex.",
        trap: "The number is the scope id of link-local IPv6 addresses. It may change when an interface comes back.",
        errnos: "ENOBUFS",
        man: "if_nameindex(3)",
        posix: "if_nameindex",
    }
} }
