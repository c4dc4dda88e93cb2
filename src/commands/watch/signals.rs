//! Signals that are meant for the watched program: they are forwarded, and this process stays for the report.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

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
    to: Arc<AtomicU32>,
    /// Those that came before it was known: a program's first call is read a little after it was made.
    early: Arc<Mutex<Vec<Signal>>>,
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
        let forwarder = Self { to: Arc::default(), early: Arc::default(), is_attached };
        let own = forwarder.clone();
        thread::spawn(move || own.forward(&pipe));
        Ok(forwarder)
    }

    /// The first process that makes a call is the program.
    pub(super) fn knows_program(&self, pid: u32) {
        if !self.is_attached {
            self.knows(pid);
        }
    }

    pub(super) fn knows_strace(&self, pid: u32) {
        if self.is_attached {
            self.knows(pid);
        }
    }

    fn knows(&self, pid: u32) {
        if self.to.load(Ordering::Relaxed) != 0 {
            return;
        }
        let mut early = self.early();
        self.to.store(pid, Ordering::Relaxed);
        for signal in early.drain(..) {
            let _ = sys::kill(pid, signal);
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
            let signal = if self.is_attached { SIGINT } else { signal };
            let mut early = self.early();
            match self.to.load(Ordering::Relaxed) {
                0 => early.push(signal),
                pid => drop(sys::kill(pid, signal)),
            }
        }
    }

    fn early(&self) -> MutexGuard<'_, Vec<Signal>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
