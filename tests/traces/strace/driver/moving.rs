//! `send`, `recv`, `sendto`, `recvfrom`, `read`, `write`, `sendfile`.

use std::fs::OpenOptions;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

use baresock::sys::*;

use super::{ANY, Interrupter, abstract_name, has_ipv6, loopback, loopback6, tcp_pair, udp};
use super::{unix_pair, until_readable};

pub(super) fn drive(interrupter: &Interrupter) {
    strings();
    every_two_bytes();
    flags();
    waiting_or_not(interrupter);
    endings();
    failures();
    datagrams();
    unix_datagrams();
    files();
    sending_files(interrupter);
    files_that_cannot_be_sent();
}

fn strings() {
    let [a, b] = unix_pair(SOCK_STREAM);
    let every_byte: Vec<u8> = (0..=255).collect();
    let digits_after_octal: Vec<u8> = (0..=255).flat_map(|byte| [byte, b'7']).collect();
    let mut strings: Vec<Vec<u8>> = every_byte.chunks(16).map(<[u8]>::to_vec).collect();
    strings.extend(digits_after_octal.chunks(32).map(<[u8]>::to_vec));
    strings.extend([31, 32, 33, 5000].map(|len| vec![b'x'; len]));
    strings
        .extend([&b"hello\n"[..], b"\"quoted\"", b"back\\slash", b"*/ /* ...", b""].map(Vec::from));
    // The 33rd byte is a digit: it is cut off, and no longer a reason for three octal digits.
    strings.push([&[b'x'; 31][..], b"\x017"].concat());
    let mut buf = vec![0; 8192];
    for string in strings {
        send(&a, &string, MsgFlags::NONE).unwrap();
        if string.is_empty() {
            continue;
        }
        assert_eq!(recv(&b, &mut buf, MsgFlags::NONE), Ok(string.len()));
        write(&a, &string).unwrap();
        assert_eq!(read(&b, &mut buf), Ok(string.len()));
    }
}

fn flags() {
    let [a, b] = tcp_pair();
    let mut buf = [0; 64];
    for flags in [MSG_NOSIGNAL, MSG_DONTROUTE, MSG_MORE | MSG_NOSIGNAL, MSG_EOR, MSG_DONTWAIT] {
        send(&a, b"some bytes", flags).unwrap();
    }
    send(&a, b"!", MSG_OOB).unwrap();
    let _ = send(&a, b"?", MsgFlags::from_bits(0x0020_0000));
    let _ = send(&a, b"?", MsgFlags::from_bits(0x0020_0000 | MSG_PEEK.bits()));
    until_readable(&b);
    for flags in
        [MSG_PEEK, MSG_PEEK | MSG_DONTWAIT, MSG_OOB, MSG_TRUNC, MSG_WAITALL, MSG_CMSG_CLOEXEC]
    {
        let _ = recv(&b, &mut buf[..4], flags);
    }
    let _ = recv(&b, &mut buf, MsgFlags::from_bits(0x0020_0000));
    assert_eq!(recv(&b, &mut buf, MSG_ERRQUEUE), Err(Errno::EAGAIN));
    assert_eq!(recv(&b, &mut buf, MSG_OOB), Err(Errno::EINVAL));
    assert_eq!(recv(&b, &mut [], MSG_DONTWAIT), Ok(0));
    // Linux has urgent data on Unix-domain sockets since 5.15, where it is built with it.
    let [a, _b] = unix_pair(SOCK_STREAM);
    let nothing_urgent = recv(&a, &mut buf, MSG_OOB).unwrap_err();
    assert!([Errno::EINVAL, Errno::EOPNOTSUPP].contains(&nothing_urgent), "{nothing_urgent}");
}

/// How many bytes of a string are shown.
const SHOWN: usize = 32;

/// Each byte before each other, in strings that are shown whole and in strings that are cut; and bytes in disorder, most of
/// them digits and such as are escaped.
fn every_two_bytes() {
    let place = opened("/dev/null", OpenOptions::new().write(true));
    let mut pairs = Vec::new();
    for first in 0..=255 {
        pairs.push(first);
        (first..=255).skip(1).for_each(|second| pairs.extend([first, second]));
    }
    for start in (0..pairs.len()).step_by(SHOWN - 1) {
        let rest = &pairs[start..];
        write(&place, &rest[..rest.len().min(SHOWN)]).unwrap();
    }
    let (mut seed, mut random) = (20_261_127_u32, Vec::new());
    for _ in 0..8_000 {
        // A xorshift.
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        random.push(match seed >> 30 {
            0 => seed as u8,
            1 => seed as u8 % 32,
            _ => b'0' + (seed >> 8) as u8 % 10,
        });
    }
    for string in random.chunks(SHOWN + 8) {
        write(&place, string).unwrap();
    }
}

fn waiting_or_not(interrupter: &Interrupter) {
    let [a, b] = tcp_pair();
    let mut buf = [0; 64];
    assert_eq!(recv(&a, &mut buf, MSG_DONTWAIT), Err(Errno::EAGAIN));
    assert_eq!(recvfrom(&a, &mut buf, MSG_DONTWAIT).map(drop), Err(Errno::EAGAIN));
    fcntl_setfl(&a, O_NONBLOCK).unwrap();
    assert_eq!(read(&a, &mut buf), Err(Errno::EAGAIN));
    assert_eq!(recv(&a, &mut [], MsgFlags::NONE), Err(Errno::EAGAIN));
    let much = vec![b'x'; 100_000];
    while send(&a, &much, MSG_NOSIGNAL) != Err(Errno::EAGAIN) {}
    // TCP may find room again while the peer does not read; a full Unix-domain socket stays full.
    let [full, _reader] = unix_pair(SOCK_STREAM);
    fcntl_setfl(&full, O_NONBLOCK).unwrap();
    while send(&full, &much, MSG_NOSIGNAL) != Err(Errno::EAGAIN) {}
    assert_eq!(write(&full, &much), Err(Errno::EAGAIN));

    super::signals::interrupt_on_usr1(SaFlags::NONE);
    fcntl_setfl(&full, OpenFlags::NONE).unwrap();
    let [c, d] = tcp_pair();
    assert_eq!(interrupter.during(|| recv(&c, &mut buf, MsgFlags::NONE)), Err(Errno::EINTR));
    assert_eq!(interrupter.during(|| read(&c, &mut buf)), Err(Errno::EINTR));
    let from = interrupter.during(|| recvfrom(&c, &mut buf, MsgFlags::NONE));
    assert_eq!(from, Err(Errno::EINTR));
    assert_eq!(interrupter.during(|| send(&full, &much, MSG_NOSIGNAL)), Err(Errno::EINTR));
    assert_eq!(interrupter.during(|| write(&full, &much)), Err(Errno::EINTR));
    let soon = TimeVal { tv_sec: 0, tv_usec: 10_000 };
    setsockopt(&d, SOL_SOCKET, SO_RCVTIMEO, &soon).unwrap();
    assert_eq!(recv(&d, &mut buf, MsgFlags::NONE), Err(Errno::EAGAIN));
    drop(b);
}

fn endings() {
    let mut buf = [0; 64];
    for [a, b] in [tcp_pair(), unix_pair(SOCK_STREAM)] {
        shutdown(&a, SHUT_WR).unwrap();
        assert_eq!(recv(&b, &mut buf, MsgFlags::NONE), Ok(0));
        assert_eq!(read(&b, &mut buf), Ok(0));
        assert_eq!(recvfrom(&b, &mut buf, MsgFlags::NONE).map(|(n, _)| n), Ok(0));
        assert_eq!(send(&a, b"too late", MSG_NOSIGNAL), Err(Errno::EPIPE));
        // The tests ignore SIGPIPE, as every program of Rust does.
        assert_eq!(send(&a, b"too late", MsgFlags::NONE), Err(Errno::EPIPE));
        assert_eq!(write(&a, b"too late"), Err(Errno::EPIPE));
    }
    let [a, b] = tcp_pair();
    let linger = Linger { l_onoff: 1, l_linger: 0 };
    setsockopt(&b, SOL_SOCKET, SO_LINGER, &linger).unwrap();
    drop(b);
    assert_eq!(recv(&a, &mut buf, MsgFlags::NONE), Err(Errno::ECONNRESET));
    assert_eq!(recv(&a, &mut buf, MsgFlags::NONE), Ok(0));
    assert_eq!(send(&a, b"x", MSG_NOSIGNAL), Err(Errno::EPIPE));
}

fn failures() {
    let mut buf = [0; 8];
    let fd = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    assert_eq!(send(&fd, b"x", MSG_NOSIGNAL), Err(Errno::EPIPE));
    assert_eq!(recv(&fd, &mut buf, MsgFlags::NONE), Err(Errno::ENOTCONN));
    assert_eq!(read(&fd, &mut buf), Err(Errno::ENOTCONN));
    let [out, into] = pipe().unwrap();
    assert_eq!(send(&into, b"x", MsgFlags::NONE), Err(Errno::ENOTSOCK));
    assert_eq!(recv(&out, &mut buf, MsgFlags::NONE), Err(Errno::ENOTSOCK));
    assert_eq!(recvfrom(&out, &mut buf, MsgFlags::NONE).map(drop), Err(Errno::ENOTSOCK));
    assert_eq!(sendto(&into, b"x", MsgFlags::NONE, &loopback()), Err(Errno::ENOTSOCK));
    assert_eq!(write(&out, b"x"), Err(Errno::EBADF));
    assert_eq!(read(&into, &mut buf), Err(Errno::EBADF));
    drop(out);
    assert_eq!(write(&into, b"x"), Err(Errno::EPIPE));
    let [a, _b] = unix_pair(SOCK_STREAM);
    assert_eq!(sendto(&a, b"x", MsgFlags::NONE, &Address::unix("x")), Err(Errno::EISCONN));
}

fn datagrams() {
    let mut buf = [0; 64];
    let (a, at_a) = udp(&loopback());
    let (b, at_b) = udp(&loopback());
    assert_eq!(send(&a, b"to nobody", MsgFlags::NONE), Err(Errno::EDESTADDRREQ));
    sendto(&a, b"hello", MsgFlags::NONE, &at_b).unwrap();
    sendto(&a, b"", MSG_DONTWAIT, &at_b).unwrap();
    sendto(&a, b"a longer one", MSG_NOSIGNAL, &at_b).unwrap();
    assert_eq!(recvfrom(&b, &mut buf, MsgFlags::NONE), Ok((5, Some(at_a.clone()))));
    assert_eq!(recvfrom(&b, &mut buf, MSG_PEEK), Ok((0, Some(at_a.clone()))));
    assert_eq!(recv(&b, &mut buf, MsgFlags::NONE), Ok(0));
    // What does not fit is lost; MSG_TRUNC says how long it was.
    assert_eq!(recv(&b, &mut buf[..3], MSG_PEEK), Ok(3));
    assert_eq!(recvfrom(&b, &mut buf[..3], MSG_TRUNC), Ok((12, Some(at_a.clone()))));
    sendto(&a, b"again", MsgFlags::NONE, &at_b).unwrap();
    assert_eq!(recv(&b, &mut buf[..3], MSG_TRUNC), Ok(5));
    sendto(&a, b"again", MsgFlags::NONE, &at_b).unwrap();
    assert_eq!(recv(&b, &mut [], MSG_TRUNC), Ok(5));
    assert_eq!(sendto(&a, &vec![0; 70_000], MsgFlags::NONE, &at_b), Err(Errno::EMSGSIZE));
    let everybody = Address::v4(Ipv4Addr::BROADCAST, 9);
    assert_eq!(sendto(&a, b"x", MsgFlags::NONE, &everybody), Err(Errno::EACCES));
    assert_eq!(sendto(&a, b"x", MsgFlags::NONE, &at_b.clone().with_port(0)), Err(Errno::EINVAL));
    assert_eq!(sendto(&a, b"x", MsgFlags::NONE, &loopback6()), Err(Errno::EAFNOSUPPORT));
    assert_eq!(sendto(&a, b"x", MSG_OOB, &at_b), Err(Errno::EOPNOTSUPP));
    drop(b);
    connect(&a, &at_b).unwrap();
    send(&a, b"is anybody there?", MsgFlags::NONE).unwrap();
    until_readable(&a);
    assert_eq!(recv(&a, &mut buf, MsgFlags::NONE), Err(Errno::ECONNREFUSED));
    if has_ipv6() {
        let (a, at) = udp(&loopback6());
        sendto(&a, b"to myself", MsgFlags::NONE, &at).unwrap();
        assert_eq!(recvfrom(&a, &mut buf, MsgFlags::NONE), Ok((9, Some(at))));
    }
}

fn unix_datagrams() {
    let mut buf = [0; 64];
    for place in [Address::unix("datagrams"), abstract_name(b"datagrams\0!")] {
        let (receiver, at) = udp(&place);
        let sender = socket(AF_UNIX, SOCK_DGRAM, ANY).unwrap();
        sendto(&sender, b"from nobody", MsgFlags::NONE, &at).unwrap();
        recvfrom(&receiver, &mut buf, MsgFlags::NONE).unwrap();
        bind(&sender, &Address::Unix(UnixName::Unnamed)).unwrap();
        sendto(&sender, b"from somebody", MsgFlags::NONE, &at).unwrap();
        recvfrom(&receiver, &mut buf, MsgFlags::NONE).unwrap();
        drop(receiver);
        assert_eq!(sendto(&sender, b"x", MsgFlags::NONE, &at), Err(Errno::ECONNREFUSED));
    }
    let sender = socket(AF_UNIX, SOCK_DGRAM, ANY).unwrap();
    assert_eq!(send(&sender, b"x", MsgFlags::NONE), Err(Errno::ENOTCONN));
    let nowhere = Address::unix("nowhere");
    assert_eq!(sendto(&sender, b"x", MsgFlags::NONE, &nowhere), Err(Errno::ENOENT));
    let too_long = Address::unix("p".repeat(SUN_PATH_LEN + 1));
    assert_eq!(sendto(&sender, b"x", MsgFlags::NONE, &too_long), Err(Errno::ENAMETOOLONG));
    let [a, b] = unix_pair(SOCK_SEQPACKET);
    send(&a, b"a record", MSG_EOR).unwrap();
    recv(&b, &mut buf, MsgFlags::NONE).unwrap();
    recvfrom(&b, &mut buf, MSG_DONTWAIT).unwrap_err();
}

fn files() {
    let [out, into] = pipe().unwrap();
    let mut buf = [0; 64];
    assert_eq!(write(&into, b"through a pipe"), Ok(14));
    assert_eq!(read(&out, &mut buf), Ok(14));
    assert_eq!(write(&into, b""), Ok(0));
    assert_eq!(read(&out, &mut []), Ok(0));
    drop(into);
    assert_eq!(read(&out, &mut buf), Ok(0));
}

/// A file with eleven bytes.
fn eleven_bytes() -> Fd {
    let file = opened("eleven", OpenOptions::new().write(true).create(true));
    write(&file, b"hello world").unwrap();
    opened("eleven", OpenOptions::new().read(true))
}

fn opened(name: &str, options: &OpenOptions) -> Fd {
    OwnedFd::from(options.open(name).unwrap()).into()
}

fn sending_files(interrupter: &Interrupter) {
    let file = eleven_bytes();
    let [a, b] = tcp_pair();
    let mut offset = 0;
    assert_eq!(sendfile(&a, &file, Some(&mut offset), 5), Ok(5));
    assert_eq!(offset, 5);
    assert_eq!(sendfile(&a, &file, None, 100), Ok(11));
    assert_eq!(sendfile(&a, &file, None, 100), Ok(0));
    assert_eq!(sendfile(&a, &file, None, 0), Ok(0));
    for mut beyond in [11, 4_000_000_000] {
        assert_eq!(sendfile(&a, &file, Some(&mut beyond), 100), Ok(0));
    }
    assert_eq!(sendfile(&a, &file, Some(&mut offset), 100), Ok(6));
    until_readable(&b);
    assert_eq!(recv(&b, &mut [0; 64], MSG_WAITALL | MSG_DONTWAIT), Ok(22));
    let [out, into] = pipe().unwrap();
    assert_eq!(sendfile(&into, &file, Some(&mut 3), 4), Ok(4));
    // A device without an end: the offset stays where it is.
    let zeros = opened("/dev/zero", OpenOptions::new().read(true));
    assert_eq!(sendfile(&into, &zeros, Some(&mut 0), 4), Ok(4));
    assert_eq!(read(&out, &mut [0; 64]), Ok(8));
    let [datagrams, _other] = unix_pair(SOCK_DGRAM);
    assert_eq!(sendfile(&datagrams, &file, Some(&mut 0), 4), Ok(4));

    let large = opened("large", OpenOptions::new().read(true));
    assert_eq!(sendfile(&a, &large, Some(&mut 4_999_999_995), 100), Ok(5));
    let [full, _reader] = unix_pair(SOCK_STREAM);
    fcntl_setfl(&full, O_NONBLOCK).unwrap();
    while sendfile(&full, &large, Some(&mut 0), 100_000) != Err(Errno::EAGAIN) {}
    fcntl_setfl(&full, OpenFlags::NONE).unwrap();
    let interrupted = interrupter.during(|| sendfile(&full, &large, Some(&mut 0), 100_000));
    assert_eq!(interrupted, Err(Errno::EINTR));
    std::fs::remove_file("large").unwrap();
}

fn files_that_cannot_be_sent() {
    let file = eleven_bytes();
    let [a, b] = unix_pair(SOCK_STREAM);
    let [out, into] = pipe().unwrap();
    write(&into, b"bytes").unwrap();
    let directory = opened(".", OpenOptions::new().read(true));
    for in_fd in [&b, &out, &directory] {
        assert_eq!(sendfile(&a, in_fd, None, 2), Err(Errno::EINVAL));
    }
    assert_eq!(sendfile(&a, &out, Some(&mut 0), 2), Err(Errno::ESPIPE));
    for mut offset in [-1, i64::MIN, i64::MAX] {
        assert_eq!(sendfile(&a, &file, Some(&mut offset), 100), Err(Errno::EINVAL));
    }
    let write_only = opened("written", OpenOptions::new().write(true).create(true));
    assert_eq!(sendfile(&a, &write_only, None, 2), Err(Errno::EBADF));
    assert_eq!(sendfile(&file, &file, Some(&mut 0), 2), Err(Errno::EBADF));
    let appended = opened("written", OpenOptions::new().append(true));
    assert_eq!(sendfile(&appended, &file, Some(&mut 0), 2), Err(Errno::EINVAL));
    let unconnected = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    assert_eq!(sendfile(&unconnected, &file, Some(&mut 0), 2), Err(Errno::EPIPE));
    let (datagrams, _) = udp(&loopback());
    assert_eq!(sendfile(&datagrams, &file, Some(&mut 0), 2), Err(Errno::EDESTADDRREQ));
    drop(b);
    assert_eq!(sendfile(&a, &file, Some(&mut 0), 2), Err(Errno::EPIPE));
}
