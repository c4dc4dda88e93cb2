//! `setsockopt` and `getsockopt`: every option that there is, on every kind of socket.

use std::collections::BTreeSet;
use std::fmt::Debug;

use baresock::sys::*;

use super::{ANY, LONGEST_SEC, has_ipv6, listener, loopback, tcp_pair, unix_pair};

pub(super) fn drive() {
    let mut sockets = Sockets::open();
    integers(&mut sockets);
    sockets.every(SOL_SOCKET, SO_LINGER, &lingers());
    sockets.every(SOL_SOCKET, SO_RCVTIMEO, &times());
    sockets.every(SOL_SOCKET, SO_SNDTIMEO, &times());
    sockets.every(SOL_SOCKET, SO_PEERCRED, &[PeerCredentials::default()]);
    for option in [IP_MULTICAST_TTL, IP_MULTICAST_LOOP] {
        sockets.every(SOL_IP, option, &[0, 1, 7, b'0', b'"', 255]);
    }
    sockets.assert_that_none_is_missing();
    drop(sockets);
    pending_errors();
    wrong_levels();
}

fn integers(sockets: &mut Sockets) {
    let ints = [0, 1, 2, 5000, -1, i32::MAX, i32::MIN];
    for option in [
        SO_DEBUG,
        SO_REUSEADDR,
        SO_TYPE,
        SO_ERROR,
        SO_DONTROUTE,
        SO_BROADCAST,
        SO_SNDBUF,
        SO_RCVBUF,
        SO_KEEPALIVE,
        SO_OOBINLINE,
        SO_REUSEPORT,
        SO_RCVLOWAT,
        SO_SNDLOWAT,
        SO_ACCEPTCONN,
        SO_TIMESTAMP,
        SO_PROTOCOL,
        SO_DOMAIN,
        SO_PRIORITY,
        SO_PASSCRED,
        SO_INCOMING_CPU,
        SO_BUSY_POLL,
    ] {
        sockets.every(SOL_SOCKET, option, &ints);
    }
    for option in
        [IP_TOS, IP_TTL, IP_RECVERR, IP_PKTINFO, IP_RECVTTL, IP_FREEBIND, IP_BIND_ADDRESS_NO_PORT]
    {
        sockets.every(SOL_IP, option, &ints);
    }
    for option in [
        IPV6_V6ONLY,
        IPV6_UNICAST_HOPS,
        IPV6_MULTICAST_HOPS,
        IPV6_MULTICAST_LOOP,
        IPV6_RECVERR,
        IPV6_RECVPKTINFO,
        IPV6_TCLASS,
    ] {
        sockets.every(SOL_IPV6, option, &ints);
    }
    for option in [
        TCP_NODELAY,
        TCP_MAXSEG,
        TCP_CORK,
        TCP_KEEPIDLE,
        TCP_KEEPINTVL,
        TCP_KEEPCNT,
        TCP_SYNCNT,
        TCP_LINGER2,
        TCP_DEFER_ACCEPT,
        TCP_WINDOW_CLAMP,
        TCP_QUICKACK,
        TCP_USER_TIMEOUT,
        TCP_FASTOPEN,
        TCP_NOTSENT_LOWAT,
    ] {
        sockets.every(SOL_TCP, option, &ints);
    }
    sockets.every(SOL_UDP, UDP_CORK, &ints);
}

fn lingers() -> Vec<Linger> {
    [(0, 0), (1, 0), (1, 5), (-1, -1), (0, 7)]
        .map(|(l_onoff, l_linger)| Linger { l_onoff, l_linger })
        .to_vec()
}

fn times() -> Vec<TimeVal> {
    [(0, 0), (1, 500_000), (0, 1), (-1, 0), (0, 1_000_000), (0, -1), (LONGEST_SEC, 0)]
        .map(|(tv_sec, tv_usec)| TimeVal { tv_sec, tv_usec })
        .to_vec()
}

struct Sockets {
    fds: Vec<Fd>,
    driven: BTreeSet<(i32, &'static str)>,
}

impl Sockets {
    fn open() -> Self {
        let [tcp, tcp_peer] = tcp_pair();
        let [unix, unix_peer] = unix_pair(SOCK_STREAM);
        let [pipe_end, _] = pipe().unwrap();
        let mut fds = vec![tcp, tcp_peer, unix, unix_peer, pipe_end, listener(&loopback()).0];
        fds.push(socket(AF_INET, SOCK_STREAM, ANY).unwrap());
        fds.push(socket(AF_INET, SOCK_DGRAM, ANY).unwrap());
        if has_ipv6() {
            fds.push(socket(AF_INET6, SOCK_STREAM, ANY).unwrap());
            fds.push(socket(AF_INET6, SOCK_DGRAM, ANY).unwrap());
        }
        Self { fds, driven: BTreeSet::new() }
    }

    /// Sets an option to each of these values, and reads it before and after.
    fn every<T: OptionValue + Debug>(&mut self, level: Level, option: OptionName<T>, values: &[T]) {
        for fd in &self.fds {
            let _ = getsockopt(fd, level, option);
            for value in values {
                let _ = setsockopt(fd, level, option, value);
                let _ = getsockopt(fd, level, option);
            }
        }
        self.driven.insert((level.bits(), option.name()));
    }

    fn assert_that_none_is_missing(&self) {
        for (level, options) in OPTIONS {
            for option in *options {
                let driven = self.driven.contains(&(level.bits(), option.name));
                assert!(driven, "the driver never calls with {level}, {}", option.name);
            }
        }
    }
}

/// `SO_ERROR` is shown by name.
fn pending_errors() {
    let (closed, at) = listener(&loopback());
    drop(closed);
    let fd = socket(AF_INET, SOCK_DGRAM, ANY).unwrap();
    connect(&fd, &at).unwrap();
    send(&fd, b"is anybody there?", MsgFlags::NONE).unwrap();
    super::until_readable(&fd);
    let pending = getsockopt(&fd, SOL_SOCKET, SO_ERROR).map(Errno::from_number);
    assert_eq!(pending, Ok(Errno::ECONNREFUSED));
    assert_eq!(getsockopt(&fd, SOL_SOCKET, SO_ERROR), Ok(0));
}

/// A number means another option at another level, or none.
fn wrong_levels() {
    let [tcp, _peer] = tcp_pair();
    let [unix, _other] = unix_pair(SOCK_STREAM);
    let nowhere = Level::from_bits(4242);
    for fd in [&tcp, &unix] {
        for (level, option) in [
            (SOL_TCP, SO_DEBUG),
            (SOL_TCP, SO_REUSEADDR),
            (SOL_TCP, SO_TYPE),
            (SOL_IP, SO_DEBUG),
            (SOL_IP, SO_REUSEADDR),
            (SOL_SOCKET, TCP_NODELAY),
            (SOL_SOCKET, TCP_CORK),
            (SOL_UDP, SO_DEBUG),
            (SOL_UDP, SO_REUSEADDR),
            (SOL_UDP, SO_PROTOCOL),
            (nowhere, SO_DEBUG),
            (nowhere, SO_PROTOCOL),
        ] {
            let _ = getsockopt(fd, level, option);
            let _ = setsockopt(fd, level, option, &0);
        }
    }
}
