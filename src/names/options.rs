//! Socket options: their levels, their names, and the types of their values.

use std::fmt;
use std::marker::PhantomData;

use libc::c_int;

use super::{Constant, constants};
#[cfg(linux)]
use crate::values::PeerCredentials;
use crate::values::{Linger, TimeVal};

constants! {
    /// The layer that an option belongs to: the second argument of `setsockopt`.
    one Level, "SOL_??" {
        SOL_SOCKET, "the socket itself, whatever it speaks";
        SOL_IP = libc::IPPROTO_IP, "IPv4";
        SOL_IPV6 = libc::IPPROTO_IPV6, "IPv6";
        SOL_TCP = libc::IPPROTO_TCP, "TCP";
        SOL_UDP = libc::IPPROTO_UDP, "UDP";
    }
}

/// An option's name together with the type of its value, so that no other type can be passed: in C a `char` in place of
/// an `int` compiles, and the kernel reads three unrelated bytes.
pub struct OptionName<T> {
    number: c_int,
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> OptionName<T> {
    const fn new(number: c_int, name: &'static str) -> Self {
        Self { number, name, value: PhantomData }
    }

    /// The option's number in C.
    pub const fn number(self) -> c_int {
        self.number
    }

    /// The option's name in C.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl<T> Clone for OptionName<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for OptionName<T> {}

impl<T> fmt::Debug for OptionName<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The name of the option with this number at this level, as the trace prints it: `SO_REUSEADDR`.
///
/// The number alone is ambiguous: 1 is `SO_DEBUG` at `SOL_SOCKET` and `TCP_NODELAY` at `SOL_TCP`.
pub fn option_name(level: Level, number: c_int) -> Option<&'static str> {
    let known = OPTIONS.iter().find(|(of, _)| *of == level)?.1;
    known.iter().find(|option| option.value == i64::from(number)).map(|option| option.name)
}

macro_rules! options {
    ($( $level:ident $table:ident { $( $(#[$condition:meta])* $NAME:ident: $Value:ty, $gist:literal; )* } )*) => {
        $(
            $(
                $(#[$condition])*
                #[doc = concat!("`", stringify!($NAME), "` (", stringify!($level), "): ", $gist, ".")]
                pub const $NAME: OptionName<$Value> = OptionName::new(libc::$NAME, stringify!($NAME));
            )*

            const $table: &[Constant] = &[$(
                $(#[$condition])*
                Constant { name: stringify!($NAME), value: libc::$NAME as i64, gist: $gist },
            )*];
        )*

        /// Every option on this system whose value has a type here, by level.
        pub const OPTIONS: &[(Level, &[Constant])] = &[$( ($level, $table), )*];
    };
}

options! {
    SOL_SOCKET SOCKET_OPTIONS {
        SO_DEBUG: c_int, "record what the protocol does, for the privileged";
        SO_REUSEADDR: c_int, "bind succeeds in spite of old connections in TIME_WAIT";
        SO_TYPE: c_int, "the type it was made with (read only)";
        SO_ERROR: c_int, "the error that waits; reading clears it";
        SO_DONTROUTE: c_int, "only to hosts on the same network";
        SO_BROADCAST: c_int, "may send to a broadcast address";
        SO_SNDBUF: c_int, "bytes that may wait to be sent";
        SO_RCVBUF: c_int, "bytes that may wait to be received";
        SO_KEEPALIVE: c_int, "ask a silent peer whether it still lives";
        SO_OOBINLINE: c_int, "leave the urgent byte in the stream";
        SO_LINGER: Linger, "what close does with bytes not yet delivered";
        SO_REUSEPORT: c_int, "several sockets may bind the same address";
        SO_RCVLOWAT: c_int, "how many bytes make it readable";
        SO_SNDLOWAT: c_int, "how much room makes it writable";
        SO_RCVTIMEO: TimeVal, "how long a receive may wait";
        SO_SNDTIMEO: TimeVal, "how long a send may wait";
        // macOS and OpenBSD have the name, but getsockopt knows no such option: ENOPROTOOPT (read: xnu 15.4, sogetoptlock;
        // OpenBSD 2025, sogetopt).
        #[cfg(not(any(apple, openbsd)))] SO_ACCEPTCONN: c_int, "whether it listens (read only)";
        SO_TIMESTAMP: c_int, "datagrams come with the time of their arrival";
        #[cfg(any(linux, freebsd, openbsd))] SO_PROTOCOL: c_int, "the protocol it was made with (read only)";
        #[cfg(any(linux, freebsd, openbsd))] SO_DOMAIN: c_int, "the domain it was made with (read only)";
        #[cfg(linux)] SO_PRIORITY: c_int, "how urgent its packets are";
        #[cfg(linux)] SO_PASSCRED: c_int, "messages carry their sender's credentials";
        #[cfg(linux)] SO_PEERCRED: PeerCredentials, "the peer's credentials (read only)";
        #[cfg(linux)] SO_INCOMING_CPU: c_int, "the processor that served it last";
        #[cfg(linux)] SO_BUSY_POLL: c_int, "microseconds to spin for packets";
        #[cfg(any(apple, freebsd, netbsd))] SO_NOSIGPIPE: c_int, "EPIPE without SIGPIPE, always";
        // macOS counts SO_LINGER in clock ticks, a hundredth of a second each (<sys/socket.h>).
        #[cfg(apple)] SO_LINGER_SEC: Linger, "SO_LINGER in seconds, as the other systems count";
        #[cfg(apple)] SO_NREAD: c_int, "bytes that can be received (read only)";
        #[cfg(apple)] SO_NWRITE: c_int, "bytes not yet sent (read only)";
    }
    SOL_IP IP_OPTIONS {
        IP_TOS: c_int, "the type of service of its packets";
        IP_TTL: c_int, "how many routers a packet may pass";
        // The two multicast options are an unsigned char on the BSDs and macOS, and some refuse an int; Linux takes
        // either.
        IP_MULTICAST_TTL: u8, "the same for multicast";
        IP_MULTICAST_LOOP: u8, "whether its multicast comes back to this machine";
        #[cfg(linux)] IP_RECVERR: c_int, "errors arrive with MSG_ERRQUEUE";
        #[cfg(linux)] IP_PKTINFO: c_int, "datagrams come with the address they were sent to";
        #[cfg(linux)] IP_RECVTTL: c_int, "datagrams come with their TTL";
        #[cfg(linux)] IP_FREEBIND: c_int, "bind an address that does not exist yet";
        #[cfg(linux)] IP_BIND_ADDRESS_NO_PORT: c_int, "choose the port at connect, not at bind";
    }
    SOL_IPV6 IPV6_OPTIONS {
        IPV6_V6ONLY: c_int, "no IPv4 through this IPv6 socket";
        IPV6_UNICAST_HOPS: c_int, "how many routers a packet may pass";
        IPV6_MULTICAST_HOPS: c_int, "the same for multicast";
        IPV6_MULTICAST_LOOP: c_int, "whether its multicast comes back to this machine";
        #[cfg(linux)] IPV6_RECVERR: c_int, "errors arrive with MSG_ERRQUEUE";
        #[cfg(linux)] IPV6_RECVPKTINFO: c_int, "datagrams come with the address they were sent to";
        #[cfg(linux)] IPV6_TCLASS: c_int, "the traffic class of its packets";
    }
    SOL_TCP TCP_OPTIONS {
        TCP_NODELAY: c_int, "send small packets at once: no Nagle";
        TCP_MAXSEG: c_int, "most bytes in a segment";
        #[cfg(linux)] TCP_CORK: c_int, "hold partial packets back";
        #[cfg(any(freebsd, openbsd, apple))] TCP_NOPUSH: c_int, "hold partial packets back";
        #[cfg(any(linux, freebsd, netbsd))] TCP_KEEPIDLE: c_int, "seconds of silence before the first probe";
        #[cfg(apple)] TCP_KEEPALIVE: c_int, "seconds of silence before the first probe";
        #[cfg(any(linux, freebsd, netbsd, apple))] TCP_KEEPINTVL: c_int, "seconds between probes";
        #[cfg(any(linux, freebsd, netbsd, apple))] TCP_KEEPCNT: c_int, "probes without an answer before the end";
        #[cfg(linux)] TCP_SYNCNT: c_int, "how often a SYN is sent again";
        #[cfg(linux)] TCP_LINGER2: c_int, "seconds in FIN_WAIT2";
        #[cfg(linux)] TCP_DEFER_ACCEPT: c_int, "wake the listener when data has come";
        #[cfg(linux)] TCP_WINDOW_CLAMP: c_int, "a limit to the window";
        #[cfg(linux)] TCP_QUICKACK: c_int, "acknowledge at once";
        #[cfg(linux)] TCP_USER_TIMEOUT: c_int, "milliseconds without an acknowledgement before the end";
        #[cfg(linux)] TCP_FASTOPEN: c_int, "data with the SYN";
        #[cfg(linux)] TCP_NOTSENT_LOWAT: c_int, "bytes not yet sent at which it is writable";
    }
    SOL_UDP UDP_OPTIONS {
        #[cfg(linux)] UDP_CORK: c_int, "gather sends into one datagram";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_another_option_at_another_level() {
        assert_eq!(option_name(SOL_SOCKET, SO_REUSEADDR.number()), Some("SO_REUSEADDR"));
        assert_eq!(option_name(SOL_TCP, TCP_NODELAY.number()), Some("TCP_NODELAY"));
        assert_eq!(option_name(SOL_TCP, 4242), None);
    }
}
