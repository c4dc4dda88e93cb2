//! The servers that are compared, each in a process of its own: this program, run again.
//!
//! Two of them need neither `select` nor `poll`, and that is their lesson. `one_at_a_time` is the first server that
//! most people write: the second client waits until the first has left, even if the first is idle. A thread for each
//! client (`thread_each`) avoids that, and costs memory and context switches.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::report::Server;
use crate::addr::Address;
use crate::event_loop::{EventLoop, Limits};
use crate::names::{Errno, MSG_NOSIGNAL, MsgFlags, Protocol, Result, SO_REUSEADDR, SOCK_STREAM};
use crate::names::{SOL_SOCKET, TCP_NODELAY};
use crate::os::accepting::set_nonblocking;
use crate::poller::{TierLimits, Via};
use crate::services::Echo;
use crate::sys::{self, Fd};
use crate::trace::{Event, Function, Sink, Tracer, install};
use crate::{bare_poll, bare_select};

impl Server {
    /// Every server, by the name that the program takes for it.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("select", Self::Select),
        ("poll", Self::Poll),
        ("tiers", Self::Tiers),
        ("bare-select", Self::BareSelect),
        ("bare-poll", Self::BarePoll),
        ("one-at-a-time", Self::OneAtATime),
        ("thread-each", Self::ThreadEach),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

/// Serves until the process is ended; counts the calls on request.
///
/// # Errors
/// As the server's calls.
pub fn serve(
    server: Server,
    count: bool,
    announce: impl FnOnce(&Address) -> Result<()>,
) -> Result<()> {
    let counter = count.then(|| Arc::new(ServedCounts::default()));
    let _counted = counter.clone().map(|counts| install(Tracer::new(Counter(counts))));
    let address = Address::v4(std::net::Ipv4Addr::LOCALHOST, 0);
    match server {
        Server::Select => event_loop(Via::Select, None, &address, announce),
        Server::Poll => event_loop(Via::Poll, None, &address, announce),
        Server::Tiers => event_loop(Via::Poll, Some(TierLimits::default()), &address, announce),
        Server::BareSelect => bare_select::serve(&address, announce),
        Server::BarePoll => bare_poll::serve(&address, announce),
        Server::OneAtATime => one_at_a_time(&address, announce),
        Server::ThreadEach => thread_each(&address, announce, counter.as_ref()),
    }
}

fn event_loop(
    via: Via,
    tiers: Option<TierLimits>,
    address: &Address,
    announce: impl FnOnce(&Address) -> Result<()>,
) -> Result<()> {
    let mut event_loop = EventLoop::new(via, Limits { tiers, ..Limits::default() });
    let echo = event_loop.add_service(Box::new(Echo));
    let listener = bound(address)?;
    let name = sys::getsockname(&listener)?;
    sys::listen(&listener, 4096)?;
    set_nonblocking(&listener)?;
    event_loop.add_listener(listener, echo);
    announce(&name)?;
    event_loop.run().map_err(|failed| failed.errno)
}

/// Accept, echo until that client finishes, accept the next.
fn one_at_a_time(address: &Address, announce: impl FnOnce(&Address) -> Result<()>) -> Result<()> {
    let listener = listening(address)?;
    announce(&sys::getsockname(&listener)?)?;
    loop {
        let (client, _) = sys::accept(&listener)?;
        // An error of one client ends with that client.
        let _ = echo(&client);
    }
}

/// Accept, and leave the client to a thread.
fn thread_each(
    address: &Address,
    announce: impl FnOnce(&Address) -> Result<()>,
    counter: Option<&Arc<ServedCounts>>,
) -> Result<()> {
    /// A thread needs little more than its buffer.
    const STACK_BYTES: usize = 128 * 1024;
    let listener = listening(address)?;
    announce(&sys::getsockname(&listener)?)?;
    loop {
        let (client, _) = sys::accept(&listener)?;
        let counter = counter.cloned();
        let work = move || {
            let _counted = counter.map(|counts| install(Tracer::new(Counter(counts))));
            let _ = echo(&client);
        };
        // If no thread can be started, the client is closed together with the closure that owns it.
        let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    }
}

/// Blocking: each call waits as long as it has to.
fn echo(client: &Fd) -> Result<()> {
    let _ = sys::setsockopt(client, crate::names::SOL_TCP, TCP_NODELAY, &1);
    let mut buf = [0; 16 * 1024];
    loop {
        let received = match sys::recv(client, &mut buf, MsgFlags::NONE) {
            Ok(0) => return Ok(()),
            Err(Errno::EINTR) => continue,
            result => result?,
        };
        let mut unsent = &buf[..received];
        while !unsent.is_empty() {
            let sent = sys::send(client, unsent, MSG_NOSIGNAL)?;
            unsent = &unsent[sent..];
        }
    }
}

fn bound(address: &Address) -> Result<Fd> {
    let listener = sys::socket(address.domain(), SOCK_STREAM, Protocol::default())?;
    sys::setsockopt(&listener, SOL_SOCKET, SO_REUSEADDR, &1)?;
    sys::bind(&listener, address)?;
    Ok(listener)
}

fn listening(address: &Address) -> Result<Fd> {
    let listener = bound(address)?;
    sys::listen(&listener, 4096)?;
    Ok(listener)
}

/// The calls so far, and how many of them sent an answer.
#[derive(Debug, Default)]
struct ServedCounts {
    calls: AtomicUsize,
    sends: AtomicUsize,
}

/// Counts calls, and writes both numbers to standard output from time to time.
#[derive(Debug)]
struct Counter(Arc<ServedCounts>);

/// How many answers there are between two lines.
const ANSWERS_PER_LINE: usize = 50;

impl Sink for Counter {
    fn end(&mut self, event: &Event<'_>) {
        let calls = self.0.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if event.function() != Some(Function::SEND) {
            return;
        }
        let sends = self.0.sends.fetch_add(1, Ordering::Relaxed) + 1;
        if sends.is_multiple_of(ANSWERS_PER_LINE) {
            // The counting process may have closed its end.
            let _ = writeln!(std::io::stdout(), "counted {calls} {sends}");
        }
    }
}
