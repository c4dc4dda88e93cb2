//! The notation of a trace besides the names of constants: structures and their fields, and the words in parentheses.
//! And two words that never occur in a trace.

use super::entries;

entries! { NOTATION {
    htons {
        gist: "a port into network order",
        means: "16 bits, highest byte first. On a little-endian machine the two bytes change places; ntohs is the same, backwards.",
        when: "sin_port in every sockaddr: the trace shows what the bytes mean. Forgotten, 8080 listens on 36895.",
        advice: "Convert once, where the structure is filled.",
        systems: "On a big-endian machine nothing changes, and the mistake stays hidden.",
        lab: "forgot-htons",
    }
    htonl {
        gist: "32 bits into network order",
        means: "Four bytes, highest first: IPv4 addresses, lengths in protocols. ntohl turns them back.",
        when: "INADDR_LOOPBACK must pass through it; sin6_flowinfo in the trace.",
        advice: "A number sent in host order is read as another number on a machine with the other byte order. Keep the result in a \
            uint32_t: a long has eight bytes on 64-bit systems, and sizeof sends them all, as the time service of inetutils \
            2.6 does (ran): four zeros too many.",
        lab: "int-on-the-wire",
    }
    inet_addr {
        gist: "an IPv4 address from text, the old way",
        means: "How strace and this trace write sin_addr. As a function it takes 127.1 and 010.0.0.1 too.",
        when: "In every line with an IPv4 address.",
        advice: "Call inet_pton or getaddrinfo: inet_addr cannot tell 255.255.255.255 from an error.",
        lab: "inet-aton-traps",
    }
    inet_pton {
        gist: "an address from text, strictly",
        means: "Text to bytes in network order, for AF_INET and AF_INET6. 1 is success and 0 is bad text: not the usual pattern.",
        when: "The trace writes sin6_addr with it.",
        advice: "Check for 1.",
        systems: "The libc of NetBSD 7.99 takes what follows white space: \"127.0.0.1 junk\" is 1 (ran).",
        lab: "inet-aton-traps",
    }
    NULL {
        gist: "no pointer",
        means: "In select: ask nothing about this set, or as the timeout: wait forever. In accept: do not return the peer's address.",
        when: "select(6, [3 5], NULL, NULL, NULL).",
        advice: "A timeout of zero is the opposite: do not wait at all.",
        lab: "select-as-sleep",
    }
} }

entries! { MARKS {
    refused {
        gist: "(refused): the call was not made",
        means: "The wrapper refused an argument that would do harm: a descriptor beyond FD_SETSIZE in a set, a path \
            that does not fit.",
        when: "Behind the result, where C would have overrun memory.",
        advice: "This is a mistake in the program; the errno says which.",
        lab: "fdsetsize-overflow",
    }
    libc {
        gist: "(libc): the C library answered or changed the call",
        means: "The library refused the call, or changed an argument before the kernel saw it, so strace shows \
            something else.",
        when: "A timeval out of range, a signal number that threads keep for themselves.",
        advice: "The result is what a program gets all the same.",
        lab: "select-as-sleep",
    }
    INJECTED {
        gist: "(INJECTED): a rule changed the call",
        means: "The system did not do this by itself: --inject asked for it.",
        when: "A program run with --inject.",
        advice: "Leave the rule out to see what really happens.",
    }
    library {
        gist: "(library): a function of the C library",
        means: "One line, whatever the function does inside: it may read files, open sockets, ask name servers.",
        when: "getaddrinfo, getnameinfo, gethostname, getservbyname, if_nameindex.",
        advice: "strace shows what happens within.",
        lab: "gai-fans-out",
    }
    unfinished {
        gist: "<unfinished ...>: another line comes between",
        means: "The call still waits; a line of another thread or process had to be printed first.",
        when: "Two threads or processes on one terminal.",
        advice: "Look for its other half, which is marked resumed.",
    }
    resumed {
        gist: "<... resumed>: the other half of a line",
        means: "The call has returned; its beginning is further up, and is marked unfinished.",
        when: "After a line of another thread or process.",
        advice: "Read both halves as one.",
    }
    Timeout {
        gist: "(Timeout): the time was up",
        means: "select and poll return 0: no descriptor became ready.",
        when: "Behind the result 0 of a wait with a limit.",
        advice: "Do what the deadline was for, and wait again.",
        lab: "select-as-sleep",
    }
    left {
        gist: "the time that was left",
        means: "select on Linux writes the unused time back into the timeout.",
        when: "left {tv_sec=1, tv_usec=499996}, behind what select found.",
        advice: "Set the timeout again before each call.",
        systems: "Only Linux with glibc: elsewhere the timeout stays as it was.",
        lab: "timeout-mutates",
    }
    in {
        gist: "select's first set, as the call left it",
        means: "These descriptors can be read without waiting: there are bytes, a datagram, a client to accept, an end of file or an error.",
        when: "(in [4 7]) after the count; a set that came back empty is not shown.",
        advice: "select rewrites the set: pass it a copy. poll's counterpart is POLLIN.",
        lab: "select-eats-its-sets",
    }
    out {
        gist: "select's second set, as the call left it",
        means: "These can be written: there is room, a connect has finished, or an error is pending.",
        when: "(out [5]), and in every turn of a loop that asks about idle sockets.",
        advice: "Put a descriptor into it only while you have unsent bytes for it. poll's counterpart is POLLOUT.",
        lab: "always-ready",
    }
    except {
        gist: "select's third set, as the call left it",
        means: "Usually urgent data on a TCP socket; not errors, which make a descriptor readable and writable.",
        when: "(except [5]) where a peer has sent with MSG_OOB.",
        advice: "Leave the third set NULL unless you use urgent data. poll's counterpart is POLLPRI.",
        lab: "exceptfds-is-not-errors",
    }
    flags {
        gist: "(flags ...): the answer of fcntl in names",
        means: "F_GETFL and F_GETFD return a number; the names of its bits follow.",
        when: "0x802 (flags O_RDWR|O_NONBLOCK), before the program sets one more flag.",
        advice: "Change one bit and write all of them back, or the others are lost.",
        lab: "nonblock-is-shared",
    }
    nameless {
        gist: "/* ..._??? */: a number that has no name here",
        means: "A flag, option or family that this system or this program does not know: the trace shows the whole number.",
        when: "A call with an invalid argument, which usually fails with EINVAL, or a kernel that is newer than the table.",
        advice: "Look for the number in the header file of names with this prefix.",
    }
    unread {
        gist: "bytes received but not yet read",
        means: "They are in the receive buffer of this socket and acknowledged: for the peer's kernel they have arrived.",
        when: "With --state. close with unread bytes sends a reset.",
        advice: "If the number stays, the program does not read; near SO_RCVBUF the peer must wait.",
        lab: "rst-on-unread",
    }
    unacknowledged {
        gist: "bytes sent but not yet acknowledged by the peer's kernel",
        means: "send has taken them, and this kernel keeps them: they are on their way, or wait for room at the other \
            end.",
        when: "After a send, with --state; the number falls to 0 when the peer's kernel has received everything, \
            though its program may not have read it.",
        advice: "If it grows, the peer does not read, and the next send will be a short write.",
        lab: "send-is-a-copy",
    }
    waiting {
        gist: "connections not yet accepted",
        means: "1 of 128 waiting: the kernel has completed one handshake, and the listener's queue has 128 places.",
        when: "Of a listener, with --state, on systems that report it.",
        advice: "A queue that is full turns clients away: accept until EAGAIN.",
        lab: "backlog-n-plus-1",
    }
} }

entries! { LEFT_OUT {
    epoll {
        gist: "Linux's way to watch many descriptors",
        means: "The kernel keeps the set between the calls and returns only the ready descriptors, so idle ones cost nothing.",
        when: "In every Linux server for thousands of connections; baresock leaves it out on purpose.",
        advice: "Learn select and poll first: what readiness means is the same, and edge-triggered waiting adds traps of its own.",
        systems: "Linux only; the BSDs and macOS have kqueue.",
    }
    kqueue {
        gist: "the BSDs' way to watch many descriptors",
        means: "Like epoll, it takes changes to its set and returns events: of sockets, files, processes, signals and \
            timers.",
        when: "On macOS and the BSDs; on macOS poll itself is built on it. baresock leaves it out on purpose.",
        advice: "Use it when poll has become too slow, and measure first.",
        lab: "cost-is-the-highest-fd",
    }
} }
