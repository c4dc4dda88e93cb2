//! The program as a server: started with port 0, waited for, and ended with its test.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{BARESOCK, KilledAtEnd, Kind, PATIENCE, ended_within, wait_for, wait_until};

/// How a server is to be started.
pub(crate) struct Starting {
    kind: Kind,
    /// What is served, before the address and after it.
    service: (&'static str, String),
    address: String,
    arguments: Vec<String>,
    limits: Option<String>,
    stderr: Option<Stdio>,
}

/// A server that runs.
pub(crate) struct Server {
    child: KilledAtEnd,
    lines: Receiver<String>,
    stderr: Arc<Mutex<String>>,
    /// What it said first.
    pub(crate) listening: String,
}

/// A server that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
}

/// A server on a free port of 127.0.0.1.
pub(crate) fn start(kind: Kind) -> Server {
    starting(kind).start()
}

/// The same, with more to be said before it starts.
pub(crate) fn starting(kind: Kind) -> Starting {
    let address = "127.0.0.1:0".to_string();
    let service = ("echo", String::new());
    Starting { kind, service, address, arguments: Vec::new(), limits: None, stderr: None }
}

impl Starting {
    pub(crate) fn at(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// Another service than echo, and its options.
    pub(crate) fn serving(mut self, service: &'static str, options: &str) -> Self {
        self.service = (service, options.to_string());
        self
    }

    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(ToString::to_string));
        self
    }

    /// Under `ulimit`, as a shell has it: "-n 32" sets both limits, "-Sn 1024" the soft one.
    pub(crate) fn under(mut self, ulimit: &str) -> Self {
        self.limits = Some(ulimit.to_string());
        self
    }

    /// Where its standard error goes, if the test is not to collect it.
    pub(crate) fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.stderr = Some(to.into());
        self
    }

    fn command(&self) -> Command {
        let mut command = match &self.limits {
            None => Command::new(BARESOCK),
            Some(limits) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("ulimit {limits} && exec \"$0\" \"$@\"")).arg(BARESOCK);
                shell
            }
        };
        let address = match self.kind.is_bare() {
            true => self.address.clone(),
            false => format!("{}={}{}", self.service.0, self.address, self.service.1),
        };
        command.args([self.kind.command, &address, "--via", self.kind.via]);
        command.args(self.kind.flags()).args(&self.arguments);
        command
    }

    /// Starts it and waits until it listens.
    #[track_caller]
    pub(crate) fn start(self) -> Server {
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let stderr = Arc::new(Mutex::new(String::new()));
        command.stderr(self.stderr.unwrap_or_else(Stdio::piped));
        let mut child = KilledAtEnd(command.spawn().unwrap());
        // It holds a copy of whatever standard error was given to it.
        drop(command);
        if let Some(from) = child.0.stderr.take() {
            collect(from, stderr.clone());
        }
        let lines = lines_of(child.0.stdout.take().unwrap());
        match lines.recv_timeout(PATIENCE) {
            Ok(listening) => Server { child, lines, stderr, listening },
            Err(_) => panic!("it does not listen; it says: {}", stderr.lock().unwrap()),
        }
    }
}

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// The next line on standard output.
    #[track_caller]
    pub(crate) fn next_line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("one more line on standard output")
    }

    /// Where it listens, from what it said.
    #[track_caller]
    pub(crate) fn address(&self) -> SocketAddr {
        address_in(&self.listening)
    }

    /// What it has said on standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    #[track_caller]
    pub(crate) fn wait_until_it_says(&self, words: &str) {
        let what = format!("it says {words:?}");
        wait_until(&what, || self.stderr().contains(words));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid() as i32), signal).unwrap();
    }

    /// Waits until it has ended.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Ended {
        let status = wait_for(&mut self.child.0);
        // The thread that collects ends with the pipe, and lets go of its half.
        wait_until("all that it said is read", || Arc::strong_count(&self.stderr) == 1);
        Ended { status, stderr: self.stderr() }
    }

    /// Waits until it has ended, which it must without sleeping for so long. (How long it takes for its work, on a machine
    /// that is busy with other things, does not matter.)
    #[track_caller]
    pub(crate) fn wait_without_sleeping_for(mut self, most: Duration) -> Ended {
        assert!(
            ended_within(&mut self.child.0, most).is_some(),
            "it sleeps for more than {most:?}"
        );
        self.wait()
    }

    /// Ends it with SIGTERM.
    #[track_caller]
    pub(crate) fn end(self) -> Ended {
        self.signal(Signal::SIGTERM);
        self.wait()
    }
}

/// The address in a line that says where something listens.
#[track_caller]
pub(crate) fn address_in(line: &str) -> SocketAddr {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["listening", _, address, ..] => address.parse().unwrap(),
        _ => panic!("it says: {line}"),
    }
}

/// The lines that come from there, as they come.
pub(crate) fn lines_of(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            // The output may not be needed any more, but the pipe must not fill up.
            let _ = sender.send(line);
        }
    });
    receiver
}

fn collect(mut from: impl Read + Send + 'static, into: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(len @ 1..) = from.read(&mut buffer) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..len]));
        }
    });
}
