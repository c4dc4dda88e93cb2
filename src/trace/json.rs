//! Calls as JSON: one object a line, written when the call returns. The version of the schema is [`SCHEMA`].
//!
//! | field | type | |
//! |---|---|---|
//! | `schema` | number | 1 |
//! | `pid`, `tid` | number | process and thread |
//! | `clock` | string | whose clock; the times of two traces can be compared where this is equal |
//! | `seq` | number | of the call, within its tracer: from 0, without gaps |
//! | `begin_ns`, `end_ns` | number | when it began and ended; `begin_ns` ≤ `end_ns` |
//! | `call` | string | the function's name in C ([`Function::name`](super::Function::name)) |
//! | `arguments` | object | by the names of its parameters; see below |
//! | `result` | number | what C returned; -1 where the wrapper gives an errno |
//! | `errno` | string or null | its name, or its number in digits if it has none here; of the resolver's functions, their own code: `EAI_NONAME` |
//! | `returned` | object | what else the call told; only if it did |
//! | `refused` | true or false | a wrapper did not make the call, because it would do harm |
//! | `injected` | true or false | a rule interfered |
//! | `libc` | true | libc refused the call or changed its arguments before the kernel saw it; only if so |
//! | `connection` | object | of a descriptor that is connected: `id` (number), `local` and `peer` (string or null), `bytes_in` and `bytes_out` (number) received and sent by calls on it before this one |
//! | `state` | object | with `--state`, of a TCP socket: `before` and `after`, each null or an object: `state` (string), and, number or null, `unread`, `unacknowledged`, and of a listener `waiting` and `backlog` |
//!
//! **Arguments.** Descriptors, lengths, counts, what an option is set to and a protocol without a name are numbers, the two of `pipe` an array of two. Bytes are
//! `{"text": "…", "cut": false}`: escaped as strace does, all of it printable ASCII, and cut after `--trace-bytes`. A length
//! or an offset that the system changes is `{"given": 128, "returned": 16}`; an offset that it did not change has null there. An address is a string for people, `127.0.0.1:7007`; an
//! `fd_set` an array of descriptors; the rows of `poll` are `[{"fd": 3, "events": "POLLIN"}]`; a time is
//! `{"tv_sec": 1, "tv_usec": 0}` or has `tv_nsec`. NULL is null. What has a name or a structure of C is a string as the
//! text has it: `"AF_INET"`, `"MSG_DONTWAIT|MSG_NOSIGNAL"`, `"{l_onoff=1, l_linger=0}"`; and so is, where a call failed, the
//! place in memory that it would have written: `"0x7ffd14b5fac0"`. An optional parameter that was not given is not there.
//!
//! **Returned.** Of `select`: `{"in": […], "out": null, "except": null, "left": null}`, the sets that it left and the rest
//! of the time, if the system tells; of `poll`: `{"ready": [{"fd": 3, "revents": "POLLIN"}]}`; of `fcntl`:
//! `{"flags": "O_RDWR"}`; of the resolver's functions: `{"text": "Name or service not known"}`.
//!
//! [`Recorded`](super::recorded::Recorded) is such a line, read again.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::arg::{Arg, Limits, Note, Value};
use super::notation::write_arg;
use super::output::{Output, Writer};
use super::quote::escape;
use super::tracer::{Call, Connection, Ended, Mark, Outcome, Sink, States};
use crate::names::{AF_INET, AF_INET6, Errno};
use crate::values::{FdNumber, PollRow, SocketState, TimeVal};

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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    libc: bool,
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
        self.parameters = call.function.page().parameters;
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
            Outcome::Unknown => (-1, None),
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
            libc: ended.mark == Mark::Libc,
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
            "backlog": state.waiting.map(|(_, most)| most),
        })
    };
    Some(json!({ "before": states.before.map(one), "after": states.after.map(one) }))
}

fn errno_name(errno: Errno) -> String {
    errno.name().map_or_else(|| errno.number().to_string(), str::to_string)
}

fn code_name(note: &Note<'_>) -> Option<String> {
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
        Arg::Protocol(domain, protocol) if !matches!(*domain, AF_INET | AF_INET6) => {
            json!(protocol.bits())
        }
        Arg::Value(Value::Int(number)) => json!(number),
        Arg::Bytes(bytes) => {
            let mut text = String::new();
            let (shown, is_cut) = bytes.cut(limits.bytes);
            escape(&mut text, shown);
            json!({ "text": text, "cut": is_cut })
        }
        Arg::Address(address) => json!(address.to_string()),
        Arg::Str(text) => json!(text),
        Arg::Length { given, returned } => json!({ "given": given, "returned": returned }),
        Arg::Offset { given, returned } => json!({ "given": given, "returned": returned }),
        Arg::Set(members) => json!(members.as_deref().map(numbers)),
        Arg::Rows(rows) => json!(rows.iter().map(asked).collect::<Vec<_>>()),
        Arg::TimeVal(time) => timeval(*time),
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

fn timeval(time: Option<TimeVal>) -> Json {
    json!(time.map(|time| json!({ "tv_sec": time.tv_sec, "tv_usec": time.tv_usec })))
}

fn numbers(members: &[FdNumber]) -> Vec<i32> {
    members.iter().map(|fd| fd.get()).collect()
}

fn asked(row: &PollRow) -> Json {
    json!({ "fd": row.fd.get(), "events": row.events.to_string() })
}

fn note_to_json(note: &Note<'_>) -> Option<Json> {
    Some(match note {
        Note::None => return None,
        Note::OpenFlags(flags) => json!({ "flags": flags.with_access().to_string() }),
        Note::FdFlags(flags) => json!({ "flags": flags.to_string() }),
        Note::Select { sets: [read, write, except], left } => json!({
            "in": read.as_deref().map(numbers),
            "out": write.as_deref().map(numbers),
            "except": except.as_deref().map(numbers),
            "left": timeval(*left),
        }),
        Note::Poll(rows) => json!({
            "ready": rows.iter()
                .map(|row| json!({ "fd": row.fd.get(), "revents": row.revents.to_string() }))
                .collect::<Vec<_>>(),
        }),
        Note::Code(_, text) | Note::Text(text) => json!({ "text": text }),
    })
}
