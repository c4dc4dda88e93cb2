//! Calls as JSON: one object a line, written when the call returns. The version of the schema is [`SCHEMA`]. It is
//! [`Event`]'s form for serde, and what is written is read back equal.
//!
//! | field | type | |
//! |---|---|---|
//! | `schema` | number | 2 |
//! | `pid`, `tid` | number | process and thread |
//! | `clock` | string or null | whose clock; the times of two traces can be compared where this is equal |
//! | `seq` | number | of the call, within its tracer: from 0, without gaps |
//! | `begin_ns`, `end_ns` | number | when it began and ended; `begin_ns` ≤ `end_ns` |
//! | `call` | string | the function's name in C ([`Function::name`](super::Function::name)) |
//! | `arguments` | object | by the names of its parameters; see below |
//! | `result` | number or null | what C returned; -1 where the wrapper gives an errno; null if the call never returned |
//! | `errno` | string or null | its name, or its number in digits if it has none here; of the resolver's functions, their own code: `EAI_NONAME` |
//! | `returned` | object | what else the call told; only if it did |
//! | `mark` | string | `refused`: a wrapper did not make the call, because it would do harm; `injected`: a rule interfered; `libc`: libc refused the call or changed its arguments before the kernel saw it. Missing if the call was made as it is shown |
//! | `connection` | object | of a descriptor that is connected: `id` (number), `local` and `peer` (string or null), `bytes_in` and `bytes_out` (number) received and sent by calls on it, or on a copy of it, before this one |
//! | `state` | object | with `--state`, of a TCP socket: `before` and `after`, each null or an object: `state` (string), and, number or null, `unread`, `unacknowledged`, and of a listener `waiting` and `backlog` |
//!
//! **Arguments.** A parameter has one kind of value in all calls:
//!
//! | what | as | for example |
//! |---|---|---|
//! | descriptor, length, count, timeout of `poll`, an option's `int` | number | `6` |
//! | the two descriptors of `pipe` | array | `[3, 4]` |
//! | constant | its name, or a number if it has none here | `"AF_INET"` |
//! | flags | array of names, then the rest as a number, if there is one | `["MSG_DONTWAIT", "MSG_NOSIGNAL"]` |
//! | type of a socket | array: the type, then its flags | `["SOCK_STREAM", "SOCK_CLOEXEC"]` |
//! | bytes | object: escaped as strace does, all of it printable ASCII, and cut after `--trace-bytes` | `{"text": "hello\\n", "cut": false}` |
//! | address | string for people | `"127.0.0.1:7007"`, `"unix:/tmp/x"`, `"unix:@abstract"`; with a flow `{"address": "[::1]:80", "flowinfo": 7}`; of another family `{"family": "AF_NETLINK", "data": {"text": …}}` |
//! | `fd_set` | array of descriptors | `[3, 5]` |
//! | rows of `poll` | array of objects | `[{"fd": 3, "events": ["POLLIN"]}]` |
//! | time | object | `{"tv_sec": 1, "tv_usec": 0}`, or with `tv_nsec` |
//! | length or offset that the system changes | object; null for an offset that it left | `{"given": 128, "returned": 16}` |
//! | pending error (`SO_ERROR`) | its name, or 0 | `"ECONNREFUSED"` |
//! | signals, as a mask | array | `["SIGINT"]` |
//! | other structures | object with C's names | `{"l_onoff": 1, "l_linger": 0}`, `{"sa_handler": "SIG_IGN", "sa_mask": [], "sa_flags": []}`, `{"msg_name": null, …}` |
//! | NULL | null | |
//! | place in memory that a call which failed would have written | string | `"0x7ffd14b5fac0"` |
//!
//! Of a message, `msg_iov` has for each buffer its bytes with the buffer's length (`len`), and `msg_control` for each
//! message `cmsg_level`, `cmsg_type`, and the descriptors that are passed (`fds`) or the bytes (`data`). An optional
//! parameter that was not given is not there. A function that no wrapper calls (`call` is then any name) has arguments
//! by their places, `"1"`, `"2"`; of those, a descriptor is `{"fd": 3}`, and what is not understood `{"written": "…"}`.
//!
//! **Returned.** Of `select`: `{"in": […], "out": null, "except": null, "left": null}`, the sets that it left and the rest
//! of the time, if the system tells; of `poll`: `{"ready": [{"fd": 3, "events": ["POLLIN"], "revents": ["POLLIN"]}]}`;
//! of `fcntl`: `{"flags": ["O_RDWR"]}`; of the resolver's functions: `{"text": "Name or service not known"}`.
//!
//! **Packets.** With `--packets` a trace also has the packets, as objects of their own, which have `packet` instead of `call`.
//! They are read and written by [`packets::json`](crate::packets::json):
//!
//! | field | type | |
//! |---|---|---|
//! | `schema` | number | 2 |
//! | `packet` | string | `TCP`, `UDP` or `ICMP` |
//! | `time_ns`, `clock` | number, string or null | when the kernel sent it, on the clock of the calls |
//! | `from`, `to` | string | address and port; port 0 for ICMP |
//! | `cause` | object or null | the call that caused it: its `pid`, `tid`, `seq` and `begin_ns` |
//! | `connection`, `by_client` | number, boolean | TCP: which connection, from 1, and whether its client sent it |
//! | `flags` | array | TCP: `["SYN", "ACK"]` |
//! | `seq`, `ack`, `window` | number (`ack` also null) | TCP: relative to the SYN of each direction; the window in bytes |
//! | `len` | number | TCP and UDP: the bytes that it carries |
//! | `notes` | array | TCP: `retransmission`, `keep-alive`, `window-probe`, `window-zero`, `window-update`, `duplicate-ack` |
//! | `type`, `code`, `port_unreachable`, `about` | number, number, boolean, array or null | ICMP: the two addresses of the packet that it is about |

mod read;
mod write;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::arg::ValueLimits;
use super::event::Event;
use super::line::LineBuffer;
use super::output::{Output, OutputShare};
use super::tracer::{Caller, PacketWords, Sink};
pub use read::BadLine;
use write::{write_call, write_caller, write_event};

/// The version of the schema, in every object. Fields may be added without a new version.
pub const SCHEMA: u32 = 2;

/// Writes calls as JSON.
#[derive(Debug)]
pub struct JsonSink {
    output: Output,
    writer: OutputShare,
    limits: ValueLimits,
    /// Used again for every line.
    line: LineBuffer,
    /// How the lines of this caller begin.
    beginning: String,
    caller: Caller,
}

impl JsonSink {
    /// Lines go to `output`.
    pub fn new(output: Output, limits: ValueLimits) -> Self {
        let writer = output.writer();
        Self {
            output,
            writer,
            limits,
            line: LineBuffer::new(),
            beginning: String::new(),
            caller: Caller::default(),
        }
    }
}

impl Sink for JsonSink {
    fn wait(&mut self, _: &Event<'_>) {
        self.output.flush();
    }

    fn end(&mut self, event: &Event<'_>) {
        if self.beginning.is_empty() || !self.caller.makes(event) {
            self.caller = Caller { pid: event.pid, tid: event.tid, clock: event.clock.clone() };
            let mut beginning = LineBuffer::new();
            write_caller(&mut beginning, event);
            self.beginning = beginning.into();
        }
        self.line.clear();
        self.line.push_str(&self.beginning);
        write_call(&mut self.line, event, self.limits);
        self.output.line(self.writer, &self.line);
    }

    fn packet(&mut self, packet: &PacketWords<'_>) {
        self.output.line(self.writer, packet.json);
    }

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

impl Event<'_> {
    /// A line of a JSON trace.
    pub fn to_json(&self) -> String {
        let mut line = LineBuffer::new();
        write_event(&mut line, self, ValueLimits::NONE);
        line.into()
    }
}

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = RawValue::from_string(self.to_json()).map_err(serde::ser::Error::custom)?;
        line.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Event<'static> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = read::JsonLine::deserialize(deserializer)?;
        line.event().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::addr::{Address, UnixName};
    use crate::names::{AF_UNIX, Domain, Errno, MSG_NOSIGNAL, MsgFlags};
    use crate::trace::arg::{Arg, Note};
    use crate::trace::event::{Callee, Mark, Outcome};
    use crate::values::FdNumber;

    #[track_caller]
    fn assert_read_back(event: &Event<'_>) {
        let line = event.to_json();
        assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line}");
        assert_eq!(&Event::from_json(&line).unwrap(), event, "{line}");
    }

    fn event(name: &'static str, args: impl IntoIterator<Item = Arg<'static>>) -> Event<'static> {
        let mut event = Event::new(Callee::of(name));
        event.args.extend(args);
        event
    }

    #[test]
    fn a_function_without_a_wrapper_is_read_back_equal() {
        let text = |text: &'static str| Arg::Text(Cow::Borrowed(text));
        let args = [
            Arg::Fd(FdNumber::new(4)),
            text("[{events=EPOLLIN, data={u32=7}}]"),
            Arg::Int(-1),
            Arg::bytes(b"\"\\\n\xff\0"),
            Arg::Word("EPOLL_CTL_ADD".into()),
            Arg::Pointer(0),
        ];
        let mut wait = event("epoll_wait", args);
        wait.note = Note::Text("in 2.5 s".into());
        for outcome in [Outcome::Unknown, Outcome::Value(7), Outcome::Error(Errno::EINTR)] {
            wait.outcome = outcome;
            assert_read_back(&wait);
        }
    }

    #[test]
    fn what_no_table_has_is_read_back_equal() {
        let flags = MsgFlags::from_bits(MSG_NOSIGNAL.bits() | 0x0800_0000);
        let mut sent = event(
            "send",
            [Arg::Fd(FdNumber::new(3)), Arg::bytes(b""), Arg::Int(0), Arg::Named(flags.named())],
        );
        for mark in [Mark::None, Mark::Refused, Mark::Injected, Mark::Libc] {
            (sent.mark, sent.outcome) = (mark, Outcome::Error(Errno::from_number(4242)));
            assert_read_back(&sent);
        }
        let family = Arg::Named(Domain::from_bits(4242).named());
        assert_read_back(&event("socket", [family]));
    }

    #[test]
    fn every_address_is_read_back_equal() {
        let with_flow = "[fe80::1%7]:80".parse().map(|mut at: std::net::SocketAddrV6| {
            at.set_flowinfo(5);
            Address::V6(at)
        });
        for address in [
            Address::v4([127, 0, 0, 1].into(), 65535),
            Address::v6(std::net::Ipv6Addr::LOCALHOST, 0),
            with_flow.unwrap(),
            Address::Unix(UnixName::Unnamed),
            Address::Unix(UnixName::Abstract(b"a\0b\xff".to_vec())),
            Address::unix("/tmp/x\n\"\\"),
            // Names of files that look like what they are not.
            Address::unix("@file"),
            Address::unix("(unnamed)"),
            Address::Other { family: AF_UNIX, data: vec![0, 255] },
            Address::Other { family: Domain::from_bits(4242), data: vec![] },
        ] {
            let fd = Arg::Fd(FdNumber::new(3));
            assert_read_back(&event("connect", [fd, Arg::Address(Cow::Owned(address))]));
        }
    }

    #[test]
    fn what_is_cut_says_so() {
        let sent = event("send", [Arg::Fd(FdNumber::new(3)), Arg::bytes(b"hello")]);
        let kept = sent.kept(ValueLimits { bytes: 2, items: 1, ..ValueLimits::NONE });
        let mut line = LineBuffer::new();
        write_event(&mut line, &sent, ValueLimits { bytes: 2, items: 1, ..ValueLimits::NONE });
        let line = String::from(line);
        assert!(line.contains(r#"{"text":"he","cut":true}"#), "{line}");
        assert_eq!(Event::from_json(&line).unwrap(), kept);
    }
}
