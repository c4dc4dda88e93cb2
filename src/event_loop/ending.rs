//! The end of a stream: gently, at once, or by an error of its own.

use std::time::{Duration, Instant};

use super::endpoints::Endpoint;
use super::stream::Closing;
use super::{EventLoop, Notice};
use crate::conn::Ends;
use crate::events::{Ending, Event, Token};
use crate::names::{Errno, SO_LINGER, SOL_SOCKET};
use crate::os::queues;
use crate::sys::{self, Linger};
use crate::trace::page::Effect;
use crate::trace::{self, Function};

/// After our half is ended, how long to wait for the peer to end its own.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// The same where the whole loop ends: after so long it is looked whether everything has arrived, and again, until the
/// time to drain is over. Nobody is waited for who only keeps his connection open.
const LINGER_AT_THE_END: Duration = Duration::from_millis(50);

impl EventLoop {
    /// The service is done with a connection.
    pub(super) fn close(&mut self, token: Token) {
        self.endpoints.with_stream(token, |_, stream| {
            if stream.closing == Closing::No {
                stream.closing = Closing::WhenSent;
            }
        });
        self.close_if_done(token);
    }

    /// Goes on with the end of a connection as far as it can: everything sent, then our half, then the peer's.
    pub(super) fn close_if_done(&mut self, token: Token) {
        let Some(stream) = self.endpoints.stream(token) else { return };
        if stream.conn.owed() > 0 {
            return;
        }
        let both_finished = stream.conn.peer_finished()
            && (stream.conn.finished() || stream.closing != Closing::No);
        if both_finished {
            return self.end_stream(token, Ending::Finished);
        }
        if stream.closing == Closing::WhenSent {
            if !self.endpoints.ends(token).is_some_and(Ends::has_halves) {
                return self.end_stream(token, Ending::Finished);
            }
            self.linger(token);
            self.with_conn(token, Function::SHUTDOWN, |ends, conn| {
                conn.finish();
                conn.finish_if_sent(ends)
            });
        }
    }

    /// Waits for the peer's end, and throws away what it still sends.
    fn linger(&mut self, token: Token) {
        self.has_deadlines = true;
        let time = if self.draining.is_some() { LINGER_AT_THE_END } else { LINGER };
        let until = Instant::now() + time;
        self.endpoints.with_stream(token, |_, stream| stream.closing = Closing::Lingering(until));
    }

    /// The time for the peer to end its half is over.
    pub(super) fn end_lingering(&mut self, token: Token) {
        if self.draining.is_some() && !self.is_quiet(token) {
            return self.linger(token);
        }
        self.end_stream(token, Ending::Finished);
    }

    /// Whether a connection can be closed without anybody losing anything.
    pub(super) fn is_quiet(&self, token: Token) -> bool {
        match self.endpoints.ends(token) {
            Some(Ends::Socket(socket)) => queues::is_quiet(socket),
            _ => true,
        }
    }

    /// Closes at once. With a lingering time of zero TCP sends a reset instead of a FIN.
    pub(super) fn abort(&mut self, token: Token) {
        self.endpoints.with_stream(token, |ends, _| {
            if let Ends::Socket(fd) = ends {
                let zero = Linger { l_onoff: 1, l_linger: 0 };
                // A socket without resets is closed all the same.
                let _ = sys::setsockopt(fd, SOL_SOCKET, SO_LINGER, &zero);
            }
        });
        self.end_stream(token, Ending::Finished);
    }

    /// An error of one connection ends that connection, and nothing else.
    pub(super) fn fail(&mut self, token: Token, call: Function, errno: Errno) {
        trace::intent("an error of one connection ends that connection only");
        match self.endpoints.stream(token).map(|stream| stream.peer.clone()) {
            Some(Some(peer)) => self.notice(&Notice::Failed(&peer, call, errno)),
            Some(None) => self.notice(&Notice::FileFailed(of_files(call), errno)),
            None => {}
        }
        self.end_stream(token, Ending::Failed(errno));
    }

    /// Takes a stream out of the loop, which closes it, and remembers to tell its service. (Not at once: this may be in
    /// the midst of an answer that the service gave to something else.)
    pub(super) fn end_stream(&mut self, token: Token, ending: Ending) {
        let Some((ends, Endpoint::Stream(stream))) = self.endpoints.remove(token) else { return };
        drop(ends);
        self.later.endings.push((token, stream.service, ending));
        // What was owed here will not be sent any more: the other one need not wait for it.
        if let Some(partner) = stream.partner {
            self.endpoints.with_stream(partner, |_, partner| partner.partner = None);
        }
        let Some(peer) = stream.peer else { return };
        self.clients -= usize::from(stream.accepted);
        self.connections -= 1;
        self.resume_listeners();
        match ending {
            Ending::Finished => self.notice(&Notice::Closed(&peer)),
            Ending::TooSlow => self.notice(&Notice::TooSlow(&peer)),
            Ending::Silent => self.notice(&Notice::TimedOut(&peer)),
            Ending::Failed(_) => {}
        }
    }

    /// Tells the services whose connections are closed.
    pub(super) fn tell_endings(&mut self) {
        while let Some((token, service, ending)) = self.later.endings.pop() {
            self.tell(token, service, Event::Closed(ending));
        }
    }
}

/// What the call is named where the descriptor is no socket's.
fn of_files(call: Function) -> Function {
    match call.effect() {
        Effect::Receives => Function::READ,
        Effect::Sends => Function::WRITE,
        _ => call,
    }
}
