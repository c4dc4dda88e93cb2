//! The errors that come from the peer, from the network in between, and from addresses.

use super::entries;

entries! { CONNECTIONS {
    ECONNREFUSED {
        means: "The peer's machine answered that no socket listens at that address and port.",
        when: "connect to a port before the server has started or after it has ended; connect to a Unix-domain file that \
            outlived its server; a connected UDP socket whose earlier datagram found no receiver.",
        advice: "Check address and port (ss -ltn shows the listeners). Close the socket and try a new one: POSIX does \
            not say how to reuse a socket after a failed connect.",
        systems: "Linux allows another connect on the same socket. After a non-blocking one whose SO_ERROR was read, the first of them is \
            ECONNABORTED. POSIX leaves it open.",
        lab: "nb-connect-refused",
    }
    ECONNRESET {
        means: "The peer's kernel sent a reset (RST). The connection is gone; undelivered bytes are lost, in both directions.",
        when: "The peer closed with bytes unread, was killed with bytes unread, closed with SO_LINGER 0, or has restarted.",
        advice: "Close this connection and serve the others. Clients reset connections all the time; a server must not \
            stop for it.",
        systems: "Bytes that had arrived before the RST are still read first. send after a reset says EPIPE at once on FreeBSD and \
            NetBSD (ran), OpenBSD and macOS (read); only recv and SO_ERROR tell ECONNRESET.",
        lab: "rst-on-unread",
    }
    ECONNABORTED {
        means: "The connection was reset between the handshake and accept.",
        when: "accept, when the client reset while it was queued; on Linux also connect, once, on a socket whose non-blocking \
            attempt was refused and whose SO_ERROR was read.",
        advice: "After accept: go on with the next client.",
        systems: "accept of FreeBSD, NetBSD and OpenBSD reports it. Linux and macOS hand out the dead socket instead; recv on it says ECONNRESET on \
            Linux.",
        lab: "accept-after-rst",
    }
    ENOTCONN {
        means: "The call needs a peer, and this socket has none: it is not connected yet, no longer, or never, because \
            it is a listener.",
        when: "recv on a listener or a fresh TCP socket; shutdown or getpeername before connect or after a reset.",
        advice: "Check which descriptor it is: you probably used the listener instead of the accepted socket.",
        systems: "send on an unconnected TCP socket says EPIPE on Linux, ENOTCONN on the BSDs and macOS. On macOS and FreeBSD \
            shutdown gives it, too, for a listener and for a Unix-domain stream whose peer has closed.",
        lab: "listener-cannot-talk",
    }
    EISCONN {
        means: "The socket is already connected, and the call tried to connect it or gave sendto an address.",
        when: "The second connect after EINPROGRESS, once the connection is established; on Linux connect on a listener.",
        advice: "After a non-blocking connect read SO_ERROR instead of calling connect again.",
        systems: "After EINPROGRESS the next connect returns 0 once on Linux, then EISCONN; FreeBSD says EISCONN at once. \
            On a listener connect is EOPNOTSUPP on the BSDs and macOS. Linux ignores it for sendto on UDP: the datagram goes where it is told.",
        lab: "nb-connect-ok",
    }
    EINPROGRESS {
        means: "Not a failure: the handshake has started, and the non-blocking call does not wait for it.",
        when: "connect on a non-blocking TCP socket, even over loopback; also a blocking one when SO_SNDTIMEO ran out.",
        advice: "Wait until the socket is writable (select's second set, POLLOUT), then read SO_ERROR: 0 means connected.",
        systems: "A macOS manual page warns that a non-blocking connect may also succeed at once.",
        lab: "nb-connect-ok",
    }
    EALREADY {
        means: "connect was called again while the first attempt was still in progress.",
        when: "A loop that retries connect, or a connect that a signal interrupted (EINTR): its attempt continues in \
            the kernel.",
        advice: "Do not call connect again; wait for writability and read SO_ERROR.",
        systems: "Linux says it to a non-blocking socket only; on a blocking one the second connect waits for the first one's end; macOS says \
            EISCONN to it, OpenBSD EALREADY (read).",
        lab: "pending-and-eintr",
    }
    ETIMEDOUT {
        means: "The peer does not answer: not to the SYN, to sent bytes, or to keepalive probes.",
        when: "connect to a host that drops packets; recv or send long after a cable was pulled.",
        advice: "Set SO_KEEPALIVE with its timers, or TCP_USER_TIMEOUT, if minutes or hours are too long. A timeout of \
            your own (SO_RCVTIMEO, select) gives EAGAIN or 0 instead.",
        systems: "A port that is bound and does not listen refuses at once on Linux and FreeBSD; NetBSD (ran), OpenBSD and macOS (read) do not \
            answer, and connect ends with this after 75 seconds.",
        lab: "silent-death",
    }
    EPIPE {
        means: "Sending is no longer possible: the socket was shut down for sending, was reset, or was never connected.",
        when: "The second send after the peer has closed (the first succeeds, and provokes the reset); send after your own SHUT_WR.",
        advice: "Send with MSG_NOSIGNAL or ignore SIGPIPE; otherwise the signal that comes with EPIPE kills the process. Then close.",
        systems: "macOS, FreeBSD and NetBSD have SO_NOSIGPIPE for the whole socket.",
        lab: "write-after-fin",
    }
    ESHUTDOWN {
        means: "Sending was tried after shutdown.",
        when: "Hardly ever: Linux, FreeBSD and macOS report EPIPE instead.",
        advice: "Treat it like EPIPE: nothing more can be sent.",
    }
    ENETRESET {
        means: "The network broke the connection (ECONNRESET: the peer did).",
        when: "Rarely on today's systems; accept(2) and send(2) of Linux do not list it.",
        advice: "Close, and connect again if the service matters.",
    }
    EPROTO {
        means: "The bytes that arrived do not follow the protocol.",
        when: "accept may pass on such an error of the new connection; otherwise only rare protocols report it.",
        advice: "After accept, go on with the next client as after EAGAIN.",
    }
    EHOSTDOWN {
        means: "The neighbour does not answer at the level below IP.",
        when: "send or connect to an address of the local network that no machine has; FreeBSD's send(2) lists it.",
        advice: "Check the address and whether the machine is on.",
        systems: "Linux reports EHOSTUNREACH for a neighbour that does not answer.",
    }
    EHOSTUNREACH {
        means: "Packets reach the network but not this host: a router said so, or the neighbour did not answer.",
        when: "connect or send to a machine that is off, or behind a firewall that answers.",
        advice: "Close this connection; the fault is in the network, not in the program.",
        systems: "macOS 15 and later return it also where the user has not allowed this program, or the terminal that started \
            it, to reach the local network (System Settings, Privacy & Security, Local Network; documented: Apple's TN3179).",
    }
    ENETUNREACH {
        means: "The routing table has no entry for that destination.",
        when: "IPv6 without an IPv6 network; any address while the network is down; TCP to a broadcast or multicast address (Linux).",
        advice: "Try the next address that getaddrinfo gave.",
    }
    ENETDOWN {
        means: "The interface that would be used is switched off.",
        when: "send over an interface that was just taken down; accept on Linux may pass it on from the new connection.",
        advice: "Wait for the network; after accept go on.",
    }
} }

entries! { ADDRESSES {
    EADDRINUSE {
        means: "Another socket has this address and port: a listener, a bound socket, or an old connection in TIME_WAIT.",
        when: "bind when a server is started again too soon or twice; bind to a Unix-domain path whose file exists.",
        advice: "Set SO_REUSEADDR before bind on every listener. A Unix-domain file is removed with unlink. Port 0 takes a free port.",
        systems: "For TIME_WAIT, Linux requires SO_REUSEADDR on the old socket too; FreeBSD (ran), OpenBSD and macOS (read) only \
            on the new one. On NetBSD an old connection does not prevent bind at all (ran 10.99.12).",
        lab: "time-wait-bind",
    }
    EADDRNOTAVAIL {
        means: "An address was asked for that no interface here has, or all local ports towards one peer are used.",
        when: "bind to another machine's address; an address whose bytes are not in network order; connect in a fast loop.",
        advice: "bind to 0.0.0.0 or to an address that `ip addr` shows.",
        lab: "forgot-htons",
    }
    EAFNOSUPPORT {
        means: "The address family does not fit: the system lacks it, or address and socket have different families.",
        when: "An AF_INET6 socket where IPv6 is switched off; sendto with a sockaddr_in6 on an IPv4 socket.",
        advice: "Create the socket with the ai_family of the address that it will use.",
        systems: "macOS and the BSDs return it, harmlessly, when connect to AF_UNSPEC dissolves a UDP peer.",
        lab: "sockaddr-layout",
    }
    EPFNOSUPPORT {
        means: "Like EAFNOSUPPORT, from the time when PF_ and AF_ names were different.",
        when: "Hardly ever: on Linux socket gives EAFNOSUPPORT for an unknown domain.",
        advice: "Treat it as the same mistake: a domain that is not there.",
    }
    EPROTONOSUPPORT {
        means: "Type and protocol do not go together in this domain, or the protocol is not built in.",
        when: "socket(AF_INET, SOCK_STREAM, IPPROTO_UDP).",
        advice: "Give 0 for the protocol: the type chooses it.",
    }
    ESOCKTNOSUPPORT {
        means: "The domain exists, but has no sockets of this type.",
        when: "socket(AF_INET, SOCK_SEQPACKET, 0) on Linux.",
        advice: "Take SOCK_STREAM or SOCK_DGRAM.",
        systems: "Elsewhere such a socket call says EPROTOTYPE or EPROTONOSUPPORT.",
    }
    EPROTOTYPE {
        means: "Both ends exist and cannot be joined: one is a stream, the other takes datagrams.",
        when: "connect to a Unix-domain path that is bound to a socket of another type.",
        advice: "Make the client's socket of the server's type.",
        systems: "Up to macOS 11 also of a send on TCP while the peer's reset came in; later it is ECONNRESET (read in xnu).",
        lab: "stale-socket-file",
    }
    EDESTADDRREQ {
        means: "The datagram has no destination address.",
        when: "send or write on a UDP socket that was never connected.",
        advice: "Use sendto, or connect first.",
        systems: "On Linux a Unix-domain datagram socket gives ENOTCONN instead.",
    }
    EMSGSIZE {
        means: "A datagram is sent whole or not at all, and this one is too long.",
        when: "More than 65507 bytes over UDP and IPv4; more buffers in one sendmsg than the system takes.",
        advice: "Cut the message yourself, or use a stream. Nothing of it was sent.",
        systems: "65507 is what an IPv4 packet has left for it. FreeBSD and macOS stop at net.inet.udp.maxdgram, 9216, and NetBSD at SO_SNDBUF, 9216, too.",
        lab: "udp-drops-silently",
    }
    ENAMETOOLONG {
        means: "A path, or a part of one, is longer than its field.",
        when: "bind or connect with a Unix-domain path that does not fit sun_path: 108 bytes on Linux, 104 on the others. Our wrapper \
            refuses it; the line ends in (refused).",
        advice: "Use a shorter directory, or change into it and use a relative path.",
        lab: "sockaddr-layout",
    }
} }
