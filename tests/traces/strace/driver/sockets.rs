//! `socket`, `socketpair`, `bind`, `listen`, `connect`, `accept`, `accept4`, `getsockname`, `getpeername`,
//! `shutdown`.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV6};

use baresock::sys::*;

use super::{ANY, Interrupter, abstract_name, has_ipv6, listener, loopback, loopback6};
use super::{nonblocking, tcp_pair, udp, unix_pair, without_a_free_descriptor};

pub(super) fn drive(interrupter: &Interrupter) {
    making();
    pairs();
    naming();
    naming_unix();
    listening();
    connecting();
    connecting_slowly(interrupter);
    accepting(interrupter);
    names_of_both_ends();
    ending();
}

fn making() {
    let domains = [AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, Domain::from_bits(4242)];
    let types = [SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET];
    let protocols = [IPPROTO_IP, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6];
    let rare = [IPPROTO_ICMPV6, IPPROTO_RAW, Protocol::from_bits(4242), Protocol::from_bits(-1)];
    for domain in domains {
        for kind in types {
            for protocol in protocols.into_iter().chain(rare) {
                drop(socket(domain, kind, protocol));
            }
        }
    }
    for flags in [SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_CLOEXEC | SOCK_NONBLOCK] {
        for domain in [AF_UNIX, AF_INET] {
            drop(socket(domain, SOCK_STREAM | flags, ANY));
        }
    }
    for bits in [0, 15, 0x100, 0x101, SOCK_CLOEXEC.bits(), 15 | SOCK_CLOEXEC.bits(), -1] {
        drop(socket(AF_INET, SocketType::from_bits(bits), ANY));
    }
    without_a_free_descriptor(|| {
        assert_eq!(socket(AF_INET, SOCK_STREAM, ANY).map(drop), Err(Errno::EMFILE));
        assert_eq!(socketpair(AF_UNIX, SOCK_STREAM, ANY).map(drop), Err(Errno::EMFILE));
    });
}

fn pairs() {
    for kind in [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM | SOCK_NONBLOCK, SOCK_RAW] {
        drop(socketpair(AF_UNIX, kind, ANY));
    }
    assert_eq!(socketpair(AF_INET, SOCK_STREAM, ANY).map(drop), Err(Errno::EOPNOTSUPP));
    drop(socketpair(AF_UNIX, SOCK_STREAM, IPPROTO_TCP));
    drop(socketpair(Domain::from_bits(4242), SOCK_STREAM, ANY));
}

fn naming() {
    let fd = || socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    let (taken, at) = udp(&loopback());
    assert_eq!(bind(&taken, &loopback()), Err(Errno::EINVAL));
    let second = socket(AF_INET, SOCK_DGRAM, ANY).unwrap();
    assert_eq!(bind(&second, &at), Err(Errno::EADDRINUSE));
    // 192.0.2.0/24 is for documentation: no machine has such an address.
    let no_peer = Address::v4(Ipv4Addr::new(192, 0, 2, 1), 0);
    assert_eq!(bind(fd(), &no_peer), Err(Errno::EADDRNOTAVAIL));
    bind(fd(), &Address::v4(Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    assert_eq!(bind(fd(), &loopback6()), Err(Errno::EAFNOSUPPORT));
    for data in [vec![], vec![0; 14], b"\x1b[2J\"\\ and more".to_vec(), vec![7; 100]] {
        for family in [AF_UNSPEC, AF_INET, AF_INET6, Domain::from_bits(4242)] {
            let _ = bind(fd(), &Address::Other { family, data: data.clone() });
        }
    }
    let [pipe_end, _] = pipe().unwrap();
    assert_eq!(bind(&pipe_end, &loopback()), Err(Errno::ENOTSOCK));
    if has_ipv6() {
        let fd = || socket(AF_INET6, SOCK_STREAM, ANY).unwrap();
        bind(fd(), &loopback6()).unwrap();
        bind(fd(), &Address::v6(Ipv6Addr::UNSPECIFIED, 0)).unwrap();
        let v4_mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
        let _ = bind(fd(), &Address::v6(v4_mapped, 0));
        let _ = bind(fd(), &Address::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0x1234, 0)));
        for scope in [0, 1, 4242] {
            let link_local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
            let _ = bind(fd(), &Address::V6(SocketAddrV6::new(link_local, 0, 0, scope)));
        }
    }
}

fn naming_unix() {
    let fd = || socket(AF_UNIX, SOCK_STREAM, ANY).unwrap();
    bind(fd(), &Address::unix("named")).unwrap();
    assert_eq!(bind(fd(), &Address::unix("named")), Err(Errno::EADDRINUSE));
    assert_eq!(bind(fd(), &Address::unix("no/such/directory")), Err(Errno::ENOENT));
    assert_eq!(bind(fd(), &Address::unix("named/below")), Err(Errno::ENOTDIR));
    for path in ["with space and \"quotes\"", "\x1b[2J", "ümlaut", ""] {
        let _ = bind(fd(), &Address::unix(path));
    }
    for len in [32, 33, SUN_PATH_LEN - 1, SUN_PATH_LEN, SUN_PATH_LEN + 1] {
        let _ = bind(fd(), &Address::unix("p".repeat(len)));
    }
    for name in [&b"abstract"[..], b"with\0zero", b"\"\x1b[2J\xff", b"", &[b'a'; 107], &[b'a'; 108]]
    {
        let named = fd();
        let _ = bind(&named, &abstract_name(name));
        let _ = getsockname(&named);
    }
    // Linux invents an abstract name.
    let unnamed = fd();
    bind(&unnamed, &Address::Unix(UnixName::Unnamed)).unwrap();
    getsockname(&unnamed).unwrap();
}

fn listening() {
    for backlog in [0, 1, 128, i32::MAX, -1] {
        let fd = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
        listen(&fd, backlog).unwrap();
        listen(&fd, backlog).unwrap();
    }
    let (datagrams, _) = udp(&loopback());
    assert_eq!(listen(&datagrams, 1), Err(Errno::EOPNOTSUPP));
    let [connected, _peer] = tcp_pair();
    assert_eq!(listen(&connected, 1), Err(Errno::EINVAL));
    let [pipe_end, _] = pipe().unwrap();
    assert_eq!(listen(&pipe_end, 1), Err(Errno::ENOTSOCK));
    let (_first, at) = listener(&loopback());
    let second = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    assert_eq!(bind(&second, &at), Err(Errno::EADDRINUSE));
    assert_eq!(listen(socket(AF_UNIX, SOCK_STREAM, ANY).unwrap(), 1), Err(Errno::EINVAL));
}

fn connecting() {
    let fd = |domain| socket(domain, SOCK_STREAM, ANY).unwrap();
    let (closed, at) = listener(&loopback());
    drop(closed);
    assert_eq!(connect(fd(AF_INET), &at), Err(Errno::ECONNREFUSED));
    let (_open, at) = listener(&loopback());
    let client = fd(AF_INET);
    connect(&client, &at).unwrap();
    assert_eq!(connect(&client, &at), Err(Errno::EISCONN));
    assert_eq!(connect(fd(AF_INET), &loopback6()), Err(Errno::EAFNOSUPPORT));
    let [pipe_end, _] = pipe().unwrap();
    assert_eq!(connect(&pipe_end, &at), Err(Errno::ENOTSOCK));

    // A datagram socket only notes its peer, and forgets it again.
    let (datagrams, at) = udp(&loopback());
    connect(&datagrams, &at).unwrap();
    let no_peer = Address::Other { family: AF_UNSPEC, data: vec![0; 14] };
    connect(&datagrams, &no_peer).unwrap();
    let everybody = Address::v4(Ipv4Addr::BROADCAST, 9);
    assert_eq!(connect(&datagrams, &everybody), Err(Errno::EACCES));

    let _listeners = [Address::unix("listener"), abstract_name(b"listener")].map(|at| {
        let (listener, _) = listener(&at);
        connect(fd(AF_UNIX), &at).unwrap();
        listener
    });
    let wrong_type = socket(AF_UNIX, SOCK_DGRAM, ANY).unwrap();
    assert_eq!(connect(&wrong_type, &Address::unix("listener")), Err(Errno::EPROTOTYPE));
    assert_eq!(connect(fd(AF_UNIX), &Address::unix("nowhere")), Err(Errno::ENOENT));
    assert_eq!(connect(fd(AF_UNIX), &Address::unix("named")), Err(Errno::ECONNREFUSED));
    assert_eq!(connect(fd(AF_UNIX), &abstract_name(b"nowhere")), Err(Errno::ECONNREFUSED));
    let too_long = Address::unix("p".repeat(SUN_PATH_LEN + 1));
    assert_eq!(connect(fd(AF_UNIX), &too_long), Err(Errno::ENAMETOOLONG));
    if has_ipv6() {
        let (_listener, at) = listener(&loopback6());
        connect(fd(AF_INET6), &at).unwrap();
        let link_local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
        assert_eq!(connect(fd(AF_INET6), &Address::v6(link_local, 9)), Err(Errno::EINVAL));
    }
}

/// Connections to listeners whose queue is full.
fn connecting_slowly(interrupter: &Interrupter) {
    super::signals::interrupt_on_usr1(SaFlags::NONE);
    let full = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    bind(&full, &loopback()).unwrap();
    listen(&full, 0).unwrap();
    let at = getsockname(&full).unwrap();
    let first = nonblocking();
    assert_eq!(connect(&first, &at), Err(Errno::EINPROGRESS));
    let mut row = [PollFd::new(first.as_fd(), POLLOUT)];
    assert_eq!(poll(&mut row, 10_000), Ok(1));
    assert_eq!(connect(&first, &at), Ok(()));
    assert_eq!(connect(&first, &at), Err(Errno::EISCONN));

    let second = nonblocking();
    assert_eq!(connect(&second, &at), Err(Errno::EINPROGRESS));
    assert_eq!(connect(&second, &at), Err(Errno::EALREADY));
    let third = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    assert_eq!(interrupter.during(|| connect(&third, &at)), Err(Errno::EINTR));
    let fourth = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    let soon = TimeVal { tv_sec: 0, tv_usec: 10_000 };
    setsockopt(&fourth, SOL_SOCKET, SO_SNDTIMEO, &soon).unwrap();
    assert_eq!(connect(&fourth, &at), Err(Errno::EINPROGRESS));

    let full = socket(AF_UNIX, SOCK_STREAM, ANY).unwrap();
    bind(&full, &Address::unix("full")).unwrap();
    listen(&full, 0).unwrap();
    let clients: [Fd; 2] =
        std::array::from_fn(|_| socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, ANY).unwrap());
    assert_eq!(connect(&clients[0], &Address::unix("full")), Ok(()));
    assert_eq!(connect(&clients[1], &Address::unix("full")), Err(Errno::EAGAIN));
}

fn accepting(interrupter: &Interrupter) {
    let mut places = vec![loopback(), Address::unix("accepting"), abstract_name(b"accepting")];
    if has_ipv6() {
        places.push(loopback6());
    }
    for place in places {
        let (listener, at) = listener(&place);
        for flags in [
            SocketFlags::NONE,
            SOCK_CLOEXEC,
            SOCK_NONBLOCK,
            SOCK_CLOEXEC | SOCK_NONBLOCK,
            SocketFlags::from_bits(0x40),
        ] {
            let client = socket(at.domain(), SOCK_STREAM, ANY).unwrap();
            connect(&client, &at).unwrap();
            // The client of a call that was refused still waits. (musl up to 1.2.3 calls accept for flags that the kernel
            // refuses, and then no client does.)
            if accept4(&listener, flags).is_err() {
                drop(accept(&listener));
            }
        }
        let client = socket(at.domain(), SOCK_STREAM, ANY).unwrap();
        if at.domain() == AF_UNIX {
            bind(&client, &abstract_name(format!("client of {at}").as_bytes())).unwrap();
        }
        connect(&client, &at).unwrap();
        without_a_free_descriptor(|| {
            assert_eq!(accept(&listener).map(drop), Err(Errno::EMFILE));
            assert_eq!(accept4(&listener, SOCK_CLOEXEC).map(drop), Err(Errno::EMFILE));
        });
        accept(&listener).unwrap();
        fcntl_setfl(&listener, O_NONBLOCK).unwrap();
        assert_eq!(accept(&listener).map(drop), Err(Errno::EAGAIN));
        assert_eq!(accept4(&listener, SOCK_CLOEXEC).map(drop), Err(Errno::EAGAIN));
    }
    super::signals::interrupt_on_usr1(SaFlags::NONE);
    let (listener, _) = listener(&loopback());
    assert_eq!(interrupter.during(|| accept(&listener)).map(drop), Err(Errno::EINTR));
    let fd = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    assert_eq!(accept(&fd).map(drop), Err(Errno::EINVAL));
    let (datagrams, _) = udp(&loopback());
    assert_eq!(accept(&datagrams).map(drop), Err(Errno::EOPNOTSUPP));
    let [pipe_end, _] = pipe().unwrap();
    assert_eq!(accept(&pipe_end).map(drop), Err(Errno::ENOTSOCK));
}

fn names_of_both_ends() {
    let [a, b] = unix_pair(SOCK_STREAM);
    for fd in [&a, &b] {
        getsockname(fd).unwrap();
        getpeername(fd).unwrap();
    }
    let [client, server] = tcp_pair();
    assert_eq!(getpeername(&client), getsockname(&server));
    let fd = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    getsockname(&fd).unwrap();
    assert_eq!(getpeername(&fd), Err(Errno::ENOTCONN));
    let [pipe_end, _] = pipe().unwrap();
    assert_eq!(getsockname(&pipe_end), Err(Errno::ENOTSOCK));
    assert_eq!(getpeername(&pipe_end), Err(Errno::ENOTSOCK));
    if has_ipv6() {
        let (listener, at) = listener(&loopback6());
        let client = socket(AF_INET6, SOCK_STREAM, ANY).unwrap();
        connect(&client, &at).unwrap();
        getpeername(&client).unwrap();
        getsockname(&accept(&listener).unwrap().0).unwrap();
    }
}

fn ending() {
    for how in [SHUT_RD, SHUT_WR, SHUT_RDWR, ShutdownHow::from_bits(4242)] {
        for [fd, _peer] in [tcp_pair(), unix_pair(SOCK_STREAM), unix_pair(SOCK_DGRAM)] {
            let _ = shutdown(&fd, how);
            let _ = shutdown(&fd, how);
        }
        let fd = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
        let _ = shutdown(&fd, how);
    }
    let [pipe_end, _] = pipe().unwrap();
    assert_eq!(shutdown(&pipe_end, SHUT_WR), Err(Errno::ENOTSOCK));
}
