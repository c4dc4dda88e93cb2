//! I check a flag, then I call select. What if the signal comes in between?
//!
//! Then select sleeps, because the handler has already run. pselect admits the signal only while it waits; a
//! self-pipe stores it until the loop reads the pipe.

use std::time::Instant;

use crate::labs::run::{LabResult, Run};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::signals::{into_pipe, ppoll_if_there_is_one};
use crate::os::system::System::MacOs;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "signal-race",
    claim: "A signal just before select does not end it; pselect or a self-pipe helps.",
    question: "My handler sets a flag, and my loop checks it. Why does the loop sometimes keep sleeping?",
    explanation: "There is a gap between checking the flag and starting to wait, and a signal that arrives in this gap \
        interrupts nothing (a race). Keep the signal blocked, and let pselect (or ppoll) unblock it atomically when it \
        starts to wait; or let the handler write into a pipe that the loop watches, as baresock serve does.",
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
    asks: "The same just before a poll with a timeout of 300 ms. How long does poll sleep?",
    choices: &["less than 299 ms", "at least 299 ms"],
    expect: Expect::everywhere(Expected::AtLeast(299, "ms")),
};

const PSELECT: Prediction = Prediction {
    asks: "The signal is blocked, and arrived before pselect, which unblocks it. What does pselect give?",
    choices: &["0", "1", "EINTR"],
    expect: Expect::everywhere(Expected::Is("EINTR")),
};

const PSELECT_TIME: Prediction = Prediction {
    asks: "The same again, with a timeout of 2 s. How long does pselect wait?",
    choices: &["less than 500 ms", "500 to 1999 ms", "at least 2000 ms"],
    expect: Expect::everywhere(Expected::Between(0, 499, "ms")),
};

const PPOLL: Prediction = Prediction {
    asks: "The same again, before ppoll. What does ppoll give?",
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

    lab.part("The broken way: check a flag, then wait");
    lab.say(
        "The flag is not set. At this very moment, before the call of select, the signal arrives.",
    );
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
    lab.say("The signal arrives at the same moment. It is blocked, so it stays pending.");
    kill(me, SIGUSR1)?;
    lab.predict(&PSELECT);
    let limit = TimeSpec { tv_sec: 2, tv_nsec: 0 };
    lab.observe(pselect(0, None, None, None, Some(&limit), Some(&admitted)));
    kill(me, SIGUSR1)?;
    lab.predict(&PSELECT_TIME);
    let began = Instant::now();
    // Its result was shown above; only the time counts here.
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
