//! What stands in a trace beside the names of constants: structures and their fields, and the words in parentheses. And
//! two words that stand in none.

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
        advice: "A number that is sent as it lies in memory arrives as another one elsewhere.",
        lab: "int-on-the-wire",
    }
    inet_addr {
        gist: "an IPv4 address from text, the old way",
        means: "How strace and this trace write sin_addr. As a function it takes 127.1 and 010.0.0.1 too.",
        when: "In every line with an IPv4 address.",
        advice: "Programs call inet_pton or getaddrinfo: inet_addr cannot tell 255.255.255.255 from an error.",
        lab: "inet-aton-traps",
    }
    inet_pton {
        gist: "an address from text, strictly",
        means: "Text to bytes in network order, for AF_INET and AF_INET6. 1 is success and 0 is bad text: not the usual pattern.",
        when: "The trace writes sin6_addr with it.",
        advice: "Check for 1.",
        lab: "inet-aton-traps",
    }
    NULL {
        gist: "no pointer",
        means: "In select: this set is not asked, or for the timeout: wait for ever. In accept: the peer's address is not wanted.",
        when: "select(6, [3 5], NULL, NULL, NULL).",
        advice: "A timeout of zero is the opposite: do not wait at all.",
        lab: "select-as-sleep",
    }
} }

entries! { MARKS {
    refused {
        gist: "(refused): the call was not made",
        means: "A wrapper saw that it would do harm: a number beyond FD_SETSIZE in a set, a path that does not fit.",
        when: "Behind the result, where C would have overrun memory.",
        advice: "It is a mistake of the program; the errno says which.",
        lab: "fdsetsize-overflow",
    }
    libc {
        gist: "(libc): the C library had its own way",
        means: "It refused the call or changed an argument before the kernel saw it, so strace shows something else.",
        when: "A timeval out of range, a signal number that threads keep for themselves.",
        advice: "The result is what a program gets all the same.",
        lab: "select-as-sleep",
    }
    INJECTED {
        gist: "(INJECTED): a rule interfered",
        means: "What this line shows the system did not do by itself: --inject asked for it.",
        when: "A program run with --inject.",
        advice: "Leave the rule out to see what really happens.",
    }
    library {
        gist: "(library): a function of the C library",
        means: "One line, whatever it does inside: files read, sockets opened, name servers asked.",
        when: "getaddrinfo, getnameinfo, gethostname, getservbyname, if_nameindex.",
        advice: "strace shows what happens within.",
        lab: "gai-fans-out",
    }
    unfinished {
        gist: "<unfinished ...>: another line comes between",
        means: "The call still waits; somebody else's line had to be written.",
        when: "Two threads or processes on one terminal.",
        advice: "Look for its other half, which says resumed.",
    }
    resumed {
        gist: "<... resumed>: the other half of a line",
        means: "The call has returned; its beginning stands further up, and says unfinished.",
        when: "After a line of somebody else.",
        advice: "Read both halves as one.",
    }
    Timeout {
        gist: "(Timeout): the time was over",
        means: "select and poll return 0: nothing in the question was so.",
        when: "Behind the result 0 of a wait with a limit.",
        advice: "Do what the deadline was for, and ask again.",
        lab: "select-as-sleep",
    }
    left {
        gist: "what was left of the time",
        means: "select on Linux writes into the timeout how much of it was not used.",
        when: "left {tv_sec=1, tv_usec=499996}, behind what select found.",
        advice: "Set the timeout anew before each call.",
        systems: "Only Linux with glibc: elsewhere the timeout stays as it was.",
        lab: "timeout-mutates",
    }
    in {
        gist: "select's first set, as the call left it",
        means: "These descriptors can be read without waiting: bytes, a datagram, a client to accept, an end or an error.",
        when: "(in [4 7]) behind the count; a set that came back empty is not written.",
        advice: "The set is rewritten: ask with a copy. In poll the like is POLLIN.",
        lab: "select-eats-its-sets",
    }
    out {
        gist: "select's second set, as the call left it",
        means: "These can be written: there is room, a connect has ended, or an error waits to be told.",
        when: "(out [5]), and at every turn for whoever asks about sockets to which nothing is owed.",
        advice: "Put a descriptor into it only while bytes wait for it. In poll the like is POLLOUT.",
        lab: "always-ready",
    }
    except {
        gist: "select's third set, as the call left it",
        means: "Urgent data on a TCP socket, in the main; not errors, which make a descriptor readable and writable.",
        when: "(except [5]) where a peer has sent with MSG_OOB.",
        advice: "Leave the third set NULL unless urgent data matter. In poll the like is POLLPRI.",
        lab: "exceptfds-is-not-errors",
    }
    flags {
        gist: "(flags ...): the answer of fcntl in names",
        means: "F_GETFL and F_GETFD return a number; its bits stand behind it by their names.",
        when: "0x802 (flags O_RDWR|O_NONBLOCK), before the flags are set with one bit more.",
        advice: "Change a bit and give all of them back, or the others are lost.",
        lab: "nonblock-is-shared",
    }
    nameless {
        gist: "/* ..._??? */: a number that has no name here",
        means: "A flag, option or family that this system does not have, or of which this program does not know: the number is shown in full.",
        when: "A call with a made-up argument, which mostly fails with EINVAL, or a kernel that is newer than the table.",
        advice: "Look for the number in the header that the beginning of the name belongs to.",
    }
    unread {
        gist: "bytes that have come and nobody has read",
        means: "They lie in the receive buffer of this socket, and are acknowledged: to the peer they have arrived.",
        when: "With --state. Closing while there are any sends a reset.",
        advice: "If the number stays, the program does not look; if it nears SO_RCVBUF, the peer must wait.",
        lab: "rst-on-unread",
    }
    unacknowledged {
        gist: "bytes sent of which the peer's system says nothing yet",
        means: "send has taken them and this machine keeps them, on their way or waiting for room at the other end.",
        when: "After a send, with --state; the number falls to 0 when all has been received, though perhaps not read.",
        advice: "If it grows, the peer does not read, and the next send will be short.",
        lab: "send-is-a-copy",
    }
    waiting {
        gist: "connections that nobody has accepted yet",
        means: "1 of 128 waiting: made by the kernel, in the queue of a listener, which has so many places.",
        when: "Of a listener, with --state, where the system tells it.",
        advice: "A queue that is full turns clients away: accept until EAGAIN.",
        lab: "backlog-n-plus-1",
    }
} }

entries! { LEFT_OUT {
    epoll {
        gist: "Linux's way to watch many descriptors",
        means: "The kernel keeps the set between the calls and tells only who is ready, so a wait costs nothing for those that are idle.",
        when: "In every server for thousands of connections on Linux; it is left out here on purpose.",
        advice: "Learn select and poll first: what readiness means is the same, and edge-triggered waiting adds traps of its own.",
        systems: "Linux only; the BSDs and macOS have kqueue.",
    }
    kqueue {
        gist: "the BSDs' way to watch many descriptors",
        means: "As epoll it is told of changes and tells of events: of sockets, files, processes, signals and timers.",
        when: "On macOS and the BSDs; on macOS poll itself is made of it. It is left out here on purpose.",
        advice: "Reach for it when poll has become too slow, and measure first.",
        lab: "cost-is-the-highest-fd",
    }
} }
