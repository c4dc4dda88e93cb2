//! Signals where they meet waiting: `sigaction`, `sigprocmask`, `kill`, and the self-pipe.
//!
//! A handler may run between any two instructions, so it may do almost nothing: not allocate, not lock, not
//! print. And a signal that comes just before `select` begins to wait is over when it waits. The *self-pipe*
//! solves both: the handler writes one byte into a pipe, and the other end stands in the sets of `select`,
//! which then cannot miss it.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

use libc::c_int;

use super::fd::Fd;
use super::status;
use crate::names::{Errno, Result, SaFlags, Signal};
use crate::trace::arg::{self, Arg};
use crate::trace::call::enter;
use crate::trace::function::Function;

/// `sigset_t`: a set of signals.
#[doc(alias = "sigset_t")]
#[derive(Clone, Copy)]
pub struct SignalSet(libc::sigset_t);

impl SignalSet {
    /// `int sigemptyset(sigset_t *set);` a set without signals.
    #[doc(alias = "sigemptyset")]
    pub fn empty() -> Self {
        // SAFETY: a sigset_t is plain data; sigemptyset gives it its value before anybody looks.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: `set` is exclusively ours. It cannot fail.
        unsafe { libc::sigemptyset(&raw mut set) };
        Self(set)
    }

    /// `int sigaddset(sigset_t *set, int signum);` the set with one more signal. A number that is no signal
    /// changes nothing.
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
        // No system has more than 128; sigismember says no to the numbers that are none.
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

/// Who handles a signal. Rust cannot know whether a function is fit to be a handler, so these are all there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    /// `SIG_DFL`: what the system does by itself; most signals end the process.
    Default,
    /// `SIG_IGN`: nothing, and no call is interrupted.
    Ignore,
    /// A function that does nothing. Unlike [`Handler::Ignore`] it interrupts calls that wait.
    Interrupt,
    /// A function that writes the signal's number, as one byte, into the self-pipe ([`self_pipe`]).
    SelfPipe,
    /// A function that `sigaction` found there, to be put back.
    Found(Found),
}

/// The address of somebody else's handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found(libc::sighandler_t);

impl Handler {
    fn to_c(self) -> libc::sighandler_t {
        match self {
            Self::Default => libc::SIG_DFL,
            Self::Ignore => libc::SIG_IGN,
            Self::Interrupt => on_signal_do_nothing as extern "C" fn(c_int) as libc::sighandler_t,
            Self::SelfPipe => on_signal_write_to_pipe as extern "C" fn(c_int) as libc::sighandler_t,
            Self::Found(found) => found.0,
        }
    }

    fn from_c(address: libc::sighandler_t) -> Self {
        [Self::Default, Self::Ignore, Self::Interrupt, Self::SelfPipe]
            .into_iter()
            .find(|handler| handler.to_c() == address)
            .unwrap_or(Self::Found(Found(address)))
    }
}

/// `struct sigaction`: what is to happen when a signal comes.
#[derive(Clone, Copy, Debug)]
pub struct SigAction {
    /// Who handles it.
    pub handler: Handler,
    /// Which signals wait meanwhile.
    pub mask: SignalSet,
    /// How it is called: `SA_RESTART` begins an interrupted call again where that is possible (never `select`,
    /// never `poll`).
    pub flags: SaFlags,
}

impl SigAction {
    /// This handler, no flags, no mask.
    pub fn new(handler: Handler) -> Self {
        Self { handler, mask: SignalSet::empty(), flags: SaFlags::NONE }
    }

    fn shown(&self) -> arg::SignalAction {
        let handler = match self.handler {
            Handler::Default => arg::SignalHandler::Default,
            Handler::Ignore => arg::SignalHandler::Ignore,
            other => arg::SignalHandler::Function(other.to_c()),
        };
        arg::SignalAction { handler, mask: self.mask.signals(), flags: self.flags }
    }

    fn to_c(self) -> libc::sigaction {
        // SAFETY: a sigaction is plain data; zeros are "default action, no flags".
        let mut c: libc::sigaction = unsafe { std::mem::zeroed() };
        c.sa_sigaction = self.handler.to_c();
        c.sa_mask = self.mask.0;
        c.sa_flags = self.flags.bits() as _;
        c
    }

    fn from_c(c: &libc::sigaction) -> Self {
        // SA_RESTORER is libc's own business on Linux; it has no name here.
        let known = SaFlags::CONSTANTS.iter().fold(0, |bits, flag| bits | flag.value as c_int);
        let flags = SaFlags::from_bits(c.sa_flags as c_int & known);
        Self { handler: Handler::from_c(c.sa_sigaction), mask: SignalSet(c.sa_mask), flags }
    }
}

/// `int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact);` says what is to happen when a
/// signal comes, and tells what would have happened until now.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINVAL` | no such signal; or SIGKILL or SIGSTOP, which cannot be caught |
///
/// References: `sigaction(2)`, `signal-safety(7)`; POSIX `sigaction`.
pub fn sigaction(
    signum: Signal,
    act: Option<&SigAction>,
    oldact: Option<&mut SigAction>,
) -> Result<()> {
    let call = enter(Function::Sigaction, || {
        [signum.named().into(), Arg::Action(act.map(SigAction::shown).map(Box::new))]
    });
    let call = call.by_libc_if(is_kept_by_libc(signum));
    let new = act.map(|act| act.to_c());
    let mut old = SigAction::new(Handler::Default).to_c();
    let new_ptr = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let old_ptr = if oldact.is_some() { &raw mut old } else { std::ptr::null_mut() };
    let result = call.make(|| {
        // SAFETY: both pointers are NULL or lead to structures that live through the call; the handlers
        // that a `Handler` can name do only what is safe in a handler.
        status(unsafe { libc::sigaction(signum.bits(), new_ptr, old_ptr) })
    });
    let found = oldact.is_some().then(|| SigAction::from_c(&old));
    let call = call.rest(|| {
        [match (&result, &found) {
            (Err(_), Some(_)) => Arg::Pointer(&raw const old as usize),
            (_, found) => Arg::Action(found.as_ref().map(SigAction::shown).map(Box::new)),
        }]
    });
    if let (Some(oldact), Some(found), Ok(())) = (oldact, found, result) {
        *oldact = found;
    }
    call.returns(result)
}

/// Whether libc says `EINVAL` by itself: to a number that is no signal, and to those that its threads use among
/// themselves, below `SIGRTMIN`.
#[cfg(linux)]
fn is_kept_by_libc(signum: Signal) -> bool {
    let number = signum.bits();
    !(1..=libc::SIGRTMAX()).contains(&number) || (32..libc::SIGRTMIN()).contains(&number)
}

/// Elsewhere nobody has looked.
#[cfg(not(linux))]
fn is_kept_by_libc(_: Signal) -> bool {
    false
}

/// `int sigprocmask(SIG_SETMASK, const sigset_t *set, sigset_t *oldset);` says which signals this thread holds back,
/// and returns which it held back until now. (It is `pthread_sigmask` underneath, which programs with threads must
/// call.)
///
/// # Errors
/// None.
///
/// References: `sigprocmask(2)`, `pthread_sigmask(3)`; POSIX `sigprocmask`.
pub fn sigprocmask(set: &SignalSet) -> Result<SignalSet> {
    let call = enter(Function::Sigprocmask, || {
        [Arg::Word("SIG_SETMASK".into()), Arg::Mask(Some(set.signals()))]
    });
    let mut old = SignalSet::empty();
    let result = call.make(|| {
        // SAFETY: both pointers lead to sets that live through the call.
        match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, set.as_ptr(), &raw mut old.0) } {
            0 => Ok(()),
            // The functions of threads return the errno itself.
            number => Err(Errno::from_number(number)),
        }
    });
    call.rest(|| [Arg::Mask(Some(old.signals()))]).returns(result)?;
    Ok(old)
}

/// `int kill(pid_t pid, int sig);` sends a signal to a process: one's own, to try out what it does. 0 is
/// the caller's whole group. The negative numbers, which in C are groups and, with -1, everybody, cannot be said here.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ESRCH` | there is no such process; (refused) `pid` would be negative as a `pid_t` |
/// | `EPERM` | it is not one's own |
/// | `EINVAL` | there is no such signal |
///
/// References: `kill(2)`; POSIX `kill`.
pub fn kill(pid: u32, sig: Signal) -> Result<()> {
    let pid = pid as libc::pid_t;
    let call = enter(Function::Kill, || [pid.into(), sig.named().into()]);
    if pid < 0 {
        return call.refuse(Errno::ESRCH);
    }
    let result = call.make(|| {
        // SAFETY: takes no pointers.
        status(unsafe { libc::kill(pid, sig.bits()) })
    });
    call.returns(result)
}

/// Where the handler writes; -1 for nowhere.
static PIPE_IN: AtomicI32 = AtomicI32::new(-1);
/// The owner of that descriptor.
static PIPE_OWNER: Mutex<Option<Fd>> = Mutex::new(None);

/// The self-pipe: from now on [`Handler::SelfPipe`] writes into `write_end`, which must be non-blocking, or a
/// flood of signals could stop the program inside its handler. Returns the one used until now, whose number a handler on
/// another thread may have read already: put the signals' former handlers back first.
pub fn self_pipe(write_end: Option<Fd>) -> Option<Fd> {
    let raw = write_end.as_ref().map_or(-1, |fd| fd.number().get());
    let mut owner = PIPE_OWNER.lock().unwrap_or_else(PoisonError::into_inner);
    PIPE_IN.store(raw, Ordering::SeqCst);
    std::mem::replace(&mut *owner, write_end)
}

extern "C" fn on_signal_do_nothing(_: c_int) {}

extern "C" fn on_signal_write_to_pipe(signum: c_int) {
    // Whatever the interrupted code was about to read from errno must still be there afterwards.
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
    use crate::names::{SIGKILL, SIGUSR1, SIGUSR2};

    #[test]
    fn a_handler_that_was_set_is_found_and_put_back() {
        let mut before = SigAction::new(Handler::Default);
        let act = SigAction::new(Handler::Interrupt);
        sigaction(SIGUSR2, Some(&act), Some(&mut before)).unwrap();
        let mut now = SigAction::new(Handler::Default);
        sigaction(SIGUSR2, Some(&before), Some(&mut now)).unwrap();
        assert_eq!(now.handler, Handler::Interrupt);
        assert_eq!(sigaction(SIGKILL, Some(&act), None), Err(Errno::EINVAL));
    }

    #[test]
    fn a_number_that_is_too_large_is_not_everybody() {
        for pid in [u32::MAX, 1 << 31] {
            assert_eq!(kill(pid, Signal::from_bits(0)), Err(Errno::ESRCH));
        }
        assert_eq!(kill(std::process::id(), Signal::from_bits(0)), Ok(()));
    }

    #[test]
    fn a_set_has_the_signals_that_were_added() {
        let set = SignalSet::empty().with(SIGUSR1);
        assert!(set.contains(SIGUSR1) && !set.contains(SIGUSR2));
        assert_eq!(set.signals(), [SIGUSR1]);
    }
}
