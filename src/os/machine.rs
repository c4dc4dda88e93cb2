//! What kind of machine this is, and how much of its processor a process has used.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::sys::{WORD_BITS, Word};

/// Whether this program was built without optimisation: its own part of a measured time is larger then.
pub const IS_DEBUG_BUILD: bool = cfg!(debug_assertions);

/// The system, its version and its kind of processor: `Linux 6.1.0 x86_64`.
pub fn system() -> String {
    let Ok(name) = nix::sys::utsname::uname() else { return std::env::consts::OS.to_string() };
    let parts = [name.sysname(), name.release(), name.machine()];
    parts.map(|part| part.to_string_lossy().into_owned()).join(" ")
}

/// How many processors this process may use.
pub fn processors() -> u64 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u64)
}

/// How long this process has had a processor.
pub fn processor_time() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let us = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(us.unsigned_abs())
}

/// How long another process has had a processor. None where the system does not tell.
#[cfg(any(linux, freebsd))]
pub fn processor_time_of(pid: u32) -> Option<Duration> {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).ok()?);
    let time = nix::time::clock_getcpuclockid(pid).and_then(nix::time::clock_gettime).ok()?;
    Some(Duration::from(time))
}

/// How long another process has had a processor. None: this system does not tell by a call that nix wraps.
#[cfg(not(any(linux, freebsd)))]
pub fn processor_time_of(_pid: u32) -> Option<Duration> {
    None
}

/// How many bytes `select` copies in and out for one set that reaches to `nfds`: whole words, each way.
pub const fn select_copies(nfds: usize) -> (u64, u64) {
    let bytes = (nfds.div_ceil(WORD_BITS) * size_of::<Word>()) as u64;
    (bytes, bytes)
}

/// How many bytes `poll` copies in and out for so many rows: Linux, FreeBSD and OpenBSD read whole rows, and write back
/// each row's two bytes of `revents`.
#[cfg(any(linux, freebsd, openbsd))]
pub const fn poll_copies(rows: usize) -> (u64, u64) {
    ((rows * size_of::<libc::pollfd>()) as u64, (rows * size_of::<libc::c_short>()) as u64)
}

/// How many bytes `poll` copies in and out for so many rows: whole rows, each way.
#[cfg(not(any(linux, freebsd, openbsd)))]
pub const fn poll_copies(rows: usize) -> (u64, u64) {
    let bytes = (rows * size_of::<libc::pollfd>()) as u64;
    (bytes, bytes)
}
