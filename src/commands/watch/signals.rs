//! Signals that are meant for the watched program: they are forwarded, and this process stays for the report.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use baresock::names::POLLIN;
use baresock::names::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, Signal};
use baresock::os::signals::into_pipe;
use baresock::sys::{self, Fd, PollFd};
use std::os::fd::AsFd;

use super::super::failure::Failure;

/// Forwards signals.
#[derive(Clone, Debug)]
pub(super) struct Forwarder {
    /// The process that gets them; 0 while it is unknown.
    program: Arc<AtomicU32>,
    strace: Arc<AtomicU32>,
    is_attached: bool,
}

impl Forwarder {
    /// From now on, signals that would end this process are forwarded instead. A program that was attached to gets
    /// none: strace is told to detach.
    ///
    /// # Errors
    /// The signals cannot be caught.
    pub(super) fn start(is_attached: bool) -> Result<Self, Failure> {
        let signals = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2];
        let pipe = into_pipe(&signals).map_err(|errno| Failure::of("pipe", errno))?;
        let forwarder = Self { program: Arc::default(), strace: Arc::default(), is_attached };
        let own = forwarder.clone();
        thread::spawn(move || own.forward(&pipe));
        Ok(forwarder)
    }

    /// The first process that makes a call is the program.
    pub(super) fn knows_program(&self, pid: u32) {
        let _ = self.program.compare_exchange(0, pid, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(super) fn knows_strace(&self, pid: u32) {
        self.strace.store(pid, Ordering::Relaxed);
    }

    /// The program's number. A signal may come before the first call of the program was read.
    fn wait_for_program(&self) -> u32 {
        const LOOK: Duration = Duration::from_millis(5);
        loop {
            match self.program.load(Ordering::Relaxed) {
                0 => thread::sleep(LOOK),
                program => return program,
            }
        }
    }

    fn forward(&self, pipe: &Fd) {
        loop {
            let mut byte = [0];
            let mut rows = [PollFd::new(pipe.as_fd(), POLLIN)];
            if sys::poll(&mut rows, -1).is_err() || sys::read(pipe, &mut byte) != Ok(1) {
                continue;
            }
            let signal = Signal::from_bits(i32::from(byte[0]));
            let is_from_keyboard = matches!(signal, SIGINT | SIGQUIT) && io::stdin().is_terminal();
            // A terminal sends its signals to the whole foreground process group, so the program has it already.
            if is_from_keyboard && !self.is_attached {
                continue;
            }
            let (to, signal) = match self.is_attached {
                true => (self.strace.load(Ordering::Relaxed), SIGINT),
                false => (self.wait_for_program(), signal),
            };
            if to != 0 {
                let _ = sys::kill(to, signal);
            }
        }
    }
}
