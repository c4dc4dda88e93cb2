//! Nothing is left behind, even if judge is interrupted: neither directories that it made nor programs that it started.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::guard;
use crate::names::{POLLIN, Result, SIGHUP, SIGINT, SIGTERM, Signal};
use crate::os::children::{end_all, to_be_ended};
use crate::os::signals::{end_by, into_pipe};
use crate::sys::{self, AsFd, PollFd};

/// How many names are tried.
const MOST_TRIED: u32 = 1000;

static DIRECTORIES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// From now on, a signal that ends judge first ends the programs that judge has started, and removes the files that it
/// has made.
///
/// # Errors
/// The signals cannot be caught.
pub fn clean_up_at_signals() -> Result<()> {
    let pipe = into_pipe(&[SIGINT, SIGTERM, SIGHUP])?;
    thread::spawn(move || {
        loop {
            let mut byte = [0];
            let mut rows = [PollFd::new(pipe.as_fd(), POLLIN)];
            if sys::poll(&mut rows, -1).is_err() || sys::read(&pipe, &mut byte) != Ok(1) {
                continue;
            }
            for child in to_be_ended() {
                end_all(child);
            }
            let mut made = DIRECTORIES.lock().unwrap_or_else(PoisonError::into_inner);
            made.drain(..).for_each(|directory| drop(fs::remove_dir_all(directory)));
            guard::dismiss();
            end_by(Signal::from_bits(i32::from(byte[0])));
        }
    });
    Ok(())
}

/// A directory that is removed when this is dropped.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// Makes one below `place`, with a new name.
    ///
    /// # Errors
    /// It cannot be made there.
    pub fn make(place: &Path) -> std::io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = place.join(format!("baresock-judge-{}-{count}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                // A directory that was left by an old process with the same number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists && count < MOST_TRIED => {}
                made => {
                    made?;
                    guard::made(&path);
                    DIRECTORIES.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
                    return Ok(Self(path));
                }
            }
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let mut made = DIRECTORIES.lock().unwrap_or_else(PoisonError::into_inner);
        made.retain(|directory| *directory != self.0);
        // A directory that is gone already need not be removed.
        let _ = fs::remove_dir_all(&self.0);
    }
}
