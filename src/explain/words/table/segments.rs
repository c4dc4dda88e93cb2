//! What goes over the wire: the flags of a segment and the other words that `--packets` shows.

use super::ideas::idea;
use crate::explain::words::entry::Entry;

/// Flags, and what a segment or a message of ICMP is for.
pub(super) const SEGMENTS: &[Entry] = &[
    idea(
        "segment",
        "a packet of TCP: a header, and perhaps bytes",
        [
            "The kernel cuts the stream into segments as it likes: one send may become several, and several sends one. The header has two port numbers, the numbers of the first byte and of the next byte expected, flags, and the window.",
            "Between the calls, with --packets.",
            "See them: baresock lab half-close --packets, or tour --packets. No call returns a segment, so no program may depend on how they are cut.",
        ],
        "no-message-boundaries",
    ),
    idea(
        "SYN",
        "the first segment of a connection",
        [
            "Synchronize: it says with which number its sender begins to count. connect sends it, and the kernel of the listener answers with a SYN of its own and an ACK.",
            "connect; again after a second or more if no answer comes.",
            "See it: baresock lab half-close --packets.",
        ],
        "syn-sent-again",
    ),
    idea(
        "ACK",
        "the number of the next byte that the receiver expects",
        [
            "Everything before this number has arrived in the peer's kernel. The peer's program need not have read it, and may never do so.",
            "In every segment but the first; alone when there are no bytes to send with it, after a moment (delayed-ack).",
            "An answer of the other program is the only proof that it has read a message. See it: baresock lab send-is-a-copy --packets.",
        ],
        "send-is-a-copy",
    ),
    idea(
        "PSH",
        "hand these bytes over without waiting for more",
        [
            "Push: the receiver's kernel should not wait for more bytes before it wakes its program. Linux wakes its program also without it.",
            "In the last segment of each send, and on Linux also in the middle of a long one.",
            "It does not mark the end of a message: recv does not report it, and the bytes of several sends may come in one segment. See it: baresock lab no-message-boundaries --packets.",
        ],
        "no-message-boundaries",
    ),
    idea(
        "FIN",
        "its sender has sent its last byte",
        [
            "Finish: it ends one direction. The peer's recv returns 0 once all bytes before it are read; the other direction stays open until the peer closes, too.",
            "shutdown with SHUT_WR, and close of the last descriptor, when no bytes are left to send.",
            "A FIN does not say whether its sender can still receive: close and shutdown look the same on the wire. See it: baresock lab half-close --packets.",
        ],
        "half-close",
    ),
    idea(
        "RST",
        "this connection is over, or there was none",
        [
            "Reset: the receiver forgets the connection at once, and its program gets ECONNRESET or EPIPE; in answer to a SYN, ECONNREFUSED. It is not acknowledged.",
            "close with bytes unread or with SO_LINGER 0; bytes for an end that is closed already; a SYN for a port at which no socket listens.",
            "See which call sends it: baresock lab rst-on-unread --packets.",
        ],
        "rst-on-unread",
    ),
    idea(
        "retransmission",
        "bytes sent once more: no acknowledgement came",
        [
            "The kernel keeps sent bytes until the peer acknowledges them, and sends them again when a timer runs out: on Linux after 200 ms or more, then each time twice as late. Of several segments Linux repeats the last one earlier, after a few milliseconds on loopback (tail loss probe), so that an acknowledgement tells which are missing.",
            "A lost packet, a peer that is gone, a receive buffer without room.",
            "No call reports it; TCP_USER_TIMEOUT limits how long it goes on. See it: baresock lab syn-sent-again --packets.",
        ],
        "silent-death",
    ),
    idea(
        "window-update",
        "the receiver has room again",
        [
            "The window in each segment says how many bytes its sender has room for. At 0 the peer must stop; when recv has made room, the kernel says so, if the room is worth it.",
            "After a recv that empties a full receive buffer.",
            "Read what arrives. See it: baresock lab partial-send --packets.",
        ],
        "writable-hysteresis",
    ),
    idea(
        "window-probe",
        "is there room now?",
        [
            "While the window is 0 the sender's kernel asks from time to time, because the window update that ends the wait could have been lost.",
            "A peer that does not read; send gives EAGAIN, or waits.",
            "See flow-control. Linux asks with an acknowledged number and without a byte, so Wireshark (4.0 and 4.6, ran) labels it TCP Keep-Alive, and its filter tcp.analysis.zero_window_probe does not find it. ss -o says timer:(persist).",
        ],
        "writable-hysteresis",
    ),
    idea(
        "keepalive-probe",
        "a segment that asks an idle peer whether it still lives",
        [
            "It repeats a number that is acknowledged already, so that a living kernel answers. Several without an answer end the connection with ETIMEDOUT.",
            "SO_KEEPALIVE, after two hours without traffic unless TCP_KEEPIDLE says otherwise.",
            "It proves that the peer's kernel lives, not that its program works.",
        ],
        "silent-death",
    ),
    idea(
        "port-unreachable",
        "a message of ICMP: no socket has this UDP port",
        [
            "The kernel that got the datagram answers so. The sender's kernel keeps the error for the sender's socket, if it is connected: the next call returns ECONNREFUSED.",
            "A datagram to a port that no program has bound.",
            "Connect UDP sockets to learn of it; a firewall may drop it, so no answer says nothing. See it: baresock lab udp-refused-later --packets.",
        ],
        "udp-refused-later",
    ),
];
