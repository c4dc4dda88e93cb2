//! Other programs, and baresock where it ends by itself.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{PATIENCE, Patience, skipped};

pub(crate) const BARESOCK: &str = env!("CARGO_BIN_EXE_baresock");

/// Runs baresock to its end.
#[track_caller]
pub(crate) fn baresock(arguments: &[&str]) -> Output {
    output_of(Command::new(BARESOCK).args(arguments))
}

/// A command that has no descriptors but 0, 1 and 2, so that its own are numbered from 3. (What starts the tests, such as an
/// editor or make, may leave it others.)
pub(crate) fn with_three_descriptors(program: &str) -> Command {
    let close = "for fd in 3 4 5 6 7 8 9; do eval \"exec $fd>&-\"; done; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", close, program]);
    command
}

/// A program that SIGINT ends even if these tests run in the background of a script: the shell has them ignore it then, and
/// what they start would do so as well.
pub(crate) fn interruptible(program: &str) -> Command {
    if !cfg!(target_os = "linux") {
        return Command::new(program);
    }
    let mut command = Command::new("env");
    command.args(["--default-signal=INT", program]);
    command
}

/// Runs a program to its end.
#[track_caller]
pub(crate) fn output_of(command: &mut Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.stdin(Stdio::null()).spawn().unwrap();
    let mut child = KilledAtEnd(child);
    // Beside the wait: a pipe has room for 64 KiB, and a program that has written more waits, too.
    let stdout = read_beside(child.0.stdout.take().unwrap());
    let stderr = read_beside(child.0.stderr.take().unwrap());
    let status = wait_for(&mut child.0);
    // It has ended, and no other process holds its pipes.
    Output { stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap(), status }
}

fn read_beside(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut text = Vec::new();
        from.read_to_end(&mut text).unwrap();
        text
    })
}

/// Waits until a process has ended; fails if it does not.
#[track_caller]
pub(crate) fn wait_for(child: &mut Child) -> ExitStatus {
    let status = ended_within(child, PATIENCE);
    assert!(status.is_some(), "the process did not end");
    status.unwrap()
}

/// How a process ended; none if it sleeps so long without having ended.
pub(crate) fn ended_within(child: &mut Child, time: Duration) -> Option<ExitStatus> {
    let mut patience = Patience::with(child.id(), time);
    loop {
        let status = child.try_wait().unwrap();
        if status.is_some() || patience.is_over() {
            return status;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// A process that does not outlive its test.
pub(crate) struct KilledAtEnd(pub(crate) Child);

impl Drop for KilledAtEnd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a program is installed. If not, the test says so; under CI it fails.
pub(crate) fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|place| place.join(name).is_file());
    if !found {
        missing(&format!("{name} is not installed"));
    }
    found
}

/// Something is missing that can be installed: skipped here, but an error under CI.
pub(crate) fn missing(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what}, and this is CI");
    skipped(what);
}
