//! Why a command failed: what was tried, the errno's name, its text, and a hint if there is a useful one.

use std::fmt;
use std::path::Path;

use baresock::addr::Address;
use baresock::names::{AF_UNIX, Errno, SOCK_STREAM};
use baresock::poller::Via;
use baresock::sys::{self, FD_SETSIZE};
use baresock::trace::page::Effect;
use baresock::trace::{Function, suspended};

use super::messages::Told;

/// A command that failed, in one line.
#[derive(Debug)]
pub(crate) struct Failure {
    line: String,
    /// The exit status of the program.
    status: u8,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl Failure {
    /// A failure that is not that of a call.
    pub(crate) fn new(what: impl fmt::Display) -> Self {
        Self { line: what.to_string(), status: 1 }
    }

    /// A wrong command line.
    pub(crate) fn usage(what: impl fmt::Display) -> Self {
        Self { line: format!("{what}; see --help"), status: 2 }
    }

    /// The program or server could not be judged.
    pub(crate) fn not_judged(what: impl fmt::Display) -> Self {
        Self { line: what.to_string(), status: 3 }
    }

    /// The exit status of the program.
    pub(crate) const fn status(&self) -> u8 {
        self.status
    }

    /// A call with an address failed.
    pub(crate) fn at(call: Function, address: &Address, errno: Errno) -> Self {
        Self::new(format_args!("{call} {}: {errno}{}", Told(address), hint(call, address, errno)))
    }

    /// A failure if `select` cannot watch a descriptor with this number. The number is so high because the parent
    /// process left that many descriptors open. (No call reports it: the limit is not the system's.)
    pub(crate) fn if_unwatchable(via: Via, number: i32) -> Result<(), Self> {
        if via != Via::Select || number < FD_SETSIZE as i32 {
            return Ok(());
        }
        Err(Self::new(format_args!(
            "select cannot watch file descriptor {number}, which has no bit in an fd_set (FD_SETSIZE is {FD_SETSIZE}): \
             this process inherited all lower descriptors open; --via poll has no such limit"
        )))
    }

    /// The same if an errno was EMFILE for this reason: the number of the next descriptor shows it.
    pub(crate) fn unless_unwatchable(self, via: Via, errno: Errno) -> Self {
        let next = || {
            sys::socket(AF_UNIX, SOCK_STREAM, sys::Protocol::default()).map(|fd| fd.number().get())
        };
        match (errno == Errno::EMFILE).then(|| suspended(next)) {
            Some(Ok(number)) => Self::if_unwatchable(via, number).err().unwrap_or(self),
            _ => self,
        }
    }

    /// A failure in the standard library.
    pub(crate) fn from_std(what: impl fmt::Display, error: &std::io::Error) -> Self {
        match error.raw_os_error() {
            Some(number) => Self::of(what, Errno::from_number(number)),
            None => Self::new(format_args!("{what}: {error}")),
        }
    }

    /// A directory for a short time that cannot be made here.
    pub(crate) fn of_scratch_directory(tried: &Path, error: &std::io::Error) -> Self {
        let tried = format!("mkdir {}", tried.display().to_string().escape_debug());
        Self::from_std(tried, error).adding("set TMPDIR to a directory that you may write to")
    }

    /// A failed call.
    pub(crate) fn of(call: impl fmt::Display, errno: Errno) -> Self {
        Self::new(format_args!("{call}: {errno}"))
    }

    /// The same failure with a few more words.
    pub(crate) fn adding(self, words: &str) -> Self {
        Self { line: format!("{}: {words}", self.line), ..self }
    }
}

fn hint(call: Function, address: &Address, errno: Errno) -> &'static str {
    let is_unix = matches!(address, Address::Unix(_));
    match (call.effect(), errno) {
        (Effect::Binds | Effect::Connects, Errno::EINVAL) if address.lacks_link() => {
            ": a link-local address needs the name of its interface, as in \
             [fe80::1%eth0]:PORT; 'baresock host' lists them"
        }
        (Effect::Binds, Errno::EACCES) if is_unix => {
            ": you have no write permission for this directory"
        }
        (Effect::Binds, Errno::EACCES) => ": ports below 1024 are reserved; try a higher port",
        (Effect::Binds | Effect::Listens, Errno::EADDRINUSE) if is_unix => {
            ": a file of that name exists: a server listens there, or the file is not a socket"
        }
        (Effect::Binds | Effect::Listens, Errno::EADDRINUSE) => {
            ": another socket has this address, of another program or of this one; try another port, or 0 for a free one"
        }
        (Effect::Binds, Errno::EADDRNOTAVAIL) => ": this machine has no such address",
        (Effect::Binds, Errno::ENAMETOOLONG) => {
            ": the path of a Unix-domain socket has at most 107 bytes (103 on the BSDs and macOS)"
        }
        (Effect::Binds, Errno::ENOENT) => ": the directory does not exist",
        (Effect::Connects, Errno::ECONNREFUSED) => ": no server listens there",
        (Effect::Connects, Errno::ETIMEDOUT) => ": no answer within the time limit",
        (Effect::Connects, Errno::ENOENT) if is_unix => ": no such socket file",
        (_, Errno::EMFILE) => {
            ": this process has reached its limit on file descriptors; see ulimit -n"
        }
        _ => "",
    }
}
