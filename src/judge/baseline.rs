//! How slow this machine is at the moment: a time limit that is fair on an idle machine is not fair on a busy one.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::os::machine::processor_time;

/// How many messages go to a thread and back. An idle machine needs a millisecond or two.
const ROUNDS: usize = 40;
/// The longest time that still counts as idle.
const IDLE: Duration = Duration::from_millis(8);
/// How long to use a processor without a pause: longer than a scheduler lets a program run that has just slept.
const WORK: Duration = Duration::from_millis(15);
/// How long that may take at most.
const LONGEST_WORK: Duration = Duration::from_millis(150);
/// With a larger factor, a time limit would not be one.
const MOST: f64 = 6.0;

/// How many times slower than idle this machine is: from 1 to 6. A machine may be slow to wake a program, or, if many
/// programs are busy, slow to let a program work.
pub fn slowness() -> f64 {
    let took = rounds().unwrap_or(IDLE);
    let waking = took.as_secs_f64() / IDLE.as_secs_f64();
    waking.max(working()).clamp(1.0, MOST)
}

/// How many times longer some work takes than it would alone.
fn working() -> f64 {
    let began = Instant::now();
    let before = processor_time();
    loop {
        (0..1000).for_each(|_| std::hint::spin_loop());
        let took = began.elapsed();
        let used = processor_time().saturating_sub(before);
        if used >= WORK || took >= LONGEST_WORK {
            return took.as_secs_f64() / used.as_secs_f64().max(0.001);
        }
    }
}

fn rounds() -> std::io::Result<Duration> {
    let (mut here, mut there) = UnixStream::pair()?;
    let echo = thread::spawn(move || {
        let mut byte = [0];
        while there.read_exact(&mut byte).is_ok() && there.write_all(&byte).is_ok() {}
    });
    let began = Instant::now();
    let mut byte = [0];
    for _ in 0..ROUNDS {
        here.write_all(&byte)?;
        here.read_exact(&mut byte)?;
    }
    let took = began.elapsed();
    drop(here);
    // The thread has read end of file, and ends.
    let _ = echo.join();
    Ok(took)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_never_faster_than_idle_and_never_without_end() {
        let slowness = super::slowness();
        assert!((1.0..=super::MOST).contains(&slowness), "{slowness}");
    }
}
