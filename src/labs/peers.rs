//! The other actors of a lab, which no trace shows: a peer on a thread of its own, a signal that is sent again and
//! again, this program as another process. A lab says what they do with `lab.say`.

use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{self, SigSet, SigmaskHow};

use super::run::Stop;
use crate::names::Signal;
use crate::sys::{Fd, kill};

/// How long a peer may take to finish.
const PATIENCE: Duration = Duration::from_secs(8);

/// Starts a thread of a lab. The alarm that ends a call which does not return is sent to the process, and the kernel may
/// interrupt any thread that does not block it; it must be the one that makes the lab's calls.
pub(super) fn spawn<T: Send + 'static>(does: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    // A thread starts with the blocked signals of the thread that starts it. If it blocked the alarm itself, the kernel could
    // interrupt it before that. An alarm that arrives meanwhile waits until this thread hears it again.
    let before = SigSet::from(signal::SIGALRM).thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let thread = thread::spawn(does);
    // Neither call can fail.
    let _ = before.and_then(|before| before.thread_set_mask());
    thread
}

/// A thread that does something with `std::net`.
#[derive(Debug)]
pub(super) struct Peer(JoinHandle<io::Result<Fd>>);

impl Peer {
    /// Hands this end of a connection to a thread, which does this with it.
    pub(super) fn with(
        end: Fd,
        does: impl FnOnce(&mut TcpStream) -> io::Result<()> + Send + 'static,
    ) -> Self {
        Self(spawn(move || {
            let mut stream = TcpStream::from(OwnedFd::from(end));
            does(&mut stream)?;
            Ok(Fd::from(OwnedFd::from(stream)))
        }))
    }

    /// Waits until the thread has finished, and takes the end back, still open.
    pub(super) fn done(self) -> Result<Fd, Stop> {
        joined(self.0)
    }
}

/// A signal that is sent again and again until this is dropped. The first might arrive before the call that it
/// should interrupt has begun to wait; a later one does not.
#[derive(Debug)]
pub(super) struct Alarm {
    /// Dropping it ends the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Alarm {
    /// Sends this signal to the lab's main thread, once in each period.
    pub(super) fn every(period: Duration, signal: Signal) -> Self {
        let (end, ended) = channel();
        let thread = spawn(move || {
            // The signal is sent to the process: the kernel delivers it to a thread that does not block it, which is
            // the lab's.
            SigSet::all().thread_block()?;
            while ended.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                // It cannot fail: this process exists.
                let _ = kill(std::process::id(), signal);
            }
            Ok(())
        });
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        drop(self.end.take());
        // A thread that has panicked sends no more signals either.
        let _ = self.thread.take().map(joined);
    }
}

/// Another process, which is killed when this is dropped, if it still runs.
#[derive(Debug)]
pub(super) struct ChildProcess {
    pid: u32,
    /// Dropping it ends the process.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<io::Result<ExitStatus>>>,
}

impl ChildProcess {
    /// Starts it. Its standard input stays open as long as the lab's process lives, and its output is discarded.
    pub(super) fn start(mut command: Command) -> Result<Self, Stop> {
        let (tell, told) = channel();
        let (end, ended) = channel();
        let thread = spawn(move || {
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
            let _ = tell.send(child.id());
            // Nothing is ever sent: this waits until the other end is dropped.
            let _ = ended.recv();
            child.kill()?;
            child.wait()
        });
        match told.recv_timeout(PATIENCE) {
            Ok(pid) => Ok(Self { pid, end: Some(end), thread: Some(thread) }),
            Err(RecvTimeoutError::Disconnected) => {
                Err(joined(thread).err().unwrap_or_else(|| Stop::failed("no process")))
            }
            Err(RecvTimeoutError::Timeout) => {
                let limit = PATIENCE.as_secs();
                Err(Stop::failed(format_args!("the process had not started after {limit} s")))
            }
        }
    }

    /// Its process ID.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        drop(self.end.take());
        // It has ended by now, or never ran.
        let _ = self.thread.take().map(joined);
    }
}

/// Runs another process until it ends by itself. Its output is discarded.
pub(super) fn run_to_its_end(mut command: Command) -> Result<(), Stop> {
    let status = joined(spawn(move || command.stdout(Stdio::null()).status()))?;
    if status.success() {
        Ok(())
    } else {
        Err(Stop::failed(format_args!("the other process: {status}")))
    }
}

/// Waits until another process has ended. One that does not end by itself is killed, and the lab fails.
pub(super) fn ended(mut child: Child) -> Result<ExitStatus, Stop> {
    let limit = Instant::now() + PATIENCE / 2;
    joined(spawn(move || {
        while Instant::now() < limit {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(2));
        }
        child.kill()?;
        child.wait()?;
        let why = format!("the other process had not ended after {} s", (PATIENCE / 2).as_secs());
        Err(io::Error::other(why))
    }))
}

/// What a thread returned that is about to end. A thread that never ends is abandoned, and ends with the process.
pub(super) fn joined<T: Send + 'static, E: Into<Stop> + Send + 'static>(
    thread: JoinHandle<Result<T, E>>,
) -> Result<T, Stop> {
    let (tell, told) = channel();
    // join has no time limit, so another thread waits for it.
    spawn(move || tell.send(thread.join()));
    match told.recv_timeout(PATIENCE) {
        Ok(Ok(returned)) => returned.map_err(Into::into),
        Ok(Err(_)) => Err(Stop::failed("a thread of the lab panicked")),
        Err(_) => {
            let limit = PATIENCE.as_secs();
            Err(Stop::failed(format_args!("the peer had not ended after {limit} s")))
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::unistd::Pid;

    use super::*;

    #[test]
    fn the_alarm_of_a_call_is_for_the_thread_that_makes_it() {
        let blocks_alarm = || SigSet::thread_get_mask().unwrap().contains(signal::SIGALRM);
        assert!(spawn(blocks_alarm).join().unwrap());
        assert!(!blocks_alarm());
    }

    #[test]
    fn a_process_that_does_not_end_is_killed() {
        let started = |command: &str| Command::new(command).stdin(Stdio::null()).spawn();
        assert!(ended(started("true").unwrap()).unwrap().success());
        let mut endless = Command::new("sleep");
        let endless = endless.arg("1000").spawn().unwrap();
        let pid = Pid::from_raw(endless.id() as i32);
        let Err(Stop::Failed(why)) = ended(endless) else {
            panic!("it ended");
        };
        assert!(why.contains("had not ended after"), "{why}");
        // It would still have its number if it were alive, or dead and not waited for.
        assert_eq!(signal::kill(pid, None), Err(nix::errno::Errno::ESRCH));
    }
}
