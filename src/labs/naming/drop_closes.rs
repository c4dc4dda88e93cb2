//! What closes a file descriptor, and what if it is never closed, or closed twice?
//!
//! In Rust a file descriptor has one owner, and is closed when the owner goes out of scope: the peer reads the end of
//! file at once. A leaked descriptor stays open, and the peer waits forever for the end of file. A double close is
//! worse: the kernel reuses numbers, the lowest first, so the second close may hit another connection that now has the
//! number.

use std::mem;

use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::wild::ownership::close_number;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "drop-closes",
    claim: "One owner for each descriptor: a leak makes peers wait; closing twice harms.",
    question: "What closes a socket, and what if it is never closed, or closed twice?",
    explanation: "The peer reads the end of file when the last descriptor is closed, not when our program stops using \
        it. The number of a closed descriptor may belong to another connection a moment later; closing the number \
        again is harmless in a single-threaded test, but cuts another client's connection in a server. An owner that \
        closes once, and cannot be used afterwards, prevents both mistakes.",
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
    asks: "The descriptor is leaked: still open, but no variable holds it. For how many descriptors does the peer's \
        poll report anything?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const TWICE: Prediction = Prediction {
    asks: "What does a second close of the same number give?",
    choices: &["success", "EBADF"],
    expect: Expect::everywhere(Expected::Is("EBADF")),
};

const STRANGER: Prediction = Prediction {
    asks: "Between the two calls, a new socket got the number. What does the second close give?",
    choices: &["success", "EBADF"],
    expect: Expect::everywhere(Expected::Is("success")),
};

const ITS_PEER: Prediction = Prediction {
    asks: "What does the new socket's peer get from recv?",
    choices: &["0", "5", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const ITS_CLOSE: Prediction = Prediction {
    asks: "And the owner of the new socket, when it closes it?",
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
    lab.part("The broken way: the descriptor is leaked");
    let [ours, peer] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    let number = ours.number();
    mem::forget(ours);
    lab.predict(&LEAKED);
    lab.observe(poll(&mut [PollFd::new(peer.as_fd(), POLLIN)], 100));
    lab.say("The descriptor would stay open until this process ends. Only its number is left to close it by.");
    close_number(wild, number)?;

    lab.part("The broken way: closed twice");
    lab.predict(&TWICE);
    lab.observe(close_number(wild, number));
    lab.say("No harm was done. But the kernel reuses numbers, the lowest first:");
    let [stranger, its_peer] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    if stranger.number() != number {
        return Err(Stop::failed("the number was not reused"));
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
