//! The stage of the tour: a server that makes one turn whenever a descriptor is ready, and its
//! clients.

use std::fmt;
use std::net::Ipv4Addr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use baresock::addr::Address;
use baresock::event_loop::{EventLoop, Limits, Progress};
use baresock::ladder::html::LadderNoteKind;
use baresock::names::{Errno, FIONREAD, TIOCOUTQ};
use baresock::poller::Via;
use baresock::services::Echo;
use baresock::sys;
use baresock::trace::suspended;

use super::client::TourClient;
use super::packets::TourWire;
use super::paper::Narrator;
use super::recorder::BothSides;
use crate::commands::failure::Failure;
use crate::commands::listen::{Listening, SocketFiles, listen_at};

/// The longest time for anything that should be immediate. Nothing waits longer, so the tour cannot hang.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The server's send buffer, as it is asked for: small, so that a send takes only part.
const SEND_BUFFER: i32 = 16 * 1024;
/// The receive buffer of client A. Much smaller than the server's send buffer: what it takes in silence must not
/// make so much room there that the server is woken.
const RECEIVE_BUFFER: i32 = 2 * 1024;

/// The server, its clients, and the output.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) narrator: Narrator,
    event_loop: EventLoop,
    server: Option<Address>,
    a: Option<TourClient>,
    b: Option<TourClient>,
    both_sides: BothSides,
}

impl Stage {
    pub(super) fn new(narrator: Narrator, via: Via, both_sides: BothSides) -> Self {
        let event_loop = EventLoop::new(via, Limits::default());
        Self { narrator, event_loop, server: None, a: None, b: None, both_sides }
    }

    /// Whether packets are among the lines.
    pub(super) fn shows_packets(&self) -> bool {
        self.both_sides.wire.as_ref().is_some_and(TourWire::shows)
    }

    /// A chapter begins: a numbered headline, and a sentence or two on what will happen and what to look at.
    pub(super) fn begin_chapter(&self, number: usize, title: &str, before: &str) {
        self.narrator.headline(number, title, before);
        self.both_sides.note(LadderNoteKind::Chapter, &format!("{number}. {title}"));
        self.both_sides.note(LadderNoteKind::Said, before);
    }

    /// Says what a client does, or what comes of it.
    pub(super) fn tell(&self, what: fmt::Arguments<'_>) {
        self.narrator.client(what);
        self.both_sides.note(LadderNoteKind::Said, &what.to_string());
    }

    /// The server begins to listen, in full view.
    pub(super) fn listen(&mut self) -> Result<(), Failure> {
        let any_port = vec![Address::v4(Ipv4Addr::LOCALHOST, 0)];
        let how = Listening { sndbuf: Some(SEND_BUFFER), ..Listening::for_streams(16) };
        let service = self.event_loop.add_service(Box::new(Echo));
        for (fd, name) in listen_at(any_port, how, &mut SocketFiles::default())? {
            self.event_loop.add_listener(fd, service);
            self.server = Some(name);
        }
        Ok(())
    }

    /// One turn of the server, which does not block, because a descriptor is ready.
    pub(super) fn turn(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match suspended(|| self.event_loop.ready_within(left)) {
                Ok(true) => break,
                Ok(false) => return Err(overdue("no descriptor became ready")),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Failure::of("the tour: the server's wait", errno)),
            }
        }
        let turned = self.event_loop.turn();
        turned
            .map(|_: Progress| ())
            .map_err(|failed| Failure::new(format_args!("the tour: {failed}")))
    }

    /// The server ends: no listener, no connection.
    pub(super) fn stop(&mut self) {
        self.event_loop.stop();
    }

    /// Client A connects, with a small receive buffer.
    pub(super) fn connect_a(&mut self) -> Result<(), Failure> {
        self.a = Some(self.connect("client A", Some(RECEIVE_BUFFER))?);
        Ok(())
    }

    /// Client B connects.
    pub(super) fn connect_b(&mut self) -> Result<(), Failure> {
        self.b = Some(self.connect("client B", None)?);
        Ok(())
    }

    fn connect(&self, name: &'static str, rcvbuf: Option<i32>) -> Result<TourClient, Failure> {
        let server = self.server.as_ref().ok_or_else(|| overdue("no server listens"))?;
        TourClient::connect(name, server, rcvbuf, self.both_sides.client(name))
    }

    pub(super) fn a(&mut self) -> Result<&mut TourClient, Failure> {
        self.a.as_mut().ok_or_else(|| overdue("client A is not connected"))
    }

    pub(super) fn b(&mut self) -> Result<&mut TourClient, Failure> {
        self.b.as_mut().ok_or_else(|| overdue("client B is not connected"))
    }

    /// Client B, which is no longer needed.
    pub(super) fn take_b(&mut self) -> Result<TourClient, Failure> {
        self.b.take().ok_or_else(|| overdue("client B is not connected"))
    }

    /// Waits until this many bytes of client A have arrived at the server and not been received.
    pub(super) fn until_arrived_from_a(&mut self, count: usize) -> Result<(), Failure> {
        self.until("the bytes of client A did not arrive", FIONREAD, |queued| queued >= count)
    }

    /// Waits until everything that the server's socket took for client A has arrived there.
    pub(super) fn until_all_arrived_at_a(&mut self) -> Result<(), Failure> {
        self.until("the bytes for client A did not arrive", TIOCOUTQ, |queued| queued == 0)
    }

    /// How many bytes the server has queued for client A, because send did not take them.
    pub(super) fn owed_to_a(&mut self) -> Result<usize, Failure> {
        let address = self.a()?.address.clone();
        Ok(self.event_loop.client(&address).map_or(0, |(_, conn)| conn.owed()))
    }

    /// Queries a queue of the server's socket for client A until the answer is right.
    fn until(
        &mut self,
        otherwise: &str,
        request: sys::IoctlRequest,
        is_right: impl Fn(usize) -> bool,
    ) -> Result<(), Failure> {
        let address = self.a()?.address.clone();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let client = self.event_loop.client(&address);
            let Some(fd) = client.and_then(|(ends, _)| ends.input()) else {
                return Err(overdue("the server does not know client A"));
            };
            let mut queued = 0;
            match suspended(|| sys::ioctl(fd, request, &mut queued)) {
                Ok(_) if is_right(queued as usize) => return Ok(()),
                Ok(_) => sleep(Duration::from_millis(1)),
                // Some systems do not tell. On loopback a moment is enough.
                Err(_) => {
                    sleep(Duration::from_millis(50));
                    return Ok(());
                }
            }
        }
        Err(overdue(otherwise))
    }
}

/// The failure that something expected has not happened.
pub(super) fn overdue(what: impl fmt::Display) -> Failure {
    Failure::new(format_args!("the tour: {what} within {} seconds", PATIENCE.as_secs()))
}
