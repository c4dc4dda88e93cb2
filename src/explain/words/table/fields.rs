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
        gist: "the bytes of an address of an unknown family",
        means: "The bytes after the family, if the trace does not know the family.",
        when: "For example an AF_NETLINK address, or one from a broken program.",
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
        advice: "Use 127.0.0.1 for a server that other machines must not reach.",
        lab: "wildcard-vs-loopback",
    }
    sin6_port {
        gist: "the port of an IPv6 address",
        means: "The same 16 bits as sin_port, in another structure.",
        when: "In the addresses of AF_INET6.",
        advice: "Convert it with htons, like sin_port.",
        lab: "dual-stack",
    }
    sin6_addr {
        gist: "the host of an IPv6 address",
        means: "Sixteen bytes; the trace writes them as inet_pton reads them. ::1 is this machine, :: every interface.",
        when: "An address that begins with ::ffff: is an IPv4 peer of a dual-stack socket.",
        advice: "Print it with inet_ntop, never by hand.",
        lab: "dual-stack",
    }
    sin6_flowinfo {
        gist: "the flow label of an IPv6 address",
        means: "A mark for routers, which hardly any program sets.",
        when: "It is 0.",
        advice: "Leave it.",
    }
    sin6_scope_id {
        gist: "which interface a link-local address is on",
        means: "The number after the percent sign: fe80::1%eth0. The same link-local address may exist on every link.",
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
        advice: "A negative value is EINVAL; to wait forever pass NULL, not a huge number.",
        lab: "select-as-sleep",
    }
    tv_usec {
        gist: "microseconds of a timeval",
        means: "Millionths, 0 to 999,999, beyond the seconds.",
        when: "select and the timeouts of sockets.",
        advice: "Some systems carry a larger value into the seconds, others refuse it: keep it in range.",
        systems: "glibc and musl carry over in select; the kernels of the BSDs and macOS say EINVAL.",
        lab: "select-as-sleep",
    }
    tv_nsec {
        gist: "nanoseconds of a timespec",
        means: "Thousand-millionths, 0 to 999,999,999, beyond the seconds.",
        when: "pselect and ppoll.",
        advice: "It is a thousand times tv_usec: the classic slip between select and pselect.",
    }
    l_onoff {
        gist: "whether close lingers",
        means: "Nonzero: close waits, or resets if l_linger is 0.",
        when: "The first half of SO_LINGER.",
        advice: "Leave it 0, unless you want a reset.",
        lab: "linger-zero",
    }
    l_linger {
        gist: "how long close may linger",
        means: "Seconds; with 0 close discards unsent bytes and sends the peer a reset.",
        when: "The second half of SO_LINGER.",
        advice: "A close that waits this long stops an event loop for as long.",
        systems: "macOS counts it in ticks of a hundredth of a second; its SO_LINGER_SEC takes seconds.",
        lab: "linger-blocks-close",
    }
    ai_flags {
        gist: "flags for getaddrinfo",
        means: "AI_PASSIVE for servers, AI_NUMERICHOST for no look-up, and others.",
        when: "In the hints.",
        advice: "explain each by its name.",
    }
    ai_family {
        gist: "which address family getaddrinfo looks for",
        means: "AF_INET, AF_INET6, or AF_UNSPEC for both.",
        when: "In the hints and in every result.",
        advice: "Use AF_UNSPEC and try all results.",
        lab: "gai-fans-out",
    }
    ai_socktype {
        gist: "for which type of socket",
        means: "Without it every address comes once for each type: with glibc for streams, datagrams and raw sockets.",
        when: "In the hints and in every result of getaddrinfo.",
        advice: "Say SOCK_STREAM.",
        systems: "musl and NetBSD have no raw entry; FreeBSD's third is for SCTP (read). FreeBSD and NetBSD begin with datagrams.",
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
        advice: "Try the results in order.",
    }
    if_index {
        gist: "the number of an interface",
        means: "Scope IDs and IP_PKTINFO refer to it.",
        when: "if_nameindex.",
        advice: "It may change when an interface is removed and added again.",
    }
    if_name {
        gist: "the name of an interface",
        means: "lo, eth0: for people.",
        when: "In what if_nameindex returns.",
        advice: "Turn it into a number for the kernel.",
    }
    fd {
        gist: "the descriptor of a row of poll",
        means: "A negative value disables the row: poll skips it and sets revents to 0.",
        when: "In the array passed to poll.",
        advice: "Store ~fd (-fd would not work for 0) to skip a descriptor for a while without moving the rows.",
        lab: "poll-array-rules",
    }
    sa_handler {
        gist: "what happens when a signal arrives",
        means: "SIG_DFL, SIG_IGN, or a function; the trace shows its address.",
        when: "sigaction.",
        advice: "In a function do next to nothing: write a byte into a pipe.",
        lab: "signal-race",
    }
    sa_mask {
        gist: "which signals are blocked in the meantime",
        means: "While the handler runs, these signals are blocked; [] means none.",
        when: "Beside sa_handler.",
        advice: "The signal itself is blocked too, without being named.",
    }
    sa_flags {
        gist: "how a handler is called",
        means: "SA_RESTART and others.",
        when: "The last field of sigaction.",
        advice: "SA_RESTART never restarts select or poll.",
        lab: "eintr-despite-sa-restart",
    }
    events {
        gist: "the events that a row of poll asks for",
        means: "Bits joined with |: POLLIN|POLLOUT. poll does not change them.",
        when: "Each row of poll and ppoll.",
        advice: "Ask for POLLOUT only while you have unsent bytes.",
        lab: "poll-array-rules",
    }
    revents {
        gist: "poll's answer for a row",
        means: "The requested events that have occurred; and POLLERR, POLLHUP and POLLNVAL unasked.",
        when: "After each poll; 0 for a row without events.",
        advice: "Check every bit, or call recv and use its result.",
        lab: "readiness-matrix",
    }
    PIPE_BUF {
        gist: "how many bytes a pipe takes in one piece",
        means: "Up to this many bytes, written at once, are not mixed with those of another writer; a writable pipe takes this many without waiting.",
        when: "Writing to a standard output that other processes share.",
        advice: "Write at most this much to a blocking descriptor each time it is ready.",
        systems: "4,096 on Linux (pipe(7)); POSIX promises 512, which is what macOS and the BSDs have in limits.h.",
    }
} }
