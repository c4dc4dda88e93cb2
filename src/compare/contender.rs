//! A server that is compared, as a process of its own: so it has a table of descriptors that no other thread uses
//! (otherwise the kernel would count every access to a descriptor), and its processor time can be measured.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::Failed;
use super::report::Server;
use crate::os::machine;

/// Whether a server counts its calls, which takes time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    Nothing,
    Calls,
}

/// A running server; it ends when this value is dropped.
pub(super) struct Contender {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub(super) address: SocketAddr,
}

impl Contender {
    /// Starts a server and waits until it listens.
    pub(super) fn start(
        program: &Path,
        server: Server,
        counting: Counting,
    ) -> Result<Self, Failed> {
        let failed = |why: String| Failed::Server(format!("the server '{}': {why}", server.name()));
        let mut command = Command::new(program);
        command.args(["compare-server", server.name()]);
        if counting == Counting::Calls {
            command.arg("--count");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let Some(stdout) = child.stdout.take() else { return Err(failed("no output".into())) };
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        let _ = lines.read_line(&mut line);
        let address = line.split_whitespace().find_map(|word| word.parse().ok());
        match address {
            Some(address) => Ok(Self { child, lines, address }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(failed("it did not begin to listen".into()))
            }
        }
    }

    /// The server's processor time, where the system tells.
    pub(super) fn processor_time(&self) -> Option<Duration> {
        machine::processor_time_of(self.child.id())
    }

    /// Ends the server, and returns how many calls it made for each answer since its first report.
    pub(super) fn calls_per_answer(mut self) -> Option<f64> {
        let _ = self.child.kill();
        let mut told = Vec::new();
        let mut line = String::new();
        while matches!(self.lines.read_line(&mut line), Ok(1..)) {
            let mut words = line.strip_prefix("counted ").unwrap_or("").split_whitespace();
            let mut number = || words.next()?.parse::<f64>().ok();
            told.extend(number().zip(number()));
            line.clear();
        }
        let ((calls, answers), (calls_last, answers_last)) = (told.first()?, told.last()?);
        let answers = answers_last - answers;
        (answers > 0.0).then(|| (calls_last - calls) / answers)
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
