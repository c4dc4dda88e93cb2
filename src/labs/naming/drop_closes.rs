//! Who closes a descriptor, and what if nobody does, or two do?
//!
//! In Rust a descriptor has one owner, and is closed when the owner goes out of scope: the peer reads the end of file at
//! once. Leaked, it stays open, and the peer waits for something that never comes. Closed twice it is worse: numbers
//! are given out again, the lowest first, so that the second close hits whoever has the number now.

use std::mem;

use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::wild::ownership::close_number;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "drop-closes",
    claim: "One owner for each descriptor: leaked, the peer waits; closed twice, it harms.",
    question: "Who closes a socket, and what if nobody does, or two do?",
    explanation: "The peer reads the end of file when the last descriptor is closed, not when we stop caring. A number that is \
        closed may belong to somebody else a moment later; closing it again, harmless in a test of one thread, cuts a \
        stranger's connection in a server. One owner, which closes once and cannot be used afterwards, excludes both.",
    elsewhere: "",
    sources: &[
        "close(2)",
        "POSIX close; POSIX 2.14 (the lowest number that is free is allocated)",
        "the Python Socket HOWTO, which asks us to close our sockets",
    ],
    related: &["close-is-refcount", "close-under-wait", "socketpair-talks"],
    words: &["close", "EBADF"],
    minutes: 3,
    predictions: &[&LEAKED, &TWICE, &STRANGER, &ITS_PEER, &ITS_CLOSE, &OUT_OF_SCOPE],
    spoiled_by: "recv:EAGAIN@1",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const LEAKED: Prediction = Prediction {
    asks: "The descriptor is leaked: open, and nobody has it. How many descriptors are ready for the peer's poll?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const TWICE: Prediction = Prediction {
    asks: "What does a second close of the same number give?",
    choices: &["success", "EBADF"],
    expect: Expect::everywhere(Expected::Is("EBADF")),
};

const STRANGER: Prediction = Prediction {
    asks: "Between the two, somebody else was given the number. What does the second close give?",
    choices: &["success", "EBADF"],
    expect: Expect::everywhere(Expected::Is("success")),
};

const ITS_PEER: Prediction = Prediction {
    asks: "What does the stranger's peer get from recv?",
    choices: &["0", "5", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const ITS_CLOSE: Prediction = Prediction {
    asks: "And the stranger, when it closes its own socket?",
    choices: &["success", "EBADF"],
    expect: Expect::everywhere(Expected::Is("EBADF")),
};

const OUT_OF_SCOPE: Prediction = Prediction {
    asks: "The owner is gone. What does the peer's recv give?",
    choices: &["0", "EBADF", "it waits"],
    expect: Expect::everywhere(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let wild = lab.wild();
    let mut buf = [0; 64];
    lab.part("The broken way: nobody closes");
    let [ours, peer] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    let number = ours.number();
    mem::forget(ours);
    lab.predict(&LEAKED);
    lab.observe(poll(&mut [PollFd::new(peer.as_fd(), POLLIN)], 100));
    lab.say("It would stay so until this process ends. Only its number is left to close it by.");
    close_number(wild, number)?;

    lab.part("The broken way: closed twice");
    lab.predict(&TWICE);
    lab.observe(close_number(wild, number));
    lab.say("Nothing happened. But numbers are given out again, the lowest first:");
    let [stranger, its_peer] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    if stranger.number() != number {
        return Err(Stop::failed("the number was not given out again"));
    }
    lab.predict(&STRANGER);
    lab.observe(close_number(wild, number));
    lab.predict(&ITS_PEER);
    lab.observe(recv(&its_peer, &mut buf, MSG_DONTWAIT));
    lab.predict(&ITS_CLOSE);
    lab.observe(close(stranger));

    lab.part("The right way: one owner, and the end of its scope");
    let [ours, peer] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    {
        let _owner = ours;
    }
    lab.predict(&OUT_OF_SCOPE);
    lab.observe(recv(&peer, &mut buf, MSG_DONTWAIT));
    Ok(())
}
