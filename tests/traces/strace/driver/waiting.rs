//! `select`, `pselect`, `poll`, `ppoll`.

use std::ffi::c_long;

use baresock::os::limits::{descriptor_limits, set_descriptor_limit};
use baresock::sys::*;

use super::{Interrupter, LONGEST_SEC, TestSignal, listener, loopback, tcp_pair, unix_pair};

pub(super) fn drive(interrupter: &Interrupter) {
    every_combination_of_sets();
    timeouts();
    many_descriptors();
    sets_beyond_the_set_size();
    failures();
    every_answer_of_poll();
    masks();
    interrupted(interrupter);
    stopped_and_gone_on(interrupter);
}

const ZERO: TimeVal = TimeVal { tv_sec: 0, tv_usec: 0 };
const ZERO_SPEC: TimeSpec = TimeSpec { tv_sec: 0, tv_nsec: 0 };

fn set_of(fds: &[&Fd]) -> FdSet {
    let mut set = FdSet::new();
    for fd in fds {
        set.set(fd).unwrap();
    }
    set
}

/// With sets of our own length the line is that of select. (Linux takes them, and strace follows nfds.)
fn sets_beyond_the_set_size() {
    let limit = descriptor_limits().unwrap();
    let beyond = FD_SETSIZE as i32 + 300;
    if limit.hard <= beyond as u64 + 1 {
        return;
    }
    set_descriptor_limit(limit.soft.max(beyond as u64 + 2)).unwrap();
    let [sender, loud] = unix_pair(SOCK_STREAM);
    send(&sender, b"x", MsgFlags::NONE).unwrap();
    let far = [fcntl_dupfd(&loud, beyond).unwrap(), fcntl_dupfd(&sender, beyond).unwrap()];
    let mut asked = WideFdSet::new();
    far.iter().for_each(|fd| asked.set(fd));
    let nfds = asked.nfds();
    let (mut read, mut write) = (asked.clone(), asked.clone());
    select_wide(nfds, Some(&mut read), Some(&mut write), None, Some(&mut ZERO.clone())).unwrap();
    select_wide(nfds, Some(&mut asked), None, None, None).unwrap();
    drop(far);
    set_descriptor_limit(limit.soft).unwrap();
}

fn every_combination_of_sets() {
    let [quiet, _peer] = unix_pair(SOCK_STREAM);
    let [sender, loud] = unix_pair(SOCK_STREAM);
    send(&sender, b"x", MsgFlags::NONE).unwrap();
    let choices = [
        None,
        Some(FdSet::new()),
        Some(set_of(&[&quiet])),
        Some(set_of(&[&loud])),
        Some(set_of(&[&quiet, &loud])),
    ];
    let nfds = set_of(&[&quiet, &loud]).nfds();
    for read in &choices {
        for write in &choices {
            for except in [&choices[0], &choices[1], &choices[4]] {
                let (mut r, mut w, mut e) = (*read, *write, *except);
                let mut timeout = ZERO;
                select(nfds, r.as_mut(), w.as_mut(), e.as_mut(), Some(&mut timeout)).unwrap();
                let (mut r, mut w, mut e) = (*read, *write, *except);
                pselect(nfds, r.as_mut(), w.as_mut(), e.as_mut(), Some(&ZERO_SPEC), None).unwrap();
            }
        }
    }
    // Without a timeout; and with an nfds that covers less, or more, than the sets have.
    select(nfds, Some(&mut set_of(&[&loud])), None, None, None).unwrap();
    pselect(nfds, Some(&mut set_of(&[&loud])), None, None, None, None).unwrap();
    for nfds in [0, 1, nfds - 1, nfds + 1, 1024] {
        select(nfds, Some(&mut set_of(&[&quiet, &loud])), None, None, Some(&mut ZERO.clone()))
            .unwrap();
    }
    // The urgent byte is what the third set is for.
    let [a, b] = tcp_pair();
    send(&a, b"!", MSG_OOB).unwrap();
    let mut urgent = set_of(&[&b]);
    assert_eq!(select(urgent.nfds(), None, None, Some(&mut urgent), None), Ok(1));
}

fn timeouts() {
    let [quiet, _peer] = unix_pair(SOCK_STREAM);
    let [sender, loud] = unix_pair(SOCK_STREAM);
    send(&sender, b"x", MsgFlags::NONE).unwrap();
    for (tv_sec, tv_usec) in [(0, 0), (0, 1), (0, 999), (5, 999_999), (5, 0)] {
        let fd = if tv_sec == 0 { &quiet } else { &loud };
        let (mut set, mut timeout) = (set_of(&[fd]), TimeVal { tv_sec, tv_usec });
        let ready = select(set.nfds(), Some(&mut set), None, None, Some(&mut timeout));
        assert_eq!(ready, Ok(usize::from(tv_sec > 0)));
        let (mut set, timeout) =
            (set_of(&[fd]), TimeSpec { tv_sec, tv_nsec: tv_usec * 1000 + tv_sec });
        let ready = pselect(set.nfds(), Some(&mut set), None, None, Some(&timeout), None);
        assert_eq!(ready, Ok(usize::from(tv_sec > 0)));
        assert_eq!(ppoll(&mut [PollFd::new(fd.as_fd(), POLLIN)], Some(&timeout), None), ready);
    }
    for timeout_ms in [0, 1, 1000, -1, i32::MIN, i32::MAX] {
        let fd = if timeout_ms == 0 || timeout_ms == 1 { &quiet } else { &loud };
        poll(&mut [PollFd::new(fd.as_fd(), POLLIN)], timeout_ms).unwrap();
    }
    poll(&mut [], 0).unwrap();
    ppoll(&mut [], Some(&ZERO_SPEC), None).unwrap();
    ppoll(&mut [PollFd::new(loud.as_fd(), POLLIN)], None, None).unwrap();
    select(0, None, None, None, Some(&mut TimeVal { tv_sec: 0, tv_usec: 10 })).unwrap();
    pselect(0, None, None, None, Some(&ZERO_SPEC), Some(&SignalSet::empty())).unwrap();

    // What makes no sense: libc judges select's timeout, the kernel the others.
    // In a 32-bit program these nanoseconds just fit, and so does the time with what libc carries.
    let longest = match size_of::<c_long>() {
        4 => (LONGEST_SEC - 10, 2_000_000),
        _ => (LONGEST_SEC, 5_000_000),
    };
    for (tv_sec, tv_usec) in
        [(-1, 0), (0, -1), (0, 1_000_000), (0, 1_000_001), (-1, 2_000_000), longest]
    {
        let (mut set, mut timeout) = (set_of(&[&loud]), TimeVal { tv_sec, tv_usec });
        let _ = select(set.nfds(), Some(&mut set), None, None, Some(&mut timeout));
        let (mut set, timeout) = (set_of(&[&loud]), TimeSpec { tv_sec, tv_nsec: tv_usec * 1000 });
        let _ = pselect(set.nfds(), Some(&mut set), None, None, Some(&timeout), None);
        let _ = ppoll(&mut [PollFd::new(loud.as_fd(), POLLIN)], Some(&timeout), None);
    }
}

fn many_descriptors() {
    let [out, into] = pipe().unwrap();
    write(&into, b"x").unwrap();
    let many: Vec<Fd> = (0..40).map(|_| dup(&out).unwrap()).collect();
    let all: Vec<&Fd> = many.iter().collect();
    let mut set = set_of(&all);
    select(set.nfds(), Some(&mut set), None, None, None).unwrap();
    for count in [31, 32, 33, 40] {
        let mut rows: Vec<_> =
            many[..count].iter().map(|fd| PollFd::new(fd.as_fd(), POLLIN)).collect();
        poll(&mut rows, -1).unwrap();
        ppoll(&mut rows, None, None).unwrap();
        // Only the last of many rows is answered, or those from the middle on.
        for (at, row) in rows.iter_mut().enumerate() {
            row.set_events(if at + 1 == count { POLLIN } else { PollEvents::NONE });
        }
        poll(&mut rows, 0).unwrap();
        for (at, row) in rows.iter_mut().enumerate() {
            row.set_events(if at > 5 { POLLIN } else { PollEvents::NONE });
        }
        poll(&mut rows, 0).unwrap();
    }
    let far = fcntl_dupfd(&out, 1000).unwrap();
    let mut set = set_of(&[&far, &out]);
    select(set.nfds(), Some(&mut set), None, None, None).unwrap();
}

fn failures() {
    let [out, into] = pipe().unwrap();
    let mut stale = set_of(&[&out]);
    let nfds = stale.nfds();
    drop((out, into));
    assert_eq!(select(nfds, Some(&mut stale), None, None, None), Err(Errno::EBADF));
    assert_eq!(pselect(nfds, None, Some(&mut stale), None, None, None), Err(Errno::EBADF));
    for nfds in [-1, 1025] {
        let mut timeout = TimeVal { tv_sec: 1, tv_usec: 5 };
        let result = select(nfds, Some(&mut FdSet::new()), None, None, Some(&mut timeout));
        assert_eq!(result, Err(Errno::EINVAL));
        let result = pselect(nfds, Some(&mut FdSet::new()), None, None, Some(&ZERO_SPEC), None);
        assert_eq!(result, Err(Errno::EINVAL));
    }
    let [fd, _other] = unix_pair(SOCK_STREAM);
    let before = baresock::os::limits::descriptor_limits().unwrap().soft;
    baresock::os::limits::set_descriptor_limit(64).unwrap();
    let mut rows = vec![PollFd::new(fd.as_fd(), POLLOUT); 65];
    assert_eq!(poll(&mut rows, 0), Err(Errno::EINVAL));
    assert_eq!(ppoll(&mut rows, Some(&ZERO_SPEC), None), Err(Errno::EINVAL));
    baresock::os::limits::set_descriptor_limit(before).unwrap();
}

fn every_answer_of_poll() {
    let events = [
        PollEvents::NONE,
        POLLIN,
        POLLOUT,
        POLLIN | POLLOUT,
        POLLPRI | POLLRDHUP,
        POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP,
        POLLERR | POLLHUP | POLLNVAL,
        PollEvents::from_bits(0x4000),
        PollEvents::from_bits(0x4001),
    ];
    let [a, b] = tcp_pair();
    let [finished, _waits] = tcp_pair();
    shutdown(&finished, SHUT_WR).unwrap();
    let [dead, dropped] = tcp_pair();
    drop(dropped);
    let [urgent_sender, urgent] = tcp_pair();
    send(&urgent_sender, b"!", MSG_OOB).unwrap();
    let [broken_out, broken_in] = pipe().unwrap();
    drop(broken_out);
    let (listener, _) = listener(&loopback());
    for events in events {
        for fd in [&a, &b, &finished, &dead, &urgent, &broken_in, &listener] {
            poll(&mut [PollFd::new(fd.as_fd(), events)], 0).unwrap();
            ppoll(&mut [PollFd::new(fd.as_fd(), events)], Some(&ZERO_SPEC), None).unwrap();
        }
    }
    let mut rows = [
        PollFd::skipped(),
        PollFd::new(a.as_fd(), POLLOUT),
        PollFd::skipped(),
        PollFd::new(b.as_fd(), POLLIN),
        PollFd::new(broken_in.as_fd(), POLLOUT),
    ];
    assert_eq!(poll(&mut rows, -1), Ok(2));
    assert_eq!(poll(&mut [PollFd::skipped()], 0), Ok(0));
}

/// Signals that are blocked but for the wait: pselect and ppoll let them in.
fn masks() {
    super::signals::interrupt_on_usr1(SA_RESTART);
    let blocked = SignalSet::empty().with(SIGUSR1);
    let before = sigprocmask(&blocked).unwrap();
    let [quiet, _peer] = unix_pair(SOCK_STREAM);
    let open = SignalSet::empty();
    for mask in [&open, &blocked, &blocked.with(SIGINT).with(SIGUSR2)] {
        let mut set = set_of(&[&quiet]);
        pselect(set.nfds(), Some(&mut set), None, None, Some(&ZERO_SPEC), Some(mask)).unwrap();
        ppoll(&mut [PollFd::new(quiet.as_fd(), POLLIN)], Some(&ZERO_SPEC), Some(mask)).unwrap();
    }
    for timeout in [None, Some(TimeSpec { tv_sec: 10, tv_nsec: 5 })] {
        kill(std::process::id(), SIGUSR1).unwrap();
        let mut set = set_of(&[&quiet]);
        let result = pselect(set.nfds(), Some(&mut set), None, None, timeout.as_ref(), Some(&open));
        assert_eq!(result, Err(Errno::EINTR));
        kill(std::process::id(), SIGUSR1).unwrap();
        let mut row = [PollFd::new(quiet.as_fd(), POLLIN)];
        assert_eq!(ppoll(&mut row, timeout.as_ref(), Some(&open)), Err(Errno::EINTR));
    }
    sigprocmask(&before).unwrap();
}

/// By a signal from outside, with SA_RESTART and without: it is all the same to these calls.
fn interrupted(interrupter: &Interrupter) {
    let [quiet, _peer] = unix_pair(SOCK_STREAM);
    for flags in [SaFlags::NONE, SA_RESTART] {
        super::signals::interrupt_on_usr1(flags);
        let mut set = set_of(&[&quiet]);
        let nfds = set.nfds();
        let result = interrupter.during(|| select(nfds, Some(&mut set), None, None, None));
        assert_eq!(result, Err(Errno::EINTR));
        let mut long = TimeVal { tv_sec: 100, tv_usec: 7 };
        let result =
            interrupter.during(|| select(nfds, None, None, Some(&mut set), Some(&mut long)));
        assert_eq!(result, Err(Errno::EINTR));
        let long = TimeSpec { tv_sec: 100, tv_nsec: 7 };
        let result =
            interrupter.during(|| pselect(nfds, Some(&mut set), None, None, Some(&long), None));
        assert_eq!(result, Err(Errno::EINTR));
        for timeout_ms in [-1, 100_000] {
            let mut row = [PollFd::new(quiet.as_fd(), POLLIN)];
            assert_eq!(interrupter.during(|| poll(&mut row, timeout_ms)), Err(Errno::EINTR));
        }
        let mut row = [PollFd::new(quiet.as_fd(), POLLIN)];
        let result = interrupter.during(|| ppoll(&mut row, Some(&long), None));
        assert_eq!(result, Err(Errno::EINTR));
    }
    // recv is begun again under SA_RESTART; the second signal, without it, ends the call.
    super::signals::interrupt_on_usr1(SA_RESTART);
    sigaction(SIGUSR2, Some(&SigAction::new(Handler::Interrupt)), None).unwrap();
    let [usr1, usr2] = [TestSignal::SIGUSR1, TestSignal::SIGUSR2];
    let mut buf = [0; 8];
    for signals in [vec![usr2], vec![usr1, usr2], vec![usr1, usr1, usr2]] {
        let result = interrupter.during_each(signals, || recv(&quiet, &mut buf, MsgFlags::NONE));
        assert_eq!(result, Err(Errno::EINTR));
    }
    sigaction(SIGUSR2, Some(&SigAction::new(Handler::Default)), None).unwrap();
}

/// By a signal that has no handler: the process was stopped and goes on, or (as here, where a stop would stop all)
/// nothing is done about it. The caller sees nothing of that, the kernel begins again.
fn stopped_and_gone_on(interrupter: &Interrupter) {
    super::signals::interrupt_on_usr1(SaFlags::NONE);
    let [winch, usr1] = [TestSignal::SIGWINCH, TestSignal::SIGUSR1];
    let [quiet, _peer] = unix_pair(SOCK_STREAM);
    let row = || [PollFd::new(quiet.as_fd(), POLLIN)];
    let long = TimeSpec { tv_sec: 100, tv_nsec: 7 };
    for signals in [vec![winch, usr1], vec![winch, winch, usr1]] {
        let each = || signals.clone();
        assert_eq!(interrupter.during_each(each(), || poll(&mut row(), -1)), Err(Errno::EINTR));
        let result = interrupter.during_each(each(), || ppoll(&mut row(), Some(&long), None));
        assert_eq!(result, Err(Errno::EINTR));
    }
    let half_a_second = TimeSpec { tv_sec: 0, tv_nsec: 500_000_000 };
    assert_eq!(interrupter.during_each(vec![winch], || poll(&mut row(), 500)), Ok(0));
    let result =
        interrupter.during_each(vec![winch], || ppoll(&mut row(), Some(&half_a_second), None));
    assert_eq!(result, Ok(0));
    for signals in [vec![winch], vec![winch, winch]] {
        let woken = |wait: &mut dyn FnMut(&Fd) -> Result<usize>| {
            let [out, into] = pipe().unwrap();
            let ready = interrupter.during_each_and_close(signals.clone(), into, || wait(&out));
            assert_eq!(ready, Ok(1));
        };
        woken(&mut |out| poll(&mut [PollFd::new(out.as_fd(), POLLIN)], 100_000));
        woken(&mut |out| ppoll(&mut [PollFd::new(out.as_fd(), POLLIN)], None, None));
        woken(&mut |out| {
            let (mut set, mut long) = (set_of(&[out]), TimeVal { tv_sec: 100, tv_usec: 7 });
            select(set.nfds(), Some(&mut set), None, None, Some(&mut long))
        });
        woken(&mut |out| {
            let mut set = set_of(&[out]);
            pselect(set.nfds(), Some(&mut set), None, None, Some(&long), None)
        });
    }
}
