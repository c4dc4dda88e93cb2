//! The constants of `getaddrinfo` and `getnameinfo`.

use super::entries;

entries! { ADDRESS_FLAGS {
    AI_PASSIVE {
        means: "With no host given, the answer is 0.0.0.0 and ::, every interface; without the flag it is loopback.",
        when: "Servers: the answer goes to bind.",
        advice: "With a host given it changes nothing.",
        lab: "wildcard-vs-loopback",
    }
    AI_CANONNAME {
        means: "The first answer carries the official name in ai_canonname.",
        when: "Aliases: the real name of www.",
        advice: "A host must be given, or it is EAI_BADFLAGS (glibc).",
    }
    AI_NUMERICHOST {
        means: "The host must be written as an address; anything else is EAI_NONAME, at once.",
        when: "Parsing a user's input without waiting for a network.",
        advice: "Use it wherever a host name would be a mistake.",
    }
    AI_NUMERICSERV {
        means: "The service must be digits; \"http\" is EAI_NONAME.",
        when: "When the port comes from a configuration.",
        advice: "It saves reading /etc/services.",
    }
    AI_ADDRCONFIG {
        means: "No IPv6 answers on a machine without IPv6, and likewise IPv4.",
        when: "Clients that should not try what cannot work.",
        advice: "Loopback does not count as having an address (getaddrinfo(3) of Linux).",
    }
    AI_V4MAPPED {
        means: "With AF_INET6: 127.0.0.1 comes back as ::ffff:127.0.0.1.",
        when: "Programs with IPv6 sockets only.",
        advice: "The socket must have IPV6_V6ONLY 0.",
        systems: "NetBSD and OpenBSD do not have it.",
        lab: "dual-stack",
    }
} }

entries! { NAME_FLAGS {
    NI_NUMERICHOST {
        means: "The address comes back as digits, and no name server is asked.",
        when: "Logs of servers: a lookup per client would block the loop.",
        advice: "Give it, unless people must read a name.",
    }
    NI_NUMERICSERV {
        means: "80 instead of http.",
        when: "Printing addresses that a program must read again.",
        advice: "Give it together with NI_NUMERICHOST.",
    }
    NI_NOFQDN {
        means: "For a host in your own domain, only the part before the first dot.",
        when: "Short listings.",
        advice: "Do not store such names.",
    }
    NI_NAMEREQD {
        means: "An address without a name is EAI_NONAME instead of digits.",
        when: "Checks that insist on a reverse entry.",
        advice: "The owner of an address writes its reverse entry: the entry proves nothing.",
    }
    NI_DGRAM {
        means: "The service's name for UDP: port 514 is syslog, for TCP shell.",
        when: "Printing the port of a datagram.",
        advice: "Few ports differ.",
    }
} }

entries! { RESOLVER_ERRORS {
    EAI_AGAIN {
        means: "No answer in time; the same question may succeed later.",
        when: "A name server that is unreachable, a machine just started.",
        advice: "Try again after a moment, a few times.",
    }
    EAI_BADFLAGS {
        means: "An unknown bit in ai_flags, or AI_CANONNAME without a host.",
        when: "Hints that were not set to zero first.",
        advice: "In C: memset the hints.",
    }
    EAI_FAIL {
        means: "The name server reported a failure, and trying again will not help.",
        when: "A broken zone or resolver configuration.",
        advice: "Use dig to see what the server really answers.",
    }
    EAI_FAMILY {
        means: "The resolver does not handle this ai_family.",
        when: "AF_UNIX in the hints: names of files are not looked up.",
        advice: "AF_UNSPEC, AF_INET or AF_INET6.",
    }
    EAI_MEMORY {
        means: "The list of answers could not be allocated.",
        when: "A process at its memory limit.",
        advice: "A program can only give up this lookup.",
    }
    EAI_NONAME {
        means: "The name does not exist, or it had to be a number and is not one.",
        when: "A typing mistake; neither host nor service given; NI_NAMEREQD.",
        advice: "Check the spelling, then /etc/hosts, then the name server.",
    }
    EAI_SERVICE {
        means: "No such name in /etc/services, or not for ai_socktype.",
        when: "\"echo\" with SOCK_RAW; a name from another machine's list.",
        advice: "Give the port as a number.",
    }
    EAI_SOCKTYPE {
        means: "ai_socktype is a number that the resolver does not know.",
        when: "A protocol written where the type belongs.",
        advice: "SOCK_STREAM or SOCK_DGRAM.",
    }
    EAI_SYSTEM {
        means: "A system call failed inside the lookup.",
        when: "No descriptors left for asking the server (EMFILE), for instance.",
        advice: "Look at errno at once: it is the one code here for which errno matters.",
    }
    EAI_OVERFLOW {
        means: "getnameinfo's host or service does not fit.",
        when: "Buffers shorter than NI_MAXHOST (1025).",
        advice: "Give 1025 and 32 bytes.",
    }
    EAI_NODATA {
        means: "The name exists, but only with entries of other kinds.",
        when: "A domain that receives mail and has no server of that name.",
        advice: "Treat it as EAI_NONAME.",
        systems: "RFC 2553 had it, RFC 3493 and POSIX do not; known here on Linux only.",
    }
    EAI_ADDRFAMILY {
        means: "A numeric address, or a host, of the other family than the hints ask for.",
        when: "\"127.0.0.1\" with ai_family AF_INET6.",
        advice: "Ask with AF_UNSPEC and use what is returned.",
        systems: "Known here on Linux only, and not in POSIX.",
    }
} }
