//! Can select sleep, and which times does it accept?
//!
//! Without descriptors select just waits for the timeout; programs once used it to sleep for less than a second.
//! Linux's C libraries accept more than a million microseconds and carry them into the seconds (that part of the lab
//! takes over a second); a negative time, or a negative nfds, is EINVAL.

use std::time::Instant;

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{millis, only};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "select-as-sleep",
    claim: "select without descriptors sleeps; invalid times are EINVAL.",
    question: "Can select sleep, and which times does it accept?",
    explanation: "Without descriptors only the timeout or a signal can end select. A timeval should have less than a \
        million microseconds: glibc carries the excess into the seconds, other systems refuse it. poll takes \
        milliseconds in an int, where -1 means forever; Linux treats every negative number like that, but not every \
        system does.",
    elsewhere: "The BSDs and macOS give EINVAL for a million microseconds and more, and the BSDs for a timeout of \
        poll below -1.",
    sources: &["select(2)", "poll(2)", "POSIX select", "gVisor: NullFds"],
    related: &["timeout-mutates", "eintr-despite-sa-restart"],
    words: &["select", "poll", "EINVAL"],
    predictions: &[
        &SLEPT,
        &POLL_SLEPT,
        &MANY_MICROSECONDS,
        &CARRIED,
        &NEGATIVE_TIME,
        &NEGATIVE_POLL,
        &NEGATIVE_NFDS,
    ],
    spoiled_by: "select:EINTR@1",
    minutes: 1,
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const SLEPT: Prediction = Prediction {
    asks: "nfds is 0, there is no set, the timeout is 100 ms. How long does select take?",
    choices: &["less than 100 ms", "at least 100 ms", "forever"],
    expect: Expect::everywhere(Expected::AtLeast(100, "ms")),
};

const POLL_SLEPT: Prediction = Prediction {
    asks: "poll without rows, for 50 ms: how long does it take?",
    choices: &["less than 50 ms", "at least 50 ms", "forever"],
    expect: Expect::everywhere(Expected::AtLeast(50, "ms")),
};

const MANY_MICROSECONDS: Prediction = Prediction {
    asks: "A byte waits; the timeout has 0 seconds and 1,500,000 microseconds. What does select give?",
    choices: &["1", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("1")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("EINVAL"),
        "a million microseconds or more are invalid",
    ),
};

const CARRIED: Prediction = Prediction {
    asks: "Now no data arrives, and the timeout has 1,100,000 microseconds. How long does select wait?",
    choices: &["0 to 99 ms", "100 to 1099 ms", "at least 1100 ms", "EINVAL"],
    expect: Expect::on_linux(Expected::AtLeast(1100, "ms")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("EINVAL"),
        "a million microseconds or more are invalid",
    ),
};

const NEGATIVE_TIME: Prediction = Prediction {
    asks: "The timeout is -1 seconds. What does select give?",
    choices: &["0", "EINVAL", "it waits forever"],
    expect: Expect::everywhere(Expected::Is("EINVAL")),
};

const NEGATIVE_POLL: Prediction = Prediction {
    asks: "A byte waits; the timeout of poll is -2 ms. What does poll give?",
    choices: &["0", "1", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("1")).but(
        &[FreeBsd, NetBsd, OpenBsd],
        Expected::Is("EINVAL"),
        "only -1 means that there is no limit",
    ),
};

const NEGATIVE_NFDS: Prediction = Prediction {
    asks: "nfds is -1. What does select give?",
    choices: &["0", "EINVAL", "EBADF"],
    expect: Expect::everywhere(Expected::Is("EINVAL")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("No descriptors to wait for");
    lab.predict(&SLEPT);
    let began = Instant::now();
    let slept = select(0, None, None, None, Some(&mut millis(100)));
    lab.observe(slept.and(Ok(began.elapsed())));
    lab.predict(&POLL_SLEPT);
    let began = Instant::now();
    let slept = poll(&mut [], 50);
    lab.observe(slept.and(Ok(began.elapsed())));

    lab.part("Odd times");
    let [c, a] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    send(&c, b"x", MSG_NOSIGNAL)?;
    let mut timeout = TimeVal { tv_sec: 0, tv_usec: 1_500_000 };
    let mut readable = only(&a)?;
    lab.predict(&MANY_MICROSECONDS);
    lab.observe(select(readable.nfds(), Some(&mut readable), None, None, Some(&mut timeout)));
    let mut timeout = TimeVal { tv_sec: 0, tv_usec: 1_100_000 };
    lab.predict(&CARRIED);
    let began = Instant::now();
    let slept = select(0, None, None, None, Some(&mut timeout));
    lab.observe(slept.and(Ok(began.elapsed())));
    let mut timeout = TimeVal { tv_sec: -1, tv_usec: 0 };
    lab.predict(&NEGATIVE_TIME);
    lab.observe(select(0, None, None, None, Some(&mut timeout)));
    lab.predict(&NEGATIVE_POLL);
    lab.observe(poll(&mut [PollFd::new(a.as_fd(), POLLIN)], -2));

    lab.part("An odd count");
    lab.predict(&NEGATIVE_NFDS);
    lab.observe(select(-1, None, None, None, Some(&mut millis(0))));
    Ok(())
}
