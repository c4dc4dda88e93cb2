//! `splice`.

use std::fs::OpenOptions;
use std::os::fd::OwnedFd;

use baresock::sys::*;

use super::{ANY, Interrupter, tcp_pair, unix_pair, until_readable};

const HOW: SpliceFlags = SpliceFlags::NONE;

pub(super) fn drive(interrupter: &Interrupter) {
    between_files_and_sockets();
    up_to_the_mark();
    waiting(interrupter);
    what_cannot_be_spliced();
    endings();
}

fn opened(options: &OpenOptions) -> Fd {
    OwnedFd::from(options.open("spliced").unwrap()).into()
}

fn between_files_and_sockets() {
    let file = opened(OpenOptions::new().read(true).write(true).create(true));
    write(&file, b"hello world").unwrap();
    let [out, into] = pipe().unwrap();
    let [a, b] = unix_pair(SOCK_STREAM);
    let mut at = 6;
    assert_eq!(splice(&file, Some(&mut at), &into, None, 100, HOW), Ok(5));
    assert_eq!(at, 11);
    assert_eq!(splice(&file, Some(&mut at), &into, None, 100, HOW), Ok(0));
    assert_eq!(splice(&out, None, &file, Some(&mut at), 2, SPLICE_F_MOVE), Ok(2));
    assert_eq!(at, 13);
    assert_eq!(splice(&out, None, &a, None, 100, SPLICE_F_MOVE | SPLICE_F_NONBLOCK), Ok(3));
    let all = SPLICE_F_MORE | SPLICE_F_GIFT | SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
    assert_eq!(splice(&b, None, &into, None, 100, all), Ok(3));
    assert_eq!(splice(&out, None, &file, None, 0, HOW), Ok(0));
    assert_eq!(read(&out, &mut [0; 64]), Ok(3));
    // From one pipe into another.
    let [other_out, other_into] = pipe().unwrap();
    write(&into, b"through two pipes").unwrap();
    assert_eq!(splice(&out, None, &other_into, None, 100, HOW), Ok(17));
    assert_eq!(read(&other_out, &mut [0; 64]), Ok(17));
}

fn up_to_the_mark() {
    let [a, b] = tcp_pair();
    let [_out, into] = pipe().unwrap();
    send(&a, b"ab", MsgFlags::NONE).unwrap();
    send(&a, b"Z", MSG_OOB).unwrap();
    send(&a, b"cd", MsgFlags::NONE).unwrap();
    shutdown(&a, SHUT_WR).unwrap();
    assert_eq!(poll(&mut [PollFd::new(b.as_fd(), POLLRDHUP)], 10_000), Ok(1));
    assert_eq!(splice(&b, None, &into, None, 100, HOW), Ok(2));
    assert_eq!(splice(&b, None, &into, None, 100, HOW), Ok(0));
    assert_eq!(recv(&b, &mut [0; 64], MsgFlags::NONE), Ok(2));
    assert_eq!(splice(&b, None, &into, None, 100, HOW), Ok(0));
}

fn waiting(interrupter: &Interrupter) {
    let [a, _b] = tcp_pair();
    let [out, into] = pipe().unwrap();
    let interrupted = interrupter.during(|| splice(&a, None, &into, None, 5, HOW));
    assert_eq!(interrupted, Err(Errno::EINTR));
    fcntl_setfl(&a, O_NONBLOCK).unwrap();
    assert_eq!(splice(&a, None, &into, None, 5, HOW), Err(Errno::EAGAIN));
    assert_eq!(splice(&out, None, &a, None, 5, SPLICE_F_NONBLOCK), Err(Errno::EAGAIN));
}

fn what_cannot_be_spliced() {
    let [a, b] = unix_pair(SOCK_STREAM);
    let [out, into] = pipe().unwrap();
    write(&into, b"bytes").unwrap();
    assert_eq!(splice(&a, None, &b, None, 2, HOW), Err(Errno::EINVAL));
    assert_eq!(splice(&out, None, &into, None, 2, HOW), Err(Errno::EINVAL));
    assert_eq!(splice(&a, Some(&mut 0), &into, None, 2, HOW), Err(Errno::EINVAL));
    assert_eq!(splice(&out, Some(&mut 0), &a, None, 2, HOW), Err(Errno::ESPIPE));
    assert_eq!(splice(&a, None, &into, Some(&mut 0), 2, HOW), Err(Errno::ESPIPE));
    assert_eq!(splice(&into, None, &a, None, 2, HOW), Err(Errno::EBADF));
    assert_eq!(splice(&a, None, &out, None, 2, HOW), Err(Errno::EBADF));
    let file = opened(OpenOptions::new().read(true));
    for mut offset in [-1, i64::MIN] {
        let spliced = splice(&file, Some(&mut offset), &into, None, 2, HOW);
        assert_eq!(spliced, Err(Errno::EINVAL));
    }
    let appended = opened(OpenOptions::new().append(true));
    assert_eq!(splice(&out, None, &appended, None, 2, HOW), Err(Errno::EINVAL));
    let unknown = SpliceFlags::from_bits(0x100);
    let _ = splice(&out, None, &a, None, 2, unknown);
    let _ = splice(&out, None, &a, None, 2, unknown | SPLICE_F_MORE);
}

fn endings() {
    let [out, into] = pipe().unwrap();
    write(&into, b"bytes").unwrap();
    let unconnected = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    assert_eq!(splice(&unconnected, None, &into, None, 2, HOW), Err(Errno::ENOTCONN));
    assert_eq!(splice(&out, None, &unconnected, None, 2, HOW), Err(Errno::EPIPE));
    let [a, b] = tcp_pair();
    setsockopt(&a, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 }).unwrap();
    drop(a);
    until_readable(&b);
    assert_eq!(splice(&b, None, &into, None, 2, HOW), Err(Errno::ECONNRESET));
    drop(out);
    let [a, b] = unix_pair(SOCK_STREAM);
    send(&a, b"x", MsgFlags::NONE).unwrap();
    assert_eq!(splice(&b, None, &into, None, 2, HOW), Err(Errno::EPIPE));
}
