//! The tracer of one thread: it numbers and times the calls, keeps track of the descriptors, and hands each call to a
//! sink.

use std::sync::Arc;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::arg::Arg;
use super::both::Both;
use super::descriptors::{DescriptorTable, has_message_flag};
use super::event::Event;
use super::inject::{self, InjectRule, Plan};
use super::page::{Effect, Function, Waits};
use crate::addr::Address;
use crate::names::{MSG_DONTWAIT, SEND_HEEDS_MSG_DONTWAIT};
use crate::values::{FdNumber, SocketState};

/// The function that queries the state of a descriptor: `sys::socket_state`.
pub type Probe = fn(FdNumber) -> Option<SocketState>;

/// Where the calls are sent: text, JSON, an explainer.
pub trait Sink {
    /// A call begins; only its input arguments are known.
    fn begin(&mut self, _event: &Event<'_>) {}
    /// The call that began may put its caller to sleep.
    fn wait(&mut self, _event: &Event<'_>) {}
    /// A call has returned.
    fn end(&mut self, event: &Event<'_>);
    /// A sentence about the call that just ended.
    fn remark(&mut self, _text: &str) {}
    /// A line of a drawing of that call, not to be wrapped.
    fn drawing(&mut self, _line: &str) {}
    /// Why the program makes the next call, or what follows from the last one.
    fn intent(&mut self, _words: &'static str) {}
    /// A packet that went over the wire, after the calls so far.
    fn packet(&mut self, _packet: &PacketWords<'_>) {}
    /// Writes the collected lines.
    fn flush(&mut self) {}
    /// Whether the sink uses `begin_ns` and `end_ns`.
    fn wants_times(&self) -> bool {
        false
    }
    /// Whether the sink uses [`Event::connection`].
    fn wants_connections(&self) -> bool {
        false
    }
}

/// A packet, in the forms in which sinks write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketWords<'a> {
    /// For people: `client --> server  SYN, seq 0, window 65495`.
    pub line: &'a str,
    /// What it means, if that is to be said.
    pub means: Option<&'a str>,
    /// For programs.
    pub json: &'a str,
    /// Whether the call that was shown last has caused it: then it hangs at that call.
    pub is_caused: bool,
}

/// For rules without a trace: the calls are not shown.
#[derive(Clone, Copy, Debug)]
pub struct NoSink;

impl Sink for NoSink {
    fn end(&mut self, _: &Event<'_>) {}
}

/// Who makes the calls: process, thread, and the clock of the times.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The process.
    pub pid: u32,
    /// The thread, by the system's number where it has one.
    pub tid: u64,
    /// The clock of `begin_ns` and `end_ns`; the times of two callers can be compared if this is equal.
    pub clock: Option<Arc<str>>,
}

impl Caller {
    /// Whether this caller made the event. (All its events share one string for the clock.)
    pub(super) fn makes(&self, event: &Event<'_>) -> bool {
        let is_clock = match (&self.clock, &event.clock) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        is_clock && (self.pid, self.tid) == (event.pid, event.tid)
    }
}

/// Traces the calls of one thread into one sink.
pub struct Tracer {
    sink: Box<dyn Sink>,
    caller: Caller,
    rules: Vec<InjectRule>,
    probe: Option<Probe>,
    wants_times: bool,
    wants_connections: bool,
    seq: u64,
    descriptors: DescriptorTable,
}

impl std::fmt::Debug for Tracer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracer").field("seq", &self.seq).finish_non_exhaustive()
    }
}

impl Tracer {
    /// A tracer that sends to this sink.
    pub fn new(sink: impl Sink + 'static) -> Self {
        Self::boxed(Box::new(sink))
    }

    /// A tracer that sends to a sink whose type is chosen at run time.
    pub fn boxed(sink: Box<dyn Sink>) -> Self {
        Self {
            wants_times: sink.wants_times(),
            wants_connections: sink.wants_connections(),
            sink,
            caller: Caller::default(),
            rules: Vec::new(),
            probe: None,
            seq: 0,
            descriptors: DescriptorTable::default(),
        }
    }

    /// The same tracer, with events that name the caller.
    #[must_use]
    pub fn with_caller(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    /// The same tracer, with rules that change calls.
    #[must_use]
    pub fn with_rules(mut self, rules: Vec<InjectRule>) -> Self {
        self.rules = rules;
        self
    }

    /// The same tracer, which queries the state of each call's socket before and after.
    #[must_use]
    pub fn with_probe(mut self, probe: Probe) -> Self {
        self.probe = Some(probe);
        self
    }

    /// Begins a call; returns what the rules say about it, if there are rules.
    pub(crate) fn begin(&mut self, function: Function, event: &mut Event<'_>) -> Option<Plan> {
        let fd = event.fd();
        event.seq = self.seq;
        self.seq += 1;
        (event.pid, event.tid) = (self.caller.pid, self.caller.tid);
        if self.wants_times {
            event.clock.clone_from(&self.caller.clock);
        }
        event.states.before = self.probe.zip(fd).and_then(|(probe, fd)| probe(fd));
        self.sink.begin(event);
        if self.may_wait(function, fd, &event.args) {
            self.sink.wait(event);
        }
        // Read after the sink has written, so that writing does not count as part of the call.
        event.begin_ns = self.now();
        (!self.rules.is_empty()).then(|| inject::plan(&mut self.rules, function))
    }

    /// Ends a call, at this time if it was made.
    pub(crate) fn end(&mut self, event: &mut Event<'_>, end_ns: u64) {
        let fd = event.fd();
        // Refused, or a library function: the call's own time is unknown.
        event.end_ns = if end_ns < event.begin_ns { self.now() } else { end_ns };
        if self.wants_connections {
            event.connection = fd.and_then(|fd| self.descriptors.connection(fd));
        }
        let closed = self.descriptors.closed_by(event);
        event.states.after =
            self.probe.zip(fd.filter(|fd| closed != Some(*fd))).and_then(|(probe, fd)| probe(fd));
        self.sink.end(event);
        // The counts of bytes are for sinks that show connections; all else is known without them.
        if self.wants_connections || !only_moves_bytes(event) {
            self.descriptors.learn(event);
        }
    }

    /// Records what came of a call's plan: a rule that wants shorter lengths counts only calls that it has shortened.
    pub(crate) fn carried_out(&mut self, plan: Plan) {
        inject::count_shortened(&mut self.rules, &plan);
    }

    pub(crate) fn idle_rules(&self) -> Vec<String> {
        self.rules.iter().filter_map(InjectRule::idle).collect()
    }

    pub(crate) fn intent(&mut self, words: &'static str) {
        self.sink.intent(words);
    }

    pub(crate) fn remark(&mut self, text: &str) {
        self.sink.remark(text);
    }

    /// Passes the calls to one more sink.
    pub(crate) fn add_sink(&mut self, sink: impl Sink + 'static) {
        let first = std::mem::replace(&mut self.sink, Box::new(NoSink));
        self.sink = Box::new(Both::new(first, sink));
        self.wants_times = self.sink.wants_times();
        self.wants_connections = self.sink.wants_connections();
    }

    pub(crate) fn flush(&mut self) {
        self.sink.flush();
    }

    pub(crate) const fn wants_connections(&self) -> bool {
        self.wants_connections
    }

    /// Records both addresses of a connection, as queried from the system.
    pub(crate) fn connection(
        &mut self,
        fd: FdNumber,
        local: Option<Address>,
        peer: Option<Address>,
    ) {
        if self.descriptors.connection(fd).is_some() {
            self.descriptors.name(fd, local, peer);
        }
    }

    pub(crate) fn now(&self) -> u64 {
        if self.wants_times { now_ns() } else { 0 }
    }

    fn may_wait(&self, function: Function, fd: Option<FdNumber>, args: &[Arg<'_>]) -> bool {
        let may_wait = match function.page().waits {
            Waits::Never => false,
            Waits::Always => true,
            Waits::OnDescriptor => fd
                .and_then(|fd| self.descriptors.get(fd))
                .is_none_or(|file| file.nonblocking != Some(true)),
        };
        may_wait && !args.iter().any(|arg| asks_not_to_wait(function, arg))
    }
}

/// Whether the argument is `MSG_DONTWAIT`, where the call heeds it, or a timeout of zero.
fn asks_not_to_wait(function: Function, arg: &Arg<'_>) -> bool {
    match arg {
        Arg::Named(_) => {
            let heeds_it = SEND_HEEDS_MSG_DONTWAIT || function.effect() != Effect::Sends;
            heeds_it && has_message_flag(arg, MSG_DONTWAIT)
        }
        Arg::Millis(timeout_ms) => *timeout_ms == 0,
        Arg::TimeVal(Some(time)) => (time.tv_sec, time.tv_usec) == (0, 0),
        Arg::TimeSpec(Some(time)) => (time.tv_sec, time.tv_nsec) == (0, 0),
        _ => false,
    }
}

/// Whether the call sends or receives bytes, and can bring or pass no descriptors.
fn only_moves_bytes(event: &Event<'_>) -> bool {
    let moves_bytes = matches!(event.callee.effect(), Effect::Sends | Effect::Receives);
    moves_bytes && matches!(event.args.get(1), Some(Arg::Bytes(_) | Arg::Pointer(_)))
}

/// The monotonic clock, in nanoseconds, for what is compared with an event's times: all processes of a machine share it, and it
/// never goes back.
pub fn now_ns() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map(|now| Duration::from(now).as_nanos() as u64)
        .unwrap_or(0)
}
