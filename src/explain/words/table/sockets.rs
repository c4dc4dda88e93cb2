//! The arguments of `socket` and `shutdown`, and the states of TCP.

use super::entries;

entries! { DOMAINS {
    AF_UNSPEC {
        means: "In getaddrinfo's hints: any family. In connect on UDP: dissolve the association.",
        when: "Clients that use IPv6 or IPv4, whichever works.",
        advice: "Try all addresses that come back, in order.",
        systems: "macOS, FreeBSD, NetBSD and OpenBSD dissolve it too, but return EAFNOSUPPORT, which macOS's manual calls harmless.",
        lab: "udp-connect-filters",
    }
    AF_UNIX {
        means: "Sockets between processes of one machine. Names are paths, and the file's permissions guard them.",
        when: "Local servers, socketpair, passing descriptors.",
        advice: "unlink the path before bind and after close: close leaves it there.",
        systems: "Linux also has abstract names without a file. sun_path holds 108 bytes there, 104 on the others.",
        lab: "unix-is-not-tcp",
    }
    AF_INET {
        means: "IPv4: an address of 4 bytes and a port of 2, both in network order in a sockaddr_in.",
        when: "The first argument of nearly every first program.",
        advice: "Use htons for the port. Let getaddrinfo choose the family in finished programs.",
        lab: "forgot-htons",
    }
    AF_INET6 {
        means: "IPv6, and IPv4 too where IPV6_V6ONLY is 0. The address is a sockaddr_in6, 28 bytes.",
        when: "Servers for both families; getaddrinfo's first answers.",
        advice: "Link-local addresses (fe80::) need a scope id, or connect says EINVAL (Linux).",
        systems: "The number differs: 10 on Linux, others elsewhere.",
        lab: "dual-stack",
    }
    AF_NETLINK {
        means: "Messages to and from the kernel: interfaces, routes, addresses.",
        when: "In the trace of programs such as ip; glibc asks it for addresses inside getaddrinfo.",
        advice: "Nothing to do: it is not a network connection.",
        systems: "Linux only; the BSDs have routing sockets.",
    }
    AF_PACKET {
        means: "Frames of an interface with their headers.",
        when: "tcpdump and the like.",
        advice: "It needs CAP_NET_RAW; read through libpcap.",
        systems: "Linux only; others have bpf.",
    }
    AF_VSOCK {
        means: "A virtual machine and its host talk without a network card; addresses are a context id and a port.",
        when: "Guest agents.",
        advice: "Stream sockets behave much as in AF_INET.",
        systems: "Offered here on Linux only.",
    }
} }

entries! { TYPES {
    SOCK_STREAM {
        means: "TCP in the internet domains. Bytes arrive in order, without any mark where one send ended.",
        when: "One recv returns the bytes of two sends, or one send takes three recvs.",
        advice: "Decide how a message ends (length, newline), and keep the remaining bytes for the next message.",
        lab: "no-message-boundaries",
    }
    SOCK_DGRAM {
        means: "UDP in the internet domains. One send is one recv, or nothing.",
        when: "Questions with short answers, announcements, media.",
        advice: "Give recv room for the whole datagram: the rest is lost. Number your messages.",
        systems: "On Linux nothing is lost in AF_UNIX: a full queue makes the sender wait, or says EAGAIN. On the BSDs and macOS it says ENOBUFS, \
            also to a blocking one.",
        lab: "datagram-truncation",
    }
    SOCK_RAW {
        means: "Packets below TCP and UDP, such as ping's.",
        when: "socket fails with EPERM for ordinary users.",
        advice: "glibc's getaddrinfo without hints offers it as a third choice: set ai_socktype.",
        lab: "gai-fans-out",
    }
    SOCK_RDM {
        means: "Datagrams that are delivered reliably, though not in order.",
        when: "Hardly ever: no internet protocol offers it.",
        advice: "Take SOCK_SEQPACKET in AF_UNIX, or frame a stream.",
    }
    SOCK_SEQPACKET {
        means: "A connection that keeps the boundaries of messages.",
        when: "Messages within one machine, over AF_UNIX; SCTP.",
        advice: "recv returns 0 at the end, but also for an empty message; a short buffer truncates a message.",
        systems: "AF_UNIX has it on Linux and FreeBSD, not on macOS. In AF_INET Linux gives ESOCKTNOSUPPORT.",
    }
    SOCK_CLOEXEC {
        means: "Sets FD_CLOEXEC from the start; joined to the type with |.",
        when: "Programs that start others: a listener that leaks keeps its port (EADDRINUSE).",
        advice: "Always pass it, except for a descriptor that a child should inherit.",
        systems: "Not on macOS: there fcntl sets FD_CLOEXEC afterwards.",
        lab: "close-is-refcount",
    }
    SOCK_NONBLOCK {
        means: "Sets O_NONBLOCK from the start, without two calls of fcntl.",
        when: "socket, socketpair and accept4 of an event loop.",
        advice: "On systems without it, read the flags with F_GETFL and add O_NONBLOCK.",
        systems: "Linux and the BSDs. macOS lacks it.",
    }
} }

entries! { PROTOCOLS {
    IPPROTO_IP {
        means: "0: as socket's third argument, the type's own protocol; as setsockopt's level, IPv4.",
        when: "The trace shows it where a program wrote 0 for an internet socket.",
        advice: "0 is right for TCP and UDP.",
    }
    IPPROTO_ICMP {
        means: "ping's protocol. Errors about other packets travel in it too.",
        when: "Raw sockets; on Linux also SOCK_DGRAM, where ping_group_range allows it.",
        advice: "You meet its messages as errnos: ECONNREFUSED on UDP, EHOSTUNREACH.",
    }
    IPPROTO_TCP {
        means: "The protocol of SOCK_STREAM in AF_INET; also the portable level of TCP's options.",
        when: "socket's third argument and setsockopt's second.",
        advice: "Not needed in socket; needed in setsockopt.",
    }
    IPPROTO_UDP {
        means: "The protocol of SOCK_DGRAM in AF_INET.",
        when: "Hints of getaddrinfo, or socket's third argument.",
        advice: "With SOCK_STREAM it is EPROTONOSUPPORT.",
    }
    IPPROTO_IPV6 {
        means: "The level of IPv6's options, here printed as SOL_IPV6.",
        when: "setsockopt with IPV6_V6ONLY.",
        advice: "It is not a protocol for socket's third argument.",
    }
    IPPROTO_ICMPV6 {
        means: "Errors and ping of IPv6, and how neighbours find each other.",
        when: "Raw IPv6 sockets.",
        advice: "Do not filter it away: IPv6 does not work without it.",
    }
    IPPROTO_RAW {
        means: "The program writes the IP header itself.",
        when: "Packet generators, with privilege.",
        advice: "Such a socket receives nothing on Linux (raw(7)).",
    }
    IPPROTO_UDPLITE {
        means: "UDP with a checksum that covers a part of the datagram only.",
        when: "socket's third argument, in programs for sound and pictures.",
        advice: "Be ready for EPROTONOSUPPORT, and fall back to UDP.",
        systems: "Linux 2.6.20 and later; 7.2 no longer has it.",
        lab: "old-options",
    }
    IPPROTO_MPTCP {
        means: "TCP over several paths at once; with a peer that does not support it, ordinary TCP.",
        when: "socket's third argument. Servers in Go listen with it by default since 1.24.",
        advice: "For a minute send does not fail after the peer has closed: act on the end of file.",
        systems: "Linux, since 5.6.",
        lab: "multipath-hides-close",
    }
} }

entries! { HALVES {
    SHUT_RD {
        means: "We stop receiving, on this side only: no packet tells the peer.",
        when: "Seldom of use.",
        advice: "Do not rely on it to stop a peer: it may go on sending.",
        systems: "On Linux bytes that arrive later can still be read after the 0; FreeBSD, NetBSD (ran) and macOS (read) discard them.",
        lab: "shut-rd-is-local",
    }
    SHUT_WR {
        means: "The half-close: the kernel sends a FIN after the last unsent byte. Receiving still works.",
        when: "\"That was my whole request\": then read the answer until 0.",
        advice: "A send afterwards fails with EPIPE. The descriptor must still be closed.",
        lab: "half-close",
    }
    SHUT_RDWR {
        means: "Both halves, for every duplicate and every process that shares the socket.",
        when: "To wake another thread that sleeps in recv on it; close does not do that on Linux.",
        advice: "Then close: until then the descriptor stays open.",
        lab: "close-under-wait",
    }
} }

entries! { STATES {
    ESTABLISHED {
        means: "The handshake is done. It does not mean that a program has accepted: the kernel completes handshakes for a listener's queue.",
        when: "After connect returned; for queued clients even before accept.",
        advice: "It also does not mean that the peer is alive: after a silent death our side stays ESTABLISHED.",
        lab: "send-is-a-copy",
    }
    SYN_SENT {
        means: "We have sent a SYN; the kernel sends it again from time to time.",
        when: "A non-blocking connect in progress; a server whose queue is full (Linux).",
        advice: "Wait for writability, with a limit of your own.",
        lab: "pending-and-eintr",
    }
    SYN_RECV {
        means: "We have answered a SYN and wait for the last part of the handshake.",
        when: "Visible only from outside (ss): accept returns sockets in a later state.",
        advice: "Many of them at once mean a SYN flood, or a path that loses packets.",
        systems: "Elsewhere the name is SYN_RECEIVED or SYN_RCVD.",
    }
    FIN_WAIT1 {
        means: "Our FIN is sent, or waits behind unsent bytes.",
        when: "After close or shutdown(SHUT_WR) towards a peer that does not answer or does not read.",
        advice: "The kernel handles it; the program may exit.",
    }
    FIN_WAIT2 {
        means: "The peer has acknowledged our FIN and may still send.",
        when: "The half-closed side that reads the answer; after close, for a minute at most (TCP_LINGER2 on Linux).",
        advice: "Read until 0.",
        lab: "half-close",
    }
    TIME_WAIT {
        means: "The side that closed first keeps the connection, to handle late packets and to repeat the last acknowledgement.",
        when: "bind fails with EADDRINUSE after a server was restarted.",
        advice: "Set SO_REUSEADDR on every listener. TIME_WAIT costs no descriptor; do not avoid it with SO_LINGER 0.",
        systems: "60 seconds on Linux, 30 on macOS (read), 2 on NetBSD over loopback. On NetBSD it does not make bind fail.",
        lab: "time-wait-bind",
    }
    CLOSE {
        means: "The socket has no connection: it is new, or a reset has ended it.",
        when: "Before connect or listen, and after ECONNRESET.",
        advice: "Make a new socket rather than use this one again.",
    }
    CLOSE_WAIT {
        means: "The peer's FIN has arrived; the kernel waits for this program to close.",
        when: "recv has returned 0, or would. Many of them mean a leak: the program does not close.",
        advice: "Send the remaining bytes, then close.",
        lab: "half-close",
    }
    LAST_ACK {
        means: "We closed second; only the acknowledgement of our FIN is missing.",
        when: "For a moment after close.",
        advice: "Nothing: it passes by itself, and no TIME_WAIT follows on this side.",
    }
    LISTEN {
        means: "The socket is a listener: it has a queue and no peer.",
        when: "From listen until close.",
        advice: "Its queue, not its bytes, makes it readable.",
        lab: "listener-cannot-talk",
    }
    CLOSING {
        means: "Both FINs crossed on the way, and ours is not yet acknowledged.",
        when: "Hardly ever seen.",
        advice: "It becomes TIME_WAIT on both sides.",
    }
} }
