//! A service as a person writes it on a command line: `echo`, `echo/udp=*:7`, `http=8080,root=public`.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use super::http;
use super::relay::{self, Moving};
use crate::addr::Written;
use crate::framing::Rule;
use crate::names::{SOCK_DGRAM, SOCK_STREAM, SocketType};
use crate::os::splicing::HAS_SPLICE;

/// The kind of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// Sends received bytes back (RFC 862).
    Echo,
    /// Throws received bytes away (RFC 863).
    Discard,
    /// Sends characters without end (RFC 864).
    Chargen,
    /// The time for people (RFC 867).
    Daytime,
    /// The time for machines (RFC 868).
    Time,
    /// Sends received bytes back in upper case.
    Upper,
    /// Sends each line of a member to all other members.
    Chat,
    /// Answers each message with its number and length.
    Framed,
    /// Copies bytes to another server, and back.
    Relay,
    /// Serves the files below a directory.
    Http,
}

/// The row of a service: its name, its port if none is written, its options, and whether it also serves datagrams.
struct ServiceRow {
    kind: ServiceKind,
    name: &'static str,
    /// A port that needs no privilege; `None` where an address must be written.
    port: Option<u16>,
    options: &'static [&'static str],
    datagrams: bool,
    /// The port that its RFC assigns; none if no RFC describes the service.
    standard_port: Option<u16>,
}

const ROWS: &[ServiceRow] = &[
    ServiceRow::small(ServiceKind::Echo, "echo", 7007, 7),
    ServiceRow::small(ServiceKind::Discard, "discard", 9009, 9),
    ServiceRow::small(ServiceKind::Chargen, "chargen", 1919, 19),
    ServiceRow::small(ServiceKind::Daytime, "daytime", 1313, 13),
    ServiceRow::small(ServiceKind::Time, "time", 3737, 37),
    ServiceRow {
        kind: ServiceKind::Upper,
        name: "upper",
        port: Some(7117),
        options: &[],
        datagrams: true,
        standard_port: None,
    },
    ServiceRow {
        kind: ServiceKind::Chat,
        name: "chat",
        port: Some(9034),
        options: &[],
        datagrams: false,
        standard_port: None,
    },
    ServiceRow {
        kind: ServiceKind::Framed,
        name: "framed",
        port: Some(7070),
        options: &["frame"],
        datagrams: false,
        standard_port: None,
    },
    ServiceRow {
        kind: ServiceKind::Relay,
        name: "relay",
        port: None,
        options: &["to", "timeout", "move"],
        datagrams: false,
        standard_port: None,
    },
    ServiceRow {
        kind: ServiceKind::Http,
        name: "http",
        port: Some(8080),
        options: http::SiteOptions::NAMES,
        datagrams: false,
        standard_port: None,
    },
];

/// Whether a service uses connections or datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP, or a Unix-domain stream.
    Stream,
    /// UDP, or Unix-domain datagrams.
    Datagram,
}

impl Transport {
    /// The type of socket that it needs.
    pub const fn socket_type(self) -> SocketType {
        match self {
            Self::Stream => SOCK_STREAM,
            Self::Datagram => SOCK_DGRAM,
        }
    }
}

/// A service, where it listens, and its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The kind of service.
    pub kind: ServiceKind,
    /// Connections or datagrams.
    pub transport: Transport,
    /// Where it listens.
    pub address: Written,
    /// `OPTION=VALUE`, as written; only options that the service has.
    pub options: Vec<(String, String)>,
}

impl ServiceKind {
    /// All services.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.kind)
    }
}

/// The ports on which a service answers datagrams: that of its RFC, and that on which it listens here if no address is
/// written.
pub(super) fn answering_ports() -> impl Iterator<Item = u16> {
    let answering = ROWS.iter().filter(|row| row.datagrams);
    answering.flat_map(|row| row.standard_port.into_iter().chain(row.port))
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = ROWS.iter().find(|row| row.kind == *self);
        f.write_str(row.map_or("?", |row| row.name))
    }
}

/// As written, without the address: `echo`, `echo/udp`.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transport {
            Transport::Stream => self.kind.fmt(f),
            Transport::Datagram => write!(f, "{}/udp", self.kind),
        }
    }
}

impl Spec {
    /// Reads `SERVICE[/udp][=ADDR[,OPTION=VALUE]...]`.
    ///
    /// # Errors
    /// One line that says what can be written instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (service, rest) = match text.split_once('=') {
            Some((service, rest)) => (service, Some(rest)),
            None => (text, None),
        };
        let (name, transport) = match service.split_once('/') {
            None => (service, Transport::Stream),
            Some((name, "tcp")) => (name, Transport::Stream),
            Some((name, "udp")) => (name, Transport::Datagram),
            Some((_, other)) => {
                return Err(format!("'/{}': write /udp, or nothing for TCP", other.escape_debug()));
            }
        };
        let row = ROWS.iter().find(|row| row.name == name).ok_or_else(|| {
            let known: Vec<_> = ROWS.iter().map(|row| row.name).collect();
            format!("there is no service '{}'; services: {}", name.escape_debug(), known.join(", "))
        })?;
        if transport == Transport::Datagram && !row.datagrams {
            return Err(format!("{name} needs connections: write it without /udp"));
        }
        let (address, options) = row.address_and_options(rest)?;
        let spec = Self { kind: row.kind, transport, address, options };
        spec.check_options()?;
        Ok(spec)
    }

    /// A wrong value is an error when the server starts, not when the first client connects.
    fn check_options(&self) -> Result<(), String> {
        for (at, (name, _)) in self.options.iter().enumerate() {
            if self.options[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(format!("{name}= is written twice"));
            }
        }
        match self.kind {
            ServiceKind::Relay => self.target().and(self.moving()).map(|_| ()),
            ServiceKind::Http => self.http().map(|_| ()),
            _ => self.frame().map(|_| ()),
        }
    }

    /// The target of a relay, and how long each address may take to answer.
    ///
    /// # Errors
    /// One line that says what is to be written.
    pub fn target(&self) -> Result<(Written, Duration), String> {
        let to = self.option("to").ok_or("relay needs a target: relay=ADDR,to=HOST:PORT")?;
        let time_limit = self.option("timeout").map_or(Ok(relay::TIME_LIMIT), |written| {
            time_limit(written).map_err(|why| format!("timeout={}: {why}", written.escape_debug()))
        })?;
        Ok((Written::parse(to).map_err(|bad| bad.why)?, time_limit))
    }

    /// How a relay gets bytes from one side to the other.
    ///
    /// # Errors
    /// One line that says what can be written instead.
    pub fn moving(&self) -> Result<Moving, String> {
        match self.option("move") {
            None | Some("copy") => Ok(Moving::Copied),
            Some("splice") if HAS_SPLICE => Ok(Moving::Spliced),
            Some("splice") => Err("move=splice: only Linux has splice; write move=copy".into()),
            Some(other) => Err(format!("move={}: write copy or splice", other.escape_debug())),
        }
    }

    /// The rule that ends messages of `framed`.
    ///
    /// # Errors
    /// One line that says what can be written instead.
    pub fn frame(&self) -> Result<Rule, String> {
        self.option("frame").map_or(Ok(Rule::Line), Rule::parse)
    }

    /// The options of `http`.
    ///
    /// # Errors
    /// One line that says what can be written instead.
    pub fn http(&self) -> Result<http::SiteOptions, String> {
        http::SiteOptions::read(&self.options)
    }

    /// The value of an option, if it was written.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(written, _)| written == name).map(|(_, value)| value.as_str())
    }
}

/// More than any user needs, and small enough to compute a moment that far ahead.
const MOST_SECONDS: f64 = 1e9;

/// Reads a number of seconds: `5`, `0.25`.
///
/// # Errors
/// One line that says what can be written.
pub fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0.0..=MOST_SECONDS) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(format!("write a number of seconds from 0 to {MOST_SECONDS}")),
    }
}

/// Reads a time limit: [`seconds`], but not zero.
///
/// # Errors
/// One line that says what can be written.
pub fn time_limit(text: &str) -> Result<Duration, String> {
    match seconds(text) {
        Ok(limit) if !limit.is_zero() => Ok(limit),
        _ => Err(format!("write a number of seconds above 0, up to {MOST_SECONDS}")),
    }
}

/// What to do if the comma was not meant to end a part.
const A_COMMA: &str = " (a comma that belongs to a name is written twice)";

/// The parts between commas. Two commas are one that belongs to a part, such as a path.
fn parts_of(text: &str) -> Vec<String> {
    let mut parts = vec![];
    let mut part = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == ',' && chars.next_if_eq(&',').is_none() {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    parts
}

impl ServiceRow {
    /// One of the RFCs' small services: over connections and datagrams, and without options.
    const fn small(kind: ServiceKind, name: &'static str, port: u16, standard_port: u16) -> Self {
        let standard_port = Some(standard_port);
        Self { kind, name, port: Some(port), options: &[], datagrams: true, standard_port }
    }

    fn address_and_options(
        &self,
        rest: Option<&str>,
    ) -> Result<(Written, Vec<(String, String)>), String> {
        let mut parts = parts_of(rest.unwrap_or_default()).into_iter();
        // The first part is the address, unless it is an option already: `http=root=public`.
        let first = parts.next().filter(|part| !part.is_empty());
        let is_option = |part: &String| {
            part.split_once('=').is_some_and(|(name, _)| self.options.contains(&name))
        };
        let (address, first_option) = match first {
            Some(part) if is_option(&part) => (None, Some(part)),
            other => (other, None),
        };
        let options = first_option
            .into_iter()
            .chain(parts)
            .map(|part| self.option(&part))
            .collect::<Result<_, _>>()?;
        let address = match (address, self.port) {
            (Some(written), _) => Written::parse(&written).map_err(|bad| bad.why)?,
            (None, Some(port)) => Written::parse(&port.to_string()).map_err(|bad| bad.why)?,
            (None, None) => return Err(format!("{} needs an address: {0}=HOST:PORT", self.name)),
        };
        Ok((address, options))
    }

    fn option(&self, part: &str) -> Result<(String, String), String> {
        let name = self.name;
        let shown = part.escape_debug();
        let offered = self.options.join("=…, ");
        match (part.split_once('='), self.options) {
            (Some((option, value)), options) if options.contains(&option) => {
                Ok((option.to_string(), value.to_string()))
            }
            (_, []) if part.is_empty() => {
                Err(format!("nothing goes behind the comma: {name} has no options"))
            }
            (_, []) => Err(format!("'{shown}': {name} has no options{A_COMMA}")),
            _ if part.is_empty() => {
                Err(format!("an option of {name} is missing behind a comma; it has: {offered}=…"))
            }
            _ => Err(format!("{name} has no option '{shown}'; it has: {offered}=…{A_COMMA}")),
        }
    }
}
