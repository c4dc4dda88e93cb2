//! The story: the peers, how many bytes in each direction, and which side ended the connection.

use serde::Serialize;

use super::did::Departure;
use super::moment::Moment;
use super::world::{Socket, SocketRole};
use crate::addr::{Address, Reach};
use crate::names::Errno;
use crate::trace::Event;

/// How many of each kind are reported; further ones are counted.
const MOST: usize = 1_000;

/// Everything that had a peer, or waited for one.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Story {
    /// Connections, in the order in which they ended.
    pub connections: Vec<ConnectionStory>,
    /// Listeners.
    pub listeners: Vec<ListenerStory>,
    /// Sockets for datagrams.
    pub datagrams: Vec<DatagramStory>,
    /// Those that are not reported one by one.
    pub further: Further,
}

/// A connection.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectionStory {
    /// The process that had it first.
    pub pid: u32,
    /// Its descriptor there.
    pub fd: i32,
    /// How it began: `accepted`, `connected`, `paired`, or `found` if the log begins later.
    pub role: &'static str,
    /// The address of this end.
    pub local: Option<String>,
    /// The address of the other end.
    pub peer: Option<String>,
    /// The line that made it.
    pub opened_line: Option<u64>,
    /// The line that ended it; `None` if the log ends before.
    pub closed_line: Option<u64>,
    /// When it was made, in nanoseconds since the first call of the log.
    pub opened_ns: Option<u64>,
    /// How long it lasted.
    pub lasted_ns: Option<u64>,
    /// Bytes received.
    pub bytes_in: u64,
    /// The number of receives.
    pub receives: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// The number of sends.
    pub sends: u64,
    /// How it ended: `finished`, `reset`, `failed`, `killed`, or `open`.
    pub end: &'static str,
    /// The side that ended it: `peer`, `this side`; `None` if unknown.
    pub ended_by: Option<&'static str>,
    /// The errno that ended it.
    pub errno: Option<&'static str>,
}

/// A listener.
#[derive(Clone, Debug, Serialize)]
pub struct ListenerStory {
    /// The process that had it first.
    pub pid: u32,
    /// Its descriptor there.
    pub fd: i32,
    /// Where it listens.
    pub local: Option<String>,
    /// Which machines can reach it.
    pub reach: Option<String>,
    /// The backlog passed to `listen`.
    pub backlog: i64,
    /// How many connections were accepted.
    pub clients: u64,
    /// The line of `listen`.
    pub line: Option<u64>,
}

/// A datagram socket.
#[derive(Clone, Debug, Serialize)]
pub struct DatagramStory {
    /// The process that had it first.
    pub pid: u32,
    /// Its descriptor there.
    pub fd: i32,
    /// Its own address.
    pub local: Option<String>,
    /// Its peer's, if it was connected.
    pub peer: Option<String>,
    /// Datagrams received.
    pub received: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// The line that made it.
    pub line: Option<u64>,
}

/// Those that are not reported one by one.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Further {
    /// Connections.
    pub connections: u64,
    /// Bytes that they received.
    pub bytes_in: u64,
    /// Bytes that they sent.
    pub bytes_out: u64,
    /// Listeners and sockets for datagrams.
    pub others: u64,
}

/// Writes the story as sockets end.
#[derive(Debug, Default)]
pub(super) struct Storyteller {
    story: Story,
    /// When the first call began.
    first_ns: u64,
}

impl Storyteller {
    /// Records when the first call began.
    pub(super) const fn begin(&mut self, event: &Event<'_>) {
        if self.first_ns == 0 {
            self.first_ns = event.begin_ns;
        }
    }

    /// Adds a socket that is gone.
    pub(super) fn tell(&mut self, socket: &Socket, now: &Moment<'_>, why: Departure) {
        let Story { connections, listeners, datagrams, further } = &mut self.story;
        let text = |address: &Option<Address>| address.as_ref().map(ToString::to_string);
        let line = socket.named.as_ref().or(socket.made.as_ref()).map(|mark| mark.line);
        if socket.is_listener() {
            if listeners.len() >= MOST {
                further.others += 1;
                return;
            }
            let is_inet = socket.file.local.as_ref().is_some_and(|local| local.port().is_some());
            let reach = socket.file.local.as_ref().filter(|_| is_inet).map(Address::reach);
            listeners.push(ListenerStory {
                pid: socket.pid,
                fd: socket.fd,
                local: text(&socket.file.local),
                reach: reach.map(|reach: Reach| reach.to_string()),
                backlog: socket.backlog,
                clients: socket.clients,
                line,
            });
        } else if socket.making.is_datagram {
            if datagrams.len() >= MOST {
                further.others += 1;
                return;
            }
            datagrams.push(DatagramStory {
                pid: socket.pid,
                fd: socket.fd,
                local: text(&socket.file.local),
                peer: text(&socket.file.peer),
                received: socket.receives,
                bytes_in: socket.file.bytes_in,
                sent: socket.sends,
                bytes_out: socket.file.bytes_out,
                line,
            });
        } else if is_worth_telling(socket) {
            if connections.len() >= MOST {
                further.connections += 1;
                further.bytes_in += socket.file.bytes_in;
                further.bytes_out += socket.file.bytes_out;
                return;
            }
            connections.push(connection(socket, now, why, self.first_ns));
        }
    }

    /// The whole story.
    pub(super) fn finish(self) -> Story {
        self.story
    }
}

/// A pipe, or a socket that never had a peer, has no story.
const fn is_worth_telling(socket: &Socket) -> bool {
    let has_moved = socket.file.bytes_in > 0 || socket.file.bytes_out > 0;
    matches!(socket.role, SocketRole::Accepted | SocketRole::Connected)
        || (has_moved && socket.making.is_stream)
}

fn connection(socket: &Socket, now: &Moment<'_>, why: Departure, first_ns: u64) -> ConnectionStory {
    let text = |address: &Option<Address>| address.as_ref().map(ToString::to_string);
    let opened = socket.named.as_ref().or(socket.made.as_ref());
    let opened_at = opened.map(|mark| mark.begin_ns).filter(|ns| *ns > 0);
    let ended_ns = now.event.begin_ns;
    let (end, ended_by) = ending(socket, now, why);
    let is_over = why != Departure::LogOver;
    ConnectionStory {
        pid: socket.pid,
        fd: socket.fd,
        role: match socket.role {
            SocketRole::Accepted => "accepted",
            SocketRole::Connected => "connected",
            SocketRole::Paired => "paired",
            SocketRole::Alone => "found",
        },
        local: text(&socket.file.local),
        peer: text(&socket.file.peer),
        opened_line: opened.map(|mark| mark.line),
        closed_line: is_over.then_some(now.line),
        opened_ns: opened_at.map(|ns| ns.saturating_sub(first_ns)),
        lasted_ns: opened_at
            .filter(|_| is_over && ended_ns > 0)
            .map(|ns| ended_ns.saturating_sub(ns)),
        bytes_in: socket.file.bytes_in,
        receives: socket.receives,
        bytes_out: socket.file.bytes_out,
        sends: socket.sends,
        end,
        ended_by,
        errno: socket.failed.as_ref().and_then(|(_, errno)| errno.name()),
    }
}

/// How it ended, and which side ended it.
fn ending(
    socket: &Socket,
    now: &Moment<'_>,
    why: Departure,
) -> (&'static str, Option<&'static str>) {
    let own = socket.finished.as_ref().map_or(u64::MAX, |mark| mark.line);
    let peers = socket.peer_finished.as_ref().map(|mark| mark.line);
    match (&socket.failed, peers) {
        (Some(_), _)
            if socket.file.bytes_in == 0
                && socket.file.bytes_out == 0
                && socket.role == SocketRole::Connected =>
        {
            ("failed", Some("peer"))
        }
        (Some((_, Errno::ECONNRESET | Errno::EPIPE)), _) => ("reset", Some("peer")),
        (Some(_), _) => ("failed", None),
        (None, Some(peers)) if peers < own => ("finished", Some("peer")),
        (None, Some(_)) => ("finished", Some("this side")),
        (None, None) if why == Departure::LogOver => ("open", None),
        (None, None) if socket.file.abrupt => ("reset", Some("this side")),
        (None, None) if now.event.callee.name().starts_with("+++ killed") => {
            ("killed", Some("this side"))
        }
        (None, None) => ("finished", Some("this side")),
    }
}
