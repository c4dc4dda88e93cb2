//! The options of `SOL_SOCKET`, and the levels.

use super::entries;

entries! { LEVELS {
    SOL_SOCKET {
        means: "Options that every kind of socket has: buffers, timeouts, reuse of addresses, keepalive.",
        when: "setsockopt and getsockopt, second argument, with names that begin with SO_.",
        advice: "It is no protocol number, unlike the other levels.",
        systems: "1 on Linux, 0xffff on the BSDs and macOS: never write the number.",
    }
    SOL_IP {
        means: "Options of IPv4 packets: lifetime, multicast, information about received datagrams.",
        when: "With names that begin with IP_.",
        advice: "IPPROTO_IP is the portable name of this level.",
    }
    SOL_IPV6 {
        means: "Options of IPv6 packets, and IPV6_V6ONLY.",
        when: "With names that begin with IPV6_, on an AF_INET6 socket only.",
        advice: "Portable programs write IPPROTO_IPV6.",
    }
    SOL_TCP {
        means: "Options of a TCP connection: Nagle, keepalive's timers, time limits.",
        when: "With names that begin with TCP_; a UDP socket gives ENOPROTOOPT, a Unix-domain one EOPNOTSUPP (Linux).",
        advice: "Programs for all systems write IPPROTO_TCP, which has the same number.",
    }
    SOL_UDP {
        means: "Options of UDP itself; there are few.",
        when: "With names that begin with UDP_.",
        advice: "Most options for datagram sockets are at SOL_SOCKET or SOL_IP.",
    }
} }

entries! { SOCKET_OPTIONS {
    SO_DEBUG {
        means: "Old TCP code keeps a record of the packets of this connection.",
        when: "In old programs' -d flags.",
        advice: "Leave it; tcpdump and the trace show more.",
        systems: "Linux wants CAP_NET_ADMIN (socket(7)).",
    }
    SO_REUSEADDR {
        means: "bind fails only if a listener has the address, and ignores connections in TIME_WAIT.",
        when: "Every server that may be restarted: the side that closes first keeps the port in TIME_WAIT for a minute.",
        advice: "Set it before bind, on every listener. It never gives two TCP listeners the same address and port.",
        systems: "Linux requires it on the old socket as well (accepted sockets inherit it); FreeBSD, OpenBSD and macOS only on \
            the new one, NetBSD on none. On Linux it lets two UDP sockets bind one address and port; the BSDs and macOS require SO_REUSEPORT on \
            both.",
        lab: "time-wait-bind",
    }
    SO_TYPE {
        means: "The second argument of socket, without its flags.",
        when: "A server that was started with a socket as descriptor 0 and must find out which kind it is.",
        advice: "getsockopt; SO_PROTOCOL and SO_DOMAIN tell the rest where they exist.",
    }
    SO_ERROR {
        means: "The pending error of the socket, from an event outside any call: a finished connect, an ICMP message for a datagram.",
        when: "After a non-blocking connect, when the socket has become writable; after POLLERR.",
        advice: "Read it once: the second read gives 0. The value is an errno, not the result of getsockopt.",
        lab: "nb-connect-refused",
    }
    SO_DONTROUTE {
        means: "Packets go straight to the interface of the destination's network, never to a gateway.",
        when: "Routing daemons and diagnosis.",
        advice: "Leave it; MSG_DONTROUTE does it for one send.",
    }
    SO_BROADCAST {
        means: "Allows sending to a broadcast address. It does not affect receiving.",
        when: "Before the first datagram to 255.255.255.255 or a network's last address; without it sendto fails with EACCES.",
        advice: "Set it on the sender. Prefer multicast where it works.",
        lab: "udp-drops-silently",
    }
    SO_SNDBUF {
        means: "How many bytes send can accept before the peer has acknowledged them.",
        when: "To make short writes frequent in a test, or to bound the memory of each connection.",
        advice: "Leave it to the system for speed: setting it ends automatic growth on Linux (tcp(7)).",
        systems: "Linux doubles the figure for its own book-keeping and reports the double; the others do not. Of Unix-domain datagrams it is \
            the longest message on the BSDs and macOS.",
        lab: "partial-send",
    }
    SO_RCVBUF {
        means: "How many bytes may arrive before recv is called; for TCP it bounds the window offered to the peer.",
        when: "UDP bursts that are dropped; experiments with a full pipe.",
        advice: "Set it before connect or listen, because the handshake fixes the window's scale. Read the value back.",
        systems: "10000 reads back as 20000 on Linux, unchanged on the BSDs and macOS.",
        lab: "sockbuf-doubling",
    }
    SO_KEEPALIVE {
        means: "After a long silence TCP sends probes; if the peer's kernel does not answer, the connection ends with ETIMEDOUT.",
        when: "Connections whose peer may vanish without a FIN: without this, recv waits forever.",
        advice: "Set the timers too: the first probe comes after two hours unless TCP_KEEPIDLE says otherwise.",
        systems: "The timers are TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT; macOS calls the first TCP_KEEPALIVE; OpenBSD has none for one \
            socket.",
        lab: "silent-death",
    }
    SO_OOBINLINE {
        means: "The urgent byte is received by an ordinary recv, at its place, instead of through MSG_OOB.",
        when: "Old protocols such as telnet.",
        advice: "Ask sockatmark where the mark is: recv stops there.",
        lab: "oob-one-byte",
    }
    SO_LINGER {
        means: "l_onoff 1 and l_linger > 0: close waits that long for the peer's acknowledgement. l_linger 0: close \
            discards unsent bytes and sends a reset. l_onoff 0, the default: close returns at once and the kernel \
            keeps sending.",
        when: "When the last bytes of a connection get lost, or TIME_WAIT is a problem.",
        advice: "To be sure that the peer has everything, use shutdown(SHUT_WR) and recv until 0 instead.",
        systems: "Linux waits even when the socket is non-blocking; the BSDs and macOS then do not. When the time is over, close says EAGAIN \
            on FreeBSD and NetBSD, and nothing on Linux. macOS counts in clock ticks: see SO_LINGER_SEC.",
        lab: "linger-blocks-close",
    }
    SO_REUSEPORT {
        means: "Any number of sockets bind and listen at one address, if each has set this before bind.",
        when: "Several processes that each accept on the same port.",
        advice: "Set it on all of them, the first included. A restart needs SO_REUSEADDR, not this.",
        systems: "Linux spreads connections over the listeners, of one user only; FreeBSD does so with SO_REUSEPORT_LB.",
        lab: "reuseport-and-self",
    }
    SO_RCVLOWAT {
        means: "With fewer bytes select and poll report nothing, and a blocking recv keeps sleeping.",
        when: "Fixed headers: wake up when five bytes have arrived.",
        advice: "Keep your own buffer instead; a message may never reach the mark.",
        systems: "A non-blocking recv returns less all the same on Linux and OpenBSD; with O_NONBLOCK it says EAGAIN below the mark on \
            FreeBSD, NetBSD and macOS (read), where MSG_DONTWAIT gets the bytes. gVisor ignores the option (ran).",
        lab: "level-and-lowat",
    }
    SO_SNDLOWAT {
        means: "A socket counts as writable only with at least this much room.",
        when: "Programs read it, but hardly ever set it.",
        advice: "Expect writability with little room, and short writes.",
        systems: "On Linux it is always 1, and setting it gives ENOPROTOOPT. FreeBSD and macOS start with 1024 or 2048 and let you set it.",
        lab: "writable-hysteresis",
    }
    SO_RCVTIMEO {
        means: "A time limit for each recv, and on Linux for accept too; then they return EAGAIN, as if non-blocking.",
        when: "Simple blocking clients that must not hang.",
        advice: "select and poll ignore it. Zero means no limit, not an immediate return.",
        systems: "On Linux, recv with this set is not restarted after a signal, SA_RESTART or not. accept waits forever on \
            FreeBSD, NetBSD and gVisor (ran), OpenBSD and macOS (read).",
        lab: "rcvtimeo-not-poll",
    }
    SO_SNDTIMEO {
        means: "A time limit for send, and on Linux for connect too.",
        when: "A peer that stops reading: a blocking send would sleep forever.",
        advice: "If a part was taken, send returns that count; otherwise EAGAIN. After its time connect fails with EINPROGRESS, and its attempt continues.",
        systems: "Only Linux's connect looks at it: the BSDs, macOS and gVisor wait as long as TCP does.",
        lab: "rcvtimeo-not-poll",
    }
    SO_ACCEPTCONN {
        means: "1 after listen, else 0.",
        when: "A program that inherits a socket and must know whether to call accept or recv.",
        advice: "getsockopt only.",
        systems: "macOS and OpenBSD have the name only: getsockopt gives ENOPROTOOPT (read: xnu 15.4, OpenBSD 2025). FreeBSD answers \
            with the option's bit, 2, not 1 (ran 13.0).",
    }
    SO_TIMESTAMP {
        means: "recvmsg gets a control message with the time at which the kernel received the datagram.",
        when: "Measuring delays without the program's own scheduling in it.",
        advice: "Read it with recvmsg from the control data, SCM_TIMESTAMP.",
        systems: "FreeBSD and NetBSD describe it for SOCK_DGRAM only.",
    }
    SO_PROTOCOL {
        means: "The protocol that 0 stood for: IPPROTO_TCP for an ordinary stream.",
        when: "Inherited sockets, together with SO_TYPE.",
        advice: "getsockopt only; setting it gives ENOPROTOOPT (Linux).",
        systems: "Linux, FreeBSD and OpenBSD; this program knows no such name on macOS and NetBSD.",
    }
    SO_DOMAIN {
        means: "The first argument of socket, AF_INET for instance.",
        when: "Code that gets a descriptor and must build an address for it.",
        advice: "On systems without it, use the family that getsockname returns.",
        systems: "On Linux, FreeBSD and OpenBSD; not known here on the other two.",
    }
    SO_PRIORITY {
        means: "The order in which the queue of an interface sends this socket's packets.",
        when: "Traffic shaping.",
        advice: "0 to 6 are allowed for every user; more needs CAP_NET_ADMIN (socket(7)). Accepted sockets do not \
            inherit it.",
        systems: "Linux only.",
    }
    SO_PASSCRED {
        means: "Each recvmsg gets a control message with process, user and group of the sender.",
        when: "Servers on Unix-domain sockets that must know which user sends a request.",
        advice: "For a connection SO_PEERCRED is simpler.",
        systems: "On Linux; on TCP and UDP 6.12 takes it without effect, and 6.18 says EOPNOTSUPP.",
        lab: "old-options",
    }
    SO_PEERCRED {
        means: "Process, user and group of the peer at the time when it connected or made the pair.",
        when: "Access control without passwords, on Unix-domain sockets.",
        advice: "Trust uid and gid; the pid may belong to another process by now.",
        systems: "struct ucred is Linux's; the others have getpeereid.",
    }
    SO_INCOMING_CPU {
        means: "The number of the processor on which this connection's packets arrive.",
        when: "Servers with a thread on each processor.",
        advice: "Read it after accept and hand the connection to the thread of that processor.",
        systems: "A Linux option (socket(7)).",
    }
    SO_BUSY_POLL {
        means: "A receive without data polls the network device for this long before it sleeps.",
        when: "If microseconds matter more than an idle processor.",
        advice: "Measure; raising it needs CAP_NET_ADMIN.",
        systems: "Linux, with drivers that take part.",
    }
    SO_NOSIGPIPE {
        means: "send and write on this socket never raise SIGPIPE; the error is the same.",
        when: "Libraries that must not touch the program's signals.",
        advice: "Set it once after socket or accept. Elsewhere use MSG_NOSIGNAL with each send.",
        systems: "macOS, FreeBSD and NetBSD. Linux and OpenBSD have only the flag.",
        lab: "sigpipe-or-not",
    }
    SO_LINGER_SEC {
        means: "SO_LINGER with l_linger counted in seconds.",
        when: "Programs for macOS that linger.",
        advice: "Use it there in place of SO_LINGER.",
        systems: "macOS only.",
    }
    SO_NREAD {
        means: "The value of FIONREAD; for datagrams, the size of the first one.",
        when: "Looking into a receive buffer on macOS.",
        advice: "Do not allocate exactly this much: more bytes may arrive in the meantime.",
        systems: "macOS only. Its manual says that FIONREAD gives the total of all datagrams there.",
    }
    SO_NWRITE {
        means: "How full the send buffer is.",
        when: "Watching a peer that does not read, on macOS.",
        advice: "0 does not mean that the peer's program has read anything.",
        systems: "macOS only; Linux has TIOCOUTQ, FreeBSD and NetBSD FIONWRITE.",
    }
} }
