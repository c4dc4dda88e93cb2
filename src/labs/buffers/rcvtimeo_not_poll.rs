//! I have set SO_RCVTIMEO: how long does poll wait?
//!
//! As long as it was told to, for ever if need be. `SO_RCVTIMEO` and `SO_SNDTIMEO` limit the calls that move bytes or make
//! connections; when their time is over these give `EAGAIN`, as if the socket were non-blocking, and `connect` gives
//! `EINPROGRESS`. `select` and `poll` have a timeout of their own and know nothing of the socket's.

use std::time::{Duration, Instant};

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{fill_queue, loopback, millis, or_waits_forever, tcp_pair};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "rcvtimeo-not-poll",
    claim: "SO_RCVTIMEO makes recv give EAGAIN; poll and select do not know of it.",
    question: "I have set SO_RCVTIMEO: how long does poll wait?",
    explanation: "The timeouts of a socket belong to the calls that block on it: recv, accept, send, connect. Their end \
        looks like that of a non-blocking call, EAGAIN, and for connect EINPROGRESS: the attempt goes on. select and \
        poll wait as long as their own timeout says. A timeout is for one call, not for a message: a peer that sends a \
        byte now and then keeps recv alive for ever.",
    elsewhere: "That SO_RCVTIMEO ends accept, and SO_SNDTIMEO connect, is so on Linux alone: the BSDs and macOS wait \
        on.",
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
    asks: "SO_RCVTIMEO is 100 ms, and nothing comes. What does recv give?",
    choices: &["0", "EAGAIN", "ETIMEDOUT", "EINTR"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const ACCEPT: Prediction = Prediction {
    asks: "The listener has it too, and nobody connects. What does accept give?",
    choices: &["EAGAIN", "ETIMEDOUT", "ECONNABORTED", "waits forever"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const CONNECT: Prediction = Prediction {
    asks: "SO_SNDTIMEO is 100 ms, and the listener's queue is full. What does connect give?",
    choices: &["EAGAIN", "ETIMEDOUT", "EINPROGRESS", "ECONNREFUSED", "waits forever"],
    expect: Expect::on_linux(Expected::Is("EINPROGRESS")),
};

const POLL: Prediction = Prediction {
    asks: "SO_RCVTIMEO is 100 ms; poll is told 300 ms, and nothing comes. How long does it wait?",
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
    lab.say("Where the limit does not count for a call, SIGUSR1 ends its wait after 1.5 s.");
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Interrupt)), None)?;
    lab.predict(&ACCEPT);
    let accepted = or_waits_forever(|| accept(&l).map(|_| ()));
    lab.observe(accepted);

    lab.say(
        "The queue of this listener is filled; nobody accepts. On Linux one client fits into it.",
    );
    let address = getsockname(&l)?;
    let _waiting = fill_queue(&address)?;
    let another = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    setsockopt(&another, SOL_SOCKET, SO_SNDTIMEO, &millis(100))?;
    lab.predict(&CONNECT);
    let connected = or_waits_forever(|| connect(&another, &address));
    lab.observe(connected);

    lab.part("poll does not know of it");
    lab.predict(&POLL);
    let begun = Instant::now();
    poll(&mut [PollFd::new(a.as_fd(), POLLIN)], 300)?;
    let waited = begun.elapsed();
    lab.observe(if waited < Duration::from_millis(300) { "100 ms" } else { "300 ms" });
    Ok(())
}
