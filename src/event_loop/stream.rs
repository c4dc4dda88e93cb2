//! A stream: one connection, or a pair of files, with what its service has said about it.

use std::time::{Duration, Instant};

use crate::addr::Address;
use crate::conn::{Conn, Ends, Incoming};
use crate::events::{ServiceId, Token};
use crate::names::{Errno, Result, SO_LINGER, SOL_SOCKET, SOL_TCP, TCP_NODELAY};
use crate::poller::Interest;
use crate::sys::{self, Linger};
use crate::trace::Function;

/// The most bytes received at once from a coupled stream. 64 KiB are a little more than fits into a segment on
/// loopback, so each receive would be sent on as a large and a tiny segment; of the sizes tried, 16 to 256 KiB, this
/// one is the fastest by a quarter.
const COUPLED_BYTES: usize = 32 * 1024;

/// A connection, or a pair of files, in the loop.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) conn: Conn,
    pub(super) service: ServiceId,
    /// The address of the other end, if it has one.
    pub(super) peer: Option<Box<Address>>,
    /// Whether the peer connected to us, and not we to it.
    pub(super) accepted: bool,
    /// The number of this connection, counted from the start of the loop.
    pub(super) number: u64,
    /// When a byte last arrived or left; only kept if there is an idle timeout.
    pub(super) last_active: Option<Instant>,
    /// When the service wants a [`LoopEvent::Deadline`](crate::events::LoopEvent::Deadline).
    pub(super) deadline: Option<Instant>,
    /// The coupled stream: bytes received here are queued there.
    pub(super) partner: Option<Token>,
    /// The kernel moves the bytes received here to the partner, through a pipe.
    pub(super) is_spliced: bool,
    /// Bytes are queued for the partner: nothing is read from here.
    pub(super) blocked: bool,
    /// The service has asked for nothing to be read from here.
    pub(super) held: bool,
    /// The service waits until all queued bytes are sent.
    pub(super) wants_room: bool,
    pub(super) closing: Closing,
    /// A send failed: bytes that arrived before are still passed on to the partner, and then the connection ends with
    /// this error.
    pub(super) failed: Option<FailedCall>,
}

/// Whether the service is done with a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Closing {
    No,
    /// The connection closes when all queued bytes are sent.
    WhenSent,
    /// Everything is sent and our half is closed; the peer may close its own. In a box, so that all other streams are
    /// small: there may be thousands.
    Lingering(Box<Lingering>),
}

/// How long to wait for the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lingering {
    /// The moment of the next check whether the peer still takes bytes.
    pub(super) until: Instant,
    /// How many bytes had not arrived at the last check, if the system tells.
    pub(super) unarrived: Option<usize>,
    /// When the peer was last seen to take bytes.
    pub(super) taken_at: Instant,
    /// The moment at which the wait ends in any case.
    pub(super) at_most: Instant,
}

/// The next step towards the end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClosingStep {
    /// Nothing now: the stream continues, or bytes are still queued.
    Wait,
    /// Everything is sent: close our half, and wait for the peer's end of file.
    EndOurHalf,
    /// Close the socket.
    Close,
}

/// A call that failed and ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FailedCall(pub(super) Function, pub(super) Errno);

impl Stream {
    pub(super) fn new(service: ServiceId) -> Self {
        Self {
            conn: Conn::default(),
            service,
            peer: None,
            accepted: false,
            number: 0,
            last_active: None,
            deadline: None,
            partner: None,
            is_spliced: false,
            blocked: false,
            held: false,
            wants_room: false,
            closing: Closing::No,
            failed: None,
        }
    }

    /// Receives once. Readiness is level-triggered: the next turn brings the rest, so no stream starves another.
    #[inline]
    pub(super) fn receive(&mut self, ends: &Ends, buffer: &mut [u8]) -> Result<Incoming> {
        // Checked again: since the wait, another stream may have queued bytes here.
        if !self.reads() {
            return Ok(Incoming::Nothing);
        }
        self.note_activity();
        let room = match self.partner {
            // Bytes of a datagram that do not fit into the buffer are lost.
            Some(_) if !matches!(ends, Ends::Datagrams(_)) => {
                let len = buffer.len().min(COUPLED_BYTES);
                &mut buffer[..len]
            }
            _ => buffer,
        };
        match self.conn.receiving.receive(ends, room) {
            // The service is done with this stream: bytes that still arrive are discarded.
            Ok(Incoming::Bytes(_)) if self.is_lingering() => Ok(Incoming::Nothing),
            received => received,
        }
    }

    /// Sends queued bytes, as many as the kernel takes, and closes our half if that was requested and everything is
    /// sent.
    pub(super) fn send_owed(&mut self, ends: &mut Ends) -> std::result::Result<(), FailedCall> {
        self.note_activity();
        let sending = &mut self.conn.sending;
        if sending.piped() > 0 {
            sending.send_owed(ends).map_err(|errno| FailedCall(Function::SPLICE, errno))?;
        }
        if sending.owes_file() {
            sending.send_owed(ends).map_err(|errno| FailedCall(Function::SENDFILE, errno))?;
        }
        if sending.owed() > 0 && sending.piped() == 0 && !sending.owes_file() {
            sending.send_owed(ends).map_err(|errno| FailedCall(Function::SEND, errno))?;
        }
        sending.finish_if_sent(ends).map_err(|errno| FailedCall(Function::SHUTDOWN, errno))
    }

    /// Closes our half as soon as all queued bytes are sent.
    pub(super) fn finish(&mut self, ends: &mut Ends) -> std::result::Result<(), FailedCall> {
        self.note_activity();
        self.conn.sending.finish();
        let finished = self.conn.sending.finish_if_sent(ends);
        finished.map_err(|errno| FailedCall(Function::SHUTDOWN, errno))
    }

    /// The sender of the bytes has decided how many go together. Nagle's algorithm would hold them back here until the
    /// bytes before them are acknowledged: by 40 ms (Linux; RFC 1122 allows 500), because the peer delays
    /// acknowledgements.
    pub(super) fn send_without_delay(&self, ends: &Ends) {
        if let (Ends::Socket(fd), Some(Address::V4(_) | Address::V6(_))) = (ends, self.peer()) {
            // An error here means that the connection is over already; the next call on it will say so.
            let _ = sys::setsockopt(fd, SOL_TCP, TCP_NODELAY, &1);
        }
    }

    /// What this stream waits for: to read while [`reads`](Self::reads) allows it, to write while bytes are queued.
    pub(super) fn interest(&self) -> Option<Interest> {
        let reads = self.reads();
        // After a failed send the loop also asks about writing, so that the wait reports this stream in any case: once
        // no byte is left to read, the stream might never become readable.
        let looks = self.failed.is_some() && reads;
        Interest::of(reads, self.conn.owed() > 0 || self.waits_for_room() || looks)
    }

    /// Whether the loop reads from this stream. It does not while bytes are queued where the received bytes go, to the
    /// peer itself or to the partner (backpressure).
    #[inline]
    pub(super) fn reads(&self) -> bool {
        match self.closing {
            _ if self.conn.receiving.peer_finished() => false,
            Closing::Lingering(_) => true,
            Closing::WhenSent => false,
            Closing::No if self.held || self.is_used_later() => false,
            Closing::No if self.partner.is_some() => !self.blocked,
            Closing::No => self.conn.owed() == 0,
        }
    }

    /// The address of the other end, if it has one.
    pub(super) fn peer(&self) -> Option<&Address> {
        self.peer.as_deref()
    }

    /// Whether this is a connection, so that bytes may be queued for a peer when the loop ends.
    pub(super) const fn is_connection(&self) -> bool {
        self.peer.is_some()
    }

    /// Whether the service asked to be told when all queued bytes are sent.
    fn waits_for_room(&self) -> bool {
        self.wants_room && self.closing == Closing::No
    }

    /// Whether the bytes that the service kept wait for room; until there is room, the loop reads no more.
    fn is_used_later(&self) -> bool {
        self.waits_for_room() && self.conn.receiving.has_leftover()
    }

    /// Whether there is room now and the service waits for it; true once for each `WantRoom`.
    pub(super) fn takes_room(&mut self) -> bool {
        let has_room = self.waits_for_room() && self.conn.owed() == 0;
        has_room && std::mem::take(&mut self.wants_room)
    }

    /// The bytes that the service kept, if it will use them now.
    pub(super) fn take_kept(&mut self) -> Option<Vec<u8>> {
        let uses_more = self.closing == Closing::No && self.conn.receiving.has_leftover();
        uses_more.then(|| self.conn.receiving.take_leftover())
    }

    /// Whether this is a connection without queued bytes, to which the service will add none by itself, and which is
    /// not closing yet.
    pub(super) fn is_idle_connection(&self) -> bool {
        self.is_connection()
            && self.conn.owed() == 0
            && self.closing == Closing::No
            && !self.wants_room
    }

    /// A send to the peer failed. Returns whether bytes may still have arrived for the partner; bytes queued for the
    /// peer are discarded.
    pub(super) fn goes_on_reading(&mut self, failed: FailedCall) -> bool {
        let is_sending = [Function::SEND, Function::SENDFILE, Function::SPLICE].contains(&failed.0);
        let goes_on = is_sending
            && self.failed.is_none()
            && self.is_connection()
            && self.partner.is_some()
            && self.closing == Closing::No
            && !self.held
            && !self.conn.receiving.peer_finished();
        if goes_on {
            self.failed = Some(failed);
            self.conn.sending.give_up();
        }
        goes_on
    }

    /// Records that a byte arrived or left.
    #[inline]
    pub(super) fn note_activity(&mut self) {
        if self.last_active.is_some() {
            self.last_active = Some(Instant::now());
        }
    }

    /// The nearest moment at which this stream needs attention.
    pub(super) fn next_deadline(&self, idle_timeout: Option<Duration>) -> Option<Instant> {
        let silent = self.last_active.zip(idle_timeout).map(|(last, limit)| last + limit);
        let lingering = match &self.closing {
            Closing::Lingering(lingering) => Some(lingering.until),
            Closing::No | Closing::WhenSent => None,
        };
        [silent, lingering, self.deadline].into_iter().flatten().min()
    }

    /// Whether the stream has been silent for longer than the idle timeout.
    pub(super) fn is_silent(&self, idle_timeout: Option<Duration>, now: Instant) -> bool {
        self.last_active.zip(idle_timeout).is_some_and(|(last, limit)| last + limit <= now)
    }

    /// Whether only the peer's end of file is missing.
    pub(super) const fn is_lingering(&self) -> bool {
        matches!(self.closing, Closing::Lingering(_))
    }

    /// Whether the time for the peer to close its half is over.
    pub(super) fn has_lingered(&self, now: Instant) -> bool {
        matches!(&self.closing, Closing::Lingering(lingering) if lingering.until <= now)
    }

    /// The next step towards the end: first everything sent, then our half closed, then the peer's.
    pub(super) fn closing_step(&self, ends: &Ends) -> ClosingStep {
        if self.conn.owed() > 0 || self.is_used_later() {
            return ClosingStep::Wait;
        }
        let is_done = self.conn.sending.finished() || self.closing != Closing::No;
        if self.conn.receiving.peer_finished() && is_done {
            return ClosingStep::Close;
        }
        match self.closing {
            Closing::WhenSent if ends.has_halves() => ClosingStep::EndOurHalf,
            Closing::WhenSent => ClosingStep::Close,
            Closing::No | Closing::Lingering(_) => ClosingStep::Wait,
        }
    }
}

/// Makes the next `close` send a reset instead of a FIN, by a linger time of zero.
pub(super) fn reset_at_close(ends: &Ends) {
    if let Ends::Socket(fd) = ends {
        let zero = Linger { l_onoff: 1, l_linger: 0 };
        // A socket that refuses the option is closed all the same.
        let _ = sys::setsockopt(fd, SOL_SOCKET, SO_LINGER, &zero);
    }
}
