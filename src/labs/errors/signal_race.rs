//! I check a flag, then I call select. What if the signal comes in between?
//!
//! Then select sleeps, for the signal has been and gone. pselect lets it in only while it waits; a self-pipe keeps it
//! until somebody looks.

use std::time::Instant;

use crate::labs::run::{LabResult, Run};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::signals::{into_pipe, ppoll_if_there_is_one};
use crate::os::system::System::MacOs;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "signal-race",
    claim: "A signal just before select is lost for it; pselect or a self-pipe sees it.",
    question: "My handler sets a flag, and my loop looks at it. Why does it sometimes sleep on?",
    explanation: "Between looking at the flag and beginning to wait there is a gap, and a signal that falls into it \
        interrupts nothing. Hold the signal back all the time, and let pselect (or ppoll) admit it in the same step in which \
        it begins to wait; or let the handler write into a pipe that the loop watches, which is what baresock serve does.",
    elsewhere: "ppoll, which does the same for poll, is missing on macOS.",
    sources: &["select_tut(2)", "pselect(2)", "POSIX pselect", "D. J. Bernstein's self-pipe trick"],
    related: &["eintr-despite-sa-restart"],
    words: &["pselect", "sigprocmask", "EINTR"],
    minutes: 3,
    predictions: &[&BROKEN, &BROKEN_TIME, &PSELECT, &PSELECT_TIME, &PPOLL, &PIPE],
    spoiled_by: "pselect:ENOMEM",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const BROKEN: Prediction = Prediction {
    asks: "The signal came just before select. What does select give?",
    choices: &["0", "1", "EINTR"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const BROKEN_TIME: Prediction = Prediction {
    asks: "The same before a poll, whose timeout is 300 ms. How long does poll sleep?",
    choices: &["less than 299 ms", "at least 299 ms"],
    expect: Expect::everywhere(Expected::AtLeast(299, "ms")),
};

const PSELECT: Prediction = Prediction {
    asks: "The signal is held back, and came before pselect, which admits it. What does pselect give?",
    choices: &["0", "1", "EINTR"],
    expect: Expect::everywhere(Expected::Is("EINTR")),
};

const PSELECT_TIME: Prediction = Prediction {
    asks: "It comes so once more. How long does pselect wait, whose timeout is 2 s?",
    choices: &["less than 500 ms", "500 to 1999 ms", "at least 2000 ms"],
    expect: Expect::everywhere(Expected::Between(0, 499, "ms")),
};

const PPOLL: Prediction = Prediction {
    asks: "And once more, before ppoll. What does ppoll give?",
    choices: &["0", "EINTR", "ENOSYS"],
    // macOS has none.
    expect: Expect::everywhere(Expected::Is("EINTR")).but(
        &[MacOs],
        Expected::Is("ENOSYS"),
        "macOS has no ppoll",
    ),
};

const PIPE: Prediction = Prediction {
    asks: "The handler writes into a pipe. The signal came before select, which watches the pipe. What does it give?",
    choices: &["0", "1", "EINTR"],
    expect: Expect::everywhere(Expected::Is("1")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let me = std::process::id();
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Interrupt)), None)?;

    lab.part("The broken way: look at a flag, then wait");
    lab.say("The flag is not set. In this very moment, before select is called, the signal comes.");
    kill(me, SIGUSR1)?;
    let mut timeout = TimeVal { tv_sec: 0, tv_usec: 300_000 };
    lab.predict(&BROKEN);
    lab.observe(select(0, None, None, None, Some(&mut timeout)));
    kill(me, SIGUSR1)?;
    lab.predict(&BROKEN_TIME);
    let began = Instant::now();
    let waited = poll(&mut [], 300);
    lab.observe(waited.and(Ok(began.elapsed())));

    lab.part("A right way: pselect, or ppoll");
    let admitted = sigprocmask(&SignalSet::empty().with(SIGUSR1))?;
    lab.say("It comes at the same moment. Held back, it waits.");
    kill(me, SIGUSR1)?;
    lab.predict(&PSELECT);
    let limit = TimeSpec { tv_sec: 2, tv_nsec: 0 };
    lab.observe(pselect(0, None, None, None, Some(&limit), Some(&admitted)));
    kill(me, SIGUSR1)?;
    lab.predict(&PSELECT_TIME);
    let began = Instant::now();
    // What it gives was seen above; only the time counts here.
    let _ = pselect(0, None, None, None, Some(&limit), Some(&admitted));
    lab.observe(began.elapsed());
    kill(me, SIGUSR1)?;
    lab.predict(&PPOLL);
    lab.observe(ppoll_if_there_is_one(&mut [], Some(&limit), Some(&admitted)));
    sigprocmask(&admitted)?;

    lab.part("Another: the handler writes into a pipe");
    let pipe = into_pipe(&[SIGUSR1])?;
    kill(me, SIGUSR1)?;
    let mut readable = FdSet::new();
    readable.set(&pipe).map_err(|_| Errno::EMFILE)?;
    let mut timeout = TimeVal { tv_sec: 0, tv_usec: 300_000 };
    lab.predict(&PIPE);
    lab.observe(select(readable.nfds(), Some(&mut readable), None, None, Some(&mut timeout)));
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Default)), None)?;
    drop(self_pipe(None)); // the end that the handler wrote to
    Ok(())
}
