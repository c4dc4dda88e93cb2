//! The limits on the descriptors of this process.

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

use crate::names::{Errno, Result};

/// The limits on descriptors of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DescriptorLimits {
    /// The limit in force: beyond it, `socket` and `accept` fail with EMFILE.
    pub soft: u64,
    /// The limit to which an ordinary process may raise it.
    pub hard: u64,
}

/// macOS's own limit on the descriptors of a process, `OPEN_MAX`.
const OPEN_MAX: u64 = 10_240;

/// The most rows that `poll` takes, whatever the limits of this process are. On macOS it is `OPEN_MAX`, even if the
/// process may have more descriptors (read in xnu 15.4, sys_generic.c: poll_nocancel).
#[cfg(apple)]
pub const MOST_POLL_ROWS: usize = OPEN_MAX as usize;

/// The most rows that `poll` takes, apart from the limit of this process: no further limit here.
#[cfg(not(apple))]
pub const MOST_POLL_ROWS: usize = usize::MAX;

fn from_nix(errno: nix::errno::Errno) -> Errno {
    Errno::from_number(errno as i32)
}

/// The present limits.
///
/// # Errors
/// None that a program could cause.
pub fn descriptor_limits() -> Result<DescriptorLimits> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(from_nix)?;
    // FreeBSD's rlim_t is signed; its "infinite" is the highest positive number.
    Ok(DescriptorLimits { soft: soft as u64, hard: hard as u64 })
}

/// Sets the soft limit, which cannot exceed the hard limit.
///
/// # Errors
/// `EINVAL` above the hard limit (FreeBSD and OpenBSD: `EPERM`); `EPERM` where the system has a limit of its own.
pub fn set_descriptor_limit(soft: u64) -> Result<()> {
    let hard = descriptor_limits()?.hard;
    setrlimit(Resource::RLIMIT_NOFILE, soft as rlim_t, hard as rlim_t).map_err(from_nix)
}

/// Raises the soft limit to the hard limit, and returns the limits that are in force then.
///
/// Up to macOS 10.15 the hard limit is "infinite", but the kernel refuses more than `OPEN_MAX` (10,240) with `EINVAL`;
/// so if raising to the hard limit fails, `OPEN_MAX` is tried. Since macOS 11 the kernel accepts infinity, and
/// kern.maxfilesperproc decides (read in xnu-7195 and 15.4, kern_resource.c).
///
/// # Errors
/// As [`set_descriptor_limit`].
pub fn raise_descriptor_limit() -> Result<DescriptorLimits> {
    let limits = descriptor_limits()?;
    if limits.soft < limits.hard
        && set_descriptor_limit(limits.hard).is_err()
        && limits.soft < OPEN_MAX
    {
        set_descriptor_limit(OPEN_MAX)?;
    }
    descriptor_limits()
}

/// From now on, no signal makes this process leave a core file.
///
/// # Errors
/// None that a program could cause.
pub fn no_core_file() -> Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_CORE).map_err(from_nix)?;
    setrlimit(Resource::RLIMIT_CORE, 0, hard).map_err(from_nix)
}
