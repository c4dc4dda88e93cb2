//! `kill` sends a signal.

use super::status;
use crate::names::{Errno, Result, Signal};
use crate::trace::call::enter;
use crate::trace::page::{Function, Page};

static KILL: Page = Page {
    name: "kill",
    prototype: "int kill(pid_t pid, int sig)",
    parameters: &["pid", "sig"],
    gist: "sends a signal",
    result: "0: the signal was sent; it may not be handled yet.",
    trap: "Signal 0 only checks whether the process exists. A negative ID means a whole group, -1 every process.",
    errnos: "ESRCH EPERM EINVAL",
    man: "kill(2)",
    posix: "kill",
    lab: "signal-race",
    ..Page::blank()
};

impl Function {
    /// `int kill(pid_t pid, int sig)`
    pub const KILL: Self = Self::on(&KILL);
}

/// `int kill(pid_t pid, int sig);` sends a signal to a process, for example to itself as an experiment. 0 means the
/// caller's whole process group. The negative numbers, which in C mean groups and, with -1, every process, cannot be
/// expressed here.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ESRCH` | there is no such process; (refused) `pid` would be negative as a `pid_t` |
/// | `EPERM` | the process belongs to another user |
/// | `EINVAL` | there is no such signal |
///
/// References: [`kill(2)`](https://man7.org/linux/man-pages/man2/kill.2.html);
/// POSIX [`kill`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/kill.html).
pub fn kill(pid: u32, sig: Signal) -> Result<()> {
    let pid = pid as libc::pid_t;
    let call = enter(Function::KILL, || [pid.into(), sig.named().into()]);
    if pid < 0 {
        return call.refuse(Errno::ESRCH);
    }
    let result = call.make(|| {
        // SAFETY: takes no pointers.
        status(unsafe { libc::kill(pid, sig.bits()) })
    });
    call.returns(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_too_large_does_not_become_minus_one() {
        for pid in [u32::MAX, 1 << 31] {
            assert_eq!(kill(pid, Signal::from_bits(0)), Err(Errno::ESRCH));
        }
        assert_eq!(kill(std::process::id(), Signal::from_bits(0)), Ok(()));
    }
}
