//! Streams: bytes in, bytes out, and the end of either.

use std::time::Instant;

use super::endpoints::Endpoint;
use super::turn::emptied_actions;
use super::{EventLoop, Notice, ServiceId};
use crate::addr::Address;
use crate::conn::{Conn, Ends, Incoming};
use crate::events::{Action, Event, Token};
use crate::names::{Errno, Result};
use crate::poller::{Interest, Readiness, Via};
use crate::trace::{self, Function};

/// A connection in the loop.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) conn: Conn,
    service: ServiceId,
    /// The other end, where it is a client of ours.
    peer: Option<Address>,
    /// When something last came or went; only kept if silence has a limit.
    pub(super) last_active: Option<Instant>,
    closing: bool,
    wants_room: bool,
}

impl Stream {
    pub(super) fn new(service: ServiceId, peer: Option<Address>) -> Self {
        let conn = Conn::default();
        Self { conn, service, peer, last_active: None, closing: false, wants_room: false }
    }

    /// What this stream waits for: room → read, bytes waiting → write. While something is owed to
    /// the peer, nothing more is read from it.
    pub(super) fn interest(&self) -> Option<Interest> {
        let writes = self.conn.owed() > 0;
        let reads = !writes && !self.closing && !self.conn.peer_finished();
        Interest::of(reads, writes)
    }

    /// Whether it is a client's, and owes it nothing.
    pub(super) fn is_idle_client(&self) -> bool {
        self.peer.is_some() && self.conn.owed() == 0
    }
}

impl EventLoop {
    /// Adds a stream that is no client's: the self-pipe, standard input and output.
    pub fn add_stream(&mut self, ends: Ends, service: ServiceId) -> Token {
        self.endpoints.insert(ends, Endpoint::Stream(Stream::new(service, None)))
    }

    pub(super) fn serve_stream(&mut self, token: Token, readiness: Readiness) {
        if readiness.invalid {
            return self.fail(token, wait_function(self.poller.via()), Errno::EBADF);
        }
        if readiness.writable {
            self.send_owed(token);
        }
        // Asked again, because what was owed may still be owed, or the stream may be closed by now.
        let interest = self.endpoints.stream(token).and_then(Stream::interest);
        if readiness.readable && interest.is_some_and(Interest::reads) {
            self.receive(token);
        }
    }

    /// Receives once. That level-triggered readiness will bring the rest costs nothing, and nobody
    /// starves.
    fn receive(&mut self, token: Token) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let idle_timeout = self.limits.idle_timeout;
        let received = self.endpoints.with_stream(token, |ends, stream| {
            stream.last_active = idle_timeout.map(|_| Instant::now());
            (stream.conn.receive(ends, &mut buffer), stream.service)
        });
        match received {
            Some((Ok(Incoming::Bytes(len)), service)) => self.bytes(token, service, &buffer[..len]),
            Some((Ok(Incoming::Finished), service)) => {
                trace::intent("what is still owed to the peer is sent, then the socket is closed");
                self.tell(token, service, Event::PeerFinished);
            }
            Some((Err(errno), _)) => self.fail(token, Function::Recv, errno),
            Some((Ok(Incoming::Nothing), _)) | None => {}
        }
        self.buffer = buffer;
    }

    /// Hands bytes to the service, after those that it kept.
    fn bytes(&mut self, token: Token, service: ServiceId, new: &[u8]) {
        let kept = self.endpoints.with_stream(token, |_, stream| stream.conn.take_leftover());
        match kept {
            Some(mut joined) if !joined.is_empty() => {
                joined.extend_from_slice(new);
                let kept = self.tell(token, service, Event::Bytes(&joined));
                self.keep(token, &joined, kept);
            }
            _ => {
                let kept = self.tell(token, service, Event::Bytes(new));
                self.keep(token, new, kept);
            }
        }
    }

    /// Keeps the last `kept` bytes until more come.
    fn keep(&mut self, token: Token, bytes: &[u8], kept: usize) {
        if kept > 0 {
            let rest = bytes[bytes.len() - kept.min(bytes.len())..].to_vec();
            self.endpoints.with_stream(token, |_, stream| stream.conn.keep_leftover(rest));
        }
    }

    /// Tells a service what happened and does what it says. Returns how many bytes it keeps.
    pub(super) fn tell(&mut self, token: Token, service: ServiceId, event: Event<'_>) -> usize {
        let mut services = std::mem::take(&mut self.services);
        let mut actions: Vec<Action<'_>> = std::mem::take(&mut self.scratch.actions);
        services[service.0].on(token, event, &mut actions);
        let mut kept = 0;
        for action in &actions {
            match action {
                Action::Keep(bytes) => kept = *bytes,
                action => self.perform(action),
            }
        }
        self.scratch.actions = emptied_actions(actions);
        self.services = services;
        kept
    }

    fn perform(&mut self, action: &Action<'_>) {
        match *action {
            Action::Send { to, bytes } => self.send(to, bytes),
            Action::Keep(_) => {}
            Action::WantRoom(token) => {
                self.endpoints.with_stream(token, |_, stream| stream.wants_room = true);
            }
            Action::Finish(token) => self.with_conn(token, Function::Shutdown, |ends, conn| {
                conn.finish();
                conn.finish_if_sent(ends)
            }),
            Action::Close(token) => {
                self.endpoints.with_stream(token, |_, stream| stream.closing = true);
                self.close_if_sent(token);
            }
            Action::Stop => self.stop(),
        }
    }

    fn send(&mut self, token: Token, bytes: &[u8]) {
        self.with_conn(token, Function::Send, |ends, conn| conn.send(ends, bytes));
        match self.endpoints.stream(token).map_or(0, |stream| stream.conn.owed()) {
            0 => {}
            owed if owed > self.limits.owed_bytes => {
                if let Some(peer) = self.drop_stream(token) {
                    self.notice(&Notice::TooSlow(&peer));
                }
            }
            _ => trace::intent(
                "the rest waits until this descriptor is writable; nothing more is read",
            ),
        }
    }

    fn send_owed(&mut self, token: Token) {
        self.with_conn(token, Function::Send, |ends, conn| {
            if conn.owed() > 0 { conn.send_owed(ends) } else { Ok(()) }
        });
        self.with_conn(token, Function::Shutdown, |ends, conn| conn.finish_if_sent(ends));
        let idle_timeout = self.limits.idle_timeout;
        let waiter = self.endpoints.with_stream(token, |_, stream| {
            stream.last_active = idle_timeout.map(|_| Instant::now());
            let has_room = stream.conn.owed() == 0;
            (has_room && std::mem::take(&mut stream.wants_room)).then_some(stream.service)
        });
        if let Some(service) = waiter.flatten() {
            self.tell(token, service, Event::Room);
        }
        self.close_if_sent(token);
    }

    /// Does something with a connection; an error ends it.
    fn with_conn(
        &mut self,
        token: Token,
        call: Function,
        what: impl FnOnce(&mut Ends, &mut Conn) -> Result<()>,
    ) {
        let done = self.endpoints.with_stream(token, |ends, stream| what(ends, &mut stream.conn));
        if let Some(Err(errno)) = done {
            self.fail(token, call, errno);
        }
    }

    fn close_if_sent(&mut self, token: Token) {
        let is_done = |stream: &Stream| stream.closing && stream.conn.owed() == 0;
        if self.endpoints.stream(token).is_some_and(is_done)
            && let Some(peer) = self.drop_stream(token)
        {
            self.notice(&Notice::Closed(&peer));
        }
    }

    /// An error of one connection ends that connection, and nothing else.
    fn fail(&mut self, token: Token, call: Function, errno: Errno) {
        let Some(stream) = self.endpoints.stream(token) else { return };
        let service = stream.service;
        trace::intent("an error of one connection ends that connection only");
        if let Some(peer) = self.drop_stream(token) {
            self.notice(&Notice::Failed(&peer, call, errno));
        }
        // Told later: this may be in the midst of an answer that the service gave to something else.
        self.failures.push((token, service, errno));
    }

    /// Tells the services whose connections have failed.
    pub(super) fn tell_failures(&mut self) {
        while let Some((token, service, errno)) = self.failures.pop() {
            self.tell(token, service, Event::Failed(errno));
        }
    }

    /// Takes a stream out of the loop, which closes it. Returns its peer, if it was a client.
    pub(super) fn drop_stream(&mut self, token: Token) -> Option<Address> {
        let (ends, endpoint) = self.endpoints.remove(token)?;
        drop(ends);
        let Endpoint::Stream(Stream { peer: Some(peer), .. }) = endpoint else { return None };
        self.clients -= 1;
        self.resume_listeners();
        Some(peer)
    }
}

fn wait_function(via: Via) -> Function {
    match via {
        Via::Select => Function::Select,
        Via::Poll => Function::Poll,
    }
}
