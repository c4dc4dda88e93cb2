//! A program that judge starts: in a process group of its own, with its output kept. Dropping it ends the program and
//! all its descendants.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::guard;
use super::output::KeptOutput;
use super::recipe::Recipe;
use crate::addr::Address;
use crate::names::{SIGKILL, SOCK_DGRAM, SOCK_STREAM, Signal, SocketType};
use crate::os::bound::{ListenerOwner, listener_owner};
use crate::os::children::end_all;
use crate::os::signals::name_of;
use crate::sys;

/// How often judge checks whether the program listens, or has ended: often at first, and less often if it takes long.
const LOOK: Duration = Duration::from_millis(3);
const SELDOM: Duration = Duration::from_millis(25);
/// How long judge waits for the last output of a program that has ended.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Why a program does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotStarted {
    /// What happened.
    pub why: String,
    /// Its output.
    pub output: String,
    /// Whether it ran and has ended.
    pub has_ended: bool,
}

/// A program that runs.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// Where it listens.
    pub address: Address,
    output: KeptOutput,
    status: OnceCell<ExitStatus>,
}

impl Recipe {
    /// Starts it at this address, with at most so many descriptors if a number is given, and waits until it listens, at most
    /// so long.
    ///
    /// # Errors
    /// It does not run, has ended, or does not listen.
    pub fn start(
        &self,
        address: &Address,
        descriptors: Option<u64>,
        most: Duration,
    ) -> Result<Program, NotStarted> {
        let not_started = |why: String| NotStarted { why, output: String::new(), has_ended: false };
        let failed = |error: io::Error| not_started(error.to_string());
        let mut command = self.command(address, descriptors);
        let (from, to) = io::pipe().map_err(failed)?;
        let stdout = to.try_clone().map_err(failed)?;
        command.stdin(Stdio::null()).stdout(stdout).stderr(to).process_group(0);
        let shown = self.words.first().map_or(OsStr::new(""), OsString::as_os_str).display();
        let child = command.spawn();
        // It holds copies of descriptors that only the program may have.
        drop(command);
        let child = child.map_err(|error| {
            not_started(format!("{} cannot be started: {error}", shown.to_string().escape_debug()))
        })?;
        guard::started(child.id());
        let output = KeptOutput::collect_little(from);
        let program = Program { child, address: address.clone(), output, status: OnceCell::new() };
        program.wait_until_served(self.kind, most)
    }
}

impl Program {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.get().is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            let _ = self.status.set(status);
        }
        self.status.get().copied()
    }

    /// Waits for its end, at most this long.
    pub fn wait(&mut self, most: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + most;
        while self.ended().is_none() && Instant::now() < end {
            thread::sleep(LOOK);
        }
        self.ended()
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            // It may have ended in between.
            let _ = sys::kill(self.pid(), signal);
        }
    }

    /// Kills the program, without its descendants.
    pub fn kill(&mut self) {
        self.signal(SIGKILL);
        let _ = self.wait(LAST_WORDS);
    }

    /// Its output so far.
    pub fn output(&mut self) -> String {
        if self.ended().is_some() {
            self.output.wait(LAST_WORDS);
        }
        self.output.text()
    }

    fn wait_until_served(mut self, kind: SocketType, most: Duration) -> Result<Self, NotStarted> {
        let end = Instant::now() + most;
        let mut look = LOOK;
        loop {
            let listener = FoundListener::at(&self.address, kind);
            if let FoundListener::OfProgram(found) = listener {
                // A program that listens at both addresses may have reached the first one in the meantime.
                if found != self.address {
                    thread::sleep(LOOK);
                }
                self.address = match FoundListener::at(&self.address, kind) {
                    FoundListener::OfProgram(again) => again,
                    _ => found,
                };
                return Ok(self);
            }
            if let Some(status) = self.ended() {
                let why = format!("the program ended before it listened: {}", ending(status));
                return Err(NotStarted { why, output: self.output(), has_ended: true });
            }
            if Instant::now() > end {
                let hint = match listener {
                    FoundListener::OfOthers => {
                        "another program listens there: to judge that one, give its address instead of a command"
                    }
                    _ => "pass it {port}, or read PORT",
                };
                let address = &self.address;
                let limit = most.as_secs_f64();
                let why =
                    format!("the program did not listen at {address} within {limit:.0} s ({hint})");
                return Err(NotStarted { why, output: self.output(), has_ended: false });
            }
            thread::sleep(look);
            look = look.mul_f64(1.2).min(SELDOM);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.ended();
        end_all(self.child.id());
        guard::ended();
    }
}

/// What listens at the program's address.
enum FoundListener {
    /// The program, here: at the address asked for, or at the same port over IPv6.
    OfProgram(Address),
    /// Only other programs.
    OfOthers,
    /// Nothing.
    NotYet,
}

impl FoundListener {
    fn at(address: &Address, kind: SocketType) -> Self {
        let other = address.port().map(|port| Address::v6(std::net::Ipv6Addr::LOCALHOST, port));
        let mut found = Self::NotYet;
        for one in [Some(address.clone()), other].into_iter().flatten() {
            match listener_owner(&one, kind) {
                Some(ListenerOwner::Descendant) => return Self::OfProgram(one),
                None if can_connect(&one, kind) => return Self::OfProgram(one),
                Some(ListenerOwner::Other) => found = Self::OfOthers,
                Some(ListenerOwner::None) | None => {}
            }
        }
        found
    }
}

/// Where the system has no table of sockets, a connection must be made. (For datagrams this is impossible: they are
/// just sent.)
fn can_connect(address: &Address, kind: SocketType) -> bool {
    let made = sys::socket(address.domain(), SOCK_STREAM, sys::Protocol::default());
    kind == SOCK_DGRAM || made.is_ok_and(|fd| sys::connect(&fd, address).is_ok())
}

/// How a process ended, in words.
pub fn ending(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("{} ended it", name_of(signal)),
        (None, Some(code)) => format!("it exited with status {code}"),
        (None, None) => "it ended".to_string(),
    }
}
