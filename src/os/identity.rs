//! The caller in a JSON trace: process, thread, and clock.

use crate::trace::Caller;

/// This thread of this process, with the monotonic clock of this boot of this machine.
pub fn caller() -> Caller {
    Caller {
        pid: std::process::id(),
        tid: thread_number(),
        clock: Some(format!("CLOCK_MONOTONIC@{}", boot()).into()),
    }
}

/// An identifier of this boot of this machine: Linux's boot id; on other systems the host name must do.
fn boot() -> String {
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    match boot_id {
        Ok(id) => id.trim().to_string(),
        Err(_) => {
            let host = nix::unistd::gethostname();
            host.map_or_else(|_| "unknown".to_string(), |name| name.to_string_lossy().into_owned())
        }
    }
}

#[cfg(linux)]
fn thread_number() -> u64 {
    nix::unistd::gettid().as_raw() as u64
}

/// The other systems number their threads too, but nix has no call for it: the process id stands for the thread.
#[cfg(not(linux))]
fn thread_number() -> u64 {
    u64::from(std::process::id())
}
