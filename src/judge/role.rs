//! What a program is judged as.

use std::fmt;

/// What a server is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends back whatever comes.
    Echo,
    /// Sends back whole lines.
    LineEcho,
    /// Takes everything and answers nothing.
    Discard,
    /// Sends characters without end.
    Chargen,
    /// Sends the time of day as text, and closes.
    Daytime,
    /// Sends the seconds since 1900 in four bytes, and closes.
    Time,
    /// Sends each line to all others.
    Chat,
    /// Serves the files of a directory.
    Http,
    /// Passes everything on to another server, and back.
    Relay,
    /// Sends back whatever datagram comes.
    EchoUdp,
}

use Role::{Chargen, Chat, Daytime, Discard, Echo, EchoUdp, Http, LineEcho, Relay, Time};

impl Role {
    /// Every role of a server.
    pub const ALL: &'static [Self] =
        &[Echo, LineEcho, Discard, Chargen, Daytime, Time, Chat, Http, Relay, EchoUdp];
    /// Those over connections.
    pub const STREAMS: &'static [Self] =
        &[Echo, LineEcho, Discard, Chargen, Daytime, Time, Chat, Http, Relay];
    /// Those that send back what they get.
    pub const ECHOING: &'static [Self] = &[Echo, LineEcho, Relay];
    /// Those that a client can be judged as.
    pub const OF_CLIENTS: &'static [Self] = &[Echo, LineEcho, Daytime, Http];

    /// As it is written in a command line.
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

    /// The role of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
