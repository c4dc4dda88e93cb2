//! Reads a line of JSON back: each value by its parameter, without parsing strace's notation.

mod arguments;
mod values;

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::SCHEMA;
use crate::names::{Errno, FdFlags, ResolveError, TcpState};
use crate::trace::arg::Note;
use crate::trace::event::{Callee, Connection, Event, Mark, Outcome, States};
use crate::trace::page::Function;
use crate::values::SocketState;
use arguments::{Given, untyped};
use values::printable;
use values::{address, bits, errno_of, one_of, open_flags, rows_of, set, timeval};

/// Why a line is not a call: one line for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine(String);

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadLine {}

impl Event<'static> {
    /// Reads a line of a JSON trace.
    ///
    /// # Errors
    /// The line is not JSON, has another version of the schema, or lacks a field.
    pub fn from_json(line: &str) -> Result<Self, BadLine> {
        // The parser quotes parts of the line, which may contain anything.
        let bad = |what: &str, error: serde_json::Error| {
            BadLine(format!("{what}: {}", error.to_string().escape_default()))
        };
        let json: Json = serde_json::from_str(line).map_err(|error| bad("not JSON", error))?;
        match json.get("schema").map(Json::as_u64) {
            Some(Some(schema)) if schema == u64::from(SCHEMA) => {}
            Some(Some(schema)) => {
                return Err(BadLine(format!("schema {schema}, and this baresock reads {SCHEMA}")));
            }
            _ => return Err(BadLine("not a call of a JSON trace: it has no schema".into())),
        }
        serde_json::from_value(json).map_err(|error| bad("not a call of a JSON trace", error))
    }
}

/// The fields of a line.
#[derive(Deserialize)]
pub(super) struct JsonLine {
    pid: u32,
    tid: u64,
    clock: Option<String>,
    seq: u64,
    begin_ns: u64,
    end_ns: u64,
    call: String,
    arguments: Map<String, Json>,
    result: Option<i64>,
    errno: Option<String>,
    #[serde(default)]
    returned: Map<String, Json>,
    #[serde(default)]
    mark: Option<String>,
    connection: Option<JsonConnection>,
    #[serde(default)]
    state: JsonStates,
}

#[derive(Deserialize)]
struct JsonConnection {
    id: u64,
    local: Json,
    peer: Json,
    bytes_in: u64,
    bytes_out: u64,
}

#[derive(Default, Deserialize)]
struct JsonStates {
    before: Option<JsonState>,
    after: Option<JsonState>,
}

#[derive(Deserialize)]
struct JsonState {
    state: Json,
    unread: Option<u64>,
    unacknowledged: Option<u64>,
    waiting: Option<u32>,
    backlog: Option<u32>,
}

impl JsonLine {
    pub(super) fn event(self) -> Result<Event<'static>, BadLine> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if self.call.is_empty() || !self.call.bytes().all(is_name) {
            return Err(BadLine(format!("no function of C: '{}'", self.call.escape_default())));
        }
        let mut event = Event::new(match Function::from_name(&self.call) {
            Some(function) => Callee::Known(function),
            None => Callee::Other(self.call.clone().into()),
        });
        let given = Given { call: &self.call, all: &self.arguments };
        match event.function() {
            Some(function) => event.args.extend(
                function
                    .page()
                    .parameters
                    .iter()
                    .map_while(|name| Some(given.arg(name, self.arguments.get(*name)?))),
            ),
            None => {
                event.args.extend((1..).map_while(|place: usize| {
                    Some(untyped(self.arguments.get(&place.to_string())?))
                }))
            }
        }
        event.mark = match self.mark.as_deref() {
            None => Mark::None,
            Some("refused") => Mark::Refused,
            Some("injected") => Mark::Injected,
            Some("libc") => Mark::Libc,
            Some(other) => return Err(BadLine(format!("no mark: '{}'", other.escape_default()))),
        };
        event.outcome = self.outcome();
        event.note = self.note();
        event.connection = self.connection.map(|known| Connection {
            id: known.id,
            local: address(&known.local),
            peer: address(&known.peer),
            bytes_in: known.bytes_in,
            bytes_out: known.bytes_out,
        });
        let one = |state: JsonState| {
            let waiting = state.waiting.zip(state.backlog);
            let JsonState { unread, unacknowledged, .. } = state;
            let state =
                TcpState::from_bits(one_of(TcpState::default().named(), &state.state)? as i32);
            Some(SocketState { state, unread, unacknowledged, waiting })
        };
        event.states = States {
            before: self.state.before.and_then(one),
            after: self.state.after.and_then(one),
        };
        (event.pid, event.tid, event.seq) = (self.pid, self.tid, self.seq);
        (event.begin_ns, event.end_ns) = (self.begin_ns, self.end_ns);
        event.clock = self.clock.map(Arc::from);
        Ok(event)
    }

    fn outcome(&self) -> Outcome {
        let errno = self.errno.as_deref().filter(|_| !self.has_code());
        match (self.result, errno) {
            (None, _) => Outcome::Unknown,
            (Some(value), None) => Outcome::Value(value),
            (_, Some(name)) => Outcome::Error(errno_of(name).unwrap_or(Errno::UNLISTED)),
        }
    }

    /// Whether the error is a code of the resolver.
    fn has_code(&self) -> bool {
        self.errno.as_ref().is_some_and(|name| name.starts_with("EAI_")) || self.result > Some(0)
    }

    fn note(&self) -> Note<'static> {
        let told = |name| self.returned.get(name);
        let text = |name| told(name).and_then(Json::as_str).map(|text| printable(text).into());
        let code = self.result.filter(|_| self.errno.is_some() && self.has_code());
        if let Some((code, text)) = code.zip(text("text")) {
            return Note::Code(ResolveError::from_bits(code as i32).named(), text);
        }
        if let Some(text) = text("written") {
            return Note::Text(text);
        }
        if let Some(rows) = told("ready") {
            return Note::Poll(rows_of(rows).into());
        }
        if let (Some(read), Some(write), Some(except)) = (told("in"), told("out"), told("except")) {
            return Note::select([read, write, except].map(set), told("left").and_then(timeval));
        }
        match told("flags") {
            Some(flags) if self.arguments.get("cmd").is_some_and(|cmd| cmd == "F_GETFD") => {
                Note::FdFlags(FdFlags::from_bits(bits(FdFlags::NONE.named(), flags)))
            }
            Some(flags) => Note::OpenFlags(open_flags(flags)),
            None => Note::None,
        }
    }
}
