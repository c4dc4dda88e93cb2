//! What a lab has outside its process: a directory, and the process itself. Both end with the lab, also if a signal
//! ends this program in the meantime.

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use baresock::labs::Lab;
use baresock::names::{Errno, SIGHUP, SIGINT, SIGTERM, Signal};
use baresock::os::process_group::{end_group, wait_for};
use baresock::os::signals::{end_by, into_pipe};
use baresock::sys::{AsFd, Fd, Handler, POLLIN, PollFd, SigAction, kill, poll, read, sigaction};

use super::Failure;

/// Every place that exists now.
static PLACES: Mutex<Vec<Inside>> = Mutex::new(Vec::new());

/// A directory, and the process that uses it.
struct Inside {
    directory: PathBuf,
    process: Option<u32>,
}

/// Every lab that runs as a program of its own, which has places of its own.
static PROGRAMS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn programs() -> MutexGuard<'static, Vec<u32>> {
    PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs this program once more, to its end; returns its standard output, its last line on standard error, and whether it
/// succeeded. A signal that ends this program ends that one first.
pub(super) fn output_of_program(command: &mut Command) -> io::Result<(Vec<u8>, String, Ended)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Locked during the start, so that a signal finds it.
    let mut running = programs();
    let mut child = command.spawn()?;
    running.push(child.id());
    drop(running);
    let mut told = Vec::new();
    let mut complaints = String::new();
    // It writes little to standard error: both fit into their pipes one after the other.
    let read = child.stdout.take().map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut told));
    let read = read.and(
        child.stderr.take().map_or(Ok(0), |mut stderr| stderr.read_to_string(&mut complaints)),
    );
    // Before it is waited for: afterwards its number may be that of another process.
    programs().retain(|program| *program != child.id());
    let status = child.wait()?;
    read?;
    let ended = if status.success() { Ended::Well } else { Ended::Badly };
    Ok((told, complaints.lines().last().unwrap_or_default().to_string(), ended))
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    Badly,
}

fn places() -> MutexGuard<'static, Vec<Inside>> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A directory for one run of a lab; it is removed when this is dropped.
pub(crate) struct ScratchDirectory(PathBuf);

impl ScratchDirectory {
    /// Makes the directory.
    pub(super) fn new(lab: &Lab) -> Result<Self, Failure> {
        let name = format!("baresock-{}-{}", std::process::id(), lab.name);
        let path = std::env::temp_dir().join(name);
        Self::at(&path).map_err(|error| Failure::of_scratch_directory(&path, &error))
    }

    /// Makes a directory with this path.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        let mut places = places();
        // The lab's process has another working directory.
        let path = std::path::absolute(path)?;
        fs::create_dir(&path)?;
        places.push(Inside { directory: path.clone(), process: None });
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The directory moves to another place. A directory that is there moves to this one, and is removed; if that is not
    /// possible, it stays there.
    pub(crate) fn replace(self, target: &Path) -> io::Result<()> {
        // Locked to the end: a signal that ends this program waits, so that one of the two is always there.
        let _places = places();
        let mut old = self.0.clone().into_os_string();
        old.push(".old");
        match fs::rename(target, &old) {
            Ok(()) => {
                fs::rename(&self.0, target).inspect_err(|_| {
                    // If the old one cannot go back either, it stays beside its place.
                    let _ = fs::rename(&old, target);
                })?;
                fs::remove_dir_all(&old)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(&self.0, target),
            Err(error) => Err(error),
        }
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
pub(crate) fn clean_up_at_signals() -> Result<(), Failure> {
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
    // Locked to the end, so that no further program is started and no further place is made.
    let programs = programs();
    for program in &*programs {
        // It cleans up after itself.
        let _ = kill(*program, SIGTERM);
    }
    programs.iter().for_each(|program| wait_for(*program));
    let places = places();
    places.iter().filter_map(|inside| inside.process).for_each(end_group);
    for inside in &*places {
        // What cannot be removed is left, as above.
        let _ = fs::remove_dir_all(&inside.directory);
    }
    end_by(signal);
}
