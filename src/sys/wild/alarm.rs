//! An alarm that ends a call which never returns.

use std::time::Duration;

use libc::{c_int, itimerval, timeval};

use super::Wild;
use crate::names::Result;

/// The clock that also runs while the process waits; libc has its name for some systems only (sys/time.h).
const ITIMER_REAL: c_int = 0;
/// Then the signal comes again: another thread may have received the first one.
const AGAIN: Duration = Duration::from_secs(1);

/// `int setitimer(int which, const struct itimerval *new_value, struct itimerval *old_value);` with `ITIMER_REAL`:
/// `SIGALRM` arrives after this time, and again each second. A time of zero cancels it.
///
/// # Errors
/// None: the times are in range.
///
/// References: [`setitimer(2)`](https://man7.org/linux/man-pages/man2/setitimer.2.html); POSIX.1-2008 `setitimer`.
pub fn set_alarm(_: Wild, after: Duration) -> Result<()> {
    let new = itimerval { it_interval: c_time(AGAIN), it_value: c_time(after) };
    // SAFETY: `new` lives through the call, which reads it; nothing is written, for the old value is NULL.
    super::super::status(unsafe {
        libc::setitimer(ITIMER_REAL, &raw const new, std::ptr::null_mut())
    })
}

fn c_time(time: Duration) -> timeval {
    timeval { tv_sec: time.as_secs() as _, tv_usec: time.subsec_micros() as _ }
}
