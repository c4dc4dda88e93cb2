//! How slow this machine is just now: a time limit that is fair on an idle machine is not on a busy one.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// So many messages go to a thread and back. An idle machine needs a millisecond or two.
const ROUNDS: usize = 40;
/// What still counts as an idle machine.
const IDLE: Duration = Duration::from_millis(8);
/// Beyond this no time limit would be one.
const MOST: f64 = 6.0;

/// How many times slower than an idle machine this one is: from 1 to 6.
pub fn slowness() -> f64 {
    let took = rounds().unwrap_or(IDLE);
    (took.as_secs_f64() / IDLE.as_secs_f64()).clamp(1.0, MOST)
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
    // It has seen the end.
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
