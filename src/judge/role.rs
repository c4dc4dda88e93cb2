//! The roles that programs are judged as.

use std::fmt;

/// The role of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends back all bytes.
    Echo,
    /// Sends back whole lines.
    LineEcho,
    /// Receives everything and sends nothing.
    Discard,
    /// Sends characters without end.
    Chargen,
    /// Sends the time of day as text, and closes.
    Daytime,
    /// Sends the seconds since 1900 in four bytes, and closes.
    Time,
    /// Sends each line to all other members.
    Chat,
    /// Serves the files of a directory.
    Http,
    /// Copies everything to another server, and back.
    Relay,
    /// Sends back each datagram.
    EchoUdp,
}

use Role::{Chargen, Chat, Daytime, Discard, Echo, EchoUdp, Http, LineEcho, Relay, Time};

impl Role {
    /// Every role of a server.
    pub const ALL: &'static [Self] =
        &[Echo, LineEcho, Discard, Chargen, Daytime, Time, Chat, Http, Relay, EchoUdp];
    /// The roles over connections.
    pub const STREAMS: &'static [Self] =
        &[Echo, LineEcho, Discard, Chargen, Daytime, Time, Chat, Http, Relay];
    /// The roles that send back what they receive.
    pub const ECHOING: &'static [Self] = &[Echo, LineEcho, Relay];
    /// The roles that a client can be judged as.
    pub const OF_CLIENTS: &'static [Self] = &[Echo, LineEcho, Daytime, Http];

    /// The name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Echo => "echo",
            LineEcho => "line-echo",
            Discard => "discard",
            Chargen => "chargen",
            Daytime => "daytime",
            Time => "time",
            Chat => "chat",
            Http => "http",
            Relay => "relay",
            EchoUdp => "echo/udp",
        }
    }

    /// The role with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
