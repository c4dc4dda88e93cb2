//! Reading the log of strace as it is written.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::Duration;

use baresock::names::POLLIN;
use baresock::sys::{self, PollFd};

/// How long the log must be silent before a call that has begun is shown as waiting.
const SILENCE_MS: i32 = 150;

/// How long to let the log grow before it is read: reading each line at once would take the processor from the program.
const GATHERING: Duration = Duration::from_millis(3);

/// The log of a running program. When nothing has arrived for a moment it returns `WouldBlock`, once, and then waits.
#[derive(Debug)]
pub(super) struct PatientLog {
    log: File,
    has_said_so: bool,
}

impl PatientLog {
    pub(super) fn new(log: File) -> Self {
        Self { log, has_said_so: false }
    }
}

impl Read for PatientLog {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let timeout_ms = if self.has_said_so { -1 } else { SILENCE_MS };
        let mut rows = [PollFd::new(self.log.as_fd(), POLLIN)];
        match sys::poll(&mut rows, timeout_ms) {
            Ok(0) => {
                self.has_said_so = true;
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        self.has_said_so = false;
        std::thread::sleep(GATHERING);
        self.log.read(buffer)
    }
}
