//! Fields of addresses, times and other structures, as a trace names them.

use super::entries;

entries! { FIELDS {
    sa_family {
        gist: "which kind of address a sockaddr holds",
        means: "The first field of every address: it tells the kernel how to read the rest.",
        when: "Whenever an address is shown; EAFNOSUPPORT and EINVAL are about it.",
        advice: "Set it, and let it be the domain of the socket.",
        systems: "The BSDs and macOS have a byte before it, sa_len, with the length of the whole.",
        lab: "sockaddr-layout",
    }
    sa_data {
        gist: "the bytes of an address of another family",
        means: "What follows the family, as bytes, where the trace does not know the family.",
        when: "An address made for AF_NETLINK, say, or one that a broken program filled.",
        advice: "Read it with the header of that family at hand.",
    }
    sin_port {
        gist: "the port of an IPv4 address",
        means: "16 bits in network order: the trace shows the number that htons was given.",
        when: "bind, connect, accept, and each datagram.",
        advice: "0 asks the system to choose one; getsockname tells which.",
        lab: "forgot-htons",
    }
    sin_addr {
        gist: "the host of an IPv4 address",
        means: "Four bytes in network order. 127.0.0.1 is this machine, 0.0.0.0 every interface of it.",
        when: "In the addresses of AF_INET.",
        advice: "Say 127.0.0.1 for a server that nobody else is to reach.",
        lab: "wildcard-vs-loopback",
    }
    sin6_port {
        gist: "the port of an IPv6 address",
        means: "The same 16 bits as sin_port, in another structure.",
        when: "In the addresses of AF_INET6.",
        advice: "Convert it with htons as the other one.",
        lab: "dual-stack",
    }
    sin6_addr {
        gist: "the host of an IPv6 address",
        means: "Sixteen bytes; the trace writes them as inet_pton reads them. ::1 is this machine, :: every interface.",
        when: "What begins with ::ffff: is an IPv4 peer of a socket for both.",
        advice: "Print it with inet_ntop, never by hand.",
        lab: "dual-stack",
    }
    sin6_flowinfo {
        gist: "the flow label of an IPv6 address",
        means: "A mark for routers, which nearly nobody sets.",
        when: "It is 0.",
        advice: "Leave it.",
    }
    sin6_scope_id {
        gist: "which interface a link-local address is on",
        means: "The number that stands behind the percent sign: fe80::1%eth0. Link-local addresses exist on every link anew.",
        when: "Connecting to fe80:: addresses; 0 for all others.",
        advice: "Let getaddrinfo fill it from the name, or if_nameindex.",
    }
    sun_path {
        gist: "the name of a Unix-domain socket",
        means: "A path, ended by a zero byte if there is room; or, with a zero byte first, an abstract name, which the trace writes with @.",
        when: "bind makes the file and close leaves it.",
        advice: "Keep it short, and remove it when done.",
        systems: "108 bytes on Linux, 104 on the BSDs and macOS. Abstract names are Linux's.",
        lab: "stale-socket-file",
    }
    tv_sec {
        gist: "seconds of a time",
        means: "Whole ones, in timeval and timespec alike.",
        when: "The timeouts of select, pselect and ppoll, SO_RCVTIMEO, times of arrival.",
        advice: "A negative one is EINVAL; NULL, not a huge number, waits for ever.",
        lab: "select-as-sleep",
    }
    tv_usec {
        gist: "microseconds of a timeval",
        means: "Millionths, 0 to 999,999, beyond the seconds.",
        when: "select and the timeouts of sockets.",
        advice: "More than that is carried over or refused, by system: keep it in range.",
        systems: "glibc carries over in select; the kernel of FreeBSD says EINVAL.",
        lab: "select-as-sleep",
    }
    tv_nsec {
        gist: "nanoseconds of a timespec",
        means: "Thousand-millionths, 0 to 999,999,999, beyond the seconds.",
        when: "pselect and ppoll.",
        advice: "It is a thousand times tv_usec: the classic slip between select and pselect.",
    }
    l_onoff {
        gist: "whether close is to linger",
        means: "Not zero: close waits, or resets where l_linger is 0.",
        when: "The first half of SO_LINGER.",
        advice: "Leave it 0, unless a reset is wanted.",
        lab: "linger-zero",
    }
    l_linger {
        gist: "how long close may linger",
        means: "Seconds; with 0 what is unsent is thrown away and the peer gets a reset.",
        when: "The second half of SO_LINGER.",
        advice: "A blocking close of so many seconds stops a loop for just as long.",
        lab: "linger-blocks-close",
    }
    ai_flags {
        gist: "what getaddrinfo is to mind",
        means: "AI_PASSIVE for servers, AI_NUMERICHOST for no look-up, and others.",
        when: "In the hints.",
        advice: "explain each by its name.",
    }
    ai_family {
        gist: "which addresses getaddrinfo is to find",
        means: "AF_INET, AF_INET6, or AF_UNSPEC for both.",
        when: "In the hints and in every result.",
        advice: "Take AF_UNSPEC and try all that come.",
        lab: "gai-fans-out",
    }
    ai_socktype {
        gist: "for which type of socket",
        means: "Without it every address comes three times: for streams, datagrams and raw sockets.",
        when: "In the hints and in every result of getaddrinfo.",
        advice: "Say SOCK_STREAM.",
        lab: "gai-fans-out",
    }
    ai_protocol {
        gist: "for which protocol",
        means: "The third argument for socket.",
        when: "In the results of getaddrinfo.",
        advice: "Pass it on; 0 in the hints.",
    }
    ai_addr {
        gist: "an address that was found",
        means: "Ready for connect or bind, with its length beside it.",
        when: "In every result of getaddrinfo.",
        advice: "Try them in their order.",
    }
    if_index {
        gist: "the number of an interface",
        means: "What scope ids and IP_PKTINFO speak of.",
        when: "if_nameindex.",
        advice: "It may change when an interface goes and comes again.",
    }
    if_name {
        gist: "the name of an interface",
        means: "lo, eth0: for people.",
        when: "In what if_nameindex returns.",
        advice: "Turn it into a number for the kernel.",
    }
    fd {
        gist: "the descriptor of a row of poll",
        means: "A negative one switches the row off: poll skips it and answers 0.",
        when: "In the array that poll is given.",
        advice: "Write ~fd (-fd would not do for 0) to leave somebody out for a while, without moving the rows.",
        lab: "poll-array-rules",
    }
    sa_handler {
        gist: "what is done when a signal comes",
        means: "SIG_DFL, SIG_IGN, or a function; the trace shows its place in memory.",
        when: "sigaction.",
        advice: "In a function do next to nothing: write a byte into a pipe.",
        lab: "signal-race",
    }
    sa_mask {
        gist: "which signals wait meanwhile",
        means: "While the handler runs, these are held back; [] is none.",
        when: "Beside sa_handler.",
        advice: "The signal itself is held back without being named.",
    }
    sa_flags {
        gist: "how a handler is called",
        means: "SA_RESTART and others.",
        when: "The last field of sigaction.",
        advice: "SA_RESTART never restarts select or poll.",
        lab: "eintr-despite-sa-restart",
    }
    events {
        gist: "what is asked of a row of poll",
        means: "Bits that are joined: POLLIN|POLLOUT. poll leaves them as they are.",
        when: "Each row of poll and ppoll.",
        advice: "Ask for POLLOUT only while something is owed.",
        lab: "poll-array-rules",
    }
    revents {
        gist: "what poll answers for a row",
        means: "Of what was asked, what is so; and POLLERR, POLLHUP and POLLNVAL unasked.",
        when: "After each poll; 0 for a row about which there is nothing to say.",
        advice: "Look at every bit, or call recv and let it tell.",
        lab: "readiness-matrix",
    }
    PIPE_BUF {
        gist: "how much a pipe takes whole or not at all",
        means: "So many bytes, written at once, are not mixed with another writer's; a pipe that is writable takes so many without waiting.",
        when: "Writing to a standard output that others share.",
        advice: "Write at most so much for each readiness of a blocking descriptor.",
        systems: "4,096 on Linux (pipe(7)); POSIX promises 512, which is what macOS and the BSDs have in limits.h.",
    }
} }
