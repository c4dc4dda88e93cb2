//! A call that was written as JSON, read again and told again to any sink: as text, with its bits, with explanations.

mod values;

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::arg::{Arg, Note, Value};
use super::json::SCHEMA;
use super::page::{Effect, Function};
use super::tracer::{Call, Ended, Mark, Outcome, Sink, States};
use crate::addr::Address;
use crate::names::{Errno, FdFlags, PollEvents, ResolveError, TcpState, value_of};
use crate::values::{PollRow, SocketState, TimeSpec};
pub(crate) use values::printable;
use values::{
    number, read_address, read_open_flags, read_option, read_row, read_type, read_value, set,
    timeval, written,
};

/// One line of a JSON trace. The fields are those of the [schema](super::json).
#[derive(Clone, Debug, Deserialize)]
pub struct Recorded {
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u64,
    /// Whose clock.
    pub clock: String,
    /// The number of the call within its tracer.
    pub seq: u64,
    /// When it began, in nanoseconds of that clock.
    pub begin_ns: u64,
    /// When it ended.
    pub end_ns: u64,
    /// The function.
    #[serde(rename = "call", deserialize_with = "function")]
    pub function: Function,
    /// What it was given, by the names of its parameters.
    pub arguments: Map<String, Json>,
    /// What it returned.
    pub result: i64,
    /// The name of the error.
    pub errno: Option<String>,
    /// What else it told.
    #[serde(default)]
    pub returned: Map<String, Json>,
    /// Whether a wrapper did not make it.
    pub refused: bool,
    /// Whether a rule interfered.
    pub injected: bool,
    /// Whether libc refused or changed it.
    #[serde(default)]
    pub libc: bool,
    /// The connection of its descriptor, as it was before.
    pub connection: Option<RecordedConnection>,
    /// The state of its socket.
    #[serde(default)]
    pub state: RecordedStates,
}

/// A connection as it was before a call.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordedConnection {
    /// Its number within the tracer.
    pub id: u64,
    /// This end.
    pub local: Option<String>,
    /// The other end.
    pub peer: Option<String>,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
}

/// The state of a socket before a call and after it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RecordedStates {
    /// Before.
    pub before: Option<RecordedState>,
    /// After.
    pub after: Option<RecordedState>,
}

/// The state of a socket.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordedState {
    /// Where the connection is in its life.
    pub state: String,
    /// Bytes received and not read.
    pub unread: Option<u64>,
    /// Bytes sent and not acknowledged.
    pub unacknowledged: Option<u64>,
    /// Connections that wait to be accepted.
    pub waiting: Option<u32>,
    /// How many may.
    pub backlog: Option<u32>,
}

/// Why a line is not a call: one line for whoever gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine(String);

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadLine {}

fn function<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Function, D::Error> {
    let name = String::deserialize(deserializer)?;
    Function::from_name(&name).ok_or_else(|| {
        serde::de::Error::custom(format!("no call of this baresock: '{}'", name.escape_default()))
    })
}

impl Recorded {
    /// Reads a line.
    ///
    /// # Errors
    /// It is no JSON, of another version of the schema, or something is missing.
    pub fn parse(line: &str) -> Result<Self, BadLine> {
        // What the parser quotes of the line may be anything.
        let bad = |what: &str, error: serde_json::Error| {
            BadLine(format!("{what}: {}", error.to_string().escape_default()))
        };
        let json: Json = serde_json::from_str(line).map_err(|error| bad("not JSON", error))?;
        match json.get("schema").map(Json::as_u64) {
            Some(Some(schema)) if schema == u64::from(SCHEMA) => {}
            Some(Some(schema)) => {
                return Err(BadLine(format!("schema {schema}, and this baresock reads {SCHEMA}")));
            }
            _ => return Err(BadLine("no call of a JSON trace: it has no schema".into())),
        }
        serde_json::from_value(json).map_err(|error| bad("no call of a JSON trace", error))
    }

    /// Tells a sink of the call as if it were made now.
    pub fn tell(&self, sink: &mut impl Sink) {
        let texts = self.texts();
        let args = self.args(&texts);
        let fd = match args.first() {
            Some(Arg::Fd(fd)) => Some(*fd),
            _ => None,
        };
        let (function, seq, begin_ns) = (self.function, self.seq, self.begin_ns);
        let call = Call { function, seq, begin_ns, fd, may_wait: false };
        sink.begin(&call, &args);
        let states = States {
            before: self.state.before.as_ref().and_then(RecordedState::read),
            after: self.state.after.as_ref().and_then(RecordedState::read),
        };
        sink.end(&Ended {
            call: &call,
            outcome: self.outcome(),
            note: &self.note(),
            mark: self.mark(),
            end_ns: self.end_ns,
            connection: None,
            states,
        });
    }

    /// What it returned: the number, or the errno.
    pub fn outcome(&self) -> Outcome {
        let error = self.errno.as_deref().filter(|_| self.result == -1 && !self.is_resolvers());
        let errno = error.and_then(|name| {
            let number = || name.parse().ok().map(Errno::from_number);
            Errno::from_name(name).or_else(number)
        });
        match (error, errno) {
            (None, _) => Outcome::Value(self.result),
            (_, Some(errno)) => Outcome::Error(errno),
            // Of another system: it failed, and nobody here knows why.
            (Some(_), None) => Outcome::Error(Errno::from_number(0)),
        }
    }

    /// Whether the error is one of the resolver's.
    fn is_resolvers(&self) -> bool {
        self.function.effect() == Effect::Resolves
    }

    const fn mark(&self) -> Mark {
        match self {
            Self { refused: true, .. } => Mark::Refused,
            Self { injected: true, .. } => Mark::Injected,
            Self { libc: true, .. } => Mark::Libc,
            _ => Mark::None,
        }
    }

    /// The arguments with their names, in the order of the prototype; those that were not given are left out at its end.
    fn given(&self) -> impl Iterator<Item = (&'static str, &Json)> {
        let parameters = self.function.page().parameters.iter();
        parameters.map_while(|name| Some((*name, self.arguments.get(*name)?)))
    }

    /// An argument in strace's notation, by the name of its parameter. Whatever the trace says, it is printable.
    pub fn written(&self, parameter: &str) -> Option<String> {
        let (_, value) = self.given().find(|(name, _)| *name == parameter)?;
        Some(written(value))
    }

    /// What must live as long as the arguments do: their notation, and their addresses.
    fn texts(&self) -> Vec<(String, Option<Address>)> {
        let one = |(name, value): (&str, &Json)| {
            let text = written(value);
            let is_address = matches!(name, "addr" | "dest_addr" | "src_addr");
            let address = is_address.then(|| read_address(&text)).flatten();
            (text, address)
        };
        self.given().map(one).collect()
    }

    fn args<'a>(&'a self, texts: &'a [(String, Option<Address>)]) -> Vec<Arg<'a>> {
        let given = self.given().zip(texts);
        given
            .map(|((name, value), (text, address))| match address {
                Some(address) => Arg::address(address),
                None => self.arg(name, value).unwrap_or(Arg::Text(text.into())),
            })
            .collect()
    }

    /// The argument as the wrapper gave it, where somebody wants to know more of it than how it is written.
    fn arg<'a>(&'a self, name: &str, value: &'a Json) -> Option<Arg<'a>> {
        Some(match (name, value) {
            ("offset", Json::Object(offset)) => Arg::Offset {
                given: offset.get("given")?.as_i64()?,
                returned: offset.get("returned")?.as_i64(),
            },
            ("sockfd" | "fd" | "oldfd" | "newfd" | "out_fd" | "in_fd", _) => {
                Arg::Fd(number(value)?)
            }
            ("sv" | "pipefd", Json::Array(pair)) => match &pair[..] {
                [first, second] => Arg::Fds([number(first)?, number(second)?]),
                _ => return None,
            },
            ("readfds" | "writefds" | "exceptfds", _) => Arg::set(set(value)),
            ("fds", Json::Array(_)) => Arg::rows(self.rows()),
            ("timeout", Json::Number(_)) => Arg::Millis(value.as_i64()?.try_into().ok()?),
            ("timeout", Json::Object(time)) if time.contains_key("tv_usec") => {
                Arg::TimeVal(Some(timeval(value)?))
            }
            ("timeout" | "tmo_p", Json::Object(time)) => Arg::TimeSpec(Some(TimeSpec {
                tv_sec: time.get("tv_sec")?.as_i64()?,
                tv_nsec: time.get("tv_nsec")?.as_i64()?,
            })),
            ("optval" | "arg", Json::Number(_)) if !self.arguments.contains_key("cmd") => {
                Arg::Value(Value::Int(value.as_i64()?.try_into().ok()?))
            }
            ("optval", Json::String(text)) => Arg::Value(read_value(self.option(), text)?),
            ("arg", Json::String(text)) if self.arguments.get("cmd")? == "F_SETFL" => {
                Arg::OpenFlags(read_open_flags(text)?)
            }
            ("optname", Json::String(text)) => {
                let level = self.arguments.get("level").and_then(Json::as_str);
                let (level, number) = read_option(level?, text)?;
                Arg::OptionName(level, number)
            }
            ("type", Json::String(text)) => Arg::Type(read_type(text)?),
            ("node" | "service" | "host" | "serv" | "proto", Json::String(text)) => {
                Arg::str(Some(text))
            }
            ("name", Json::String(text)) => Arg::str(Some(text)),
            (_, Json::Number(_)) => Arg::Int(value.as_i64()?),
            _ => return None,
        })
    }

    fn option(&self) -> &str {
        self.arguments.get("optname").and_then(Json::as_str).unwrap_or_default()
    }

    /// The rows of `poll` before the call.
    fn rows(&self) -> Vec<PollRow> {
        let rows = self.arguments.get("fds").and_then(Json::as_array);
        rows.into_iter().flatten().filter_map(|row| read_row(row, "events")).collect()
    }

    fn note(&self) -> Note<'_> {
        let flags = || self.returned.get("flags").and_then(Json::as_str);
        match self.function.effect() {
            _ if self.is_resolvers() => self.code(),
            _ if self.returned.is_empty() => Note::None,
            Effect::Selects => Note::select(
                ["in", "out", "except"].map(|name| set(self.returned.get(name)?)),
                self.returned.get("left").and_then(timeval),
            ),
            Effect::Polls => Note::Poll(self.answered().into()),
            Effect::Commands if self.arguments.get("cmd").is_some_and(|cmd| cmd == "F_GETFD") => {
                let bits = flags().and_then(|text| value_of(text, FdFlags::CONSTANTS));
                bits.map_or(Note::None, |bits| Note::FdFlags(FdFlags::from_bits(bits as i32)))
            }
            Effect::Commands => {
                flags().and_then(read_open_flags).map_or(Note::None, Note::OpenFlags)
            }
            _ => Note::None,
        }
    }

    /// What `getaddrinfo` says instead of an errno.
    fn code(&self) -> Note<'_> {
        let text = self.returned.get("text").and_then(Json::as_str);
        match self.errno.as_ref().zip(text) {
            Some((_, text)) => {
                Note::Code(ResolveError::from_bits(self.result as i32).named(), text.into())
            }
            None => Note::None,
        }
    }

    /// The rows that `poll` answered. An answer says its descriptor only; it belongs to the next row that asks of it.
    fn answered(&self) -> Vec<PollRow> {
        let answers = self.returned.get("ready").and_then(Json::as_array);
        let mut asked = self.rows().into_iter();
        let row = |answer: &Json| {
            let answer = read_row(answer, "revents")?;
            let events = asked.find(|row| row.fd == answer.fd).map(|row| row.events);
            let (fd, revents) = (answer.fd, answer.events);
            Some(PollRow { fd, events: events.unwrap_or(PollEvents::NONE), revents })
        };
        answers.into_iter().flatten().filter_map(row).collect()
    }
}

impl RecordedState {
    fn read(&self) -> Option<SocketState> {
        Some(SocketState {
            state: TcpState::from_bits(value_of(&self.state, TcpState::CONSTANTS)? as i32),
            unread: self.unread,
            unacknowledged: self.unacknowledged,
            waiting: self.waiting.zip(self.backlog),
        })
    }
}
