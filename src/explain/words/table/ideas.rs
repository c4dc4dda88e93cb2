//! Concepts from textbooks that are not named after a call.

use crate::explain::words::entry::Entry;

/// Concepts have names of several words, which the macro cannot take as one name.
pub(super) const fn idea(
    name: &'static str,
    gist: &'static str,
    [means, when, advice]: [&'static str; 3],
    lab: &'static str,
) -> Entry {
    Entry { gist, means, when, advice, lab, ..Entry::named(name) }
}

/// Concepts.
pub(super) const IDEAS: &[Entry] = &[
    idea(
        "file-descriptor",
        "a process's number for an open file or socket",
        [
            "An index into a table that the kernel keeps for each process. dup and fork make more numbers for the same open socket, which closes when the last of them is closed.",
            "Every call on a socket takes one. The kernel assigns the lowest free number, so a closed number soon belongs to another socket.",
            "Close each descriptor exactly once, and never use its number afterwards.",
        ],
        "close-is-refcount",
    ),
    idea(
        "errno",
        "the number that says why the last call failed",
        [
            "A call that returns -1 sets it; a call that succeeds leaves it as it was. The numbers differ between systems, the names do not.",
            "Errors that no call on a socket gives have no page here: strerror has their text, errno(3) the list.",
            "Copy it right after the call: the next call, even the one that prints the message, may change it.",
        ],
        "",
    ),
    idea(
        "handshake",
        "the three segments that make a TCP connection",
        [
            "The client sends SYN, the server's kernel answers SYN and ACK, the client acknowledges. The kernels do it: accept only takes a connection that is already established.",
            "connect returns after the second segment. A client may send before the server has called accept.",
            "That connect succeeds says that a kernel answered, not that a program looks at the connection.",
        ],
        "backlog-n-plus-1",
    ),
    idea(
        "self-connection",
        "a socket that is connected to itself",
        [
            "connect found no listener at a port of this machine, and the kernel picked that port as the client's own: both SYNs are one, and TCP allows that (simultaneous open). What is sent comes back.",
            "A client that tries a local port of the ephemeral range again and again until its server is there. The server then finds its port taken.",
            "Give servers ports below the ephemeral range. Where getsockname and getpeername are equal after connect, close and try again later.",
        ],
        "reuseport-and-self",
    ),
    idea(
        "ephemeral-port",
        "a port that the kernel picks for a socket without one",
        [
            "connect without bind, and bind to port 0, take a free port of a range (on Linux net.ipv4.ip_local_port_range, mostly 32768 to 60999).",
            "Clients, and servers of tests. Very many short connections to one server exhaust the range: EADDRNOTAVAIL.",
            "Bind to port 0 and ask getsockname which port it became, instead of guessing a free one.",
        ],
        "names-appear-late",
    ),
    idea(
        "half-open",
        "one end has a connection that the other has lost",
        [
            "The peer's machine was switched off, or a router between has forgotten the connection. No segment reports it, so recv waits forever.",
            "Long silence on one connection, and ETIMEDOUT or ECONNRESET at the first send. A half-closed connection is another thing: see shutdown.",
            "Give each wait a deadline, or set SO_KEEPALIVE with short times.",
        ],
        "silent-death",
    ),
    idea(
        "socket-buffer",
        "the kernel's memory for bytes on their way in or out",
        [
            "Each socket has two. send copies into one and returns; recv takes from the other. Both are bounded by SO_SNDBUF and SO_RCVBUF.",
            "With a full send buffer send waits, takes only a part (a short write), or gives EAGAIN; a full receive \
                buffer stops the peer.",
            "That send returned does not mean that the peer has read anything.",
        ],
        "send-is-a-copy",
    ),
    idea(
        "flow-control",
        "the receiver tells how many bytes it has room for",
        [
            "Each acknowledgement carries the receive window, the room left in the receive buffer. At zero the sender's kernel holds bytes back and probes from time to time.",
            "A peer that does not read: the send buffer fills, then send gives EAGAIN or waits.",
            "Read what arrives, or accept that the peer has to wait.",
        ],
        "partial-send",
    ),
    idea(
        "backpressure",
        "a slow reader slows its writer down",
        [
            "When a client does not read, the server stops reading from that client too, so that the unsent bytes for it \
                stay bounded.",
            "Relays, echo servers, chats: wherever one side produces faster than the other reads.",
            "Set a limit for each connection's unsent output; above it, leave the descriptor out of the set for reading.",
        ],
        "one-slow-client",
    ),
    idea(
        "delayed-ack",
        "an acknowledgement that waits for an answer to go with",
        [
            "Linux waits up to about 40 ms, others up to 200 ms. Together with Nagle's algorithm, which holds a small segment back until the last one is acknowledged, each request waits that long.",
            "Two small sends and then a recv, as in a header and a body: 40 ms for every exchange.",
            "Send header and body with one call (sendmsg), or set TCP_NODELAY.",
        ],
        "nagle-40ms",
    ),
    idea(
        "multiplexing",
        "one thread waits for many descriptors at once",
        [
            "select and poll take a list of descriptors and return when one of them is ready; the program then serves those that are.",
            "Servers with many clients, and clients that watch the keyboard and a socket.",
            "Make the sockets non-blocking: one call that waits would stop all the others.",
        ],
        "one-slow-client",
    ),
    idea(
        "event-loop",
        "wait for what is ready, serve it, and wait again",
        [
            "One thread, one wait for all descriptors (select, poll, epoll, kqueue), and short steps that never wait by themselves.",
            "Most servers for many clients; baresock bare is one in 80 lines.",
            "Nothing in it may block: no recv on a blocking socket, no sleep, no name lookup.",
        ],
        "one-slow-client",
    ),
    idea(
        "tiers",
        "waits ask about busy connections, looks about the others",
        [
            "select and poll look at every descriptor of each call. The hot tier, the connections that were busy lately, is in every call; a call with a timeout of 0 looks at a part of the cold tier from time to time. epoll and kqueue need no tiers, because the kernel keeps the list.",
            "Servers over poll with thousands of connections of which few are busy: baresock serve --via poll --tiers.",
            "Choose how long a cold connection may wait; keep listeners and signals hot; and wait for all at once when all are silent, or looks wake the program for nothing.",
        ],
        "poll-in-tiers",
    ),
    idea(
        "level-triggered",
        "a wait reports a descriptor while it is ready",
        [
            "select and poll ask for a state: while bytes are unread the descriptor is reported at every turn, whether anything is new or not.",
            "Read once per turn and leave the rest: the next turn reports it again.",
            "Take descriptors that you do not want to serve now out of the set, or the loop spins.",
        ],
        "always-ready",
    ),
    idea(
        "edge-triggered",
        "a wait reports only that something has changed",
        [
            "epoll with EPOLLET and kqueue with EV_CLEAR report arrivals, not a state. What is left unread is not reported again until more arrives. select and poll have no such mode.",
            "Programs on epoll that hang with bytes in the buffer.",
            "Read until EAGAIN each time, on non-blocking sockets only.",
        ],
        "level-and-lowat",
    ),
    idea(
        "thundering-herd",
        "one event wakes every process that waits for it",
        [
            "Several processes select on one listener; one client wakes them all, one accept succeeds, and the others get EAGAIN, or wait if the listener blocks.",
            "Servers that fork first and accept in each child.",
            "Make the listener non-blocking; SO_REUSEPORT gives each process a queue of its own.",
        ],
        "readiness-is-a-hint",
    ),
    idea(
        "deadlock",
        "each end waits for the other, forever",
        [
            "Each sends more than the buffers hold and does not read in the meantime; or each waits for a message that the other sends only as an answer.",
            "Two programs that first send all and then read all; a client that waits for the server's end of file without having closed its own half.",
            "Read while you send, with select or poll; and half-close once everything is sent.",
        ],
        "half-close",
    ),
    idea(
        "graceful-shutdown",
        "to close without losing bytes that are on their way",
        [
            "Send all, shutdown with SHUT_WR, read until recv gives 0, and only then close. Closing with unread bytes sends a reset, which may destroy what the peer has not read yet.",
            "Servers that stop, and protocols in which the server closes first.",
            "Give the last wait a limit, for the peer may never close.",
        ],
        "rst-on-unread",
    ),
];
