//! The JSON trace keeps to its schema, line by line, in real sessions; and what it says is all that the text says.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::support::*;
use baresock::names::{Errno, ResolveError, TcpState};
use baresock::os::identity;
use baresock::sys;
use baresock::trace::arg::ValueLimits;
use baresock::trace::json::JsonSink;
use baresock::trace::output::{Output, Pace};
use baresock::trace::page::Effect;
use baresock::trace::{Function, Tracer, install};
use serde_json::{Map, Value};

tests! {
    both {
        a_server_s_trace_keeps_to_the_schema,
        a_trace_with_states_keeps_to_it,
        a_trace_of_calls_that_rules_interfered_with_keeps_to_it,
    }
    serve {}
}

/// A session of a server: what it wrote between its start and its end.
fn session(kind: Kind, flags: &[&str]) -> String {
    let place = TempDir::new();
    let file = place.file("trace.json");
    let flags = [flags, &["--trace=json", "--trace-to", text(&file)]].concat();
    let server = starting(kind).with(&flags).start();
    for message in [&b"hello"[..], b"\"</script>\xff\xe2\x80\xa8", &[b'x'; 3000]] {
        let client = connect(&server);
        assert_echo(&client, message);
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert_finished(&client);
    }
    let client = connect(&server);
    assert_echo(&client, b"!");
    reset(client);
    wait_until("four are closed", || read(&file).matches("\"call\":\"close\"").count() == 4);
    server.end();
    read(&file)
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

fn a_server_s_trace_keeps_to_the_schema(kind: Kind) {
    let seen = check(&session(kind, &[]));
    for call in ["socket", "accept4", "recv", "send", "close", kind.via] {
        // There is no accept4 on macOS.
        let call = if call == "accept4" && !seen.calls.contains(call) { "accept" } else { call };
        assert!(seen.calls.contains(call), "no {call} in {:?}", seen.calls);
    }
    assert!(seen.errnos.contains("EAGAIN") && seen.errnos.contains("ECONNRESET"));
    assert_eq!((seen.connections, seen.states), (4, 0));
}

fn a_trace_with_states_keeps_to_it(kind: Kind) {
    let seen = check(&session(kind, &["--state"]));
    assert!(seen.states > 20, "{seen:?}");
}

fn a_trace_of_calls_that_rules_interfered_with_keeps_to_it(kind: Kind) {
    let rules =
        ["send:short=7", "recv:EINTR@2", "recv:delay=1ms@3", "close:EIO@1", "accept4:EMFILE@3"];
    let flags: Vec<_> = rules.iter().flat_map(|rule| ["--inject", rule]).collect();
    let seen = check(&session(kind, &flags));
    assert!(seen.injected > 400, "{seen:?}");
}

#[test]
fn the_tour_s_trace_keeps_to_the_schema() {
    for via in ["select", "poll"] {
        let place = TempDir::new();
        let file = place.file("trace.json");
        let run = baresock(&["--via", via, "--trace=json", "--trace-to", text(&file), "--state"]);
        assert!(run.status.success(), "{run:?}");
        let seen = check(&read(&file));
        assert_eq!(seen.connections, 2);
        assert!(seen.calls.contains(via) && seen.states > 20, "{seen:?}");
    }
}

#[test]
fn calls_that_were_refused_keep_to_the_schema() {
    let trace = traced(|| {
        let nfds = sys::FD_SETSIZE as i32 + 1;
        sys::select(nfds, None, None, None, None).unwrap_err();
        let fd = sys::socket(sys::AF_UNIX, sys::SOCK_STREAM, sys::Protocol::default()).unwrap();
        sys::bind(&fd, &sys::Address::unix("x".repeat(200))).unwrap_err();
        sys::getservbyname("no such service", "tcp").unwrap_err();
        sys::getaddrinfo(Some("256.0.0.1"), None, None).unwrap_err();
    });
    let seen = check(&trace);
    assert_eq!(seen.refused, 2);
    // What it did not find has a name too, one of the resolver's.
    assert!(seen.errnos.iter().any(|errno| errno.starts_with("EAI_")), "{seen:?}");
}

#[test]
fn bytes_that_were_only_looked_at_are_counted_once() {
    let trace = traced(|| {
        let new = || sys::socket(sys::AF_INET, sys::SOCK_STREAM, sys::Protocol::default()).unwrap();
        let (listener, client) = (new(), new());
        sys::bind(&listener, &sys::Address::v4([127, 0, 0, 1].into(), 0)).unwrap();
        sys::listen(&listener, 1).unwrap();
        sys::connect(&client, &sys::getsockname(&listener).unwrap()).unwrap();
        let (server, _) = sys::accept(&listener).unwrap();
        sys::send(&client, b"hello", sys::MSG_NOSIGNAL).unwrap();
        sys::recv(&server, &mut [0; 5], sys::MSG_PEEK).unwrap();
        sys::recv(&server, &mut [0; 5], sys::MSG_WAITALL).unwrap();
    });
    let seen = check(&trace);
    assert_eq!(seen.connections, 2);
    let close = trace.lines().find(|line| line.contains("\"call\":\"close\"")).unwrap();
    let close: Value = serde_json::from_str(close).unwrap();
    assert_eq!(close["connection"]["bytes_in"], 5, "{close}");
}

#[test]
fn a_number_that_was_closed_with_an_error_has_no_connection_any_more() {
    let rule = baresock::trace::inject::InjectRule::parse("close:EIO").unwrap();
    let memory = Memory::default();
    let tracer =
        Tracer::new(json_sink(&memory)).with_caller(identity::caller()).with_rules(vec![rule]);
    let traced = install(tracer);
    let new = || sys::socket(sys::AF_INET, sys::SOCK_STREAM, sys::Protocol::default()).unwrap();
    let (listener, client) = (new(), new());
    sys::bind(&listener, &sys::Address::v4([127, 0, 0, 1].into(), 0)).unwrap();
    sys::listen(&listener, 1).unwrap();
    sys::connect(&client, &sys::getsockname(&listener).unwrap()).unwrap();
    // Other tests may take the number first; what counts is that this one's calls say nothing of a connection.
    drop(client);
    let fd = new();
    sys::bind(&fd, &sys::Address::v4([127, 0, 0, 1].into(), 0)).unwrap();
    drop(traced);
    let trace = memory.text();
    check(&trace);
    let bind: Value = serde_json::from_str(trace.lines().last().unwrap()).unwrap();
    assert_eq!((&bind["call"], &bind["connection"]), (&"bind".into(), &Value::Null), "{trace}");
}

/// Both ends of a new connection; each call of the two is in the trace.
fn connected() -> (sys::Fd, sys::Fd) {
    let new = || sys::socket(sys::AF_INET, sys::SOCK_STREAM, sys::Protocol::default()).unwrap();
    let (listener, client) = (new(), new());
    sys::bind(&listener, &sys::Address::v4([127, 0, 0, 1].into(), 0)).unwrap();
    sys::listen(&listener, 1).unwrap();
    sys::connect(&client, &sys::getsockname(&listener).unwrap()).unwrap();
    let (server, _) = sys::accept(&listener).unwrap();
    (client, server)
}

#[test]
fn every_kind_of_copy_has_the_connection_of_its_first_descriptor() {
    fn passed(fd: &sys::Fd) -> sys::Fd {
        let kind = sys::SOCK_STREAM;
        let [one, other] = sys::socketpair(sys::AF_UNIX, kind, sys::Protocol::default()).unwrap();
        sys::sendmsg(&one, None, &[b"x"], &[fd.as_fd()], sys::MsgFlags::NONE).unwrap();
        let mut buffer = [0];
        let received = sys::recvmsg(&other, &mut [&mut buffer], 1, sys::MsgFlags::NONE);
        received.unwrap().fds.pop().unwrap()
    }
    fn onto_another(fd: &sys::Fd) -> sys::Fd {
        let (mut other, _server) = connected();
        sys::dup2(fd, &mut other).unwrap();
        other
    }
    let copies: [fn(&sys::Fd) -> sys::Fd; 5] = [
        |fd| sys::dup(fd).unwrap(),
        |fd| sys::fcntl_dupfd(fd, 0).unwrap(),
        |fd| sys::fcntl_dupfd_cloexec(fd, 0).unwrap(),
        passed,
        onto_another,
    ];
    for copy in copies {
        let trace = traced(|| {
            let (client, _server) = connected();
            let copied = copy(&client);
            sys::send(&client, b"one", sys::MSG_NOSIGNAL).unwrap();
            sys::send(&copied, b"three", sys::MSG_NOSIGNAL).unwrap();
            drop(client);
            sys::send(&copied, b"!", sys::MSG_NOSIGNAL).unwrap();
        });
        check(&trace);
        let sends = trace.lines().filter(|line| line.contains("\"call\":\"send\""));
        let sends: Vec<Value> = sends.map(|line| serde_json::from_str(line).unwrap()).collect();
        let told: Vec<_> = sends.iter().map(|send| &send["connection"]).collect();
        assert_ne!(sends[0]["arguments"]["sockfd"], sends[1]["arguments"]["sockfd"]);
        for (told, bytes_out) in told.iter().zip([0, 3, 8]) {
            assert_eq!(told["peer"], sends[0]["connection"]["peer"], "{trace}");
            assert_eq!(
                (&told["id"], told["bytes_out"].as_u64()),
                (&sends[0]["connection"]["id"], Some(bytes_out)),
                "{trace}"
            );
        }
    }
}

/// What calls leave in a JSON trace.
fn traced(calls: impl FnOnce()) -> String {
    let memory = Memory::default();
    let traced = install(Tracer::new(json_sink(&memory)).with_caller(identity::caller()));
    calls();
    drop(traced);
    memory.text()
}

fn json_sink(memory: &Memory) -> JsonSink {
    let output = Output::new(memory.clone(), "memory", Pace::Collected);
    JsonSink::new(output, ValueLimits::default())
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// What was found in a trace.
#[derive(Debug, Default)]
struct Seen {
    calls: BTreeSet<String>,
    errnos: BTreeSet<String>,
    refused: usize,
    injected: usize,
    connections: usize,
    states: usize,
}

/// Holds every line of a trace of one tracer against the schema that the documentation of `trace::json` states.
#[track_caller]
fn check(trace: &str) -> Seen {
    assert!(trace.ends_with('\n'), "the last line is cut");
    let mut seen = Seen::default();
    let mut counted = HashMap::new();
    let mut before: Option<Value> = None;
    for (seq, line) in trace.lines().enumerate() {
        assert!(line.is_ascii() || !line.contains(char::is_control), "{line}");
        let call: Value = serde_json::from_str(line).unwrap();
        assert_eq!(call["seq"], seq, "{call}");
        check_fields(&call);
        check_arguments(&call);
        check_returned(&call);
        if let Some(before) =
            before.filter(|before| before["end_ns"].as_u64() > call["begin_ns"].as_u64())
        {
            panic!("these two overlap:\n{before}\n{call}");
        }
        if call["connection"].is_object() {
            count_bytes(&call, &mut counted);
        }
        seen.calls.insert(call["call"].as_str().unwrap().into());
        seen.errnos.extend(call["errno"].as_str().map(str::to_string));
        seen.refused += usize::from(call["mark"] == "refused");
        seen.injected += usize::from(call["mark"] == "injected");
        seen.states += usize::from(call["state"].is_object());
        before = Some(call);
    }
    seen.connections = counted.len();
    seen
}

/// Whether a value is of the kind that its field asks for.
type IsRight = fn(&Value) -> bool;

/// The fields of an object are these, and each is of its kind; those that end in `?` may be missing.
#[track_caller]
fn check_object(object: &Value, fields: &[(&str, IsRight)]) {
    let given = object.as_object().unwrap_or_else(|| panic!("no object: {object}"));
    for (field, is_right) in fields {
        let name = field.trim_end_matches('?');
        match given.get(name) {
            Some(value) => assert!(is_right(value), "{name} in {object}"),
            None => assert!(field.ends_with('?'), "{name} is missing in {object}"),
        }
    }
    let known = |name: &str| fields.iter().any(|(field, _)| field.trim_end_matches('?') == name);
    let unknown: Vec<_> = given.keys().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?} in {object}");
}

fn or_null(value: &Value, is_right: IsRight) -> bool {
    value.is_null() || is_right(value)
}

#[track_caller]
fn check_fields(call: &Value) {
    check_object(
        call,
        &[
            ("schema", |value| value == 2),
            ("pid", Value::is_u64),
            ("tid", Value::is_u64),
            ("clock", |value| {
                value.as_str().is_some_and(|clock| clock.starts_with("CLOCK_MONOTONIC@"))
            }),
            ("seq", Value::is_u64),
            ("begin_ns", Value::is_u64),
            ("end_ns", Value::is_u64),
            ("call", |value| value.as_str().and_then(Function::from_name).is_some()),
            ("arguments", Value::is_object),
            ("result", Value::is_i64),
            ("errno", |value| or_null(value, |value| is_errno(value) || is_resolver_s(value))),
            ("returned?", Value::is_object),
            ("mark?", |value| ["refused", "injected", "libc"].iter().any(|mark| value == mark)),
            ("connection?", Value::is_object),
            ("state?", Value::is_object),
        ],
    );
    assert!(call["begin_ns"].as_u64() <= call["end_ns"].as_u64(), "{call}");
    match &call["errno"] {
        Value::Null => assert!(call["result"] != -1, "{call}"),
        errno if is_errno(errno) => assert_eq!(call["result"], -1, "{call}"),
        _ => {
            assert!(matches!(call["call"].as_str(), Some("getaddrinfo" | "getnameinfo")), "{call}")
        }
    }
    assert!(call["mark"] != "refused" || call["result"] == -1, "{call}");
    if let Some(connection) = call.get("connection") {
        check_object(
            connection,
            &[
                ("id", |value| value.as_u64() > Some(0)),
                ("local", |value| or_null(value, is_address)),
                ("peer", |value| or_null(value, is_address)),
                ("bytes_in", Value::is_u64),
                ("bytes_out", Value::is_u64),
            ],
        );
    }
    if let Some(state) = call.get("state") {
        check_object(state, &[("before", is_state), ("after", is_state)]);
        assert!(call["call"] != "close" || state["after"].is_null(), "{call}");
    }
}

fn is_errno(value: &Value) -> bool {
    let name = value.as_str().unwrap_or_default();
    Errno::from_name(name).is_some() || name.parse::<i32>().is_ok()
}

fn is_resolver_s(value: &Value) -> bool {
    ResolveError::CONSTANTS.iter().any(|known| value == known.name)
}

fn is_state(value: &Value) -> bool {
    let number = |value: &Value| or_null(value, Value::is_u64);
    value.is_null() || {
        check_object(
            value,
            &[
                ("state", |value| TcpState::CONSTANTS.iter().any(|known| value == known.name)),
                ("unread", number),
                ("unacknowledged", number),
                ("waiting", number),
                ("backlog", number),
            ],
        );
        true
    }
}

#[track_caller]
fn check_arguments(call: &Value) {
    let function = Function::from_name(call["call"].as_str().unwrap()).unwrap();
    let (arguments, parameters) =
        (call["arguments"].as_object().unwrap(), function.page().parameters);
    // The third one of fcntl is not always there.
    let optional = usize::from(function == Function::FCNTL && arguments.len() == 2);
    let expected: BTreeSet<_> = parameters[..parameters.len() - optional].iter().copied().collect();
    assert_eq!(arguments.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{call}");
    for (name, value) in arguments {
        assert!(is_argument(function, name, value), "{name} in {call}");
    }
}

fn is_argument(function: Function, name: &str, value: &Value) -> bool {
    let null_or = |is_right: IsRight| or_null(value, is_right);
    match name {
        "sockfd" | "fd" | "oldfd" | "newfd" | "out_fd" | "in_fd" | "fd_in" | "fd_out" => {
            value.is_i64()
        }
        "nfds" | "len" | "count" | "backlog" | "optlen" | "pid" | "hostlen" | "servlen"
        | "iovcnt" | "vlen" | "ifindex" | "first" | "last"
            if !value.is_object() =>
        {
            value.is_i64()
        }
        "addrlen" | "optlen" => match value {
            Value::Object(_) => {
                check_object(value, &[("given", Value::is_i64), ("returned", Value::is_i64)]);
                true
            }
            _ => value.is_i64(),
        },
        "offset" | "off_in" | "off_out" => null_or(|value| {
            let returned: IsRight = |value| value.is_null() || value.is_i64();
            check_object(value, &[("given", Value::is_i64), ("returned", returned)]);
            true
        }),
        "sv" | "pipefd" => match value.as_array() {
            Some(pair) => pair.len() == 2 && pair.iter().all(Value::is_i64),
            None => is_pointer(value),
        },
        "buf" => match value {
            Value::Object(_) => {
                check_object(value, &[("text", is_escaped), ("cut", Value::is_boolean)]);
                true
            }
            _ => is_pointer(value),
        },
        "readfds" | "writefds" | "exceptfds" => null_or(is_set),
        "fds" => value.as_array().is_some_and(|rows| {
            rows.iter()
                .for_each(|row| check_object(row, &[("fd", Value::is_i64), ("events", is_flags)]));
            true
        }),
        "timeout" if function == Function::POLL => value.is_i64(),
        "timeout" | "tmo_p" => null_or(|value| {
            check_object(
                value,
                &[
                    ("tv_sec", Value::is_i64),
                    ("tv_usec?", Value::is_i64),
                    ("tv_nsec?", Value::is_i64),
                ],
            );
            true
        }),
        "iov" => value.as_array().is_some_and(|buffers| {
            buffers.iter().for_each(check_buffer);
            true
        }),
        "msgvec" => match value.as_array() {
            Some(messages) => {
                let len: IsRight = |value| or_null(value, Value::is_u64);
                let fields: &[(&str, IsRight)] = &[("msg_hdr", Value::is_object), ("msg_len", len)];
                messages.iter().for_each(|message| check_object(message, fields));
                true
            }
            None => is_pointer(value),
        },
        "type" if function == Function::GETHOSTBYADDR => value.is_string(),
        "addr" if function == Function::GETHOSTBYADDR => value.get("written").is_some(),
        "flags" | "type" => is_flags(value),
        "sigmask" | "set" | "oldset" => null_or(is_flags) || is_pointer(value),
        "arg" if function == Function::FCNTL => value.is_i64() || is_flags(value),
        "arg" | "protocol" => value.is_i64() || value.is_string(),
        "optval" => value.is_i64() || value.is_string() || value.is_object(),
        "act" | "oldact" | "hints" | "msg" => is_pointer(value) || value.is_object(),
        "addr" | "dest_addr" | "src_addr" => null_or(is_address),
        "res" => is_pointer(value) || value.is_array(),
        // A constant without a name here is a number.
        "domain" | "level" | "optname" | "how" | "cmd" | "signum" | "sig" => {
            value.is_string() || value.is_i64()
        }
        _ => null_or(Value::is_string),
    }
}

/// What is in a buffer, or where a buffer is that nothing came into.
#[track_caller]
fn check_buffer(buffer: &Value) {
    match buffer.get("iov_base") {
        Some(_) => check_object(buffer, &[("iov_base", is_pointer), ("len", Value::is_u64)]),
        None => check_object(
            buffer,
            &[("text", is_escaped), ("cut", Value::is_boolean), ("len", Value::is_u64)],
        ),
    }
}

fn is_pointer(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.starts_with("0x"))
}

fn is_set(value: &Value) -> bool {
    value.as_array().is_some_and(|members| members.iter().all(Value::is_i64))
}

/// A string for people, or an object where that says too little.
fn is_address(value: &Value) -> bool {
    value.is_string() || value.get("flowinfo").or(value.get("family")).is_some()
}

/// Names, and what is left as a number.
fn is_flags(value: &Value) -> bool {
    let is_name = |flag: &Value| flag.as_str().is_some_and(|name| !name.contains('|'));
    value.as_array().is_some_and(|flags| flags.iter().all(|flag| is_name(flag) || flag.is_i64()))
}

/// Printable ASCII, and no quote without a backslash: so it can stand between quotes.
fn is_escaped(value: &Value) -> bool {
    let text = value.as_str().unwrap_or("\0");
    let unescaped = text.replace("\\\\", "").replace("\\\"", "");
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !unescaped.contains('"')
}

#[track_caller]
fn check_returned(call: &Value) {
    let Some(returned) = call.get("returned") else {
        let waits = call["call"].as_str().and_then(Function::from_name);
        let waits = waits.is_some_and(|function| function.page().waits_for_many());
        return assert!(!waits || call["result"] == -1, "{call}");
    };
    match call["call"].as_str().unwrap() {
        "select" | "pselect" => {
            let set = |value: &Value| or_null(value, is_set);
            let left = |value: &Value| {
                or_null(value, |value| {
                    check_object(value, &[("tv_sec", Value::is_i64), ("tv_usec", Value::is_i64)]);
                    true
                })
            };
            check_object(returned, &[("in", set), ("out", set), ("except", set), ("left", left)]);
        }
        "poll" | "ppoll" => {
            check_object(returned, &[("ready", Value::is_array)]);
            for row in returned["ready"].as_array().unwrap() {
                let fields: &[(&str, IsRight)] =
                    &[("fd", Value::is_i64), ("events", is_flags), ("revents", is_flags)];
                check_object(row, fields);
            }
        }
        "fcntl" => check_object(returned, &[("flags", is_flags)]),
        "getaddrinfo" | "getnameinfo" => check_object(returned, &[("text", Value::is_string)]),
        "recvmmsg" | "getservbyport" | "gethostbyname" | "gethostbyaddr" => {
            check_object(returned, &[("written", Value::is_string)]);
        }
        _ => panic!("it told more than its result: {call}"),
    }
}

/// The sums of what was sent and received before, by connection.
#[track_caller]
fn count_bytes(call: &Value, counted: &mut HashMap<u64, (u64, u64)>) {
    let told: &Map<_, _> = call["connection"].as_object().unwrap();
    let number = |name: &str| told[name].as_u64().unwrap();
    let (bytes_in, bytes_out) = counted.entry(number("id")).or_default();
    assert_eq!((number("bytes_in"), number("bytes_out")), (*bytes_in, *bytes_out), "{call}");
    let Some(result) = call["result"].as_u64() else { return };
    let lengths = call["arguments"]["msgvec"].as_array();
    let moved = lengths.map_or(result, |messages| {
        messages.iter().filter_map(|message| message["msg_len"].as_u64()).sum()
    });
    let flags = call["arguments"]["flags"].as_array();
    let only_looks = flags.is_some_and(|flags| flags.iter().any(|flag| flag == "MSG_PEEK"));
    match Function::from_name(call["call"].as_str().unwrap()).map(Function::effect) {
        Some(Effect::Sends) => *bytes_out += moved,
        Some(Effect::Splices) => *bytes_in += moved,
        Some(Effect::Receives) if !only_looks => *bytes_in += moved,
        _ => {}
    }
}

/// The driver of every wrapper stands beside strace, and so runs where strace does.
#[cfg(target_os = "linux")]
mod every_wrapper {
    use std::process::Command;

    use baresock::logs::reader::{LogEvent, LogReader};
    use baresock::os::system::{System, this_system};
    use baresock::trace::arg::{Arg, Interfaces, Note};
    use baresock::trace::event::{Callee, Outcome};
    use baresock::trace::text::{TextLine, TextOptions, TextSink};
    use baresock::trace::{Both, Event, Recording};

    use super::*;
    use crate::strace::driver;

    /// Set in the run that drives every wrapper: where to write both traces.
    const DRIVE: &str = "BARESOCK_TEST_DRIVE_BOTH";

    /// Every wrapper, with every outcome that an ordinary process can bring about: what was written is read back equal,
    /// and is the text that was written beside it.
    #[test]
    fn every_event_is_read_back_equal() {
        if let Some(place) = std::env::var_os(DRIVE) {
            return drive(Path::new(&place));
        }
        let place = TempDir::new();
        std::fs::create_dir(place.file("place")).unwrap();
        let itself = std::env::current_exe().unwrap();
        let mut drives = Command::new(itself);
        let this = "json_trace::every_wrapper::every_event_is_read_back_equal";
        drives.args(["--exact", this, "--nocapture", "--test-threads=1"]);
        drives.env(DRIVE, place.file("")).current_dir(place.file("place"));
        // A lab's process may make the calls that the safe wrappers refuse.
        drives.env(sys::wild::LAB_DIRECTORY, place.file("place"));
        // Child processes inherit this: of all threads, only the driving one unblocks these signals.
        let sent = sys::SignalSet::empty().with(sys::SIGUSR1).with(sys::SIGUSR2);
        let before = sys::sigprocmask(&sent).unwrap();
        let driven = output_of(&mut drives);
        sys::sigprocmask(&before).unwrap();
        assert!(driven.status.success(), "{driven:?}");
        let (texts, json) = (read(&place.file("text")), read(&place.file("json")));
        check(&json);
        let mut form = TextLine::new(TextOptions::default());
        let told = json.lines().map(|line| {
            let event = Event::from_json(line).unwrap();
            form.begin(&event);
            form.whole(&event).to_string()
        });
        let told: Vec<_> = told.collect();
        assert!(texts.lines().count() > 500, "{}", texts.lines().count());
        let differ: Vec<_> = (told.iter().zip(texts.lines()))
            .filter(|(told, line)| told != line)
            .map(|(told, line)| format!("text: {line}\nJSON: {told}\n"))
            .collect();
        assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.concat());
        assert_eq!(told.len(), texts.lines().count());
        text_is_read_back_equal(&json);
    }

    /// What the text has only in part: control messages whose contents strace writes by their names, and addresses that are
    /// too short for what they are of. And functions of libc, which no log of strace has.
    const NOT_IN_FULL: &[&str] = &["cmsg_type=IP_RECVERR", "cmsg_level=SOL_IPV6", " (library)"];

    /// The text is a log, too: read as one it has the same calls.
    fn text_is_read_back_equal(json: &str) {
        let limits = ValueLimits { interfaces: Interfaces::Numbered, ..ValueLimits::NONE };
        let mut form = TextLine::new(TextOptions { limits, ..TextOptions::default() });
        let texts = json.lines().map(|line| {
            let event = Event::from_json(line).unwrap();
            form.begin(&event);
            form.whole(&event).to_string() + "\n"
        });
        let texts: String = texts.collect();
        let mut read = Vec::new();
        let mut reader = LogReader::new([(texts.as_bytes(), 0)]);
        let mut take = |told: &LogEvent<'_>| {
            if let LogEvent::Call(event) = told {
                read.push(alone((*event).clone().into_owned()));
            }
        };
        reader.read_all(|told, _| take(told)).unwrap();
        let made = json.lines().map(|line| alone(Event::from_json(line).unwrap()));
        let made: Vec<_> = made.collect();
        let differ: Vec<_> = (read.iter().zip(&made).zip(texts.lines()))
            .filter(|((read, made), _)| !is_read(made, read))
            .filter(|(_, line)| !NOT_IN_FULL.iter().any(|known| line.contains(known)))
            .map(|((read, made), line)| format!("{line}\nread: {read:?}\nmade: {made:?}\n"))
            .collect();
        assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
        assert_eq!(read.len(), made.len());
    }

    /// Whether a call was read back as it was made. In a log of a select whose time was over nothing says what is left of it, and
    /// the reader takes it that the kernel wrote zero to the timeout, as with glibc; with musl the caller's timeout is unchanged.
    fn is_read(made: &Event<'_>, read: &Event<'_>) -> bool {
        let mut made = made.clone();
        let is_over =
            made.outcome == Outcome::Value(0) && made.args.last() != Some(&Arg::TimeVal(None));
        if let Note::Select { left: left @ None, .. } = &mut made.note
            && this_system() == System::LinuxMusl
            && made.callee == Callee::Known(Function::SELECT)
            && is_over
        {
            *left = Some(sys::TimeVal::default());
        }
        made == *read
    }

    /// A call without what the text does not say: who and when, and its connection.
    fn alone(mut call: Event<'static>) -> Event<'static> {
        (call.pid, call.tid, call.seq, call.begin_ns, call.end_ns) = (0, 0, 0, 0, 0);
        (call.clock, call.connection, call.states) = (None, None, Default::default());
        call
    }

    fn drive(place: &Path) {
        let file = |name| std::fs::File::create(place.join(name)).unwrap();
        let (interrupter, ready) = (driver::Interrupter::new(), driver::Ready::new());
        sys::sigprocmask(&sys::SignalSet::empty()).unwrap();
        let text = Output::new(file("text"), "a file", Pace::Collected);
        let json = Output::new(file("json"), "a file", Pace::Collected);
        let kept = Recording::default();
        let sink = Both::new(
            Both::new(
                TextSink::new(text, TextOptions::default()),
                JsonSink::new(json, ValueLimits::default()),
            ),
            kept.sink(ValueLimits::default()),
        );
        let tracer = Tracer::new(sink).with_caller(identity::caller());
        let traced = install(tracer.with_probe(sys::socket_state));
        driver::drive(&interrupter, &ready);
        drop(traced);
        let kept = kept.events();
        let json = read(&place.join("json"));
        assert_eq!(json.lines().count(), kept.len());
        for (line, kept) in json.lines().zip(&kept) {
            assert_eq!(&Event::from_json(line).unwrap(), kept, "{line}");
            assert_eq!(serde_json::from_str::<Event<'static>>(line).unwrap(), *kept, "{line}");
        }
    }
}
