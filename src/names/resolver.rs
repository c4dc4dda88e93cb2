//! The constants of `getaddrinfo` and `getnameinfo`.

use super::constants;

constants! {
    /// Flags for the lookup of `getaddrinfo`.
    flags AddrInfoFlags, "AI_???" {
        AI_PASSIVE, "an address to bind, not one to connect to";
        AI_CANONNAME, "also the host's canonical name";
        AI_NUMERICHOST, "the host is a number: ask no name server";
        AI_NUMERICSERV, "the service is a number";
        AI_ADDRCONFIG, "only families that this machine has addresses of";
        // Neither NetBSD nor OpenBSD has it in <netdb.h>.
        #[cfg(not(any(netbsd, openbsd)))] AI_V4MAPPED, "IPv4 addresses as IPv6 ones where there are no others";
    }
}

constants! {
    /// Flags for `getnameinfo`.
    flags NameInfoFlags, "NI_???" {
        NI_NUMERICHOST, "the host as a number";
        NI_NUMERICSERV, "the service as a number";
        NI_NOFQDN, "only the first part of a local host's name";
        NI_NAMEREQD, "an error where there is no name";
        NI_DGRAM, "the service is a datagram one";
    }
}

constants! {
    /// The errors of `getaddrinfo` and `getnameinfo`: not errnos, but codes of their own.
    one ResolveError, "EAI_???" {
        EAI_AGAIN, "the name server does not answer now";
        EAI_BADFLAGS, "flags that make no sense";
        EAI_FAIL, "the name server refuses";
        EAI_FAMILY, "no such address family";
        EAI_MEMORY, "out of memory";
        EAI_NONAME, "no such host or service";
        EAI_SERVICE, "the service does not exist for this kind of socket";
        EAI_SOCKTYPE, "no such socket type";
        EAI_SYSTEM, "errno says what";
        EAI_OVERFLOW, "a buffer is too short";
        #[cfg(linux)] EAI_NODATA, "the host exists but has no address";
        #[cfg(linux)] EAI_ADDRFAMILY = -9, "the host has no address of this family";
    }
}
