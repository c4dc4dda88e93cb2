//! I have set SO_RCVTIMEO: how long does poll wait?
//!
//! As long as its own timeout says, forever if that is -1. `SO_RCVTIMEO` and `SO_SNDTIMEO` limit the calls that move
//! bytes or make connections. When the time is up these calls fail with `EAGAIN`, as if the socket were non-blocking,
//! and `connect` with `EINPROGRESS`. `select` and `poll` ignore the socket's timeouts.

use std::time::{Duration, Instant};

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{
    fill_queue, loopback, millis, or_waits_forever, tcp_pair, unless_signalled,
};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "rcvtimeo-not-poll",
    claim: "SO_RCVTIMEO makes recv fail with EAGAIN; poll and select ignore it.",
    question: "I have set SO_RCVTIMEO: how long does poll wait?",
    explanation: "A socket's timeouts apply to the calls that block on it: recv, accept, send, connect. When the time \
        is up the call fails like a non-blocking one, with EAGAIN; connect fails with EINPROGRESS, and its attempt \
        continues. select and poll wait as long as their own timeout says. The limit is for one call, not for a \
        message: a peer that sends one byte now and then restarts it forever.",
    elsewhere: "Only on Linux does SO_RCVTIMEO limit accept, and SO_SNDTIMEO connect. On the BSDs and macOS accept keeps \
        waiting, and so does connect until TCP itself gives up: on NetBSD with ETIMEDOUT after 75 s. (FreeBSD resets a \
        connection that finds the queue full.)",
    sources: &[
        "socket(7), SO_RCVTIMEO and SO_SNDTIMEO",
        "POSIX setsockopt",
        "gVisor: RecvTimeoutReadSucceeds",
    ],
    related: &[
        "blocking-or-eagain",
        "nb-connect-ok",
        "pending-and-eintr",
        "eintr-despite-sa-restart",
    ],
    words: &["SO_RCVTIMEO", "SO_SNDTIMEO", "EAGAIN", "EINPROGRESS", "poll"],
    predictions: &[&RECEIVE, &ACCEPT, &CONNECT, &POLL],
    descriptors: 200,
    spoiled_by: "recv:EINTR@1",
    run,
    ..Lab::ORDINARY
};

const RECEIVE: Prediction = Prediction {
    asks: "SO_RCVTIMEO is 100 ms, and no data arrives. What does recv give?",
    choices: &["0", "EAGAIN", "ETIMEDOUT", "EINTR"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const ACCEPT: Prediction = Prediction {
    asks: "The listener has it too, and no client connects. What does accept give?",
    choices: &["EAGAIN", "ETIMEDOUT", "ECONNABORTED", "waits forever"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

/// What connect does if `SO_SNDTIMEO` does not end its attempt. The lab stops watching after 1.5 s; without that, NetBSD gave
/// ETIMEDOUT after 75 s.
const KEEPS_WAITING: &str = "keeps waiting";

const CONNECT: Prediction = Prediction {
    asks: "SO_SNDTIMEO is 100 ms, and the listener's queue is full. What does connect give?",
    choices: &["EAGAIN", "ETIMEDOUT", "EINPROGRESS", "ECONNREFUSED", KEEPS_WAITING],
    expect: Expect::on_linux(Expected::Is("EINPROGRESS")),
};

const POLL: Prediction = Prediction {
    asks: "SO_RCVTIMEO is 100 ms, poll's timeout is 300 ms, and no data arrives. How long does poll wait?",
    choices: &["100 ms", "300 ms"],
    expect: Expect::everywhere(Expected::Is("300 ms")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("Calls that block");
    let (_c, a) = tcp_pair()?;
    setsockopt(&a, SOL_SOCKET, SO_RCVTIMEO, &millis(100))?;
    lab.predict(&RECEIVE);
    lab.observe(recv(&a, &mut [0; 64], MsgFlags::NONE));

    let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    bind(&l, &loopback(0))?;
    listen(&l, 0)?;
    setsockopt(&l, SOL_SOCKET, SO_RCVTIMEO, &millis(100))?;
    lab.say(
        "On a system where the limit does not apply to a call, SIGUSR1 ends its wait after 1.5 s.",
    );
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Interrupt)), None)?;
    lab.predict(&ACCEPT);
    let accepted = or_waits_forever(|| accept(&l).map(|_| ()));
    lab.observe(accepted);

    lab.say(
        "The queue of this listener is full, and the server does not accept. On Linux one client fits into the queue.",
    );
    let address = getsockname(&l)?;
    let _waiting = fill_queue(&address)?;
    let another = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    setsockopt(&another, SOL_SOCKET, SO_SNDTIMEO, &millis(100))?;
    lab.predict(&CONNECT);
    let connected = unless_signalled(KEEPS_WAITING, || connect(&another, &address));
    lab.observe(connected);

    lab.part("poll ignores it");
    lab.predict(&POLL);
    let begun = Instant::now();
    poll(&mut [PollFd::new(a.as_fd(), POLLIN)], 300)?;
    let waited = begun.elapsed();
    lab.observe(if waited < Duration::from_millis(300) { "100 ms" } else { "300 ms" });
    Ok(())
}
