//! `close`, `close_range`, `dup`, `dup2`, `pipe`, `fcntl`, `ioctl`.

use std::os::fd::{IntoRawFd, OwnedFd};

use baresock::sys::wild::Wild;
use baresock::sys::wild::ownership::{close_number, close_numbers};
use baresock::sys::*;

use super::{ANY, listener, loopback, tcp_pair, udp, unix_pair, without_a_free_descriptor};

pub(super) fn drive() {
    duplicates();
    ranges();
    status_flags();
    owners();
    requests();
}

fn duplicates() {
    let [a, b] = pipe().unwrap();
    let mut second = dup(&a).unwrap();
    dup2(&b, &mut second).unwrap();
    dup2(&b, &mut second).unwrap();
    for lowest in [0, 50, 500] {
        close(fcntl_dupfd(&a, lowest).unwrap()).unwrap();
        close(fcntl_dupfd_cloexec(&a, lowest).unwrap()).unwrap();
    }
    for lowest in [-1, i32::MAX] {
        assert_eq!(fcntl_dupfd(&a, lowest).map(drop), Err(Errno::EINVAL));
        assert_eq!(fcntl_dupfd_cloexec(&a, lowest).map(drop), Err(Errno::EINVAL));
    }
    without_a_free_descriptor(|| {
        assert_eq!(dup(&a).map(drop), Err(Errno::EMFILE));
        assert_eq!(pipe().map(drop), Err(Errno::EMFILE));
        assert_eq!(fcntl_dupfd(&a, 0).map(drop), Err(Errno::EMFILE));
        assert_eq!(fcntl_dupfd_cloexec(&a, 0).map(drop), Err(Errno::EMFILE));
    });
}

/// The numbers from here on are the driver's own, for nothing that it needs is up there.
const HIGH: u32 = 500;

fn ranges() {
    let [a, _b] = pipe().unwrap();
    let opened = || fcntl_dupfd(&a, HIGH as i32).unwrap();
    let marked = opened();
    for last in [HIGH, u32::MAX] {
        fcntl_setfd(&marked, FdFlags::NONE).unwrap();
        close_range(HIGH, last, CLOSE_RANGE_CLOEXEC).unwrap();
        assert_eq!(fcntl_getfd(&marked), Ok(FD_CLOEXEC));
    }
    assert_eq!(fcntl_getfd(opened()), Ok(FdFlags::NONE), "opened after the call");
    // Nothing is open there.
    close_range(u32::MAX, u32::MAX, CLOSE_RANGE_CLOEXEC).unwrap();
    assert_eq!(close_range(HIGH + 1, HIGH, CLOSE_RANGE_CLOEXEC), Err(Errno::EINVAL));
    let unknown = CloseRangeFlags::from_bits(0x100);
    for refused in [
        CloseRangeFlags::NONE,
        CLOSE_RANGE_UNSHARE,
        CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC,
        CLOSE_RANGE_CLOEXEC | unknown,
    ] {
        assert_eq!(close_range(HIGH, u32::MAX, refused), Err(Errno::EINVAL));
        assert!(fcntl_getfd(&marked).is_ok(), "still open");
    }
    let wild = Wild::in_a_lab().expect("LAB_DIRECTORY is set where the driver runs");
    for flags in [unknown, CLOSE_RANGE_UNSHARE | unknown, CLOSE_RANGE_CLOEXEC | unknown] {
        assert_eq!(close_numbers(wild, HIGH, u32::MAX, flags), Err(Errno::EINVAL));
    }
    // From here on the range has no owner.
    let number = marked.number();
    let _ = OwnedFd::from(marked).into_raw_fd();
    close_numbers(wild, HIGH, u32::MAX, CloseRangeFlags::NONE).unwrap();
    assert_eq!(close_number(wild, number), Err(Errno::EBADF));
}

fn status_flags() {
    let [out, into] = pipe().unwrap();
    let file: Fd = std::os::fd::OwnedFd::from(std::fs::File::create("a file").unwrap()).into();
    let [a, b] = unix_pair(SOCK_STREAM);
    for fd in [&out, &into, &a, &file] {
        fcntl_getfl(fd).unwrap();
        for flags in [
            OpenFlags::NONE,
            O_NONBLOCK,
            O_RDWR | O_NONBLOCK,
            O_WRONLY | O_APPEND,
            O_RDWR | O_ASYNC,
            O_APPEND | O_NONBLOCK | O_SYNC,
            OpenFlags::from_bits(0x4000_0000),
            OpenFlags::from_bits(0x0100_0000 | O_NONBLOCK.bits()),
        ] {
            let _ = fcntl_setfl(fd, flags);
            fcntl_getfl(fd).unwrap();
        }
        fcntl_setfl(fd, OpenFlags::NONE).unwrap();
        for flags in [FdFlags::NONE, FD_CLOEXEC, FdFlags::from_bits(2), FdFlags::from_bits(3)] {
            fcntl_setfd(fd, flags).unwrap();
            fcntl_getfd(fd).unwrap();
        }
    }
    drop(b);
}

fn owners() {
    let own = std::process::id() as i32;
    let group = nix::unistd::getpgrp().as_raw();
    let [fd, _other] = unix_pair(SOCK_STREAM);
    for owner in [0, own, -group] {
        fcntl_setown(&fd, owner).unwrap();
        fcntl_getown(&fd).unwrap();
    }
    assert_eq!(fcntl_setown(&fd, i32::MAX), Err(Errno::ESRCH));
    let _ = fcntl_setown(&fd, i32::MIN);
}

fn requests() {
    let [a, b] = tcp_pair();
    send(&a, b"seven b", MSG_NOSIGNAL).unwrap();
    super::until_readable(&b);
    let (listener, _) = listener(&loopback());
    let (datagrams, _) = udp(&loopback());
    let [unix_end, _other] = unix_pair(SOCK_STREAM);
    let [pipe_end, _into] = pipe().unwrap();
    let unconnected = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    let every = [&a, &b, &listener, &datagrams, &unix_end, &pipe_end, &unconnected];
    for fd in every {
        for request in [FIONREAD, TIOCOUTQ, SIOCATMARK] {
            let _ = ioctl(fd, request, &mut 0);
        }
        let _ = sockatmark(fd);
        for request in [FIONBIO, FIOASYNC] {
            for mut on in [1, 0, -1, 0] {
                let _ = ioctl(fd, request, &mut on);
            }
        }
    }
    let file: Fd = std::os::fd::OwnedFd::from(std::fs::File::open("a file").unwrap()).into();
    for request in [FIONREAD, TIOCOUTQ, SIOCATMARK, FIONBIO] {
        let _ = ioctl(&file, request, &mut 1);
    }
    assert_eq!(sockatmark(&pipe_end), Err(Errno::ENOTTY));
    let mut unread = 0;
    ioctl(&b, FIONREAD, &mut unread).unwrap();
    assert_eq!(unread, 7);
    send(&a, b"!", MSG_OOB).unwrap();
    assert_eq!(poll(&mut [PollFd::new(b.as_fd(), POLLPRI)], 10_000), Ok(1));
    assert_eq!(sockatmark(&b), Ok(false));
    assert_eq!(recv(&b, &mut [0; 99], MsgFlags::NONE), Ok(7), "not as far as the mark");
    assert_eq!(sockatmark(&b), Ok(true));
}
