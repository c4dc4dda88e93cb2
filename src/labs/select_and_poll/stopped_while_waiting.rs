//! I press Control-Z, and later fg. Is the time between them part of a timeout?
//!
//! For poll it is: the kernel has noted when the wait ends, and that moment passes while the process stands still. ppoll,
//! select and pselect are begun again with what was left of their time, and wait for it. So a program that changes from
//! poll to ppoll changes its deadlines. A handler for SIGCONT makes all of them fail with EINTR, and then the program
//! decides. (It takes four seconds, because a process has to stand still each time.)

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::millis;
use crate::labs::{Expect, Expected, Lab, LabProcess, Prediction};
use crate::os::signals::ppoll_if_there_is_one;
use crate::os::system::System::GVisor;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "stopped-while-waiting",
    claim: "Stopped by Control-Z, poll's deadline runs on; select waits for the rest.",
    question: "Is the time in which a process is stopped part of its timeout?",
    explanation: "A stopped process leaves its wait, and begins it again when it goes on. For poll the kernel keeps the moment at \
        which the wait ends; for ppoll, select and pselect it keeps the time that was left. So the same program closes its \
        idle clients at once, or later, after fg, a debugger or a frozen container. A program with deadlines of its own \
        handles SIGCONT: then each of these calls fails with EINTR, and the next one is given the right time. \
        baresock serve does so.",
    elsewhere: "In gVisor poll, too, waits for the rest.",
    sources: &[
        "signal(7), Interruption of system calls and library functions by stop signals",
        "restart_syscall(2)",
        "Linux 6.18, fs/select.c: do_restart_poll, poll_select_finish",
    ],
    related: &["eintr-despite-sa-restart", "timeout-mutates", "signal-race"],
    words: &["SIGSTOP", "SIGCONT", "poll", "ppoll", "select", "pselect", "EINTR"],
    minutes: 3,
    predictions: &[&POLL, &PPOLL, &SELECT, &PSELECT, &HANDLED],
    spoiled_by: "select:EINTR@1",
    roles: &[LabProcess { name: "stopper", run: stop_and_continue }],
    run,
    loopback: false,
    ..Lab::ORDINARY
};

/// How long each call is to wait; when it is stopped, and for how long.
const WAITS_MS: i32 = 500;
const STOPPED_AFTER: Duration = Duration::from_millis(100);
const STOPPED_FOR: Duration = Duration::from_millis(400);
/// It may be stopped so much after a call has begun, and what is observed is the same.
const LATEST: Duration = Duration::from_millis(200);
const ATTEMPTS: usize = 5;

/// 500 ms if the deadline runs on, 900 ms if the rest is waited for. A busy machine adds to both.
const HOW_LONG: &[&str] = &["less than 500 ms", "500 to 699 ms", "at least 700 ms"];
const RUNS_ON: Expected = Expected::Between(500, 699, "ms");
const WAITS_FOR_THE_REST: Expected = Expected::AtLeast(700, "ms");

const POLL: Prediction = Prediction {
    asks: "poll is to wait 500 ms. The process is stopped after 100 ms, for 400 ms. When does poll return?",
    choices: HOW_LONG,
    expect: Expect::on_linux(RUNS_ON).but(
        &[GVisor],
        WAITS_FOR_THE_REST,
        "it keeps what was left of the time, for poll as well",
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
    lab.part("The broken way: to trust the timeout");
    lab.say(
        "Another process stops this one 100 ms after a call has begun (SIGSTOP), and lets it go on 400 ms later (SIGCONT), \
         as Control-Z and fg do.",
    );
    let stopper = Stopper::start(lab.role("stopper")?)?;
    let time = TimeSpec { tv_sec: 0, tv_nsec: i64::from(WAITS_MS) * 1_000_000 };

    lab.predict(&POLL);
    let took = stopper.stops(lab, || poll(&mut [], WAITS_MS))?;
    lab.observe(took);

    lab.predict(&PPOLL);
    let took = stopper.stops(lab, || ppoll_if_there_is_one(&mut [], Some(&time), None))?;
    lab.observe(took);

    lab.predict(&SELECT);
    let waits = || select(0, None, None, None, Some(&mut millis(WAITS_MS.into())));
    let took = stopper.stops(lab, waits)?;
    lab.observe(took);

    lab.predict(&PSELECT);
    let took = stopper.stops(lab, || pselect(0, None, None, None, Some(&time), None))?;
    lab.observe(took);

    lab.part("The right way: to handle SIGCONT, and to look at the clock");
    sigaction(SIGCONT, Some(&SigAction::new(Handler::Interrupt)), None)?;
    lab.predict(&HANDLED);
    let took = stopper.stops(lab, waits)?;
    lab.observe(took);
    Ok(())
}

/// The other process, and a thread that speaks with it.
struct Stopper {
    /// Dropping it ends both.
    ask: Option<Sender<()>>,
    /// When it stopped this process, once this process runs again. The first word only says that it is there.
    done: Receiver<Duration>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Stopper {
    /// Starts it, and waits until it runs.
    fn start(mut command: Command) -> std::result::Result<Self, Stop> {
        command.arg(std::process::id().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let (ask, asked) = channel();
        let (tell, done) = channel();
        let thread = thread::spawn(move || {
            // Of several threads any one runs a handler; it is to be the one that waits.
            sigprocmask(&SignalSet::empty().with(SIGCONT))?;
            let mut child = command.spawn()?;
            let lines = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
            for line in lines.into_iter().flatten() {
                let stopped_at = Duration::from_millis(line?.parse().unwrap_or_default());
                // That nobody asks any more ends it.
                if tell.send(stopped_at).is_err() || asked.recv().is_err() {
                    break;
                }
                child.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(b"\n"))?;
            }
            drop(child.stdin.take());
            child.wait().map(|_| ())
        });
        let started = Self { ask: Some(ask), done, thread: Some(thread) };
        started.has_done_so()?;
        Ok(started)
    }

    /// How long a call takes during which this process is stopped. On a busy machine the other process may be late; then
    /// the call is made again.
    fn stops(
        &self,
        lab: &mut Run<'_>,
        mut call: impl FnMut() -> Result<usize>,
    ) -> std::result::Result<Result<Duration>, Stop> {
        for _ in 0..ATTEMPTS {
            if self.ask.as_ref().is_some_and(|ask| ask.send(()).is_err()) {
                return Err(Stop::failed("the process that stops this one has ended"));
            }
            let (began_at, began) = (clock(), Instant::now());
            let waited = call();
            let took = began.elapsed();
            let stopped_at = self.has_done_so()?;
            if (began_at..began_at + LATEST).contains(&stopped_at) {
                return Ok(waited.and(Ok(took)));
            }
            lab.say("The process was not stopped soon after the call had begun. Once more.");
        }
        Err(Stop::skipped("this machine is too busy to stop a process at a given moment"))
    }

    /// Waits until it has stopped this process, and let it go on.
    fn has_done_so(&self) -> std::result::Result<Duration, Stop> {
        let told = self.done.recv();
        told.map_err(|_| Stop::failed("the process that stops this one has ended"))
    }
}

impl Drop for Stopper {
    fn drop(&mut self) {
        drop(self.ask.take());
        // It reads the end of its input, and ends.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The time of day, which is the same for both processes, to the millisecond.
fn clock() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(since.as_millis() as u64)
}

/// The other process: for each line it stops the lab's process a little later, and lets it go on; then it says when it was
/// stopped.
fn stop_and_continue(arguments: &[String]) -> LabResult {
    let Some(pid) = arguments.first().and_then(|pid| pid.parse().ok()) else {
        return Err(Stop::failed("the process is told whom it is to stop, by the lab"));
    };
    println!("{}", clock().as_millis());
    for line in io::stdin().lines() {
        line?;
        thread::sleep(STOPPED_AFTER);
        let stopped_at = clock();
        kill(pid, SIGSTOP)?;
        thread::sleep(STOPPED_FOR);
        kill(pid, SIGCONT)?;
        println!("{}", stopped_at.as_millis());
    }
    Ok(())
}
