//! A client that is judged.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::guard;
use super::output::KeptOutput;
use crate::names::Signal;
use crate::os::children::end_all;
use crate::sys;

/// How long judge waits for the last output of a client that has ended.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// A client that is judged: it ends by itself, judge writes its standard input and keeps its standard output.
#[derive(Debug)]
pub struct JudgedClient {
    child: Child,
    /// Standard output.
    pub output: KeptOutput,
    /// Standard error.
    pub errors: KeptOutput,
    status: Option<ExitStatus>,
}

/// The most bytes of standard output that are kept.
const MOST_OUTPUT: usize = 24 << 20;

impl JudgedClient {
    /// Starts the client with this on its standard input, followed by end of file.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(mut command: Command, input: Vec<u8>) -> io::Result<Self> {
        let (from, stdout) = io::pipe()?;
        let (errors_from, stderr) = io::pipe()?;
        command.stdin(Stdio::piped()).stdout(stdout).stderr(stderr).process_group(0);
        let child = command.spawn();
        drop(command);
        let mut child = child?;
        guard::started(child.id());
        if let Some(mut stdin) = child.stdin.take() {
            // A client that does not read must not delay judge. The thread ends with the client.
            thread::spawn(move || stdin.write_all(&input));
        }
        let output = KeptOutput::collect(from, MOST_OUTPUT);
        let errors = KeptOutput::collect_little(errors_from);
        Ok(Self { child, output, errors, status: None })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.status = self.status.or_else(|| self.child.try_wait().ok().flatten());
        if self.status.is_some() {
            self.output.wait(LAST_WORDS);
        }
        self.status
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            let _ = sys::kill(self.pid(), signal);
        }
    }
}

impl Drop for JudgedClient {
    fn drop(&mut self) {
        let _ = self.ended();
        end_all(self.child.id());
        guard::ended();
    }
}
