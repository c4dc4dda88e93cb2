//! The machine, and the processor time that a process has used.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::sys::{WORD_BITS, Word};

/// Whether this program was built without optimisation: then its own part of a measured time is larger.
pub const IS_DEBUG_BUILD: bool = cfg!(debug_assertions);

/// The system, its version and its processor architecture: `Linux 6.1.0 x86_64`.
pub fn system() -> String {
    let Ok(name) = nix::sys::utsname::uname() else { return std::env::consts::OS.to_string() };
    let parts = [name.sysname(), name.release(), name.machine()];
    parts.map(|part| part.to_string_lossy().into_owned()).join(" ")
}

/// How many processors this process may use.
pub fn processors() -> u64 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u64)
}

/// The processor time of this process.
pub fn processor_time() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let us = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(us.unsigned_abs())
}

/// The processor time of another process. `None` where the system does not tell.
#[cfg(any(linux, freebsd))]
pub fn processor_time_of(pid: u32) -> Option<Duration> {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).ok()?);
    let time = nix::time::clock_getcpuclockid(pid).and_then(nix::time::clock_gettime).ok()?;
    Some(Duration::from(time))
}

/// The processor time of another process. This system has no call for it that nix wraps.
#[cfg(not(any(linux, freebsd)))]
pub fn processor_time_of(_pid: u32) -> Option<Duration> {
    None
}

/// How many bytes `select` copies in and out for a set up to `nfds`: whole words, in each direction.
pub const fn select_copies(nfds: usize) -> (u64, u64) {
    let bytes = (nfds.div_ceil(WORD_BITS) * size_of::<Word>()) as u64;
    (bytes, bytes)
}

/// How many bytes `poll` copies in and out for this many rows: Linux, FreeBSD and OpenBSD read whole rows, and write
/// back the two bytes of each row's `revents`.
#[cfg(any(linux, freebsd, openbsd))]
pub const fn poll_copies(rows: usize) -> (u64, u64) {
    ((rows * size_of::<libc::pollfd>()) as u64, (rows * size_of::<libc::c_short>()) as u64)
}

/// How many bytes `poll` copies in and out for this many rows: whole rows, in each direction.
#[cfg(not(any(linux, freebsd, openbsd)))]
pub const fn poll_copies(rows: usize) -> (u64, u64) {
    let bytes = (rows * size_of::<libc::pollfd>()) as u64;
    (bytes, bytes)
}
