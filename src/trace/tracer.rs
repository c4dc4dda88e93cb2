//! The tracer of one thread: it numbers the calls, times them, knows the descriptors they speak of, and
//! hands them to a sink.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::arg::{Arg, Note, Value};
pub use super::event::{Connection, Mark, Outcome, States};
use super::inject::{self, Plan, Rule};
use super::page::{Effect, Function, Waits};
use super::waiting::{asks_not_to_wait, has_message_flag, turns_nonblocking};
use crate::addr::Address;
use crate::names::{Errno, FIONBIO, MSG_PEEK};
use crate::values::{FdNumber, SocketState};

/// What a sink is told of a call before it is made.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function.
    pub function: Function,
    /// The number of the call within its tracer, from 0.
    pub seq: u64,
    /// When it began, in nanoseconds of the monotonic clock (0 if nobody wants to know).
    pub begin_ns: u64,
    /// Its first argument, if that is a descriptor.
    pub fd: Option<FdNumber>,
    /// Whether it may put its caller to sleep.
    pub may_wait: bool,
}

/// What a sink is told of a call after it returned.
#[derive(Debug)]
pub struct Ended<'a> {
    /// What it was told before.
    pub call: &'a Call,
    /// What the call returned.
    pub outcome: Outcome,
    /// What it told besides.
    pub note: &'a Note<'a>,
    /// Whether it was made at all.
    pub mark: Mark,
    /// When it ended, in nanoseconds of the monotonic clock (0 if nobody wants to know).
    pub end_ns: u64,
    /// The connection of its descriptor, if it has one, as it was before this call.
    pub connection: Option<&'a Connection>,
    /// The state of its descriptor before and after, if the tracer looks ([`Tracer::with_probe`]).
    pub states: States,
}

/// What tells the state of a descriptor: `sys::socket_state`.
pub type Probe = fn(FdNumber) -> Option<SocketState>;

/// Where the calls go: text, JSON, an explainer.
pub trait Sink {
    /// A call begins, with these arguments.
    fn begin(&mut self, call: &Call, args: &[Arg<'_>]);
    /// It returned; these are the arguments that were still missing.
    fn rest(&mut self, args: &[Arg<'_>]);
    /// It returned this.
    fn end(&mut self, ended: &Ended<'_>);
    /// A sentence about the call that just ended.
    fn remark(&mut self, text: &str);
    /// A line of a drawing of that call, to be kept as it is; most sinks do not care.
    fn drawing(&mut self, _line: &str) {}
    /// Why the program makes the next call, or what follows from the last; most sinks do not care.
    fn intent(&mut self, _words: &'static str) {}
    /// Write what was collected.
    fn flush(&mut self);
    /// Whether the sink looks at `begin_ns` and `end_ns`.
    fn wants_times(&self) -> bool {
        false
    }
    /// Whether the sink looks at [`Ended::connection`].
    fn wants_connections(&self) -> bool {
        false
    }
}

/// Where calls go that nobody wants to see: for rules without a trace.
#[derive(Clone, Copy, Debug)]
pub struct NoSink;

impl Sink for NoSink {
    fn begin(&mut self, _: &Call, _: &[Arg<'_>]) {}
    fn rest(&mut self, _: &[Arg<'_>]) {}
    fn end(&mut self, _: &Ended<'_>) {}
    fn remark(&mut self, _: &str) {}
    fn flush(&mut self) {}
}

/// What the trace knows of a descriptor, from the calls that it saw.
#[derive(Clone, Debug, Default)]
struct Descriptor {
    nonblocking: bool,
    connection: Option<Connection>,
}

/// Traces the calls of one thread into one sink.
pub struct Tracer {
    sink: Box<dyn Sink>,
    rules: Vec<Rule>,
    probe: Option<Probe>,
    before: Option<SocketState>,
    wants_times: bool,
    seq: u64,
    connections: u64,
    descriptors: Vec<Descriptor>,
    call: Call,
    end_ns: u64,
    /// Whether the call, if it succeeds, makes a descriptor non-blocking or blocking.
    turns_nonblocking: Option<bool>,
    /// Whether the call is the `ioctl` that does so, by the int that it is given.
    is_fionbio: bool,
    /// Whether the call only looks at what has come: `MSG_PEEK`.
    only_looks: bool,
    /// What the rules say of the call.
    pub(super) plan: Plan,
    /// Why its line is not to be taken for a call that the kernel saw.
    pub(super) mark: Mark,
}

impl std::fmt::Debug for Tracer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracer").field("seq", &self.seq).finish_non_exhaustive()
    }
}

impl Tracer {
    /// A tracer that writes to this sink.
    pub fn new(sink: impl Sink + 'static) -> Self {
        Self::boxed(Box::new(sink))
    }

    /// A tracer that writes to a sink whose type is chosen at run time.
    pub fn boxed(sink: Box<dyn Sink>) -> Self {
        let call =
            Call { function: Function::NONE, seq: 0, begin_ns: 0, fd: None, may_wait: false };
        Self {
            wants_times: sink.wants_times(),
            sink,
            rules: Vec::new(),
            probe: None,
            before: None,
            seq: 0,
            connections: 0,
            descriptors: Vec::new(),
            call,
            end_ns: 0,
            turns_nonblocking: None,
            is_fionbio: false,
            only_looks: false,
            plan: Plan::default(),
            mark: Mark::None,
        }
    }

    /// The same, interfering with the calls as the rules say.
    #[must_use]
    pub fn with_rules(mut self, rules: Vec<Rule>) -> Self {
        self.rules = rules;
        self
    }

    /// The same, looking at the state of each call's socket before and after.
    #[must_use]
    pub fn with_probe(mut self, probe: Probe) -> Self {
        self.probe = Some(probe);
        self
    }

    /// Begins a call.
    pub(crate) fn begin(&mut self, function: Function, args: &[Arg<'_>]) {
        let fd = match args.first() {
            Some(Arg::Fd(fd)) => Some(*fd),
            _ => None,
        };
        self.turns_nonblocking = turns_nonblocking(function, args);
        self.is_fionbio = matches!(args, [_, Arg::Request(FIONBIO)]);
        self.only_looks = false;
        let may_wait = self.may_wait(function, fd, args);
        self.before = self.probe.zip(fd).and_then(|(probe, fd)| probe(fd));
        self.call = Call { function, seq: self.seq, begin_ns: self.now(), fd, may_wait };
        self.seq += 1;
        self.sink.begin(&self.call, args);
        if self.wants_times {
            // Again, so that the time it took to write the line is not taken for the call's.
            self.call.begin_ns = now_ns();
        }
        self.plan = inject::plan(&mut self.rules, function);
        self.mark = Mark::None;
    }

    pub(crate) fn called(&mut self) {
        self.end_ns = self.now();
    }

    pub(crate) fn rest(&mut self, args: &[Arg<'_>]) {
        match args {
            [Arg::Value(Value::Int(on))] if self.is_fionbio => {
                self.turns_nonblocking = Some(*on != 0);
            }
            _ => {
                let turned = turns_nonblocking(self.call.function, args);
                self.turns_nonblocking = turned.or(self.turns_nonblocking);
            }
        }
        self.only_looks |= args.iter().any(|arg| has_message_flag(arg, MSG_PEEK));
        self.sink.rest(args);
    }

    pub(crate) fn end(&mut self, outcome: Outcome, note: &Note<'_>) {
        let mark = if self.plan.has_interfered() { Mark::Injected } else { self.mark };
        if self.end_ns < self.call.begin_ns {
            // Refused, or a function of the library: nobody has told when it was made.
            self.end_ns = self.now();
        }
        let connection =
            self.call.fd.and_then(|fd| self.descriptors.get(index(fd)?)?.connection.as_ref());
        let has_gone = self.call.function.effect() == Effect::Closes;
        let after =
            self.probe.zip(self.call.fd).filter(|_| !has_gone).and_then(|(probe, fd)| probe(fd));
        let states = States { before: self.before, after };
        let (call, end_ns) = (&self.call, self.end_ns);
        self.sink.end(&Ended { call, outcome, note, mark, end_ns, connection, states });
        match outcome {
            Outcome::Value(value) => self.learn(value),
            // Whatever it reports, the number is free, and the next socket of that number has no part in this one.
            Outcome::Error(errno) if has_gone && errno != Errno::EBADF => self.learn(0),
            Outcome::Error(_) | Outcome::Unknown => {}
        }
    }

    pub(crate) fn idle_rules(&self) -> Vec<String> {
        self.rules.iter().filter_map(Rule::idle).collect()
    }

    pub(crate) fn intent(&mut self, words: &'static str) {
        self.sink.intent(words);
    }

    pub(crate) fn flush(&mut self) {
        self.sink.flush();
    }

    pub(crate) fn wants_connections(&self) -> bool {
        self.sink.wants_connections()
    }

    pub(crate) fn connection(
        &mut self,
        fd: FdNumber,
        local: Option<Address>,
        peer: Option<Address>,
    ) {
        self.connections += 1;
        let id = self.connections;
        self.descriptor(fd).connection =
            Some(Connection { id, local, peer, bytes_in: 0, bytes_out: 0 });
    }

    fn now(&self) -> u64 {
        if self.wants_times { now_ns() } else { 0 }
    }

    fn descriptor(&mut self, fd: FdNumber) -> &mut Descriptor {
        let at = index(fd).unwrap_or(0);
        if at >= self.descriptors.len() {
            self.descriptors.resize(at + 1, Descriptor::default());
        }
        &mut self.descriptors[at]
    }

    fn may_wait(&self, function: Function, fd: Option<FdNumber>, args: &[Arg<'_>]) -> bool {
        let asked_not_to = || args.iter().any(asks_not_to_wait);
        match function.page().waits {
            Waits::Never => false,
            Waits::Always => !asked_not_to(),
            Waits::OnDescriptor => {
                let known = fd.and_then(|fd| self.descriptors.get(index(fd)?));
                !known.is_some_and(|descriptor| descriptor.nonblocking) && !asked_not_to()
            }
        }
    }

    /// What a call that succeeded says about descriptors.
    fn learn(&mut self, value: i64) {
        let effect = self.call.function.effect();
        if let Some(connection) =
            self.call.fd.and_then(|fd| self.descriptors.get_mut(index(fd)?)?.connection.as_mut())
        {
            match effect {
                Effect::Sends => connection.bytes_out += value as u64,
                Effect::Receives if !self.only_looks => connection.bytes_in += value as u64,
                _ => {}
            }
        }
        match (effect, self.turns_nonblocking, self.call.fd) {
            (Effect::Closes, _, Some(fd)) => *self.descriptor(fd) = Descriptor::default(),
            (Effect::Commands, Some(state), Some(fd)) => {
                self.descriptor(fd).nonblocking = state;
            }
            (Effect::MakesSocket | Effect::Accepts, state, _) => {
                let made = FdNumber::new(value as i32);
                self.descriptor(made).nonblocking = state.unwrap_or(false);
            }
            _ => {}
        }
    }
}

fn index(fd: FdNumber) -> Option<usize> {
    usize::try_from(fd.get()).ok()
}

/// The monotonic clock: it is one for all processes of a machine and never goes back.
pub(crate) fn now_ns() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map(|now| Duration::from(now).as_nanos() as u64)
        .unwrap_or(0)
}
