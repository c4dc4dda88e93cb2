//! I asked for SA_RESTART. Why does select fail with EINTR?
//!
//! Because the kernel never restarts select and poll, whatever the flag says: how much of the timeout would be left? It
//! restarts recv, except on a socket with a time limit (SO_RCVTIMEO), for the same reason.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::labs::peers::{Alarm, joined, spawn};
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::only;
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "eintr-despite-sa-restart",
    claim: "select and poll fail with EINTR even with SA_RESTART; recv is restarted.",
    question: "I asked for SA_RESTART. Why does select still fail with EINTR?",
    explanation: "With SA_RESTART the kernel restarts an interrupted recv or accept, as if there had been no signal. \
        It never restarts a wait with a timeout, because repeated signals could make it wait forever. So every select \
        and poll must handle EINTR, and so must every recv on a socket with SO_RCVTIMEO.",
    elsewhere: "POSIX leaves open whether SA_RESTART restarts select; signal(7) says never. The BSDs and macOS restart \
        a recv with SO_RCVTIMEO, each time with the whole limit.",
    sources: &[
        "signal(7), Interruption of system calls",
        "POSIX sigaction and select",
        "select_tut(2)",
    ],
    related: &["signal-race", "stopped-while-waiting", "rcvtimeo-not-poll", "partial-send"],
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
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

const POLL: Prediction = Prediction {
    asks: "And poll?",
    choices: &["0", "1", "EINTR"],
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

const RECV: Prediction = Prediction {
    asks: "And a blocking recv, if five bytes arrive a while after the first signals?",
    choices: &["0", "5", "EINTR"],
    expect: Expect::everywhere(Expected::Is("5")).but(
        &[GVisor],
        Expected::Is("EINTR"),
        "it does not restart recv",
    ),
};

const RECV_WITH_LIMIT: Prediction = Prediction {
    asks: "And a recv on a socket with SO_RCVTIMEO?",
    choices: &["restarted", "EINTR", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("EINTR")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("restarted"),
        "SA_RESTART restarts recv, each time with the whole time limit",
    ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.say("While each of these calls waits, a thread sends SIGUSR1 every 100 ms.");
    let restart = SigAction { flags: SA_RESTART, ..SigAction::new(Handler::Interrupt) };
    sigaction(SIGUSR1, Some(&restart), None)?;
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    let mut buf = [0; 64];

    let mut readable = only(&ours)?;
    let mut timeout = TimeVal { tv_sec: 5, tv_usec: 0 };
    lab.predict(&SELECT);
    let alarm = Alarm::every(PERIOD, SIGUSR1);
    let selected = select(readable.nfds(), Some(&mut readable), None, None, Some(&mut timeout));
    drop(alarm);
    lab.observe(selected);

    lab.predict(&POLL);
    let alarm = Alarm::every(PERIOD, SIGUSR1);
    let polled = poll(&mut [PollFd::new(ours.as_fd(), POLLIN)], 5000);
    drop(alarm);
    lab.observe(polled);

    lab.say("The peer, a thread too, sends five bytes after 400 ms.");
    lab.predict(&RECV);
    let alarm = Alarm::every(PERIOD, SIGUSR1);
    let (_receiving, is_received) = channel();
    let peer = spawn(move || send_after(PERIOD * 4, theirs, is_received));
    let received = recv(&ours, &mut buf, MsgFlags::NONE);
    drop(alarm);
    lab.observe(received);
    joined(peer)?;

    lab.say(
        "Another peer does so after 2 s, unless recv has returned. Where five bytes arrive, recv was restarted, with the \
         whole limit of 5 s.",
    );
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    setsockopt(&ours, SOL_SOCKET, SO_RCVTIMEO, &TimeVal { tv_sec: 5, tv_usec: 0 })?;
    lab.predict(&RECV_WITH_LIMIT);
    let alarm = Alarm::every(PERIOD, SIGUSR1);
    // So late that a signal comes first also on a busy machine.
    let (receiving, is_received) = channel();
    let peer = spawn(move || send_after(PERIOD * 20, theirs, is_received));
    let received = recv(&ours, &mut buf, MsgFlags::NONE);
    drop((alarm, receiving));
    // The signals did not end it; the five bytes did.
    lab.observe(received.map(|_| "restarted"));
    joined(peer)?;
    Ok(())
}

const PERIOD: Duration = Duration::from_millis(100);

/// The peer: it sends after a while, or not at all if the receive is over before that.
fn send_after(delay: Duration, end: Fd, is_received: Receiver<()>) -> io::Result<Fd> {
    // Blocked in this thread, so that the kernel delivers them to the thread that waits in recv.
    sigprocmask(&SignalSet::empty().with(SIGUSR1).with(SIGALRM))?;
    if is_received.recv_timeout(delay) == Err(RecvTimeoutError::Timeout) {
        send(&end, b"hello", MSG_NOSIGNAL)?;
    }
    Ok(end)
}
