//! Keepalive: checks whether a silent peer still exists. The options have other names on each system.

use std::time::Duration;

use crate::names::{Result, SO_KEEPALIVE, SOL_SOCKET};
use crate::sys::{AsFd, setsockopt};

/// Turns keepalive on: after `idle` without a segment the kernel sends a first probe, then one every `interval`, and
/// after `count` unanswered probes the connection ends with `ETIMEDOUT`. Whole seconds, at least one.
///
/// The times come first and `SO_KEEPALIVE` last, and among the times `idle` comes last: a connection that has been idle for
/// longer sends its first probe at once, and the next one after the interval that is set by then, by default 75 seconds.
///
/// Systems differ: OpenBSD has these times for the whole system only (`sysctl net.inet.tcp`), so there this function
/// only turns keepalive on.
///
/// # Errors
/// As [`setsockopt`].
pub fn keep_alive(fd: impl AsFd, idle: Duration, interval: Duration, count: i32) -> Result<()> {
    times(&fd, seconds(idle), seconds(interval), count)?;
    setsockopt(&fd, SOL_SOCKET, SO_KEEPALIVE, &1)
}

fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX).max(1)
}

#[cfg(any(linux, freebsd, netbsd))]
fn times(fd: impl AsFd, idle_s: i32, interval_s: i32, count: i32) -> Result<()> {
    use crate::names::{SOL_TCP, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL};
    setsockopt(&fd, SOL_TCP, TCP_KEEPINTVL, &interval_s)?;
    setsockopt(&fd, SOL_TCP, TCP_KEEPCNT, &count)?;
    setsockopt(&fd, SOL_TCP, TCP_KEEPIDLE, &idle_s)
}

#[cfg(apple)]
fn times(fd: impl AsFd, idle_s: i32, interval_s: i32, count: i32) -> Result<()> {
    use crate::names::{SOL_TCP, TCP_KEEPALIVE, TCP_KEEPCNT, TCP_KEEPINTVL};
    setsockopt(&fd, SOL_TCP, TCP_KEEPINTVL, &interval_s)?;
    setsockopt(&fd, SOL_TCP, TCP_KEEPCNT, &count)?;
    setsockopt(&fd, SOL_TCP, TCP_KEEPALIVE, &idle_s)
}

#[cfg(openbsd)]
fn times(_: impl AsFd, _: i32, _: i32, _: i32) -> Result<()> {
    Ok(())
}

/// Ends the connection with `ETIMEDOUT` if sent bytes stay unacknowledged for this long. Together with keepalive, this
/// time decides instead of the count of probes (tcp(7), `TCP_USER_TIMEOUT`).
///
/// # Errors
/// As [`setsockopt`].
#[cfg(linux)]
pub fn limit_unacknowledged(fd: impl AsFd, time: Duration) -> Result<()> {
    let ms = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    setsockopt(fd, crate::names::SOL_TCP, crate::names::TCP_USER_TIMEOUT, &ms)
}

/// This system has no such option.
///
/// # Errors
/// Always `ENOPROTOOPT`.
#[cfg(not(linux))]
pub fn limit_unacknowledged(_: impl AsFd, _: Duration) -> Result<()> {
    Err(crate::names::Errno::ENOPROTOOPT)
}
