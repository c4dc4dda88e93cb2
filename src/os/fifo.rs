//! A named pipe (FIFO) that one program writes and another reads.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::{mkdtemp, mkfifo};

use crate::names::{Errno, O_NONBLOCK, Result};

/// A named pipe in a directory of its own; both are removed when this value is dropped.
#[derive(Debug)]
pub struct Fifo {
    directory: PathBuf,
    path: PathBuf,
}

impl Fifo {
    /// Makes a named pipe that only this user can open.
    ///
    /// # Errors
    /// As `mkdtemp(3)` and `mkfifo(3)`.
    pub fn make() -> Result<Self> {
        let errno = |errno: nix::errno::Errno| Errno::from_number(errno as i32);
        let directory = mkdtemp(&std::env::temp_dir().join("baresock-XXXXXX")).map_err(errno)?;
        let path = directory.join("log");
        let fifo = Self { directory, path };
        mkfifo(&fifo.path, Mode::S_IRUSR | Mode::S_IWUSR).map_err(errno)?;
        Ok(fifo)
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the pipe for writing, and closes it: a reader that waits in `open` continues, and finds end of file. This
    /// function waits for the reader, or until the name is gone.
    pub fn let_reader_go(path: &Path) {
        let mut options = OpenOptions::new();
        // Non-blocking, because a reader may never come.
        options.write(true).custom_flags(O_NONBLOCK.bits());
        while path.exists() && options.open(path).is_err() {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_dir(&self.directory);
    }
}
