//! The options of IPv4, IPv6, TCP and UDP.

use super::entries;

entries! { IP_OPTIONS {
    IP_TOS {
        means: "One byte of every IPv4 header, which tells routers how to treat the packet.",
        when: "Marking traffic for the network's own queues.",
        advice: "Most networks ignore or rewrite it. Accepted sockets inherit it (Linux).",
    }
    IP_TTL {
        means: "Each router subtracts one; at 0 it drops the packet and informs the sender by ICMP.",
        when: "traceroute, and tests that must not leave the local network.",
        advice: "1 to 255; 0 and 256 give EINVAL. Linux starts with 64.",
    }
    IP_MULTICAST_TTL {
        means: "How far this socket's datagrams to a group travel.",
        when: "Sending to 224.0.0.0/4; the default 1 keeps them on the local network.",
        advice: "Raise it only as far as needed.",
        systems: "The value is an unsigned char on the BSDs and macOS; Linux takes an int too. Ours is a u8, which fits all.",
    }
    IP_MULTICAST_LOOP {
        means: "Whether group members on the sending machine hear this socket; it is on at first.",
        when: "A program that unexpectedly receives its own announcements.",
        advice: "Switch it off on the sender, or recognise your own messages.",
        systems: "An unsigned char on the BSDs and macOS, as IP_MULTICAST_TTL.",
    }
    IP_RECVERR {
        means: "The kernel queues ICMP errors about packets of this socket, with the packet that caused them.",
        when: "Otherwise an unconnected UDP socket gets no error for unreachable ports.",
        advice: "Read them by recvmsg with MSG_ERRQUEUE. Once it is set, an unconnected socket's next call fails, and a sendto to \
            another peer does not send its datagram: send it again.",
        systems: "Linux; gVisor lets you set it, and it does nothing (ran). Bun sets it on every UDP socket, so one client that has left costs another its datagram (ran 1.4.5).",
        lab: "udp-refused-later",
    }
    IP_PKTINFO {
        means: "recvmsg tells the interface and the local address of each datagram.",
        when: "A UDP server bound to 0.0.0.0 that must answer from the address that received the request.",
        advice: "Send the answer with the same control message.",
        systems: "Linux here; FreeBSD has IP_RECVDSTADDR (ip(4)).",
    }
    IP_RECVTTL {
        means: "A control message with the lifetime that was left when the datagram arrived.",
        when: "Protocols that accept only direct neighbours: 255 proves that no router came between.",
        advice: "Read it with recvmsg.",
    }
    IP_FREEBIND {
        means: "bind does not check that an interface has the address.",
        when: "A server that starts before its address is configured, or one that may have to take over.",
        advice: "Nothing arrives until the address is there.",
        systems: "Linux (ip(7)).",
    }
    IP_BIND_ADDRESS_NO_PORT {
        means: "bind with port 0 fixes the address alone; connect chooses the port, and many sockets may share one.",
        when: "Clients with thousands of connections from a chosen address.",
        advice: "Set it before bind; getsockname shows port 0 until connect.",
        systems: "Linux 4.2 and later.",
    }
    IPV6_V6ONLY {
        means: "1: an IPv6 listener accepts IPv6 only. 0: it accepts IPv4 clients too, with addresses like \
            ::ffff:127.0.0.1.",
        when: "Two listeners on one port, one for each family: without 1 the second bind fails with EADDRINUSE.",
        advice: "Set it before bind; afterwards it gives EINVAL.",
        systems: "Linux and macOS start with 0, FreeBSD and NetBSD with 1. OpenBSD always has 1.",
        lab: "dual-stack",
    }
    IPV6_UNICAST_HOPS {
        means: "IPv6's IP_TTL, under the name that says what it is.",
        when: "Tools like traceroute, over IPv6.",
        advice: "-1 restores the system's default (ipv6(7)).",
    }
    IPV6_MULTICAST_HOPS {
        means: "How far this socket's datagrams to an ff00::/8 group travel; 1 at first.",
        when: "Announcements that must pass a router.",
        advice: "An int here, unlike IP_MULTICAST_TTL.",
    }
    IPV6_MULTICAST_LOOP {
        means: "Whether members on this machine hear what this socket sends to an IPv6 group; 1 at first.",
        when: "Group programs that hear themselves over IPv6.",
        advice: "Set 0 on the sending socket.",
    }
    IPV6_RECVERR {
        means: "IP_RECVERR for an IPv6 socket: ICMPv6 errors are queued.",
        when: "Unconnected UDP over IPv6 that wants to know of refusals.",
        advice: "Set this one on an AF_INET6 socket; the errors come with level SOL_IPV6.",
        systems: "A Linux option (ipv6(7)).",
    }
    IPV6_RECVPKTINFO {
        means: "recvmsg tells the destination and the interface of each IPv6 datagram, as IPV6_PKTINFO.",
        when: "A UDP server bound to ::.",
        advice: "The option that switches it on and the message it brings have different names.",
        systems: "RFC 3542 defines it, so others have it too; this program offers it on Linux.",
    }
    IPV6_TCLASS {
        means: "The byte of the IPv6 header that IP_TOS is in IPv4.",
        when: "Marking IPv6 traffic.",
        advice: "An IPv4 peer on a dual-stack socket is marked by IP_TOS, not by this.",
    }
} }

entries! { TCP_OPTIONS {
    TCP_NODELAY {
        means: "Small packets are sent at once, even if an earlier one is not yet acknowledged.",
        when: "write, write, read: the second write waits for an acknowledgement that the peer delays, 40 ms each time on Linux.",
        advice: "Better combine the two writes into one; otherwise set this. One large send gains nothing.",
        lab: "nagle-40ms",
    }
    TCP_MAXSEG {
        means: "The largest piece that one packet carries; agreed in the handshake, and only ever lowered.",
        when: "Networks that pass only smaller packets than they announce.",
        advice: "Set it before connect or listen. Leave it alone otherwise.",
        systems: "Before a connection is established Linux returns 536.",
    }
    TCP_CORK {
        means: "The kernel sends only full segments until you set 0 or 200 ms have passed.",
        when: "A header and then a file, in several calls.",
        advice: "Set 1, send, set 0. One sendmsg with several buffers does without.",
        systems: "Linux. FreeBSD, OpenBSD and macOS have TCP_NOPUSH, without the limit of 200 ms; NetBSD has neither.",
        lab: "nagle-40ms",
    }
    TCP_NOPUSH {
        means: "TCP_CORK of FreeBSD, OpenBSD and macOS: only full segments are sent until you set 0.",
        when: "A program for one of these systems that builds a message in several calls.",
        advice: "Set 1, send, set 0; on macOS set 0 before the last send. One sendmsg with several buffers does without.",
        systems: "Setting 0 sends what waits on FreeBSD and OpenBSD; on macOS it does not, and what waits goes out with the next \
            send (tcp_usrreq.c of each).",
        lab: "nagle-40ms",
    }
    TCP_KEEPIDLE {
        means: "How long the connection must be idle before SO_KEEPALIVE sends a probe.",
        when: "Two hours (7200) is the default, which is too long for most servers.",
        advice: "Set SO_KEEPALIVE as well; this alone has no effect. 0 is EINVAL (Linux). Accepted sockets inherit it from the listener.",
        systems: "macOS calls it TCP_KEEPALIVE; OpenBSD's tcp(4) has none.",
        lab: "silent-death",
    }
    TCP_KEEPALIVE {
        means: "TCP_KEEPIDLE under the name that macOS gives it.",
        when: "Keepalive on macOS. Do not confuse it with SO_KEEPALIVE, the switch.",
        advice: "Set both: the switch and this.",
        systems: "macOS only; there the first probe comes after net.inet.tcp.keepidle unless this is set.",
        lab: "silent-death",
    }
    TCP_KEEPINTVL {
        means: "The pause between probes that get no answer.",
        when: "75 by default, on Linux and FreeBSD.",
        advice: "A dead peer goes unnoticed for idle + interval x count.",
        lab: "silent-death",
    }
    TCP_KEEPCNT {
        means: "After this many unanswered probes the connection ends with ETIMEDOUT.",
        when: "9 at first on Linux, 8 on FreeBSD (tcp(4)).",
        advice: "At least 2, or one lost packet ends a good connection. Linux takes at most 127.",
        lab: "silent-death",
    }
    TCP_SYNCNT {
        means: "How often connect sends the SYN again to a host that does not answer: each try waits twice as long as the one before.",
        when: "A connect that takes two minutes to fail.",
        advice: "A non-blocking connect with a timeout of your own is portable.",
        systems: "Linux: 6 by default, at most 127 (tcp(7) says 255).",
    }
    TCP_LINGER2 {
        means: "How long a closed socket waits for the peer's FIN before the kernel forgets it.",
        when: "Thousands of sockets in FIN_WAIT2 after peers that never close.",
        advice: "60 by default. It has nothing to do with SO_LINGER.",
        systems: "Linux; FreeBSD has a sysctl, finwait2_timeout.",
    }
    TCP_DEFER_ACCEPT {
        means: "A connection is queued for accept only after its first bytes have arrived; the value is a limit in seconds.",
        when: "Servers in which the client speaks first, such as HTTP.",
        advice: "Never where the server speaks first: both would wait.",
        systems: "Linux. FreeBSD has accept filters (SO_ACCEPTFILTER).",
    }
    TCP_WINDOW_CLAMP {
        means: "The largest window offered to the peer, whatever the buffer.",
        when: "Experiments with slow receivers.",
        advice: "SO_RCVBUF is the usual way.",
        systems: "Linux (tcp(7)).",
    }
    TCP_QUICKACK {
        means: "0 or 1 switches delayed acknowledgements on or off for the moment; TCP changes the mode again by itself.",
        when: "The other half of the 40 ms puzzle: the receiver that delays.",
        advice: "It does not last: set it again after each recv, or better use TCP_NODELAY at the sender.",
        systems: "Linux only.",
        lab: "nagle-40ms",
    }
    TCP_USER_TIMEOUT {
        means: "The connection ends with ETIMEDOUT if bytes stay unacknowledged, or unsent, for this long.",
        when: "A peer that vanished while bytes are on the way; the default takes up to 20 minutes (tcp(7)).",
        advice: "With SO_KEEPALIVE it overrides the count of probes. accept passes it on.",
        systems: "Linux 2.6.37 and later.",
        lab: "silent-death",
    }
    TCP_FASTOPEN {
        means: "A listener accepts bytes in the SYN of a client that has connected before; the value is the length of that queue.",
        when: "Saving a round trip for short requests.",
        advice: "The request may arrive twice: use it only for requests that may be repeated. The sysctl tcp_fastopen must allow it.",
        systems: "This entry describes Linux 3.6 and later.",
    }
    TCP_NOTSENT_LOWAT {
        means: "The socket is writable only while fewer unsent bytes than this wait, however large the buffer.",
        when: "Programs that decide late what to send: video, games.",
        advice: "Use it with select or poll; then old data does not pile up in the kernel.",
        systems: "Linux, and macOS by its tcp(4).",
    }
    UDP_CORK {
        means: "Every send adds to one datagram, which is sent when you set the option back to 0.",
        when: "Building a datagram from pieces.",
        advice: "sendmsg with several buffers does it in one call and everywhere.",
        systems: "Linux; MSG_MORE does the same for single sends.",
    }
} }
