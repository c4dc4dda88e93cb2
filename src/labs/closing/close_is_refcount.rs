//! I closed the socket. Why does the peer not see the end?
//!
//! Because another descriptor still refers to the socket: a duplicate, or the copy that a child process inherited.
//! close gives up one descriptor; the connection ends with the last one. shutdown ends the connection at once, however
//! many descriptors there are.

use std::io;

use crate::labs::peers::ChildProcess;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{listener, set_nonblocking, tcp_pair, wait_for};
use crate::labs::wire::WireFact;
use crate::labs::{Expect, Expected, Lab, LabProcess, Prediction, WirePrediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "close-is-refcount",
    claim: "close ends a connection only for the last descriptor; shutdown does at once.",
    question: "I closed the socket. Why does the peer not see the end?",
    explanation: "dup and fork make more file descriptors for the same open socket; the kernel sends the FIN when the \
        last of them is closed. shutdown acts on the connection and not on a descriptor, so it takes effect at once. A \
        listener that a child process keeps across exec still holds its port: close-on-exec (FD_CLOEXEC) prevents that.",
    elsewhere: "",
    sources: &["close(2)", "shutdown(2)", "POSIX close and shutdown", "Stevens, UNP 4.8"],
    related: &["half-close", "time-wait-bind", "drop-closes"],
    words: &["close", "FD_CLOEXEC", "EADDRINUSE"],
    minutes: 3,
    predictions: &[
        &ONE_OF_TWO,
        &LAST,
        &SHUT_DOWN,
        &CHILD_HOLDS,
        &LEAKED,
        &CHILD_GONE,
        &CLOSED,
        &FREE,
    ],
    on_wire: &[&FIRST_CLOSE, &SECOND_CLOSE],
    spoiled_by: "recv:ENOTCONN@1",
    roles: &[LabProcess { name: "keeper", run: keep }],
    run,
    ..Lab::ORDINARY
};

const ONE_OF_TWO: Prediction = Prediction {
    asks: "The peer has closed one of its two descriptors. What does our recv give, without waiting?",
    choices: &["0", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const LAST: Prediction = Prediction {
    asks: "The peer has closed the other one too. And now?",
    choices: &["0", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const SHUT_DOWN: Prediction = Prediction {
    asks: "This time the peer calls shutdown, and closes neither. What does our recv give?",
    choices: &["0", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const LEAKED: Prediction = Prediction {
    asks: "A child process inherited our listener. We have closed our copy. What does bind to its port give?",
    choices: &["success", "EADDRINUSE"],
    expect: Expect::everywhere(Expected::Is("EADDRINUSE")),
};

const CHILD_HOLDS: Prediction = Prediction {
    asks: "A child process inherited the peer's end, and the peer has closed its own copy. What does our recv give?",
    choices: &["0", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const CLOSED: Prediction = Prediction {
    asks: "Another child runs, but both were close-on-exec. The peer has closed. What does our recv give?",
    choices: &["0", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const FREE: Prediction = Prediction {
    asks: "And bind to the port of the listener, which we have closed?",
    choices: &["success", "EADDRINUSE"],
    expect: Expect::everywhere(Expected::Is("success")),
};

const CHILD_GONE: Prediction = Prediction {
    asks: "The child has ended. And now?",
    choices: &["success", "EADDRINUSE"],
    expect: Expect::everywhere(Expected::Is("success")),
};

const FIRST_CLOSE: WirePrediction = WirePrediction {
    asked: Prediction {
        asks: "Two descriptors lead to the peer's end. What does the close of the first send?",
        choices: &["nothing", "FIN ACK", "RST ACK"],
        expect: Expect::on_linux(Expected::Is("nothing")),
    },
    fact: WireFact::FirstSegment,
};

const SECOND_CLOSE: WirePrediction = WirePrediction {
    asked: Prediction {
        asks: "And the close of the second?",
        choices: &["nothing", "FIN ACK", "RST ACK"],
        expect: Expect::on_linux(Expected::Is("FIN ACK")),
    },
    fact: WireFact::FirstSegment,
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];

    lab.part("Two descriptors, closed one after the other");
    let (peer, ours) = tcp_pair()?;
    set_nonblocking(&ours)?;
    let second = dup(&peer)?;
    lab.predict_on_wire(&FIRST_CLOSE);
    close(peer)?;
    lab.observe_on_wire();
    lab.predict(&ONE_OF_TWO);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    lab.predict_on_wire(&SECOND_CLOSE);
    close(second)?;
    lab.observe_on_wire();
    wait_for(&ours, POLLIN)?;
    lab.predict(&LAST);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));

    lab.part("Two descriptors, and shutdown");
    let (peer, ours) = tcp_pair()?;
    set_nonblocking(&ours)?;
    let second = dup(&peer)?;
    shutdown(&peer, SHUT_WR)?;
    wait_for(&ours, POLLIN)?;
    lab.predict(&SHUT_DOWN);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    drop((peer, second));

    lab.part("The broken way: a child keeps descriptors that it does not know of");
    let (l, address) = listener()?;
    let (peer, ours) = tcp_pair()?;
    set_nonblocking(&ours)?;
    // The child inherits every descriptor that is not close-on-exec, whether it needs them or not.
    let child = ChildProcess::start(lab.role("keeper")?)?;
    lab.say("A child process runs. It has inherited a listener and both ends of a connection, and does not use them.");
    close(peer)?;
    // A FIN would be here within this time.
    poll(&mut [PollFd::new(ours.as_fd(), POLLIN)], 50)?;
    lab.predict(&CHILD_HOLDS);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    close(l)?;
    let again = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&LEAKED);
    lab.observe(bind(&again, &address));
    kill(child.pid(), SIGTERM)?;
    drop(child);
    lab.predict(&CHILD_GONE);
    lab.observe(bind(&again, &address));

    lab.part("The right way: close-on-exec");
    let (l, address) = listener()?;
    let (peer, ours) = tcp_pair()?;
    set_nonblocking(&ours)?;
    for fd in [&l, &peer, &ours] {
        fcntl_setfd(fd, FD_CLOEXEC)?;
    }
    let _child = ChildProcess::start(lab.role("keeper")?)?;
    lab.say(
        "A child process runs again. exec closed the descriptors that are marked close-on-exec.",
    );
    close(peer)?;
    wait_for(&ours, POLLIN)?;
    lab.predict(&CLOSED);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    close(l)?;
    let again = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&FREE);
    lab.observe(bind(&again, &address));
    Ok(())
}

/// Holds what it inherited until it is killed, or the lab has ended.
fn keep(_: &[String]) -> LabResult {
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
