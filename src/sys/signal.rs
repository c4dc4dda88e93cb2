//! Signals and waiting: sets, handlers, and the self-pipe.
//!
//! A handler may run between any two instructions, so it may do almost nothing: not allocate, not lock, not print. And
//! a signal that arrives just before `select` begins to wait does not end that wait. The *self-pipe* solves both: the
//! handler writes one byte into a pipe, and `select` watches the other end, so it cannot miss the signal.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use libc::c_int;

use super::Fd;
use crate::names::Signal;

/// `sigset_t`: a set of signals.
#[doc(alias = "sigset_t")]
#[derive(Clone, Copy)]
pub struct SignalSet(pub(super) libc::sigset_t);

impl SignalSet {
    /// `int sigemptyset(sigset_t *set);` a set without signals.
    #[doc(alias = "sigemptyset")]
    pub fn empty() -> Self {
        // SAFETY: a sigset_t is plain data; sigemptyset gives it its value before it is read.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: `set` is exclusively ours. It cannot fail.
        unsafe { libc::sigemptyset(&raw mut set) };
        Self(set)
    }

    /// `int sigaddset(sigset_t *set, int signum);` the set with one more signal. A number that is not a signal changes
    /// nothing.
    #[doc(alias = "sigaddset")]
    #[must_use]
    pub fn with(mut self, signal: Signal) -> Self {
        // SAFETY: `self.0` was made by sigemptyset and is exclusively ours.
        unsafe { libc::sigaddset(&raw mut self.0, signal.bits()) };
        self
    }

    /// `int sigismember(const sigset_t *set, int signum);` whether a signal is in the set.
    #[doc(alias = "sigismember")]
    pub fn contains(&self, signal: Signal) -> bool {
        // SAFETY: `self.0` was made by sigemptyset or written by the kernel.
        unsafe { libc::sigismember(&raw const self.0, signal.bits()) == 1 }
    }

    /// Its members.
    pub fn signals(&self) -> Vec<Signal> {
        // No system has more than 128 signals; sigismember returns no for numbers that are not signals.
        (1..=128).map(Signal::from_bits).filter(|signal| self.contains(*signal)).collect()
    }

    pub(super) const fn as_ptr(&self) -> *const libc::sigset_t {
        &raw const self.0
    }
}

impl std::fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.signals().fmt(f)
    }
}

/// The action of a signal. Rust cannot check whether a function may be a signal handler, so these are the only choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    /// `SIG_DFL`: the system's default action; most signals end the process.
    Default,
    /// `SIG_IGN`: the signal is ignored, and no call is interrupted.
    Ignore,
    /// A function that does nothing. Unlike [`Handler::Ignore`] it interrupts waiting calls.
    Interrupt,
    /// A function that writes the signal's number, as one byte, into the self-pipe ([`self_pipe`]).
    SelfPipe,
    /// A function that gives a terminal its settings back ([`hold_terminal`]), and then lets the signal do what it does by
    /// default.
    RestoreTerminal,
    /// A function that `sigaction` returned, to be set again.
    Found(ForeignHandler),
}

/// The address of a handler that this crate did not install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignHandler(libc::sighandler_t);

impl Handler {
    pub(super) fn to_c(self) -> libc::sighandler_t {
        match self {
            Self::Default => libc::SIG_DFL,
            Self::Ignore => libc::SIG_IGN,
            Self::Interrupt => on_signal_do_nothing as extern "C" fn(c_int) as libc::sighandler_t,
            Self::SelfPipe => on_signal_write_to_pipe as extern "C" fn(c_int) as libc::sighandler_t,
            Self::RestoreTerminal => {
                on_signal_restore_terminal as extern "C" fn(c_int) as libc::sighandler_t
            }
            Self::Found(found) => found.0,
        }
    }

    pub(super) fn from_c(address: libc::sighandler_t) -> Self {
        [Self::Default, Self::Ignore, Self::Interrupt, Self::SelfPipe, Self::RestoreTerminal]
            .into_iter()
            .find(|handler| handler.to_c() == address)
            .unwrap_or(Self::Found(ForeignHandler(address)))
    }
}

/// The descriptor that the handler writes to; -1 for none.
static PIPE_IN: AtomicI32 = AtomicI32::new(-1);

/// The owner of that descriptor.
static PIPE_OWNER: Mutex<Option<Fd>> = Mutex::new(None);

/// Sets the self-pipe: from now on [`Handler::SelfPipe`] writes into `write_end`, which must be non-blocking, or a
/// flood of signals could stop the program inside its handler. Returns the write end used before; a handler on another
/// thread may have read its number already, so set the signals' former handlers again before you close it.
pub fn self_pipe(write_end: Option<Fd>) -> Option<Fd> {
    let raw = write_end.as_ref().map_or(-1, |fd| fd.number().get());
    let mut owner = PIPE_OWNER.lock().unwrap_or_else(PoisonError::into_inner);
    PIPE_IN.store(raw, Ordering::SeqCst);
    std::mem::replace(&mut *owner, write_end)
}

/// The terminal that the handler restores; -1 for none.
static HELD_TERMINAL: AtomicI32 = AtomicI32::new(-1);

/// The settings that the handler restores. They are set only once, because a handler may read them at any moment.
static FOUND_SETTINGS: OnceLock<libc::termios> = OnceLock::new();

/// From now on [`Handler::RestoreTerminal`] gives `terminal` the settings `found`; later calls change only the terminal.
pub fn hold_terminal(terminal: BorrowedFd<'_>, found: libc::termios) {
    let _ = FOUND_SETTINGS.set(found);
    HELD_TERMINAL.store(terminal.as_raw_fd(), Ordering::SeqCst);
}

/// From now on [`Handler::RestoreTerminal`] restores nothing.
pub fn release_terminal() {
    HELD_TERMINAL.store(-1, Ordering::SeqCst);
}

extern "C" fn on_signal_do_nothing(_: c_int) {}

extern "C" fn on_signal_restore_terminal(signum: c_int) {
    let terminal = HELD_TERMINAL.load(Ordering::SeqCst);
    if terminal >= 0
        && let Some(found) = FOUND_SETTINGS.get()
    {
        // SAFETY: tcsetattr is async-signal-safe; the settings live as long as the program.
        unsafe { libc::tcsetattr(terminal, libc::TCSANOW, found) };
    }
    // SAFETY: signal is async-signal-safe, and SIG_DFL is an action of every signal that has a handler.
    unsafe { libc::signal(signum, libc::SIG_DFL) };
    // SAFETY: raise is async-signal-safe. The signal is blocked here, so it comes when this function returns.
    unsafe { libc::raise(signum) };
}

extern "C" fn on_signal_write_to_pipe(signum: c_int) {
    // The interrupted code may be about to read errno, so the handler restores it.
    let errno = errno_location();
    // SAFETY: the location is this thread's own errno.
    let saved = unsafe { *errno };
    let byte = signum as u8;
    let pipe_in = PIPE_IN.load(Ordering::SeqCst);
    if pipe_in >= 0 {
        // SAFETY: write is async-signal-safe and reads one byte that lives on the stack. If the pipe is full,
        // the reader has signals enough to wake it.
        unsafe { libc::write(pipe_in, (&raw const byte).cast(), 1) };
    }
    // SAFETY: as above.
    unsafe { *errno = saved };
}

fn errno_location() -> *mut c_int {
    #[cfg(linux)]
    // SAFETY: takes nothing and returns a pointer that is always valid.
    unsafe {
        libc::__errno_location()
    }
    #[cfg(any(apple, freebsd))]
    // SAFETY: takes nothing and returns a pointer that is always valid.
    unsafe {
        libc::__error()
    }
    #[cfg(any(openbsd, netbsd))]
    // SAFETY: takes nothing and returns a pointer that is always valid.
    unsafe {
        libc::__errno()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{SIGUSR1, SIGUSR2};

    #[test]
    fn a_set_has_the_signals_that_were_added() {
        let set = SignalSet::empty().with(SIGUSR1);
        assert!(set.contains(SIGUSR1) && !set.contains(SIGUSR2));
        assert_eq!(set.signals(), [SIGUSR1]);
    }
}
