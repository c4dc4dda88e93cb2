//! Calls as JSON: one object a line, written when the call returns. The schema is [`SCHEMA`].

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::arg::{Arg, Limits, Note, Value};
use super::notation::write_arg;
use super::output::{Output, Writer};
use super::quote::escape;
use super::tracer::{Call, Connection, Ended, Mark, Outcome, Sink, States};
use crate::names::Errno;
use crate::values::{FdNumber, PollRow, SocketState};

/// The version of the schema, in every object. Fields may be added without a new version.
pub const SCHEMA: u32 = 1;

/// Which thread of which process of which machine, and by which clock.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// The process.
    pub pid: u32,
    /// The thread, by the system's number where it has one.
    pub tid: u64,
    /// The clock of `begin_ns` and `end_ns`; those of two sources can be compared if this is equal.
    pub clock: String,
}

/// One line of a JSON trace.
#[derive(Debug, Serialize)]
struct Line<'a> {
    schema: u32,
    #[serde(flatten)]
    source: &'a Source,
    seq: u64,
    begin_ns: u64,
    end_ns: u64,
    call: &'static str,
    arguments: &'a Map<String, Json>,
    result: i64,
    errno: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    returned: Option<Json>,
    refused: bool,
    injected: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<JsonConnection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Json>,
}

#[derive(Debug, Serialize)]
struct JsonConnection {
    id: u64,
    local: Option<String>,
    peer: Option<String>,
    bytes_in: u64,
    bytes_out: u64,
}

impl From<&Connection> for JsonConnection {
    fn from(connection: &Connection) -> Self {
        Self {
            id: connection.id,
            local: connection.local.as_ref().map(ToString::to_string),
            peer: connection.peer.as_ref().map(ToString::to_string),
            bytes_in: connection.bytes_in,
            bytes_out: connection.bytes_out,
        }
    }
}

/// Writes calls as JSON.
#[derive(Debug)]
pub struct JsonSink {
    output: Output,
    writer: Writer,
    source: Source,
    limits: Limits,
    parameters: &'static [&'static str],
    arguments: Map<String, Json>,
}

impl JsonSink {
    /// Lines go to `output`.
    pub fn new(output: Output, source: Source, limits: Limits) -> Self {
        let writer = output.writer();
        Self { output, writer, source, limits, parameters: &[], arguments: Map::new() }
    }

    fn add(&mut self, args: &[Arg<'_>]) {
        for arg in args {
            let value = arg_to_json(arg, self.limits);
            let Some((name, rest)) = self.parameters.split_first() else { return };
            self.parameters = rest;
            self.arguments.insert((*name).to_string(), value);
        }
    }
}

impl Sink for JsonSink {
    fn begin(&mut self, call: &Call, args: &[Arg<'_>]) {
        self.parameters = call.function.parameters();
        self.arguments.clear();
        self.add(args);
        if call.may_wait {
            self.output.flush();
        }
    }

    fn rest(&mut self, args: &[Arg<'_>]) {
        self.add(args);
    }

    fn end(&mut self, ended: &Ended<'_>) {
        let (result, errno) = match ended.outcome {
            Outcome::Value(value) => (value, code_name(ended.note)),
            Outcome::Error(errno) => (-1, Some(errno_name(errno))),
        };
        let line = Line {
            schema: SCHEMA,
            source: &self.source,
            seq: ended.call.seq,
            begin_ns: ended.call.begin_ns,
            end_ns: ended.end_ns,
            call: ended.call.function.name(),
            arguments: &self.arguments,
            result,
            errno,
            returned: note_to_json(ended.note),
            refused: ended.mark == Mark::Refused,
            injected: ended.mark == Mark::Injected,
            connection: ended.connection.map(Into::into),
            state: states_to_json(ended.states),
        };
        if let Ok(text) = serde_json::to_string(&line) {
            self.output.line(self.writer, &text);
        }
    }

    fn remark(&mut self, _text: &str) {}

    fn flush(&mut self) {
        self.output.flush();
    }

    fn wants_times(&self) -> bool {
        true
    }

    fn wants_connections(&self) -> bool {
        true
    }
}

fn states_to_json(states: States) -> Option<Json> {
    if states == States::default() {
        return None;
    }
    let one = |state: SocketState| {
        json!({
            "state": state.state.to_string(),
            "unread": state.unread,
            "unacknowledged": state.unacknowledged,
            "waiting": state.waiting.map(|(now, _)| now),
        })
    };
    Some(json!({ "before": states.before.map(one), "after": states.after.map(one) }))
}

fn errno_name(errno: Errno) -> String {
    errno.name().map_or_else(|| errno.number().to_string(), str::to_string)
}

fn code_name(note: &Note) -> Option<String> {
    match note {
        Note::Code(code, _) => Some(code.to_string()),
        _ => None,
    }
}

/// Numbers as numbers, sets and rows as arrays, bytes as `{"text": …, "cut": …}`; whatever has a name or a
/// structure of C as the text trace writes it.
fn arg_to_json(arg: &Arg<'_>, limits: Limits) -> Json {
    match arg {
        Arg::Fd(fd) => json!(fd.get()),
        Arg::Fds([first, second]) => json!([first.get(), second.get()]),
        Arg::Int(number) => json!(number),
        Arg::Millis(timeout_ms) => json!(timeout_ms),
        Arg::Value(Value::Int(number)) => json!(number),
        Arg::Bytes(bytes) => {
            let mut text = String::new();
            escape(&mut text, &bytes[..bytes.len().min(limits.bytes)]);
            json!({ "text": text, "cut": bytes.len() > limits.bytes })
        }
        Arg::Address(address) => json!(address.to_string()),
        Arg::Str(text) => json!(text),
        Arg::Length { given, returned } => json!({ "given": given, "returned": returned }),
        Arg::Set(members) => json!(members.as_deref().map(numbers)),
        Arg::Rows(rows) => json!(rows.iter().map(asked).collect::<Vec<_>>()),
        Arg::TimeVal(time) => {
            json!(time.map(|t| json!({ "tv_sec": t.tv_sec, "tv_usec": t.tv_usec })))
        }
        Arg::TimeSpec(time) => {
            json!(time.map(|t| json!({ "tv_sec": t.tv_sec, "tv_nsec": t.tv_nsec })))
        }
        _ => {
            let mut text = String::new();
            write_arg(&mut text, arg, limits);
            if text == "NULL" { Json::Null } else { json!(text) }
        }
    }
}

fn numbers(members: &[FdNumber]) -> Vec<i32> {
    members.iter().map(|fd| fd.get()).collect()
}

fn asked(row: &PollRow) -> Json {
    json!({ "fd": row.fd.get(), "events": row.events.to_string() })
}

fn note_to_json(note: &Note) -> Option<Json> {
    Some(match note {
        Note::None => return None,
        Note::OpenFlags(flags) => json!({ "flags": flags.with_access().to_string() }),
        Note::FdFlags(flags) => json!({ "flags": flags.to_string() }),
        Note::Select { sets: [read, write, except], left } => json!({
            "in": read.as_deref().map(numbers),
            "out": write.as_deref().map(numbers),
            "except": except.as_deref().map(numbers),
            "left_us": left.map(|left| left.tv_sec * 1_000_000 + left.tv_usec),
        }),
        Note::Poll(rows) => json!({
            "ready": rows.iter()
                .map(|row| json!({ "fd": row.fd.get(), "revents": row.revents.to_string() }))
                .collect::<Vec<_>>(),
        }),
        Note::Code(_, text) => json!({ "text": text }),
    })
}
