//! Fields of messages and of their control data, as a trace names them.

use super::entries;

entries! { FIELDS_OF_MESSAGES {
    msg_name {
        gist: "the sender of a message, or its destination",
        means: "The address of one datagram.",
        when: "recvmsg and sendmsg on sockets without a peer.",
        advice: "NULL on a connected socket, which knows its peer.",
    }
    msg_namelen {
        gist: "how long msg_name is",
        means: "Room on the way in, the length of the address on the way out: 128 => 16.",
        when: "Each recvmsg; 0 where there is no address.",
        advice: "Set it again before each call, because the kernel overwrites it.",
    }
    msg_iov {
        gist: "the buffers of a message",
        means: "An array of buffers, sent or filled in order: a header and a body go out together without being copied into one buffer.",
        when: "sendmsg, recvmsg, readv, writev.",
        advice: "The result counts bytes across all buffers: a short write may end in the middle of one.",
    }
    msg_hdr {
        gist: "one message of several",
        means: "The struct msghdr of a message in the vector of sendmmsg or recvmmsg.",
        when: "Each sendmmsg and recvmmsg.",
        advice: "Read it as you read the message of sendmsg.",
    }
    msg_len {
        gist: "how many bytes of one message were moved",
        means: "What sendmsg or recvmsg would have returned for this message.",
        when: "Behind each message that sendmmsg or recvmmsg has moved; the others have none.",
        advice: "The call returns how many messages have one.",
    }
    msg_iovlen {
        gist: "how many pieces msg_iov has",
        means: "A number of pieces, not of bytes.",
        when: "Each sendmsg and recvmsg.",
        advice: "At most IOV_MAX, or EMSGSIZE.",
    }
    iov_base {
        gist: "where a piece begins",
        means: "A pointer to bytes; the trace shows those that it leads to.",
        when: "In each piece of msg_iov.",
        advice: "The memory must live until the call returns.",
    }
    iov_len {
        gist: "how long a piece is",
        means: "The room in it when receiving, its bytes when sending.",
        when: "Inside msg_iov, beside iov_base.",
        advice: "Several buffers in one call cost far less than a call for each.",
    }
    msg_control {
        gist: "control data beside the bytes",
        means: "Control messages, one after another, each with its own header, aligned.",
        when: "Passing descriptors, times of arrival, errors of the queue.",
        advice: "Walk it with CMSG_FIRSTHDR and CMSG_NXTHDR.",
        lab: "fd-passing",
    }
    msg_controllen {
        gist: "the size of the buffer for control messages",
        means: "In bytes; on return, the bytes used. If it is too small, MSG_CTRUNC reports lost control messages.",
        when: "Each recvmsg that wants any.",
        advice: "Make room with CMSG_SPACE for each that may come.",
        lab: "fd-passing",
    }
    msg_flags {
        gist: "what recvmsg reports about a message",
        means: "MSG_TRUNC: it was longer than the room. MSG_CTRUNC: control messages are lost. MSG_OOB, MSG_EOR.",
        when: "Only a result of recvmsg; its input flags are an argument.",
        advice: "Look at it after each datagram.",
        lab: "datagram-truncation",
    }
    cmsg_len {
        gist: "how long a control message is",
        means: "With its header, without the filling after it.",
        when: "Inside msg_control.",
        advice: "CMSG_LEN computes it, CMSG_SPACE the place it takes.",
        lab: "fd-passing",
    }
    cmsg_level {
        gist: "the protocol level of a control message",
        means: "SOL_SOCKET, or the protocol, as with options.",
        when: "In the header of a control message, behind its length.",
        advice: "Check it and cmsg_type before you use the data.",
    }
    cmsg_type {
        gist: "which control message it is",
        means: "SCM_RIGHTS and its like for SOL_SOCKET; elsewhere the option that asked for it.",
        when: "Together with cmsg_level it says what the data is.",
        advice: "Skip unknown types.",
    }
    cmsg_data {
        gist: "the data of a control message",
        means: "Descriptors, credentials, a time, an address: by its level and type.",
        when: "Behind the header of each control message.",
        advice: "Copy it out: it need not be aligned for its type.",
    }
    ee_errno {
        gist: "which error a datagram met",
        means: "The errno that the next call would have returned.",
        when: "MSG_ERRQUEUE with IP_RECVERR (Linux).",
        advice: "It belongs to the datagram whose address msg_name has.",
    }
    ee_origin {
        gist: "the source of an error",
        means: "This machine, or a router or host by ICMP.",
        when: "Beside ee_errno.",
        advice: "The local ones come at once, those by ICMP some time later.",
    }
    ee_type {
        gist: "the type of an ICMP message",
        means: "As it came: 3 is unreachable.",
        when: "Beside ee_origin, where that is ICMP.",
        advice: "RFC 792 lists them.",
    }
    ee_code {
        gist: "the code of an ICMP message",
        means: "Details of the type: for unreachable, 3 is the port.",
        when: "Beside ee_type.",
        advice: "The kernel turns port unreachable into ECONNREFUSED.",
        lab: "udp-refused-later",
    }
    ee_info {
        gist: "more about an error",
        means: "The size that would have fitted, where a packet was too long.",
        when: "EMSGSIZE from path MTU discovery.",
        advice: "0 otherwise.",
    }
    ee_data {
        gist: "other data about an error",
        means: "Unused for the errors of UDP.",
        when: "Beside ee_info.",
        advice: "Nothing to read there.",
    }
    offender {
        gist: "the host that reported an error",
        means: "The address from which the ICMP message came.",
        when: "At the end of a control message of IP_RECVERR.",
        advice: "For a refused port it is the peer itself; for an unreachable host a router on the way.",
    }
    ipi_ifindex {
        gist: "the interface a datagram came by",
        means: "Its number, as if_nameindex lists them.",
        when: "IP_PKTINFO (Linux).",
        advice: "Answer by the same interface where that matters.",
    }
    ipi_spec_dst {
        gist: "this machine's address for a datagram",
        means: "The address that an answer should come from.",
        when: "The second field of IP_PKTINFO.",
        advice: "A server bound to every interface should answer from it.",
    }
    ipi_addr {
        gist: "where a datagram was sent to",
        means: "The destination in its header: of a broadcast, the broadcast address.",
        when: "The third field of IP_PKTINFO.",
        advice: "Compare it with ipi_spec_dst to know a broadcast.",
    }
    pid {
        gist: "a process",
        means: "In credentials: the process at the other end of a Unix-domain socket when it connected, or the sender.",
        when: "SO_PEERCRED and SCM_CREDENTIALS (Linux).",
        advice: "The process may have ended since, and its number may belong to another.",
    }
    uid {
        gist: "a user",
        means: "The user of that process, by number; 0 is root.",
        when: "In credentials, between pid and gid.",
        advice: "Base decisions on this field: the kernel has verified it.",
    }
    gid {
        gist: "a group",
        means: "The primary group of that process; its other groups are not included.",
        when: "The last field of credentials.",
        advice: "Look the user up if groups matter.",
    }
} }
