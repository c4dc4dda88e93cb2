//! `sendmsg`, `recvmsg`, `sendmmsg`, `recvmmsg`, `readv` and `writev`.

use baresock::sys::*;

use super::{ANY, Interrupter, abstract_name, has_ipv6, loopback, loopback6, tcp_pair, udp};
use super::{most_fds, unix_pair, without_a_free_descriptor};

pub(super) fn drive(interrupter: &Interrupter) {
    buffers();
    addresses();
    descriptors();
    lost_descriptors();
    other_control();
    queued_errors();
    failures(interrupter);
    vectors(interrupter);
    several(interrupter);
}

/// Receives into buffers of these sizes.
fn receive(fd: &Fd, sizes: &[usize], max_fds: usize, flags: MsgFlags) -> Result<Received> {
    let mut rooms: Vec<Vec<u8>> = sizes.iter().map(|size| vec![0; *size]).collect();
    let mut buffers: Vec<&mut [u8]> = rooms.iter_mut().map(Vec::as_mut_slice).collect();
    recvmsg(fd, &mut buffers, max_fds, flags)
}

fn buffers() {
    let sends: [&[&[u8]]; 6] = [
        &[b"one buffer"],
        &[b"two ", b"buffers\n"],
        &[b"", b"an empty one", b""],
        &[b"\x1b[2J\"\\", &[b'x'; 40]],
        &[&b"x"[..]; 32],
        &[&b"x"[..]; 33],
    ];
    for [a, b] in [tcp_pair(), unix_pair(SOCK_STREAM), unix_pair(SOCK_DGRAM)] {
        for buffers in sends {
            let sent = sendmsg(&a, None, buffers, &[], MSG_NOSIGNAL).unwrap();
            assert_eq!(receive(&b, &[5, 3, 100], 0, MSG_PEEK).unwrap().len, sent);
            assert_eq!(receive(&b, &[100], 0, MsgFlags::NONE).unwrap().len, sent);
        }
        sendmsg(&a, None, &[&b"cut"[..]; 40], &[], MsgFlags::NONE).unwrap();
        receive(&b, &[1; 40], 0, MSG_PEEK).unwrap();
        receive(&b, &[2, 0], 0, MSG_PEEK | MSG_TRUNC).unwrap();
        receive(&b, &[2], 0, MsgFlags::NONE).unwrap();
        sendmsg(&a, None, &[], &[], MsgFlags::NONE).unwrap();
        let _ = receive(&b, &[], 0, MSG_DONTWAIT);
        let _ = receive(&b, &[], 1, MSG_DONTWAIT);
    }
}

/// What comes beside the bytes because an option asked for it.
fn other_control() {
    let [a, b] = unix_pair(SOCK_STREAM);
    setsockopt(&b, SOL_SOCKET, SO_PASSCRED, &1).unwrap();
    sendmsg(&a, None, &[b"x"], &[], MsgFlags::NONE).unwrap();
    receive(&b, &[8], 8, MsgFlags::NONE).unwrap();
    sendmsg(&a, None, &[b"x"], &[a.as_fd()], MsgFlags::NONE).unwrap();
    let received = receive(&b, &[8], 16, MsgFlags::NONE).unwrap();
    assert_eq!((received.fds.len(), received.control.len()), (1, 1));

    let (receiver, at) = udp(&loopback());
    for option in [IP_PKTINFO, IP_RECVTTL] {
        setsockopt(&receiver, SOL_IP, option, &1).unwrap();
    }
    setsockopt(&receiver, SOL_SOCKET, SO_TIMESTAMP, &1).unwrap();
    let sender = socket(at.domain(), SOCK_DGRAM, ANY).unwrap();
    sendmsg(&sender, Some(&at), &[b"x"], &[], MsgFlags::NONE).unwrap();
    assert_eq!(receive(&receiver, &[8], 64, MsgFlags::NONE).unwrap().control.len(), 3);
    if has_ipv6() {
        let (receiver, at) = udp(&loopback6());
        setsockopt(&receiver, SOL_IPV6, IPV6_RECVPKTINFO, &1).unwrap();
        let sender = socket(at.domain(), SOCK_DGRAM, ANY).unwrap();
        sendmsg(&sender, Some(&at), &[b"x"], &[], MsgFlags::NONE).unwrap();
        assert_eq!(receive(&receiver, &[8], 64, MsgFlags::NONE).unwrap().control.len(), 1);
    }
}

/// What became of an earlier datagram: no socket had its port, or this system would not send it.
fn queued_errors() {
    let mut places = vec![(loopback(), SOL_IP, IP_RECVERR)];
    if has_ipv6() {
        places.push((loopback6(), SOL_IPV6, IPV6_RECVERR));
    }
    for (place, level, option) in places {
        let (closed, at) = udp(&place);
        drop(closed);
        let fd = socket(at.domain(), SOCK_DGRAM, ANY).unwrap();
        setsockopt(&fd, level, option, &1).unwrap();
        connect(&fd, &at).unwrap();
        send(&fd, b"is anybody there?", MsgFlags::NONE).unwrap();
        let mut row = [PollFd::new(fd.as_fd(), PollEvents::NONE)];
        assert_eq!(poll(&mut row, 10_000), Ok(1));
        let told = receive(&fd, &[64], 64, MSG_ERRQUEUE).unwrap();
        assert_eq!((told.len, told.from, told.control.len()), (17, Some(at), 1));
        assert_eq!(receive(&fd, &[64], 64, MSG_ERRQUEUE).map(drop), Err(Errno::EAGAIN));

        // Not too long for UDP, but for a packet with its headers.
        assert_eq!(send(&fd, &[0; 65_530], MsgFlags::NONE), Err(Errno::EMSGSIZE));
        let told = receive(&fd, &[64], 64, MSG_ERRQUEUE).unwrap();
        assert_eq!(told.control.len(), 1);
    }
}

fn addresses() {
    let mut places = vec![loopback(), Address::unix("messages"), abstract_name(b"messages")];
    if has_ipv6() {
        places.push(loopback6());
    }
    for place in places {
        let (receiver, at) = udp(&place);
        let sender = socket(at.domain(), SOCK_DGRAM, ANY).unwrap();
        sendmsg(&sender, Some(&at), &[b"hello ", b"there"], &[], MsgFlags::NONE).unwrap();
        receive(&receiver, &[64], 0, MSG_PEEK).unwrap();
        receive(&receiver, &[4, 4], 2, MsgFlags::NONE).unwrap();
        sendmsg(&sender, Some(&at), &[], &[], MsgFlags::NONE).unwrap();
        receive(&receiver, &[64], 0, MsgFlags::NONE).unwrap();
    }
}

fn descriptors() {
    let [passed, other] = pipe().unwrap();
    for [a, b] in [unix_pair(SOCK_STREAM), unix_pair(SOCK_DGRAM), unix_pair(SOCK_SEQPACKET)] {
        for many in [1, 2, 31, 32, 33, most_fds()] {
            let fds = vec![passed.as_fd(); many];
            sendmsg(&a, None, &[b"with descriptors"], &fds, MsgFlags::NONE).unwrap();
            let received = receive(&b, &[64], many, MSG_CMSG_CLOEXEC).unwrap();
            assert_eq!(received.fds.len(), many);
        }
        let fds = [passed.as_fd(), other.as_fd()];
        sendmsg(&a, None, &[b"more room than needed"], &fds, MsgFlags::NONE).unwrap();
        assert_eq!(receive(&b, &[64], 10, MsgFlags::NONE).unwrap().fds.len(), 2);
    }
}

fn lost_descriptors() {
    let [passed, _other] = pipe().unwrap();
    let [a, b] = unix_pair(SOCK_DGRAM);
    for (sent, room) in [(1, 0), (3, 1), (3, 2), (33, 32)] {
        let fds = vec![passed.as_fd(); sent];
        sendmsg(&a, None, &[b"not all fit"], &fds, MsgFlags::NONE).unwrap();
        let received = receive(&b, &[4], room, MsgFlags::NONE).unwrap();
        assert!(received.flags.contains(MSG_TRUNC | MSG_CTRUNC));
    }
    sendmsg(&a, None, &[b"no number left"], &[passed.as_fd()], MsgFlags::NONE).unwrap();
    without_a_free_descriptor(|| {
        assert_eq!(receive(&b, &[64], 1, MsgFlags::NONE).unwrap().fds.len(), 0);
    });
}

fn failures(interrupter: &Interrupter) {
    let [a, b] = unix_pair(SOCK_STREAM);
    for (sizes, max_fds) in [(&[8][..], 0), (&[8, 8], 0), (&[], 0), (&[8], 3)] {
        let none = receive(&a, sizes, max_fds, MSG_DONTWAIT).map(drop);
        assert_eq!(none, Err(Errno::EAGAIN));
    }
    let many = vec![b.as_fd(); MAX_PASSED + 1];
    assert_eq!(sendmsg(&a, None, &[b"x"], &many, MsgFlags::NONE), Err(Errno::EINVAL));
    let too_long = Address::unix("p".repeat(SUN_PATH_LEN + 1));
    let sent = sendmsg(&a, Some(&too_long), &[b"x"], &[], MsgFlags::NONE);
    assert_eq!(sent, Err(Errno::ENAMETOOLONG));
    let sent = sendmsg(&a, None, &vec![&b"x"[..]; 1025], &[], MsgFlags::NONE);
    assert_eq!(sent, Err(Errno::EMSGSIZE));
    assert_eq!(receive(&a, &[1; 1025], 0, MSG_DONTWAIT).map(drop), Err(Errno::EMSGSIZE));
    let [pipe_end, _] = pipe().unwrap();
    let sent = sendmsg(&pipe_end, None, &[b"x"], &[], MsgFlags::NONE);
    assert_eq!(sent, Err(Errno::ENOTSOCK));
    assert_eq!(receive(&pipe_end, &[8], 0, MsgFlags::NONE).map(drop), Err(Errno::ENOTSOCK));
    super::signals::interrupt_on_usr1(SaFlags::NONE);
    let received = interrupter.during(|| receive(&a, &[8, 8], 2, MsgFlags::NONE)).map(drop);
    assert_eq!(received, Err(Errno::EINTR));
    drop(b);
    assert_eq!(receive(&a, &[8], 0, MsgFlags::NONE).unwrap().len, 0);
    assert_eq!(sendmsg(&a, None, &[b"x"], &[], MSG_NOSIGNAL), Err(Errno::EPIPE));
    let unconnected = socket(AF_INET, SOCK_DGRAM, ANY).unwrap();
    let sent = sendmsg(&unconnected, None, &[b"x"], &[], MsgFlags::NONE);
    assert_eq!(sent, Err(Errno::EDESTADDRREQ));
}

fn vectors(interrupter: &Interrupter) {
    let [a, b] = unix_pair(SOCK_STREAM);
    let (mut first, mut second) = ([0; 3], [0; 10]);
    assert_eq!(writev(&a, &[b"he", b"", b"llo"]), Ok(5));
    assert_eq!(readv(&b, &mut [&mut first, &mut second]), Ok(5));
    assert_eq!(writev(&a, &[]), Ok(0));
    assert_eq!(readv(&b, &mut []), Ok(0));
    assert_eq!(writev(&a, &[&b"x"[..]; 40]), Ok(40));
    assert_eq!(readv(&b, &mut [&mut [0; 64]]), Ok(40));
    assert_eq!(writev(&a, &[&b"x"[..]; 1025]), Err(Errno::EINVAL));
    let mut many: Vec<_> = (0..1025).map(|_| [0]).collect();
    let mut many: Vec<_> = many.iter_mut().map(|buf| &mut buf[..]).collect();
    assert_eq!(readv(&b, &mut many), Err(Errno::EINVAL));
    assert_eq!(interrupter.during(|| readv(&b, &mut [&mut first])), Err(Errno::EINTR));
    fcntl_setfl(&a, O_NONBLOCK).unwrap();
    fcntl_setfl(&b, O_NONBLOCK).unwrap();
    assert_eq!(readv(&b, &mut [&mut first, &mut second]), Err(Errno::EAGAIN));
    // Not on the heap: where that becomes smaller, the C library looks into a file.
    static MUCH: [u8; 100_000] = [b'x'; 100_000];
    while writev(&a, &[&MUCH, &MUCH]) != Err(Errno::EAGAIN) {}
    fcntl_setfl(&a, OpenFlags::NONE).unwrap();
    assert_eq!(interrupter.during(|| writev(&a, &[&MUCH])), Err(Errno::EINTR));
    let [out, into] = pipe().unwrap();
    assert_eq!(writev(&out, &[b"x"]), Err(Errno::EBADF));
    assert_eq!(readv(&into, &mut [&mut first]), Err(Errno::EBADF));
    drop(out);
    assert_eq!(writev(&into, &[b"x"]), Err(Errno::EPIPE));
    let [a, b] = tcp_pair();
    setsockopt(&b, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 }).unwrap();
    drop(b);
    assert_eq!(readv(&a, &mut [&mut first]), Err(Errno::ECONNRESET));
    let unconnected = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    assert_eq!(readv(&unconnected, &mut [&mut first]), Err(Errno::ENOTCONN));
}

fn several(interrupter: &Interrupter) {
    let (a, at_a) = udp(&loopback());
    let (b, at_b) = udp(&loopback());
    let to_b = |buf| OutgoingMessage { to: Some(&at_b), buf };
    let alone = |buf| OutgoingMessage { to: None, buf };
    assert_eq!(sendmmsg(&a, &[to_b(b"one"), to_b(b"three")], MSG_NOSIGNAL), Ok(vec![3, 5]));
    // The second is too long: one was sent, and the errno is not told.
    static TOO_LONG: [u8; 70_000] = [0; 70_000];
    assert_eq!(sendmmsg(&a, &[to_b(b"four"), to_b(&TOO_LONG)], MsgFlags::NONE), Ok(vec![4]));
    assert_eq!(sendmmsg(&a, &[to_b(&TOO_LONG)], MsgFlags::NONE), Err(Errno::EMSGSIZE));
    assert_eq!(sendmmsg(&a, &[alone(b"nobody")], MsgFlags::NONE), Err(Errno::EDESTADDRREQ));
    assert_eq!(sendmmsg(&a, &[], MsgFlags::NONE), Ok(vec![]));
    assert_eq!(sendmmsg(&a, &[to_b(b"x")], MSG_OOB), Err(Errno::EOPNOTSUPP));
    let (mut first, mut second, mut third) = ([0; 8], [0; 2], [0; 8]);
    let mut messages = [&mut first[..], &mut second, &mut third].map(IncomingMessage::new);
    assert_eq!(recvmmsg(&b, &mut messages, MsgFlags::NONE, None), Ok(3));
    assert_eq!(messages[0].from, Some(at_a));
    assert!(messages[1].len == 2 && messages[1].flags.contains(MSG_TRUNC));
    sendmmsg(&a, &[to_b(b"again")], MsgFlags::NONE).unwrap();
    assert_eq!(recvmmsg(&b, &mut messages, MSG_WAITFORONE, None), Ok(1));
    assert_eq!(recvmmsg(&b, &mut messages, MSG_DONTWAIT, None), Err(Errno::EAGAIN));
    assert_eq!(recvmmsg(&b, &mut [], MsgFlags::NONE, None), Ok(0));
    let mut senseless = TimeSpec { tv_sec: 0, tv_nsec: -1 };
    let refused = recvmmsg(&b, &mut messages, MsgFlags::NONE, Some(&mut senseless));
    assert_eq!(refused, Err(Errno::EINVAL));
    let mut second = TimeSpec { tv_sec: 1, tv_nsec: 0 };
    sendmmsg(&a, &[to_b(b"in time")], MsgFlags::NONE).unwrap();
    let came = recvmmsg(&b, &mut messages[..1], MsgFlags::NONE, Some(&mut second));
    assert!(came == Ok(1) && second.tv_sec == 0, "{came:?} {second:?}");
    let waited = interrupter.during(|| recvmmsg(&b, &mut messages, MsgFlags::NONE, None));
    assert_eq!(waited, Err(Errno::EINTR));
    let too_far = Address::unix("p".repeat(SUN_PATH_LEN + 1));
    let there = [OutgoingMessage { to: Some(&too_far), buf: b"x" }];
    assert_eq!(sendmmsg(&a, &there, MsgFlags::NONE), Err(Errno::ENAMETOOLONG));
    drop(b);
    connect(&a, &at_b).unwrap();
    sendmmsg(&a, &[alone(b"is anybody there?")], MsgFlags::NONE).unwrap();
    super::until_readable(&a);
    assert_eq!(recvmmsg(&a, &mut messages, MsgFlags::NONE, None), Err(Errno::ECONNREFUSED));
    sendmmsg(&a, &[alone(b"is anybody there?")], MsgFlags::NONE).unwrap();
    super::until_readable(&a);
    assert_eq!(sendmmsg(&a, &[alone(b"x")], MsgFlags::NONE), Err(Errno::ECONNREFUSED));
    let [pipe_out, pipe_into] = pipe().unwrap();
    assert_eq!(sendmmsg(&pipe_into, &[alone(b"x")], MsgFlags::NONE), Err(Errno::ENOTSOCK));
    assert_eq!(recvmmsg(&pipe_out, &mut messages, MsgFlags::NONE, None), Err(Errno::ENOTSOCK));
    let [full, _reader] = unix_pair(SOCK_DGRAM);
    let dont_wait = MSG_DONTWAIT | MSG_NOSIGNAL;
    while sendmmsg(&full, &[alone(b"x"), alone(b"y")], dont_wait) != Err(Errno::EAGAIN) {}
    let waited = interrupter.during(|| sendmmsg(&full, &[alone(b"x")], MsgFlags::NONE));
    assert_eq!(waited, Err(Errno::EINTR));
}
