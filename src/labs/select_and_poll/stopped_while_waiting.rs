//! I press Control-Z, and later fg. Is the time between them part of a timeout?
//!
//! For poll it is: the kernel stores the time at which the wait ends, and that moment may pass while the process is
//! stopped. The kernel restarts ppoll, select and pselect with the time that was left, and they wait for all of it. So
//! a program that changes from poll to ppoll changes its deadlines. A handler for SIGCONT makes all of them fail with
//! EINTR, and then the program decides. (The lab takes four seconds, because it stops a process several times.)

use std::ops::Range;
use std::time::Duration;

use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::millis;
use crate::labs::stopper::{STOPPER, Stopper};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::signals::ppoll_if_there_is_one;
use crate::os::system::System::GVisor;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "stopped-while-waiting",
    claim: "After Control-Z and fg, poll's deadline has run on; select waits the rest.",
    question: "Does the time during which a process is stopped count towards its timeout?",
    explanation: "A stopped process leaves its wait, and the kernel restarts the wait when the process continues. For \
        poll the kernel keeps the time at which the wait ends; for ppoll, select and pselect it keeps the time that \
        was left. So after fg, a debugger or a frozen container, a server closes idle clients at once over poll, but \
        later over select. A program with deadlines should handle SIGCONT: then each of these calls fails with EINTR, \
        and the program computes the next timeout again. baresock serve does that.",
    elsewhere: "In gVisor poll, too, waits for the time that was left.",
    sources: &[
        "signal(7), Interruption of system calls and library functions by stop signals",
        "restart_syscall(2)",
        "Linux 6.18, fs/select.c: do_restart_poll, poll_select_finish",
    ],
    related: &["eintr-despite-sa-restart", "timeout-mutates", "signal-race"],
    words: &["SIGSTOP", "SIGCONT", "poll", "ppoll", "select", "pselect", "EINTR"],
    minutes: 3,
    predictions: &[&POLL, &PPOLL, &SELECT, &PSELECT, &HANDLED],
    spoiled_by: "select:EINTR",
    roles: &[STOPPER],
    run,
    loopback: false,
    ..Lab::ORDINARY
};

/// How long each call is to wait.
const WAITS_MS: i32 = 500;

/// 500 ms if the deadline runs on, 900 ms if the call waits for the rest.
const HOW_LONG: &[&str] = &["less than 500 ms", "500 to 699 ms", "at least 700 ms"];
const RUNS_ON: Expected = Expected::Between(500, 699, "ms");
const WAITS_FOR_THE_REST: Expected = Expected::AtLeast(700, "ms");
/// A busy machine adds to both; a time between the two may be either, so the call is made again.
const EITHER: Range<Duration> = Duration::from_millis(600)..Duration::from_millis(800);
const ATTEMPTS: usize = 5;

const POLL: Prediction = Prediction {
    asks: "poll has a timeout of 500 ms. The process is stopped after 100 ms, for 400 ms. When does poll return?",
    choices: HOW_LONG,
    expect: Expect::on_linux(RUNS_ON).but(
        &[GVisor],
        WAITS_FOR_THE_REST,
        "it keeps the time that was left, for poll as well",
    ),
};

const PPOLL: Prediction = Prediction {
    asks: "And ppoll?",
    choices: HOW_LONG,
    expect: Expect::on_linux(WAITS_FOR_THE_REST),
};

const SELECT: Prediction = Prediction {
    asks: "And select?",
    choices: HOW_LONG,
    expect: Expect::on_linux(WAITS_FOR_THE_REST),
};

const PSELECT: Prediction = Prediction {
    asks: "And pselect?",
    choices: HOW_LONG,
    expect: Expect::on_linux(WAITS_FOR_THE_REST),
};

const HANDLED: Prediction = Prediction {
    asks: "The program handles SIGCONT now. What does select give?",
    choices: &["0", "1", "EINTR"],
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("The broken way: trust the timeout");
    lab.say(
        "Another process stops this one 100 ms after the start of a call (SIGSTOP), and continues it 400 ms later \
         (SIGCONT), as Control-Z and fg do.",
    );
    let stopper = Stopper::start(lab)?;
    let time = TimeSpec { tv_sec: 0, tv_nsec: i64::from(WAITS_MS) * 1_000_000 };

    lab.predict(&POLL);
    let took = how_long(&stopper, lab, || poll(&mut [], WAITS_MS))?;
    lab.observe(took);

    lab.predict(&PPOLL);
    let took = how_long(&stopper, lab, || ppoll_if_there_is_one(&mut [], Some(&time), None))?;
    lab.observe(took);

    lab.predict(&SELECT);
    let waits = || select(0, None, None, None, Some(&mut millis(WAITS_MS.into())));
    let took = how_long(&stopper, lab, waits)?;
    lab.observe(took);

    lab.predict(&PSELECT);
    let took = how_long(&stopper, lab, || pselect(0, None, None, None, Some(&time), None))?;
    lab.observe(took);

    lab.part("The right way: handle SIGCONT, and check the clock");
    sigaction(SIGCONT, Some(&SigAction::new(Handler::Interrupt)), None)?;
    lab.predict(&HANDLED);
    let took = how_long(&stopper, lab, waits)?;
    lab.observe(took);
    Ok(())
}

/// How long a call takes during which this process is stopped.
fn how_long(
    stopper: &Stopper,
    lab: &mut Run<'_>,
    mut call: impl FnMut() -> Result<usize>,
) -> std::result::Result<Result<Duration>, Stop> {
    for _ in 0..ATTEMPTS {
        let (returned, took) = stopper.stops(lab, &mut call)?;
        if !EITHER.contains(&took) {
            return Ok(returned.and(Ok(took)));
        }
        lab.say("This process ran late after SIGCONT, because the machine is busy. Once more.");
    }
    Err(Stop::skipped("this machine is too busy to measure a time"))
}
