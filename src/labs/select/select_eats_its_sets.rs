//! Why does select work only once?
//!
//! A set is question and answer in one. After a timeout the set is empty, and a program that passes it again asks for
//! no descriptor: select does not report waiting data. Linux changes the timeout too: it writes back the time that is
//! left, which after a timeout is zero, so the loop spins.

use std::time::{Duration, Instant};

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{millis, only};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, LinuxMusl, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "select-eats-its-sets",
    claim: "select rewrites its sets: without a new copy you ask for no descriptor.",
    question: "Why does select work only once?",
    explanation: "After the call the sets hold only the ready descriptors; after a timeout, none. On Linux (glibc) the \
        timeval holds only the time that is left. Both are question and answer in one, so set both again before every \
        call: keep one set as the master, and pass select a copy.",
    elsewhere: "Every system rewrites the sets. The BSDs, macOS and musl leave the timeout alone, so a program that \
        forgets to set it again works there and spins on Linux.",
    sources: &["select(2)", "select_tut(2)", "POSIX select"],
    related: &["timeout-mutates", "poll-array-rules", "always-ready"],
    words: &["select", "FD_SETSIZE"],
    predictions: &[&REUSED_SET, &LEFT_OF_TIMEOUT, &REUSED_TIMEOUT, &BUILT_ANEW],
    spoiled_by: "select:EBADF@2",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const REUSED_SET: Prediction = Prediction {
    asks: "A byte has arrived in the meantime. The same set is passed again. What does select return?",
    choices: &["0", "1", "EBADF"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const LEFT_OF_TIMEOUT: Prediction = Prediction {
    asks: "No data arrives for the whole timeout of 300 ms. What is in the timeval then?",
    choices: &["0 ms", "300 ms"],
    expect: Expect::on_linux(Expected::Is("0 ms")).but(
        &[LinuxMusl, FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("300 ms"),
        "only Linux writes to the timeval, and musl passes it a copy",
    ),
};

const REUSED_TIMEOUT: Prediction = Prediction {
    asks: "The set is new, the same timeval is passed again, and no data arrives. How long does select wait?",
    choices: &["less than 300 ms", "at least 300 ms", "forever"],
    expect: Expect::on_linux(Expected::Between(0, 250, "ms")).but(
        &[LinuxMusl, FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::AtLeast(300, "ms"),
        "the timeval is as it was",
    ),
};

const BUILT_ANEW: Prediction = Prediction {
    asks: "A byte waits, and both the set and the timeval are new. What does select return?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("1")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let [c, a] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;

    lab.part("The broken way: a set that was already used");
    let mut readable = only(&a)?;
    let nfds = readable.nfds();
    select(nfds, Some(&mut readable), None, None, Some(&mut millis(10)))?;
    lab.say("The timeout has passed: no descriptor was ready, so the set is empty now.");
    send(&c, b"x", MSG_NOSIGNAL)?;
    lab.predict(&REUSED_SET);
    lab.observe(select(nfds, Some(&mut readable), None, None, Some(&mut millis(10))));

    lab.part("The broken way: a timeout that was already used");
    recv(&a, &mut [0], MsgFlags::NONE)?;
    let mut timeout = millis(300);
    lab.predict(&LEFT_OF_TIMEOUT);
    select(nfds, Some(&mut only(&a)?), None, None, Some(&mut timeout))?;
    lab.observe(Duration::from_micros((timeout.tv_sec * 1_000_000 + timeout.tv_usec) as u64));
    lab.predict(&REUSED_TIMEOUT);
    let began = Instant::now();
    select(nfds, Some(&mut only(&a)?), None, None, Some(&mut timeout))?;
    lab.observe(began.elapsed());

    lab.part("The right way: set both again before every call");
    send(&c, b"x", MSG_NOSIGNAL)?;
    let master = only(&a)?;
    let mut readable = master;
    lab.predict(&BUILT_ANEW);
    lab.observe(select(master.nfds(), Some(&mut readable), None, None, Some(&mut millis(300))));
    Ok(())
}
