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
        when: "getaddrinfo, getnameinfo, getservbyname.",
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
