//! Another process that stops the lab's while it waits in a call, and lets it go on: what Control-Z and fg do, a debugger, or
//! `strace` when it attaches.

use std::io::{self, BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::LabProcess;
use super::run::{LabResult, Run, Stop};
use crate::sys::{SIGCONT, SIGSTOP, SignalSet, kill, sigprocmask};

/// The role of the other process, for the data of a lab.
pub(super) const STOPPER: LabProcess = LabProcess { name: "stopper", run: stop_and_continue };

/// When the lab's process is stopped, and for how long.
const STOPPED_AFTER: Duration = Duration::from_millis(100);
const STOPPED_FOR: Duration = Duration::from_millis(400);
/// It may be stopped so much after a call has begun, and stand still for so long, and what is observed is the same.
const LATEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_millis(480);
const ATTEMPTS: usize = 5;

/// The other process, and a thread that speaks with it.
pub(super) struct Stopper {
    /// Dropping it ends both.
    ask: Option<Sender<()>>,
    /// When it stopped this process and let it go on, once this process runs again. The first pair only says that it is there.
    done: Receiver<[Duration; 2]>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Stopper {
    /// Starts it, and waits until it runs.
    pub(super) fn start(lab: &Run<'_>) -> Result<Self, Stop> {
        let mut command = lab.role(STOPPER.name)?;
        command.arg(std::process::id().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let (ask, asked) = channel();
        let (tell, done) = channel();
        let thread = thread::spawn(move || {
            // Of several threads any one runs a handler; it is to be the one that waits.
            sigprocmask(&SignalSet::empty().with(SIGCONT))?;
            let mut child = command.spawn()?;
            let lines = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
            for line in lines.into_iter().flatten() {
                let line = line?;
                let mut moments = line.split(' ').map(|ms| ms.parse().unwrap_or_default());
                let moments =
                    [(); 2].map(|()| Duration::from_millis(moments.next().unwrap_or_default()));
                // The end of the questions ends it.
                if tell.send(moments).is_err() || asked.recv().is_err() {
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

    /// What a call gives during which this process is stopped, and how long it takes. On a busy machine the other process may
    /// be late; then the call is made again.
    pub(super) fn stops<T>(
        &self,
        lab: &mut Run<'_>,
        mut call: impl FnMut() -> T,
    ) -> Result<(T, Duration), Stop> {
        for _ in 0..ATTEMPTS {
            if self.ask.as_ref().is_some_and(|ask| ask.send(()).is_err()) {
                return Err(Stop::failed("the process that stops this one has ended"));
            }
            let (began_at, began) = (clock(), Instant::now());
            let returned = call();
            let took = began.elapsed();
            let [stopped_at, continued_at] = self.has_done_so()?;
            let is_in_time = (began_at..began_at + LATEST).contains(&stopped_at);
            if is_in_time && continued_at <= stopped_at + LONGEST {
                return Ok((returned, took));
            }
            lab.say("The process was stopped too late after the call had begun, or for too long. Once more.");
        }
        Err(Stop::skipped("this machine is too busy to stop a process at a given moment"))
    }

    /// Waits until it has stopped this process, and let it go on.
    fn has_done_so(&self) -> Result<[Duration; 2], Stop> {
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

/// The other process: for each line it stops the lab's process a little later, and lets it go on; then it says when it did
/// both.
fn stop_and_continue(arguments: &[String]) -> LabResult {
    let Some(pid) = arguments.first().and_then(|pid| pid.parse().ok()) else {
        return Err(Stop::failed("the lab tells this process which one it is to stop"));
    };
    let tell = |moments: [Duration; 2]| {
        let [stopped_at, continued_at] = moments.map(|moment| moment.as_millis());
        println!("{stopped_at} {continued_at}");
    };
    tell([clock(); 2]);
    for line in io::stdin().lines() {
        line?;
        thread::sleep(STOPPED_AFTER);
        let stopped_at = clock();
        kill(pid, SIGSTOP)?;
        thread::sleep(STOPPED_FOR);
        kill(pid, SIGCONT)?;
        tell([stopped_at, clock()]);
    }
    Ok(())
}
