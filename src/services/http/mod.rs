//! http: serves the files below a directory (RFC 9110 and 9112), read-only.
//!
//! Read the files in this order: `request` (from bytes to a request), `path` (from its target to the name of a file),
//! `root` (what is there), `conditions` and `range` (which part is wanted), `response`, `listing` and `body` (what is
//! sent), `cache`, and `site`, which puts them together. This file has the connections.

mod body;
mod cache;
mod conditions;
mod file;
mod listing;
mod options;
mod path;
mod range;
mod request;
mod response;
mod root;
mod site;
mod status;

use std::io;
use std::time::Duration;

use crate::events::{Action, Actions, LoopEvent, Service, Token, TokenMap};

use body::{Next, ResponseBody};
// The server of `view`'s pages reads requests and writes heads with these, too.
pub use request::{Method, Parsed, Request, parse};
use response::say;
pub use response::{Head, Manner};
use root::Root;
use site::Site;
pub use status::Status;

pub use file::{HttpTime, now};
pub use options::SiteOptions;

/// How long a peer may take for one chunk of a response, or for the last queued bytes.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(120);
/// When this many bytes of responses are written, or this many requests answered, they are sent before the next request
/// is looked at, so that other connections get their turn.
const ENOUGH: usize = 64 * 1024;
const ENOUGH_REQUESTS: usize = 16;

/// Serves the files below a directory.
#[derive(Debug)]
pub struct Http {
    site: Site,
    header_timeout: Duration,
    keep_alive: Duration,
    connections: TokenMap<Phase>,
    /// The responses to one event. (One buffer for all connections: a waiting connection has none.)
    out: Vec<u8>,
}

/// The phase of a connection.
#[derive(Debug)]
enum Phase {
    /// Waits for the first byte of a request.
    Waiting,
    /// Waits for the rest of a request.
    Reading,
    /// Sends a response; nothing is read in the meantime.
    Sending {
        /// `None` if so many bytes are queued that the next request has to wait.
        body: Option<ResponseBody>,
        /// Whether another request may follow.
        keep_alive: bool,
    },
    /// Idle for too long: the connection closes as soon as its queued bytes are sent.
    Leaving,
    /// Closed, as far as this service is concerned.
    Closed,
}

/// The result of handling received bytes, once everything in `out` is sent.
enum Handled {
    /// This many bytes are left, the beginning of a request.
    Reads(usize),
    /// This many bytes are left, and a body must be sent before they are looked at.
    Sends { body: Option<ResponseBody>, keep_alive: bool, left: usize },
    /// No further request is read.
    Closes,
}

impl Http {
    /// A server of files.
    ///
    /// # Errors
    /// The root does not exist, is not a directory, or may not be read.
    pub fn new(options: &SiteOptions) -> io::Result<Self> {
        Ok(Self {
            site: Site::new(Root::new(&options.root)?),
            header_timeout: options.header_timeout,
            keep_alive: options.keep_alive,
            connections: TokenMap::default(),
            out: Vec::new(),
        })
    }

    /// Answers the requests in these bytes, one after the other.
    fn answer_all(&mut self, bytes: &[u8]) -> Handled {
        self.site.look_at_clock();
        let mut rest = bytes;
        let mut answered = 0;
        loop {
            // Empty lines between requests are ignored.
            while let [b'\r' | b'\n', after @ ..] = rest {
                rest = after;
            }
            let (request, len) = match parse(rest) {
                Parsed::Incomplete => return Handled::Reads(rest.len()),
                Parsed::Refused(refused) => {
                    let manner = Manner::of_last(refused.method, self.site.date());
                    say(&mut self.out, refused.status, manner);
                    return Handled::Closes;
                }
                Parsed::Request(request, len) => (request, len),
            };
            let body = self.site.answer(&request, &mut self.out);
            rest = &rest[len..];
            answered += 1;
            let keep_alive = request.keep_alive;
            let left = rest.len();
            let is_enough = self.out.len() >= ENOUGH || answered == ENOUGH_REQUESTS;
            match (body.is_none(), keep_alive) {
                (true, false) => return Handled::Closes,
                (true, true) if !is_enough || left == 0 => {}
                _ => return Handled::Sends { body, keep_alive, left },
            }
        }
    }

    fn bytes<'a>(&'a mut self, who: Token, bytes: &[u8], actions: &mut Actions<'a>) {
        let (was_waiting, was_reading) = match self.connections.get(who) {
            Some(Phase::Waiting) => (true, false),
            Some(Phase::Reading) => (false, true),
            Some(Phase::Leaving) => (false, false),
            Some(Phase::Sending { .. }) => return actions.push(Action::Keep(bytes.len())),
            Some(Phase::Closed) | None => return,
        };
        self.out.clear();
        let outcome = self.answer_all(bytes);
        let answered = !self.out.is_empty();
        let mut deadline = None;
        let phase = match outcome {
            Handled::Reads(0) => {
                deadline = (answered || !was_waiting).then_some(self.keep_alive);
                Phase::Waiting
            }
            Handled::Reads(left) => {
                // The time limit runs from the first byte of a request; later bytes do not extend it.
                deadline = (answered || !was_reading).then_some(self.header_timeout);
                actions.push(Action::Keep(left));
                Phase::Reading
            }
            Handled::Sends { body, keep_alive, left } => {
                deadline = Some(CHUNK_TIMEOUT);
                actions.extend([Action::Keep(left), Action::Hold(who), Action::WantRoom(who)]);
                Phase::Sending { body, keep_alive }
            }
            Handled::Closes => Phase::Closed,
        };
        let closes = matches!(phase, Phase::Closed);
        self.connections.insert(who, phase);
        let part = match self.connections.get_mut(who) {
            Some(Phase::Sending { body: Some(body), .. }) => body.next_of_file(),
            _ => None,
        };
        let bytes = &self.out;
        match part {
            Some(part) => actions.push(Action::SendFile { to: who, head: bytes, part }),
            None if answered => actions.push(Action::Send { to: who, bytes }),
            None => {}
        }
        if deadline.is_some() {
            actions.push(Action::Deadline(who, deadline));
        }
        if closes {
            close(who, actions);
        }
    }

    /// Everything is sent: decide what comes next.
    fn room<'a>(&'a mut self, who: Token, actions: &mut Actions<'a>) {
        match self.connections.get(who) {
            Some(Phase::Sending { body: Some(body), .. }) if !body.is_done() => {
                self.send_next(who, actions);
            }
            Some(Phase::Sending { keep_alive: true, .. }) => {
                self.connections.insert(who, Phase::Waiting);
                actions.push(Action::Deadline(who, Some(self.keep_alive)));
                actions.push(Action::Release(who));
            }
            Some(Phase::Sending { keep_alive: false, .. } | Phase::Leaving) => {
                self.leave(who, actions);
            }
            Some(Phase::Waiting | Phase::Reading | Phase::Closed) | None => {}
        }
    }

    fn send_next<'a>(&'a mut self, who: Token, actions: &mut Actions<'a>) {
        let Some(Phase::Sending { body: Some(body), .. }) = self.connections.get_mut(who) else {
            return;
        };
        actions.extend([
            match body.next() {
                Next::Bytes(bytes) => Action::Send { to: who, bytes },
                Next::File(part) => Action::SendFile { to: who, head: b"", part },
            },
            Action::WantRoom(who),
            Action::Deadline(who, Some(CHUNK_TIMEOUT)),
        ]);
    }

    fn deadline<'a>(&'a mut self, who: Token, actions: &mut Actions<'a>) {
        match self.connections.get(who) {
            Some(Phase::Waiting) => {
                // The connection is silent, perhaps because the client is still busy with the last response.
                self.connections.insert(who, Phase::Leaving);
                actions.push(Action::WantRoom(who));
                actions.push(Action::Deadline(who, Some(CHUNK_TIMEOUT)));
            }
            Some(Phase::Reading) => {
                self.site.look_at_clock();
                self.out.clear();
                let manner = Manner::of_last(Method::Get, self.site.date());
                say(&mut self.out, Status::RequestTimeout, manner);
                self.connections.insert(who, Phase::Closed);
                actions.push(Action::Send { to: who, bytes: &self.out });
                close(who, actions);
            }
            Some(Phase::Sending { .. } | Phase::Leaving | Phase::Closed) => {
                actions.push(Action::Abort(who));
            }
            None => {}
        }
    }

    fn leave(&mut self, who: Token, actions: &mut Actions<'_>) {
        self.connections.insert(who, Phase::Closed);
        close(who, actions);
    }
}

/// Closes as soon as everything is sent, within a time limit.
fn close(who: Token, actions: &mut Actions<'_>) {
    actions.extend([Action::Close(who), Action::Deadline(who, Some(CHUNK_TIMEOUT))]);
}

impl Service for Http {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        match event {
            LoopEvent::Opened { .. } => {
                self.connections.insert(who, Phase::Waiting);
                actions.push(Action::Deadline(who, Some(self.keep_alive)));
            }
            LoopEvent::Bytes(bytes) => self.bytes(who, bytes, actions),
            LoopEvent::Room => self.room(who, actions),
            // Nothing is read while a response is sent, so no response is in progress; queued bytes are still sent.
            LoopEvent::PeerFinished => self.leave(who, actions),
            LoopEvent::Deadline => self.deadline(who, actions),
            LoopEvent::Closed(_) => {
                self.connections.remove(who);
            }
            LoopEvent::NotOpened(_) | LoopEvent::Datagram { .. } => {}
        }
    }
}
