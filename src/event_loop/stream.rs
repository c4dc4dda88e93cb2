//! Streams: bytes in, bytes out, and the end of either.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use super::endpoints::Endpoint;
use super::{EventLoop, ServiceId};
use crate::addr::Address;
use crate::conn::{Conn, Ends, Files, Incoming};
use crate::events::{Ending, Event, Token};
use crate::names::{Errno, Result};
use crate::poller::{Interest, Readiness, Via};
use crate::sys::Fd;
use crate::trace::{self, Function};

/// The most that is received at once from one of a couple. 64 KiB are a little more than fits into a packet of loopback,
/// so each would be sent on as a large and a tiny one; of 16 to 256 KiB, all tried, this is the quickest by a quarter.
const COUPLED_BYTES: usize = 32 * 1024;

/// A connection in the loop.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) conn: Conn,
    pub(super) service: ServiceId,
    /// The other end, where there is one that has an address.
    pub(super) peer: Option<Box<Address>>,
    /// Whether the peer came to us, and not we to it.
    pub(super) accepted: bool,
    /// When something last came or went; only kept if silence has a limit.
    pub(super) last_active: Option<Instant>,
    /// When the service wants to be told.
    pub(super) deadline: Option<Instant>,
    /// The other one of a couple: what comes from here is owed there.
    pub(super) partner: Option<Token>,
    /// Something is owed to the partner: nothing is read from here.
    pub(super) blocked: bool,
    /// The service has said that nothing is to be read from here.
    pub(super) held: bool,
    /// The service waits until everything owed is sent.
    pub(super) wants_room: bool,
    pub(super) closing: Closing,
}

/// Whether the service is done with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    No,
    /// When everything owed is sent.
    WhenSent,
    /// Everything is sent and our half is ended; until this moment the peer may end its own.
    Lingering(Instant),
}

impl Stream {
    pub(super) fn new(service: ServiceId, peer: Option<Address>, accepted: bool) -> Self {
        Self {
            conn: Conn::default(),
            service,
            peer: peer.map(Box::new),
            accepted,
            last_active: None,
            deadline: None,
            partner: None,
            blocked: false,
            held: false,
            wants_room: false,
            closing: Closing::No,
        }
    }

    /// What this stream waits for: room → read, bytes waiting → write.
    pub(super) fn interest(&self) -> Option<Interest> {
        Interest::of(self.reads(), self.conn.owed() > 0 || self.waits_for_room())
    }

    /// Whether it is read from. While something is owed to whoever gets the bytes (the peer itself, or the partner), it
    /// is not.
    fn reads(&self) -> bool {
        match self.closing {
            _ if self.conn.peer_finished() => false,
            Closing::Lingering(_) => true,
            Closing::WhenSent => false,
            Closing::No if self.held || self.is_used_later() => false,
            Closing::No if self.partner.is_some() => !self.blocked,
            Closing::No => self.conn.owed() == 0,
        }
    }

    /// The other end, where there is one that has an address.
    pub(super) fn peer(&self) -> Option<&Address> {
        self.peer.as_deref()
    }

    /// Whether there is somebody at the other end, to whom something may be owed when the loop ends.
    pub(super) const fn is_connection(&self) -> bool {
        self.peer.is_some()
    }

    /// Whether the service is to be told when everything owed is sent.
    fn waits_for_room(&self) -> bool {
        self.wants_room && self.closing == Closing::No
    }

    /// Whether the service goes on with the bytes that it kept when there is room; until then no more are read.
    fn is_used_later(&self) -> bool {
        self.waits_for_room() && self.conn.has_leftover()
    }

    /// Whether it is a connection, nothing is owed on it nor will be by the service's own doing, and it is not being closed
    /// already.
    pub(super) fn is_idle_connection(&self) -> bool {
        self.is_connection()
            && self.conn.owed() == 0
            && self.closing == Closing::No
            && !self.wants_room
    }

    /// Something came from here or went there: it is not silent. (Files may be: nobody waits for a peer there.)
    fn note_activity(&mut self, idle_timeout: Option<Duration>) {
        if idle_timeout.is_some() && self.peer.is_some() {
            self.last_active = Some(Instant::now());
        }
    }

    /// The nearest moment at which something is to be done about it.
    pub(super) fn next_deadline(&self, idle_timeout: Option<Duration>) -> Option<Instant> {
        let silent = self.last_active.zip(idle_timeout).map(|(last, limit)| last + limit);
        let lingering = match self.closing {
            Closing::Lingering(until) => Some(until),
            Closing::No | Closing::WhenSent => None,
        };
        [silent, lingering, self.deadline].into_iter().flatten().min()
    }

    /// Whether only the peer's own end is waited for.
    pub(super) fn is_lingering(&self) -> bool {
        matches!(self.closing, Closing::Lingering(_))
    }

    /// Whether the time for the peer to end its half is over.
    pub(super) fn has_lingered(&self, now: Instant) -> bool {
        matches!(self.closing, Closing::Lingering(until) if until <= now)
    }
}

impl EventLoop {
    /// Adds the reading end of the self-pipe, which must be non-blocking: each of its bytes is a signal that came.
    pub fn add_self_pipe(&mut self, read_end: Fd, service: ServiceId) {
        let ends = Ends::Files(Box::new(Files { input: Some(read_end.into()), output: None }));
        self.self_pipe = Some(self.add_stream(ends, service));
    }

    /// A signal came while the loop waited. Its byte is in the self-pipe by now, and is read at once: were every wait
    /// interrupted, the pipe would never be found readable.
    pub(super) fn interrupted(&mut self) {
        if let Some(token) = self.self_pipe {
            self.receive(token);
        }
    }

    /// Adds a stream that was not accepted: standard input and output.
    pub fn add_stream(&mut self, ends: Ends, service: ServiceId) -> Token {
        self.endpoints.insert(ends, Endpoint::Stream(Stream::new(service, None, false)))
    }

    /// Adds a connection that was made elsewhere, and tells its service.
    pub fn add_connection(
        &mut self,
        ends: Ends,
        peer: &Address,
        service: ServiceId,
        asked_by: Option<Token>,
    ) -> Token {
        let accepted = asked_by.is_none();
        self.clients += usize::from(accepted);
        self.connections += 1;
        let mut stream = Stream::new(service, Some(peer.clone()), accepted);
        stream.last_active = self.limits.idle_timeout.map(|_| Instant::now());
        let token = self.endpoints.insert(ends, Endpoint::Stream(stream));
        self.tell(token, service, Event::Opened { peer, asked_by });
        token
    }

    pub(super) fn serve_stream(&mut self, token: Token, readiness: Readiness) {
        if readiness.invalid {
            return self.fail(token, wait_function(self.poller.via()), Errno::EBADF);
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
        let idle_timeout = self.limits.idle_timeout;
        let received = self.endpoints.with_stream(token, |ends, stream| {
            // Asked again, because what was owed may still be owed.
            if !stream.reads() {
                return None;
            }
            stream.note_activity(idle_timeout);
            let most = match ends {
                // What has no room is lost.
                Ends::Datagrams(_) => usize::MAX,
                _ if stream.partner.is_some() => COUPLED_BYTES,
                _ => usize::MAX,
            };
            let room = buffer.len().min(most);
            let incoming = stream.conn.receive(ends, &mut buffer[..room]);
            Some((incoming, stream.closing, stream.service, stream.conn.has_leftover()))
        });
        match received.flatten() {
            // The service is done with it: what still comes is thrown away.
            Some((Ok(Incoming::Bytes(_)), Closing::Lingering(_), ..)) => {}
            Some((Ok(Incoming::Bytes(len)), _, service, has_leftover)) if has_leftover => {
                self.bytes_after_kept(token, service, &buffer[..len]);
            }
            Some((Ok(Incoming::Bytes(len)), _, service, _)) => {
                self.bytes(token, service, &buffer[..len]);
            }
            Some((Ok(Incoming::Finished), _, service, _)) => self.peer_finished(token, service),
            Some((Err(errno), ..)) => self.fail(token, Function::RECV, errno),
            Some((Ok(Incoming::Nothing), ..)) | None => {}
        }
        self.buffer = buffer;
    }

    /// Hands bytes to the service, which has kept none.
    fn bytes(&mut self, token: Token, service: ServiceId, new: &[u8]) {
        let kept = self.tell(token, service, Event::Bytes(new)).min(new.len());
        if kept > 0 {
            self.keep(token, new[new.len() - kept..].to_vec());
        }
    }

    /// Hands bytes to the service after those that it kept.
    fn bytes_after_kept(&mut self, token: Token, service: ServiceId, new: &[u8]) {
        let kept = self.endpoints.with_stream(token, |_, stream| stream.conn.take_leftover());
        let Some(mut joined) = kept else { return };
        joined.extend_from_slice(new);
        let kept = self.tell(token, service, Event::Bytes(&joined)).min(joined.len());
        if kept == joined.len() {
            // Copied each time, a long message that comes byte by byte would cost the square of its length.
            self.keep(token, joined);
        } else if kept > 0 {
            self.keep(token, joined[joined.len() - kept..].to_vec());
        }
    }

    /// Keeps bytes until more come.
    fn keep(&mut self, token: Token, bytes: Vec<u8>) {
        self.endpoints.with_stream(token, |_, stream| stream.conn.keep_leftover(bytes));
    }

    fn peer_finished(&mut self, token: Token, service: ServiceId) {
        let closing = self.endpoints.stream(token).map(|stream| stream.closing);
        if closing == Some(Closing::No) {
            trace::intent("what is still owed to the peer is sent, then the socket is closed");
            self.tell(token, service, Event::PeerFinished);
        }
        self.close_if_done(token);
    }

    pub(super) fn send(&mut self, token: Token, bytes: &[u8]) {
        if self.with_conn(token, Function::SEND, |ends, conn| conn.send(ends, bytes)) > 0 {
            self.limit_owed(token);
        }
    }

    /// Drops a peer for which too much is kept.
    pub(super) fn limit_owed(&mut self, token: Token) {
        match self.endpoints.stream(token).map_or(0, |stream| stream.conn.held()) {
            0 => {}
            owed if owed > self.limits.owed_bytes => self.end_stream(token, Ending::TooSlow),
            _ => trace::intent(
                "the rest waits until this descriptor is writable; nothing more is read",
            ),
        }
    }

    fn send_owed(&mut self, token: Token) {
        if self.endpoints.stream(token).is_some_and(|stream| stream.conn.owes_file()) {
            self.send_owed_file(token);
        }
        self.with_conn(token, Function::SEND, |ends, conn| {
            if conn.owed() > 0 && !conn.owes_file() { conn.send_owed(ends) } else { Ok(()) }
        });
        self.with_conn(token, Function::SHUTDOWN, |ends, conn| conn.finish_if_sent(ends));
        self.tell_room(token);
        self.close_if_done(token);
    }

    /// Tells a service that waits for room that there is, if there is, and presents what it kept.
    fn tell_room(&mut self, token: Token) {
        let waiter = self.endpoints.with_stream(token, |_, stream| {
            let has_room = stream.waits_for_room() && stream.conn.owed() == 0;
            (has_room && std::mem::take(&mut stream.wants_room)).then_some(stream.service)
        });
        let Some(service) = waiter.flatten() else { return };
        self.tell(token, service, Event::Room);
        let uses_more =
            |stream: &Stream| stream.closing == Closing::No && stream.conn.has_leftover();
        if self.endpoints.stream(token).is_some_and(uses_more) {
            self.bytes_after_kept(token, service, &[]);
        }
    }

    /// Does something with a connection; an error ends it. Returns how much is still owed to it.
    pub(super) fn with_conn(
        &mut self,
        token: Token,
        call: Function,
        what: impl FnOnce(&mut Ends, &mut Conn) -> Result<()>,
    ) -> usize {
        let idle_timeout = self.limits.idle_timeout;
        let done = self.endpoints.with_stream(token, |ends, stream| {
            stream.note_activity(idle_timeout);
            what(ends, &mut stream.conn).map(|()| stream.conn.owed())
        });
        match done {
            Some(Ok(owed)) => return owed,
            Some(Err(errno)) => self.fail(token, call, errno),
            None => {}
        }
        0
    }
}

fn wait_function(via: Via) -> Function {
    match via {
        Via::Select => Function::SELECT,
        Via::Poll => Function::POLL,
    }
}
