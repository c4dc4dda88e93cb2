//! What is in the timeval after select has returned?
//!
//! On Linux with glibc, the time that is left: also after a signal, and also after an error, where POSIX requires it to
//! be unchanged. This is useful (a signal need not lengthen the wait), but not portable: other systems leave the
//! timeval alone, and so does musl. pselect and ppoll take their timeout as const and never change it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::labs::peers::{Alarm, joined, spawn};
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{millis, only, unless_late};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::signals::ppoll_if_there_is_one;
use crate::os::system::System::{FreeBsd, LinuxMusl, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "timeout-mutates",
    claim: "Linux writes the time left into select's timeout; other systems do not.",
    question: "What is in the timeval after select has returned?",
    explanation: "The Linux kernel subtracts the time it has waited, and glibc hands the rest back, whether select \
        found something, was interrupted or failed. pselect and ppoll take a const timeout, so glibc passes the kernel \
        a copy. Portable programs set the timeval again before every call and keep a deadline of their own.",
    elsewhere: "The BSDs and macOS leave the timeval alone, and so does musl on Linux. POSIX allows both if select \
        succeeds, but no change if it fails, as after a signal (select(2), BUGS).",
    sources: &["select(2), NOTES and BUGS", "pselect(2)", "POSIX select", "gVisor: PselectTest"],
    related: &[
        "stopped-while-waiting",
        "select-eats-its-sets",
        "eintr-despite-sa-restart",
        "signal-race",
    ],
    words: &["select", "pselect", "EINTR"],
    predictions: &[&LEFT, &INTERRUPTED, &AFTER_SIGNAL, &AFTER_ERROR, &CONST, &CONST_TOO],
    spoiled_by: "select:ENOMEM",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const GIVEN_MS: i64 = 2000;
/// A wait that something ends after 100 ms is over before this, unless the machine is busy.
const LATEST: Duration = Duration::from_millis(500);

const LEFT: Prediction = Prediction {
    asks: "The timeout is 2000 ms, a byte arrives after about 100 ms. What is in the timeval then?",
    choices: &["less than 1000 ms", "1000 to 1999 ms", "2000 ms"],
    expect: REWRITTEN,
};

const INTERRUPTED: Prediction = Prediction {
    asks: "The same, but a signal with a handler comes. What does select give?",
    choices: &["EINTR", "0", "1"],
    expect: Expect::everywhere(Expected::Is("EINTR")),
};

const AFTER_SIGNAL: Prediction = Prediction {
    asks: "And what is in the timeval after EINTR?",
    choices: &["less than 1000 ms", "1000 to 1999 ms", "2000 ms"],
    expect: REWRITTEN,
};

const AFTER_ERROR: Prediction = Prediction {
    asks: "The set has a closed descriptor: EBADF at once. Did select change the timeval?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("yes")).but(
        &[LinuxMusl, FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("no"),
        "only Linux writes to the timeval, and musl passes it a copy",
    ),
};

const CONST: Prediction = Prediction {
    asks: "pselect has waited 100 ms and timed out. The same timespec again: how long does it wait?",
    choices: &["less than 100 ms", "at least 100 ms"],
    expect: Expect::everywhere(Expected::AtLeast(100, "ms")),
};

const CONST_TOO: Prediction = Prediction {
    asks: "ppoll has waited 100 ms and timed out. The same timespec again: how long does it wait?",
    choices: &["less than 100 ms", "at least 100 ms", "ENOSYS"],
    expect: Expect::everywhere(Expected::AtLeast(100, "ms")).but(
        &[MacOs],
        Expected::Is("ENOSYS"),
        "macOS has no ppoll",
    ),
};

/// With glibc the time that is left. Elsewhere the original timeout.
const REWRITTEN: Expect = Expect::on_linux(Expected::Between(GIVEN_MS / 2, GIVEN_MS - 1, "ms"))
    .but(
        &[LinuxMusl, FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("2000 ms"),
        "only Linux writes to the timeval, and musl passes it a copy",
    );

fn run(lab: &mut Run<'_>) -> LabResult {
    let [c, a] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    let c = Arc::new(c);
    let nfds = a.number().get() + 1;

    lab.part("Something is ready");
    lab.say("The peer, a thread, sends a byte after 100 ms.");
    lab.predict(&LEFT);
    let left = unless_late(lab, LATEST, || {
        let mut readable = only(&a)?;
        let mut timeout = millis(GIVEN_MS);
        let peer = Arc::clone(&c);
        let peer = spawn(move || send_later(&peer));
        let found = select(nfds, Some(&mut readable), None, None, Some(&mut timeout));
        joined(peer)?;
        recv(&a, &mut [0], MsgFlags::NONE)?;
        Ok(found.and(Ok(left_of(timeout))))
    })?;
    lab.observe(left);

    lab.part("A signal comes");
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Interrupt)), None)?;
    lab.say("A thread sends SIGUSR1 to this process every 100 ms.");
    lab.predict(&INTERRUPTED);
    let (result, left) = unless_late(lab, LATEST, || {
        let mut readable = only(&a)?;
        let mut timeout = millis(GIVEN_MS);
        let _alarm = Alarm::every(Duration::from_millis(100), SIGUSR1);
        let result = select(nfds, Some(&mut readable), None, None, Some(&mut timeout));
        Ok((result, left_of(timeout)))
    })?;
    lab.observe(result);
    lab.predict(&AFTER_SIGNAL);
    lab.observe(left);

    lab.part("The call fails");
    let mut closed = only(&a)?;
    let mut timeout = millis(GIVEN_MS);
    close(a)?;
    lab.predict(&AFTER_ERROR);
    let result = select(nfds, Some(&mut closed), None, None, Some(&mut timeout));
    lab.observe(result.is_err() && timeout != millis(GIVEN_MS));

    lab.part("The right way, if it must not change: pselect, or set the timeval again");
    let timeout = TimeSpec { tv_sec: 0, tv_nsec: 100_000_000 };
    pselect(0, None, None, None, Some(&timeout), None)?;
    lab.predict(&CONST);
    let began = Instant::now();
    pselect(0, None, None, None, Some(&timeout), None)?;
    lab.observe(began.elapsed());
    // On a system without it, the second call says so.
    let _ = ppoll_if_there_is_one(&mut [], Some(&timeout), None);
    lab.predict(&CONST_TOO);
    let began = Instant::now();
    let slept = ppoll_if_there_is_one(&mut [], Some(&timeout), None);
    lab.observe(slept.and(Ok(began.elapsed())));
    Ok(())
}

/// The time in a timeval.
fn left_of(timeout: TimeVal) -> Duration {
    Duration::from_micros((timeout.tv_sec * 1_000_000 + timeout.tv_usec) as u64)
}

/// The peer: a byte, after a while.
fn send_later(c: &Fd) -> Result<usize> {
    thread::sleep(Duration::from_millis(100));
    send(c, b"x", MSG_NOSIGNAL)
}
