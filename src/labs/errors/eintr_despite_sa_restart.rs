//! I asked for SA_RESTART. Why does select fail with EINTR?
//!
//! Because select and poll are never begun again, whatever the flag says: how much of the timeout would be left? recv is, but
//! not one with a time limit of its own (SO_RCVTIMEO), for the same reason.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::labs::run::{Outcome, Run};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "eintr-despite-sa-restart",
    claim: "select and poll fail with EINTR even with SA_RESTART; recv goes on.",
    question: "I asked for SA_RESTART. Why does select still fail with EINTR?",
    explanation: "SA_RESTART begins an interrupted recv or accept again, as if nothing had been. A wait with a timeout is \
        never begun again, or signals that keep coming could make it wait for ever. So every select and poll \
        needs its case for EINTR, and so does every recv on a socket with SO_RCVTIMEO.",
    elsewhere: "POSIX leaves it open whether SA_RESTART restarts select; signal(7) says never. That a stop and SIGCONT \
        interrupt select without any handler is told of older Linux; on Linux 6.18 it was not seen.",
    sources: &[
        "signal(7), Interruption of system calls",
        "POSIX sigaction and select",
        "select_tut(2)",
    ],
    related: &["signal-race", "rcvtimeo-not-poll", "partial-send"],
    words: &["EINTR", "SA_RESTART", "SO_RCVTIMEO"],
    minutes: 2,
    predictions: &[&SELECT, &POLL, &RECV, &RECV_WITH_LIMIT],
    spoiled_by: "poll:ENOMEM",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const SELECT: Prediction = Prediction {
    asks: "A signal comes while select waits; its handler has SA_RESTART. What does select give?",
    choices: &["0", "1", "EINTR"],
    expect: Expect::on_linux(Expected::Is("EINTR"))
        .macos(Expected::Is("EINTR"))
        .freebsd(Expected::Is("EINTR")),
};

const POLL: Prediction = Prediction {
    asks: "And poll?",
    choices: &["0", "1", "EINTR"],
    expect: Expect::on_linux(Expected::Is("EINTR"))
        .macos(Expected::Is("EINTR"))
        .freebsd(Expected::Is("EINTR")),
};

const RECV: Prediction = Prediction {
    asks: "And a blocking recv, to which five bytes come a while after the signal?",
    choices: &["0", "5", "EINTR"],
    expect: Expect::everywhere(Expected::Is("5")),
};

const RECV_WITH_LIMIT: Prediction = Prediction {
    asks: "And a recv on a socket with SO_RCVTIMEO?",
    choices: &["5", "EINTR", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

fn run(lab: &mut Run<'_>) -> Outcome {
    let restart = SigAction { flags: SA_RESTART, ..SigAction::new(Handler::Interrupt) };
    sigaction(SIGUSR1, Some(&restart), None)?;
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    let mut buf = [0; 64];

    let mut readable = FdSet::new();
    readable.set(&ours).map_err(|_| Errno::EMFILE)?;
    let mut timeout = TimeVal { tv_sec: 5, tv_usec: 0 };
    lab.predict(&SELECT);
    let signal = signal_soon();
    lab.observe(select(readable.nfds(), Some(&mut readable), None, None, Some(&mut timeout)));
    signal.join().ok();

    lab.predict(&POLL);
    let signal = signal_soon();
    lab.observe(poll(&mut [PollFd::new(ours.as_fd(), POLLIN)], 5000));
    signal.join().ok();

    lab.say("The signal comes soon, and the peer sends a little later.");
    lab.predict(&RECV);
    let signal = signal_soon();
    let peer = thread::spawn(move || {
        thread::sleep(SOON * 4);
        let sent = send(&theirs, b"hello", MSG_NOSIGNAL);
        sent.map(|_| theirs)
    });
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    signal.join().ok();
    let theirs = peer.join().unwrap_or(Err(Errno::EPIPE))?;

    setsockopt(&ours, SOL_SOCKET, SO_RCVTIMEO, &TimeVal { tv_sec: 5, tv_usec: 0 })?;
    lab.predict(&RECV_WITH_LIMIT);
    let signal = signal_soon();
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    signal.join().ok();
    drop(theirs);
    Ok(())
}

const SOON: Duration = Duration::from_millis(100);

/// Another thread sends this process a signal. The thread that waits gets it, because that is the first one, which the
/// system prefers; and the other one is given no time.
fn signal_soon() -> JoinHandle<()> {
    thread::spawn(|| {
        let all_but_this = SignalSet::empty().with(SIGUSR1);
        // Held back here, so that it can only go to the other.
        let held = sigprocmask(&all_but_this);
        thread::sleep(SOON);
        let sent = held.and_then(|_| kill(std::process::id(), SIGUSR1));
        debug_assert!(sent.is_ok());
    })
}
