//! What a lab has outside its process: a directory, and the process itself. Both end with the lab, also if a signal
//! ends this program in the meantime.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use baresock::labs::Lab;
use baresock::names::{Errno, SIGHUP, SIGINT, SIGTERM, Signal};
use baresock::os::process_group::end_group;
use baresock::os::signals::into_pipe;
use baresock::sys::{AsFd, Fd, Handler, POLLIN, PollFd, SigAction, kill, poll, read, sigaction};

use super::Failure;

/// Every place that exists now.
static PLACES: Mutex<Vec<Inside>> = Mutex::new(Vec::new());

/// A directory, and the process that uses it.
struct Inside {
    directory: PathBuf,
    process: Option<u32>,
}

fn places() -> MutexGuard<'static, Vec<Inside>> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A directory for one run of a lab; it is removed when this is dropped.
pub(super) struct ScratchDirectory(PathBuf);

impl ScratchDirectory {
    /// Makes the directory.
    pub(super) fn new(lab: &Lab) -> Result<Self, Failure> {
        let name = format!("baresock-{}-{}", std::process::id(), lab.name);
        let path = std::env::temp_dir().join(name);
        let mut places = places();
        // The lab's process has another working directory.
        let made = std::path::absolute(&path).and_then(|path| {
            fs::create_dir(&path)?;
            Ok(path)
        });
        let path = made.map_err(|error| {
            let tried = format!("mkdir {}", path.display().to_string().escape_debug());
            Failure::from_std(tried, &error)
                .adding("set TMPDIR to a directory that you may write to")
        })?;
        places.push(Inside { directory: path.clone(), process: None });
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Starts the process that ends with this place, in a process group of its own, so that its children end with it.
    pub(super) fn start(&self, command: &mut Command) -> io::Result<Child> {
        // Locked during the start, so that a signal finds either no process or a complete one.
        let mut places = places();
        let child = command.process_group(0).spawn()?;
        self.set_process(&mut places, Some(child.id()));
        Ok(child)
    }

    /// The process has ended, or is about to be waited for.
    pub(super) fn belongs_to_nobody(&self) {
        self.set_process(&mut places(), None);
    }

    fn set_process(&self, places: &mut [Inside], process: Option<u32>) {
        for inside in places.iter_mut().filter(|inside| inside.directory == self.0) {
            inside.process = process;
        }
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's cleaning of temporary files.
        let _ = fs::remove_dir_all(&self.0);
        places().retain(|inside| inside.directory != self.0);
    }
}

/// From now on, a signal that ends this program ends all places first.
pub(super) fn clean_up_at_signals() -> Result<(), Failure> {
    let failed = |errno| Failure::of("a pipe for signals", errno);
    let mut heeded = Vec::new();
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        let mut found = SigAction::new(Handler::Default);
        sigaction(signal, None, Some(&mut found)).map_err(failed)?;
        // Signals that were ignored at the start (nohup) stay ignored.
        if found.handler != Handler::Ignore {
            heeded.push(signal);
        }
    }
    let pipe = into_pipe(&heeded).map_err(failed)?;
    thread::spawn(move || {
        if let Some(signal) = first_of(&pipe) {
            end_with(signal);
        }
    });
    Ok(())
}

/// Waits for a signal. `None` if that is impossible.
fn first_of(pipe: &Fd) -> Option<Signal> {
    let mut byte = [0];
    // The signal may be delivered to this thread, and then interrupts its wait.
    while read(pipe, &mut byte) != Ok(1) {
        match poll(&mut [PollFd::new(pipe.as_fd(), POLLIN)], -1) {
            Err(errno) if errno != Errno::EINTR => return None,
            _ => {}
        }
    }
    [SIGHUP, SIGINT, SIGTERM].into_iter().find(|signal| signal.bits() == i32::from(byte[0]))
}

/// Ends all places, and then this program as the signal would have.
pub(super) fn end_with(signal: Signal) {
    // Locked to the end, so that no further place is made.
    let places = places();
    places.iter().filter_map(|inside| inside.process).for_each(end_group);
    for inside in &*places {
        // What cannot be removed is left, as above.
        let _ = fs::remove_dir_all(&inside.directory);
    }
    if sigaction(signal, Some(&SigAction::new(Handler::Default)), None).is_ok() {
        // It does not return.
        let _ = kill(std::process::id(), signal);
    }
}
