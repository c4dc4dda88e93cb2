//! Signals for a loop: a self-pipe, ready to be watched.

use super::accepting::set_nonblocking;
use crate::names::{FD_CLOEXEC, Result, SA_RESTART, SIGCHLD, Signal};
use crate::sys::{self, Fd, Handler, PollFd, SigAction, SignalSet};
use crate::values::TimeSpec;

/// Makes a self-pipe, lets these signals write into it, and returns its reading end.
///
/// # Errors
/// As [`sys::pipe`](crate::sys::pipe()) and [`sys::sigaction`](crate::sys::sigaction()).
pub fn into_pipe(signals: &[Signal]) -> Result<Fd> {
    let [read_end, write_end] = sys::pipe()?;
    for end in [&read_end, &write_end] {
        set_nonblocking(end)?;
        sys::fcntl_setfd(end, FD_CLOEXEC)?;
    }
    sys::self_pipe(Some(write_end));
    // With SA_RESTART other calls are restarted. select and poll still return EINTR (signal(7)).
    let action = SigAction { flags: SA_RESTART, ..SigAction::new(Handler::SelfPipe) };
    for signal in signals {
        sys::sigaction(*signal, Some(&action), None)?;
    }
    Ok(read_end)
}

/// Lets a signal interrupt `select` and `poll`, with no other effect.
///
/// # Errors
/// As [`sys::sigaction`].
pub fn interrupt_waits(signal: Signal) -> Result<()> {
    let action = SigAction { flags: SA_RESTART, ..SigAction::new(Handler::Interrupt) };
    sys::sigaction(signal, Some(&action), None)
}

/// Lets this process learn how its children end. `exec` keeps a signal ignored that the parent ignored, and while
/// SIGCHLD is ignored the kernel forgets children that have ended: `waitpid` then gives `ECHILD`.
///
/// # Errors
/// As [`sys::sigaction`](crate::sys::sigaction()).
pub fn notice_ends_of_children() -> Result<()> {
    sys::sigaction(SIGCHLD, Some(&SigAction::new(Handler::Default)), None)
}

/// Lets all signals reach this thread and those that it starts. A process inherits the signals that its parent blocked,
/// and could not be ended by a signal that waits for ever.
///
/// # Errors
/// As [`sys::sigprocmask`](crate::sys::sigprocmask()).
pub fn unblock_all() -> Result<()> {
    sys::sigprocmask(&SignalSet::empty()).map(drop)
}

/// Whether this process was started with a signal ignored, as under `nohup`.
///
/// # Errors
/// As [`sys::sigaction`](crate::sys::sigaction()).
pub fn is_ignored(signal: Signal) -> Result<bool> {
    let mut action = SigAction::new(Handler::Default);
    sys::sigaction(signal, None, Some(&mut action))?;
    Ok(action.handler == Handler::Ignore)
}

/// The name of a signal by its number, also for signals that have nothing to do with sockets.
pub fn name_of(number: i32) -> String {
    nix::sys::signal::Signal::try_from(number)
        .map_or_else(|_| format!("signal {number}"), |signal| signal.as_str().to_string())
}

/// Ends this process by a signal, as another process was ended; a terminal that waits for a key gets its settings back. If the
/// signal does not end processes, this returns.
pub fn end_by(signal: Signal) {
    // A signal whose action cannot be set, such as SIGKILL, has its default action already.
    let _ = sys::sigaction(signal, Some(&SigAction::new(Handler::RestoreTerminal)), None);
    if let Ok(signal) = nix::sys::signal::Signal::try_from(signal.bits()) {
        let _ = nix::sys::signal::raise(signal);
    }
}

/// [`ppoll`](sys::ppoll), where the system has it.
///
/// # Errors
/// As [`ppoll`](sys::ppoll).
#[cfg(has_ppoll)]
pub fn ppoll_if_there_is_one(
    fds: &mut [PollFd<'_>],
    timeout: Option<&TimeSpec>,
    sigmask: Option<&SignalSet>,
) -> Result<usize> {
    sys::ppoll(fds, timeout, sigmask)
}

/// This system (macOS) has no `ppoll`.
///
/// # Errors
/// Always `ENOSYS`.
#[cfg(not(has_ppoll))]
pub fn ppoll_if_there_is_one(
    _: &mut [PollFd<'_>],
    _: Option<&TimeSpec>,
    _: Option<&SignalSet>,
) -> Result<usize> {
    Err(crate::names::Errno::ENOSYS)
}
