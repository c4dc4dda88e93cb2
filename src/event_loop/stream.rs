//! Streams: bytes in, bytes out, and the end of either.

use std::time::Instant;

use super::endpoints::Endpoint;
use super::turn::emptied_actions;
use super::{EventLoop, Notice, ServiceId};
use crate::addr::Address;
use crate::conn::{Conn, Incoming};
use crate::events::{Action, Event, Token};
use crate::names::{Errno, Result};
use crate::poller::{Interest, Readiness};
use crate::sys::BorrowedFd;
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
    pub(super) fn new(conn: Conn, service: ServiceId, peer: Option<Address>) -> Self {
        Self { conn, service, peer, last_active: None, closing: false, wants_room: false }
    }

    /// What this stream waits for. While something is owed to the peer, nothing more is read from it.
    pub(super) fn ask<'fd>(&'fd self, mut ask: impl FnMut(BorrowedFd<'fd>, Interest)) {
        let writes = self.conn.owed() > 0;
        let reads = !writes && !self.closing && !self.conn.peer_finished();
        if self.conn.is_socket() {
            if let (Some(fd), Some(interest)) = (self.conn.input(), Interest::of(reads, writes)) {
                ask(fd, interest);
            }
            return;
        }
        if let Some(fd) = self.conn.input().filter(|_| reads) {
            ask(fd, Interest::Read);
        }
        if let Some(fd) = self.conn.output().filter(|_| writes) {
            ask(fd, Interest::Write);
        }
    }
}

impl EventLoop {
    /// Adds a stream that is no client's: the self-pipe, standard input and output.
    pub fn add_stream(&mut self, conn: Conn, service: ServiceId) -> Token {
        self.endpoints.insert(Endpoint::Stream(Stream::new(conn, service, None)))
    }

    pub(super) fn serve_stream(&mut self, token: Token, readiness: Readiness) {
        if readiness.invalid {
            return self.fail(token, self.poller_function(), Errno::EBADF);
        }
        if readiness.writable {
            self.send_owed(token);
        }
        if readiness.readable {
            self.receive(token);
        }
    }

    /// Receives once. That level-triggered readiness will bring the rest costs nothing, and nobody starves.
    fn receive(&mut self, token: Token) {
        let mut buffer = std::mem::take(&mut self.buffer);
        if let Some(stream) = self.endpoints.stream(token).filter(|stream| stream.conn.owed() == 0)
        {
            let service = stream.service;
            stream.last_active = self.limits.idle_timeout.map(|_| Instant::now());
            match stream.conn.receive(&mut buffer) {
                Ok(Incoming::Bytes(len)) => self.bytes(token, service, &buffer[..len]),
                Ok(Incoming::Finished) => {
                    trace::intent(
                        "the peer has finished: what is owed to it is still sent, then the socket is closed",
                    );
                    self.tell(token, service, Event::PeerFinished);
                }
                Ok(Incoming::Nothing) => {}
                Err(errno) => self.fail(token, Function::Recv, errno),
            }
        }
        self.buffer = buffer;
    }

    /// Hands bytes to the service, after those that it kept.
    fn bytes(&mut self, token: Token, service: ServiceId, new: &[u8]) {
        let Some(stream) = self.endpoints.stream(token) else { return };
        if !stream.conn.has_leftover() {
            let kept = self.tell(token, service, Event::Bytes(new));
            return self.keep(token, new, kept);
        }
        let mut joined = stream.conn.take_leftover();
        joined.extend_from_slice(new);
        let kept = self.tell(token, service, Event::Bytes(&joined));
        self.keep(token, &joined, kept);
    }

    /// Keeps the last `kept` bytes until more come.
    fn keep(&mut self, token: Token, bytes: &[u8], kept: usize) {
        if kept == 0 {
            return;
        }
        if let Some(stream) = self.endpoints.stream(token) {
            stream.conn.keep_leftover(bytes[bytes.len() - kept.min(bytes.len())..].to_vec());
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
                if let Some(stream) = self.endpoints.stream(token) {
                    stream.wants_room = true;
                }
            }
            Action::Finish(token) => {
                self.with_conn(token, Function::Shutdown, |conn| {
                    conn.finish();
                    conn.finish_if_sent()
                });
            }
            Action::Close(token) => {
                if let Some(stream) = self.endpoints.stream(token) {
                    stream.closing = true;
                }
                self.close_if_sent(token);
            }
            Action::Stop => self.stop(),
        }
    }

    fn send(&mut self, token: Token, bytes: &[u8]) {
        self.with_conn(token, Function::Send, |conn| conn.send(bytes));
        let owed_bytes = self.limits.owed_bytes;
        let Some(stream) = self.endpoints.stream(token) else { return };
        match stream.conn.owed() {
            0 => {}
            owed if owed > owed_bytes => {
                if let Some(peer) = self.drop_stream(token) {
                    self.notice(&Notice::TooSlow(&peer));
                }
            }
            _ => trace::intent(
                "the send buffer is full: the rest waits until this descriptor is writable",
            ),
        }
    }

    fn send_owed(&mut self, token: Token) {
        self.with_conn(token, Function::Send, |conn| {
            if conn.owed() > 0 { conn.send_owed() } else { Ok(()) }
        });
        self.with_conn(token, Function::Shutdown, Conn::finish_if_sent);
        let Some(stream) = self.endpoints.stream(token).filter(|stream| stream.conn.owed() == 0)
        else {
            return;
        };
        stream.last_active = self.limits.idle_timeout.map(|_| Instant::now());
        if std::mem::take(&mut stream.wants_room) {
            let service = stream.service;
            self.tell(token, service, Event::Room);
        }
        self.close_if_sent(token);
    }

    /// Does something with a connection; an error ends it.
    fn with_conn(
        &mut self,
        token: Token,
        call: Function,
        what: impl FnOnce(&mut Conn) -> Result<()>,
    ) {
        if let Some(stream) = self.endpoints.stream(token)
            && let Err(errno) = what(&mut stream.conn)
        {
            self.fail(token, call, errno);
        }
    }

    fn close_if_sent(&mut self, token: Token) {
        let Some(stream) = self.endpoints.stream(token) else { return };
        if stream.closing
            && stream.conn.owed() == 0
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
        let Some(Endpoint::Stream(stream)) = self.endpoints.remove(token) else { return None };
        let peer = stream.peer?;
        drop(stream.conn);
        self.clients -= 1;
        self.resume_listeners();
        Some(peer)
    }

    fn poller_function(&self) -> Function {
        match self.poller.via() {
            crate::poller::Via::Select => Function::Select,
            crate::poller::Via::Poll => Function::Poll,
        }
    }

    /// Whether a stream is silent for too long, or owes nothing any more while the loop ends.
    pub(super) fn is_idle(endpoint: &Endpoint) -> bool {
        matches!(endpoint, Endpoint::Stream(stream) if stream.peer.is_some() && stream.conn.owed() == 0)
    }
}
