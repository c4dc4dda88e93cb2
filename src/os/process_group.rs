//! Ending another process together with its descendants.

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

/// Stops or continues every process of a group; false if there is none.
pub fn stop_group(leader: u32, stops: Stops) -> bool {
    let signal = match stops {
        Stops::Stop => Signal::SIGSTOP,
        Stops::GoOn => Signal::SIGCONT,
    };
    i32::try_from(leader).is_ok_and(|leader| killpg(Pid::from_raw(leader), signal).is_ok())
}

/// What to do with a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// Stop it.
    Stop,
    /// Continue it.
    GoOn,
}

/// Kills every process of the group led by a child of ours or by ourselves. It is not a failure if all have ended
/// already.
pub fn kill_group(leader: u32) {
    if let Ok(leader) = i32::try_from(leader) {
        // There may be no process left.
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
}

/// Kills the group, and waits until its leader has ended.
pub fn end_group(leader: u32) {
    kill_group(leader);
    wait_for(leader);
}

/// Waits until a child of ours has ended.
pub fn wait_for(child: u32) {
    if let Ok(child) = i32::try_from(child) {
        // Another thread may have waited for it.
        let _ = waitpid(Pid::from_raw(child), None);
    }
}
