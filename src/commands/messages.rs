//! The program's messages: the line for each listener on standard output, everything else on standard error.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::mem::{Discriminant, discriminant};

use baresock::addr::Address;
use baresock::event_loop::Notice;
use baresock::explain::is_due;
use baresock::names::interface_name;
use baresock::os::output::Patient;

use super::failure::Failure;

/// How much the program says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loudness {
    Quiet,
    Ordinary,
    Verbose,
}

/// Writes a line to standard error, after the trace that led to it. A failed write does not stop the program.
pub(crate) fn say(line: impl fmt::Display) {
    baresock::trace::call::flush();
    // In one write, so that the lines of two processes do not mix.
    let whole = format!("baresock: {line}\n");
    let _ = Patient(io::stderr()).write_all(whole.as_bytes());
}

/// Writes the whole output of a command to standard output. A closed pipe (`| head`) is not a failure.
///
/// # Errors
/// Standard output is full.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = Patient(io::stdout().lock());
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::from_std("standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Writes the line that says where a service listens, at once, for a script that waits for it; not with `--quiet`. A
/// script that has stopped reading does not stop the server.
///
/// # Errors
/// Standard output is full, so neither script nor user would learn the port.
pub(crate) fn announce(
    service: &str,
    address: &Address,
    loudness: Loudness,
) -> Result<(), Failure> {
    if loudness == Loudness::Quiet {
        return Ok(());
    }
    print(format!("listening {service} {} ({})\n", Told(address), address.reach()).as_bytes())
}

/// An address as its user typed it: with the name of its interface, if it has one.
pub(crate) struct Told<'a>(pub(crate) &'a Address);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.link().and_then(interface_name);
        match (self.0, name) {
            (Address::V6(at), Some(name)) => {
                write!(f, "[{}%{}]:{}", at.ip(), name.escape_debug(), at.port())
            }
            (address, _) => address.fmt(f),
        }
    }
}

/// Reports events of the loop: each kind of trouble the first time, and again the 10th, 100th, … time with its count,
/// so that a thousand resets do not fill the terminal.
#[derive(Debug)]
pub(crate) struct Reporter {
    loudness: Loudness,
    counts: HashMap<Discriminant<Notice<'static>>, u64>,
}

impl Reporter {
    pub(crate) fn new(loudness: Loudness) -> Self {
        Self { loudness, counts: HashMap::new() }
    }

    pub(crate) fn tell(&mut self, notice: &Notice<'_>) {
        let wanted = match notice {
            Notice::Opened(_) | Notice::Closed(_) => Loudness::Verbose,
            Notice::NotConnected { others: 1.., .. }
            | Notice::ConnectedToItself { others: 1.., .. } => Loudness::Verbose,
            _ => Loudness::Ordinary,
        };
        if self.loudness < wanted {
            return;
        }
        let count = self.counts.entry(kind(notice)).or_default();
        *count += 1;
        if self.loudness == Loudness::Verbose || *count == 1 {
            say(InWords(notice));
        } else if is_due(*count) {
            say(format_args!("{} ({count} times by now)", InWords(notice)));
        }
    }
}

/// What a connection is that leads back to its own socket.
pub(crate) const CONNECTED_TO_ITSELF: &str = "the socket was connected to itself, because no program listens there and the \
    kernel picked that port for this end (explain self-connection)";

/// The kind of a notice, whatever connection it is about.
fn kind(notice: &Notice<'_>) -> Discriminant<Notice<'static>> {
    // A discriminant says nothing of lifetimes, but its type does; so that of a like value without a borrow is taken.
    use baresock::names::Errno;
    use baresock::trace::Function;
    static NO_ADDRESS: Address = Address::v4(std::net::Ipv4Addr::UNSPECIFIED, 0);
    let none = Errno::from_number(0);
    discriminant(&match notice {
        Notice::Opened(_) => Notice::Opened(&NO_ADDRESS),
        Notice::Closed(_) => Notice::Closed(&NO_ADDRESS),
        Notice::Failed(..) => Notice::Failed(&NO_ADDRESS, Function::RECV, none),
        Notice::FileFailed(..) => Notice::FileFailed(Function::READ, none),
        Notice::NotConnected { .. } => {
            Notice::NotConnected { address: &NO_ADDRESS, errno: none, others: 0 }
        }
        Notice::ConnectedToItself { .. } => {
            Notice::ConnectedToItself { address: &NO_ADDRESS, others: 0 }
        }
        Notice::TimedOut(_) => Notice::TimedOut(&NO_ADDRESS),
        Notice::TooSlow(_) => Notice::TooSlow(&NO_ADDRESS),
        Notice::Unwatchable(..) => Notice::Unwatchable(&NO_ADDRESS, 0),
        Notice::Refused(_) => Notice::Refused(&NO_ADDRESS),
        Notice::NotSpliced(..) => Notice::NotSpliced(&NO_ADDRESS, none),
        Notice::WaitFailed(..) => Notice::WaitFailed(Function::SELECT, none),
        Notice::NoDescriptor(_) => Notice::NoDescriptor(none),
        Notice::AcceptFailed(_) => Notice::AcceptFailed(none),
        Notice::DatagramFailed(_) => Notice::DatagramFailed(none),
        Notice::Draining(_) => Notice::Draining(0),
    })
}

struct InWords<'a>(&'a Notice<'a>);

impl fmt::Display for InWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Notice::Opened(peer) => write!(f, "{}: connected", Told(peer)),
            Notice::Closed(peer) => write!(f, "{}: closed", Told(peer)),
            Notice::Failed(peer, call, errno) => {
                write!(
                    f,
                    "{}: {call}: {errno}: this connection is closed, the server continues",
                    Told(peer)
                )
            }
            Notice::FileFailed(call, errno) => write!(f, "{call}: {errno}"),
            Notice::NotConnected { address, errno, others: 0 } => {
                write!(f, "connect {}: {errno}: the server continues", Told(address))
            }
            Notice::NotConnected { address, errno, .. } => {
                write!(f, "connect {}: {errno}: trying the next address", Told(address))
            }
            Notice::ConnectedToItself { address, others } => {
                let then =
                    if *others == 0 { "the server continues" } else { "trying the next address" };
                write!(f, "connect {}: {CONNECTED_TO_ITSELF}: {then}", Told(address))
            }
            Notice::TimedOut(peer) => write!(f, "{}: idle for too long: closed", Told(peer)),
            Notice::TooSlow(peer) => {
                write!(
                    f,
                    "{}: does not read, and too many unsent bytes are queued for it: closed",
                    Told(peer)
                )
            }
            Notice::Unwatchable(peer, number) => write!(
                f,
                "{}: closed: descriptor {number} has no bit in an fd_set (FD_SETSIZE is {}); --via poll has no such limit",
                Told(peer),
                baresock::sys::FD_SETSIZE
            ),
            Notice::NotSpliced(peer, errno) => {
                write!(f, "{}: pipe: {errno}: the bytes of this connection are copied", Told(peer))
            }
            Notice::Refused(peer) => {
                write!(f, "{}: closed: this system's poll accepts no more descriptors", Told(peer))
            }
            Notice::WaitFailed(call, errno) => {
                write!(f, "{call}: {errno}: this may be temporary: waiting again after a moment")
            }
            Notice::NoDescriptor(errno) => {
                write!(f, "accept: {errno}: accepting no new client until a descriptor is free")
            }
            Notice::AcceptFailed(errno) => write!(f, "accept: {errno}: the server continues"),
            Notice::DatagramFailed(errno) => write!(f, "a datagram: {errno}: the server continues"),
            Notice::Draining(clients) => {
                write!(
                    f,
                    "shutting down; clients with unsent data: {clients} (a second signal ends at once)"
                )
            }
        }
    }
}
