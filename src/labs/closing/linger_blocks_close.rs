//! Can close wait?
//!
//! Yes, if the program asked for it: with SO_LINGER and a time, close waits up to that long until the unsent bytes
//! are acknowledged. On Linux close waits even on a non-blocking socket, which no event loop expects.

use std::time::Instant;

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{fill, set_nonblocking, tcp_pair};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "linger-blocks-close",
    claim: "With SO_LINGER and a time, close waits, even on a non-blocking socket.",
    question: "My loop stood still for a second in close. Why?",
    explanation: "Without SO_LINGER close returns at once, and the kernel sends the remaining bytes in the background. \
        With SO_LINGER close waits until everything is sent and acknowledged, or the time is up; here the peer does \
        not read, so the time runs out. On Linux SO_LINGER ignores O_NONBLOCK: do not set it in an event loop.",
    elsewhere: "The BSDs and macOS do not wait on a non-blocking socket (soclose in the kernels).",
    sources: &[
        "socket(7), SO_LINGER",
        "POSIX close (implementation-defined with O_NONBLOCK)",
        "gVisor: CloseNonConnectedLingerOption",
    ],
    related: &["linger-zero", "partial-send"],
    words: &["SO_LINGER", "close", "O_NONBLOCK"],
    predictions: &[&ORDINARY, &LINGERING],
    spoiled_by: "setsockopt:EINVAL",
    run,
    ..Lab::ORDINARY
};

const ORDINARY: Prediction = Prediction {
    asks: "The send buffer is full and the peer does not read. How long does close take?",
    choices: &["less than 950 ms", "950 to 2500 ms", "at least 2501 ms"],
    expect: Expect::everywhere(Expected::Between(0, 500, "ms")),
};

const LINGERING: Prediction = Prediction {
    asks: "The same with SO_LINGER, one second, on a non-blocking socket. How long?",
    choices: &["less than 950 ms", "950 to 2500 ms", "at least 2501 ms"],
    expect: Expect::on_linux(Expected::Between(950, 2500, "ms")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Between(0, 500, "ms"),
        "close does not wait on a non-blocking socket",
    ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("Without SO_LINGER");
    let megabyte = vec![b'x'; 1 << 20];
    let (peer, ours) = tcp_pair()?;
    set_nonblocking(&ours)?;
    fill(lab, &ours, &megabyte)?;
    lab.predict(&ORDINARY);
    let began = Instant::now();
    close(ours)?;
    lab.observe(began.elapsed());
    drop(peer);

    lab.part("With it");
    let (peer, ours) = tcp_pair()?;
    set_nonblocking(&ours)?;
    fill(lab, &ours, &megabyte)?;
    // If the option cannot be set, the time below says so.
    setsockopt(&ours, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 1 }).ok();
    lab.predict(&LINGERING);
    let began = Instant::now();
    close(ours)?;
    lab.observe(began.elapsed());
    drop(peer);
    Ok(())
}
