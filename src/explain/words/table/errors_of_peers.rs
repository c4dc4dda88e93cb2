//! The errors that come from the other end, from the way to it, and from addresses.

use super::entries;

entries! { CONNECTIONS {
    ECONNREFUSED {
        means: "The peer's machine answered, and said no: no socket listens at that address and port.",
        when: "connect to a port before the server has started or after it has ended; connect to a Unix-domain file that \
            outlived its server; a connected UDP socket whose earlier datagram found no receiver.",
        advice: "Check address and port (ss -ltn shows who listens). Close the socket and try a new one: how one that failed may \
            be used again is not specified.",
        systems: "Linux allows another connect on the same socket. After a non-blocking one whose SO_ERROR was read, the first of them is \
            ECONNABORTED. POSIX leaves it open.",
        lab: "nb-connect-refused",
    }
    ECONNRESET {
        means: "The peer's system sent RST. The connection is gone; what was not delivered is lost, in both directions.",
        when: "The peer closed with bytes unread, was killed with bytes unread, closed with SO_LINGER 0, or has restarted.",
        advice: "Close this connection and serve the others. It is an ordinary end, no reason for a server to stop.",
        systems: "On Linux bytes that had arrived before the RST are still read first.",
        lab: "rst-on-unread",
    }
    ECONNABORTED {
        means: "A connection died between being made and being taken.",
        when: "accept, when the client reset while it was queued; on Linux also connect, once, on a socket whose non-blocking \
            attempt was refused and whose SO_ERROR was read.",
        advice: "After accept: go on with the next client.",
        systems: "FreeBSD's accept reports it. Linux hands out the dead socket instead, and recv says ECONNRESET.",
        lab: "accept-after-rst",
    }
    ENOTCONN {
        means: "The call needs a peer, and this socket has none: not yet, no longer, or never because it listens.",
        when: "recv on a listener or a fresh TCP socket; shutdown or getpeername before connect or after a reset.",
        advice: "Look which descriptor it is: the listener was probably used where the accepted socket was meant.",
        systems: "send on an unconnected TCP socket says EPIPE on Linux, ENOTCONN on macOS.",
        lab: "listener-cannot-talk",
    }
    EISCONN {
        means: "connect, or an address given to sendto, although the peer is fixed already.",
        when: "The second connect after EINPROGRESS, once the connection stands; connect on a listener.",
        advice: "After a non-blocking connect read SO_ERROR instead of calling connect again.",
        systems: "After EINPROGRESS the next connect returns 0 once on Linux, then EISCONN; FreeBSD says EISCONN at once. \
            Linux ignores it for sendto on UDP: the datagram goes where it is told.",
        lab: "nb-connect-ok",
    }
    EINPROGRESS {
        means: "No failure: the handshake is on its way, and the call does not wait for it.",
        when: "connect on a non-blocking TCP socket, even over loopback; also a blocking one when SO_SNDTIMEO ran out.",
        advice: "Wait until the socket is writable (select's second set, POLLOUT), then read SO_ERROR: 0 means connected.",
        systems: "A macOS manual page warns that a non-blocking connect may also succeed at once.",
        lab: "nb-connect-ok",
    }
    EALREADY {
        means: "connect was called again while the first attempt goes on.",
        when: "A loop that retries connect, or a connect that EINTR interrupted: it goes on without its caller.",
        advice: "Do not call connect again; wait for writability and read SO_ERROR.",
        systems: "Linux says it to a non-blocking socket only; on a blocking one the second connect waits for the first one's end.",
        lab: "pending-and-eintr",
    }
    ETIMEDOUT {
        means: "The other end has fallen silent: no answer to the SYN, to sent bytes, or to keepalive probes.",
        when: "connect to a host that drops packets; recv or send long after a cable was pulled.",
        advice: "Set SO_KEEPALIVE with its timers, or TCP_USER_TIMEOUT, if minutes or hours are too long. A timeout of your own \
            (SO_RCVTIMEO, select) is something else and says EAGAIN or 0.",
        lab: "silent-death",
    }
    EPIPE {
        means: "This direction is over: the socket was shut down for sending, was reset, or never was connected.",
        when: "The second send after the peer has closed (the first is taken, and provokes the reset); send after one's own SHUT_WR.",
        advice: "Send with MSG_NOSIGNAL or ignore SIGPIPE, or the signal that comes with it ends the process. Then close.",
        systems: "macOS, FreeBSD and NetBSD have SO_NOSIGPIPE for the whole socket.",
        lab: "write-after-fin",
    }
    ESHUTDOWN {
        means: "Sending was tried after shutdown.",
        when: "Hardly: Linux, FreeBSD and macOS report EPIPE for this; the name is listed because an errno could hold it.",
        advice: "Treat it like EPIPE: nothing more can be sent.",
    }
    ENETRESET {
        means: "The network broke the connection, where ECONNRESET blames the peer.",
        when: "Rarely on today's systems; accept(2) and send(2) of Linux do not list it.",
        advice: "Close, and connect again if the service matters.",
    }
    EPROTO {
        means: "What arrived does not follow the protocol.",
        when: "accept may pass on such an error of the new connection; otherwise from protocols seldom met.",
        advice: "After accept, go on with the next client as after EAGAIN.",
    }
    EHOSTDOWN {
        means: "The neighbour does not answer at the level below IP.",
        when: "send or connect to an address of the local network that nobody has; FreeBSD's send(2) lists it.",
        advice: "Check the address and whether the machine is on.",
        systems: "Linux reports EHOSTUNREACH for a neighbour that does not answer.",
    }
    EHOSTUNREACH {
        means: "Packets reach the network but not this host: a router said so, or the neighbour did not answer.",
        when: "connect or send to a machine that is off, or behind a firewall that tells.",
        advice: "Close this connection; the fault is on the way, not in the program.",
    }
    ENETUNREACH {
        means: "The routing table has no line for that destination.",
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
        means: "Another socket has this name: it listens there, is bound there, or is an old connection in TIME_WAIT.",
        when: "bind when a server is started again too soon or twice; bind to a Unix-domain path whose file exists.",
        advice: "Set SO_REUSEADDR before bind on every listener. A Unix-domain file is removed with unlink. Port 0 takes a free port.",
        systems: "For TIME_WAIT, Linux wants SO_REUSEADDR on the old socket too; FreeBSD asks the new one only.",
        lab: "time-wait-bind",
    }
    EADDRNOTAVAIL {
        means: "An address was asked for that no interface here has, or all local ports towards one peer are used.",
        when: "bind to somebody else's address; an address whose bytes were not put in network order; connect in a fast loop.",
        advice: "bind to 0.0.0.0 or to an address that `ip addr` shows.",
        lab: "forgot-htons",
    }
    EAFNOSUPPORT {
        means: "The family does not fit: the system lacks it, or the address is of another one than the socket.",
        when: "An AF_INET6 socket where IPv6 is switched off; sendto with a sockaddr_in6 on an IPv4 socket.",
        advice: "Give socket the ai_family of the very address that will be used.",
        systems: "macOS returns it, harmlessly, when connect to AF_UNSPEC dissolves a UDP peer.",
        lab: "sockaddr-layout",
    }
    EPFNOSUPPORT {
        means: "Like EAFNOSUPPORT, from the time when PF_ and AF_ names were two sets.",
        when: "Hardly: socket says EAFNOSUPPORT for an unknown domain on Linux.",
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
        lab: "stale-socket-file",
    }
    EDESTADDRREQ {
        means: "A datagram was given to the system without saying whom it is for.",
        when: "send or write on a UDP socket that was never connected.",
        advice: "Use sendto, or connect first.",
        systems: "A Unix-domain datagram socket says ENOTCONN instead on Linux.",
    }
    EMSGSIZE {
        means: "A datagram travels whole or not at all, and this one is longer than any can be.",
        when: "More than 65507 bytes over UDP and IPv4; more buffers in one sendmsg than the system takes.",
        advice: "Cut the message yourself, or use a stream. Nothing of it was sent.",
        systems: "65507 is what an IPv4 packet has left for it. FreeBSD and macOS may stop earlier: net.inet.udp.maxdgram.",
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
