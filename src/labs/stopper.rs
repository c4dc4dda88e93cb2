//! Another process that stops the lab's process while it waits in a call, and continues it: like Control-Z and fg, a
//! debugger, or `strace` when it attaches.

use std::io::{self, BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::signal::{self, SigSet};

use super::LabProcess;
use super::peers::{joined, spawn};
use super::run::{LabResult, Run, Stop};
use crate::sys::{SIGCONT, SIGSTOP, kill};

/// The role of the other process, for a lab's data.
pub(super) const STOPPER: LabProcess = LabProcess { name: "stopper", run: stop_and_continue };

/// When the lab's process is stopped, and for how long.
const STOPPED_AFTER: Duration = Duration::from_millis(100);
const STOPPED_FOR: Duration = Duration::from_millis(400);
/// A call may be stopped as late as this after it began, and stay stopped for as long, without another result.
const LATEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_millis(480);
const ATTEMPTS: usize = 5;
/// How long the other process may take to start, or to stop this one and continue it.
const PATIENCE: Duration = Duration::from_secs(8);

/// The other process, and a thread that communicates with it.
pub(super) struct Stopper {
    /// Dropping this ends both.
    ask: Option<Sender<()>>,
    /// The moments of stopping and continuing, received when this process runs again. The first pair only says that the
    /// other process is ready.
    done: Receiver<[Duration; 2]>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Stopper {
    /// Starts the other process, and waits until it runs.
    pub(super) fn start(lab: &Run<'_>) -> Result<Self, Stop> {
        let mut command = lab.role(STOPPER.name)?;
        command.arg(std::process::id().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let (ask, asked) = channel();
        let (tell, done) = channel();
        let thread = spawn(move || {
            // The kernel may run a handler on any thread; it must be the one that waits.
            SigSet::from(signal::SIGCONT).thread_block()?;
            let mut child = command.spawn()?;
            let lines = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
            for line in lines.into_iter().flatten() {
                let line = line?;
                let mut moments = line.split(' ').map(|ms| ms.parse().unwrap_or_default());
                let moments =
                    [(); 2].map(|()| Duration::from_millis(moments.next().unwrap_or_default()));
                // It ends when there are no more requests.
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

    /// The result of a call during which this process is stopped, and how long it takes. On a busy machine the other
    /// process may be late; then the call is made again.
    pub(super) fn stops<T>(
        &self,
        lab: &mut Run<'_>,
        mut call: impl FnMut() -> T,
    ) -> Result<(T, Duration), Stop> {
        for _ in 0..ATTEMPTS {
            if self.ask.as_ref().is_some_and(|ask| ask.send(()).is_err()) {
                return Err(Stop::failed("the process that stops this one has ended"));
            }
            let began_at = clock();
            let began = Instant::now();
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

    /// Waits until the other process has stopped and continued this one.
    fn has_done_so(&self) -> Result<[Duration; 2], Stop> {
        self.done.recv_timeout(PATIENCE).map_err(|why| match why {
            RecvTimeoutError::Disconnected => {
                Stop::failed("the process that stops this one has ended")
            }
            RecvTimeoutError::Timeout => {
                let limit = PATIENCE.as_secs();
                Stop::failed(format_args!("the other process had done nothing for {limit} s"))
            }
        })
    }
}

impl Drop for Stopper {
    fn drop(&mut self) {
        drop(self.ask.take());
        // The other process reads the end of its input, and ends.
        let _ = self.thread.take().map(joined);
    }
}

/// The time of day in milliseconds, which is the same in both processes.
fn clock() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(since.as_millis() as u64)
}

/// The other process: for each line that it reads, it stops the lab's process a little later, and continues it; then it
/// reports when it did both.
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
