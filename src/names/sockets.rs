//! The constants of `socket`, `shutdown` and `listen`: domains, types, protocols, halves.

use super::constants;

constants! {
    /// A communication domain, the first argument of `socket`: which kind of addresses the socket uses.
    one Domain, "AF_???" {
        AF_UNSPEC, "no family in particular";
        AF_UNIX, "this machine alone, by names in the file system";
        AF_INET, "IPv4";
        AF_INET6, "IPv6";
        #[cfg(linux)] AF_NETLINK, "talk with the Linux kernel";
        #[cfg(linux)] AF_PACKET, "whole frames, as the wire has them";
        #[cfg(linux)] AF_VSOCK, "between a virtual machine and its host";
    }
}

constants! {
    /// A socket's type: a stream of bytes, or datagrams. On Linux and the BSDs two flags may be joined to it.
    one SocketType, "SOCK_???" {
        SOCK_STREAM, "a stream of bytes without boundaries, in order, acknowledged";
        SOCK_DGRAM, "separate messages that may be lost";
        SOCK_RAW, "the packets themselves, for the privileged";
        SOCK_RDM, "separate messages that arrive";
        SOCK_SEQPACKET, "separate messages, in order, over a connection";
    }
}

constants! {
    /// The flags that `socket`, `socketpair` and `accept4` take with the type. macOS has none: there `fcntl` sets
    /// both afterwards, and a `fork` in between inherits the descriptor.
    flags SocketFlags, "SOCK_???" {
        #[cfg(not(apple))] SOCK_CLOEXEC, "close it when this process becomes another program";
        #[cfg(not(apple))] SOCK_NONBLOCK, "give EAGAIN instead of waiting";
    }
}

impl SocketFlags {
    /// Whether the new socket returns EAGAIN instead of waiting. (Never on macOS, which has no such flag.)
    pub const fn asks_for_nonblocking(self) -> bool {
        #[cfg(not(apple))]
        return self.bits() & SOCK_NONBLOCK.bits() != 0;
        #[cfg(apple)]
        return false;
    }

    /// Whether the new socket is closed on exec. (Never on macOS, which has no such flag.)
    pub const fn asks_for_close_on_exec(self) -> bool {
        #[cfg(not(apple))]
        return self.bits() & SOCK_CLOEXEC.bits() != 0;
        #[cfg(apple)]
        return false;
    }
}

impl std::ops::BitOr<SocketFlags> for SocketType {
    type Output = Self;
    fn bitor(self, flags: SocketFlags) -> Self {
        Self::from_bits(self.bits() | flags.bits())
    }
}

impl SocketType {
    /// Every bit that [`SocketFlags`] can have.
    const FLAG_BITS: libc::c_int = {
        let mut bits = 0;
        let mut k = 0;
        while k < SocketFlags::CONSTANTS.len() {
            bits |= SocketFlags::CONSTANTS[k].value as libc::c_int;
            k += 1;
        }
        bits
    };

    /// The flags that are joined to the type.
    pub const fn flags(self) -> SocketFlags {
        SocketFlags::from_bits(self.bits() & Self::FLAG_BITS)
    }

    /// The type without its flags.
    #[must_use]
    pub const fn without_flags(self) -> Self {
        Self::from_bits(self.bits() & !Self::FLAG_BITS)
    }
}

constants! {
    /// A protocol within a domain, the third argument of `socket`; 0 chooses the domain's usual one.
    one Protocol, "IPPROTO_???" {
        IPPROTO_IP, "the protocol that goes with the type";
        IPPROTO_ICMP, "control messages of IPv4";
        IPPROTO_TCP, "the stream of the internet";
        IPPROTO_UDP, "the datagrams of the internet";
        IPPROTO_IPV6, "IPv6";
        IPPROTO_ICMPV6, "control messages of IPv6";
        IPPROTO_RAW, "packets with their IP header";
        #[cfg(linux)] IPPROTO_UDPLITE, "datagrams that may arrive damaged";
        #[cfg(linux)] IPPROTO_MPTCP, "TCP over several paths";
    }
}

constants! {
    /// Which half of a connection `shutdown` closes.
    one ShutdownHow, "SHUT_???" {
        SHUT_RD, "receive no more";
        SHUT_WR, "send no more: the peer reads what is on its way, then end of file";
        SHUT_RDWR, "both";
    }
}
