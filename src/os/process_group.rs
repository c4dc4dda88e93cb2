//! Ending another process together with those that it has started.

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

/// Stops every process of a group, or lets it go on; false if there is none.
pub fn stop_group(leader: u32, stops: Stops) -> bool {
    let signal = match stops {
        Stops::Stop => Signal::SIGSTOP,
        Stops::GoOn => Signal::SIGCONT,
    };
    i32::try_from(leader).is_ok_and(|leader| killpg(Pid::from_raw(leader), signal).is_ok())
}

/// What is done to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// It is stopped.
    Stop,
    /// It goes on.
    GoOn,
}

/// Ends every process of the group that this process leads, a child of ours or ourselves, without a chance to object. Those
/// that have ended already are no failure.
pub fn kill_group(leader: u32) {
    if let Ok(leader) = i32::try_from(leader) {
        // There may be no process left.
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
}

/// The same, and waits until the leader is no more.
pub fn end_group(leader: u32) {
    kill_group(leader);
    if let Ok(leader) = i32::try_from(leader) {
        // Another thread may have waited for it.
        let _ = waitpid(Pid::from_raw(leader), None);
    }
}
