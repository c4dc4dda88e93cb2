//! What a lab's code uses while it runs: it predicts, makes its calls, and reports what it observed.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::expect::Expected;
use super::prediction::{Observed, Prediction};
use super::systems::{Answer, Provenance, answer, answer_here, answer_on_wire};
use super::wire::WirePrediction;
use crate::names::{Errno, TcpState};
use crate::os::own_program::own_program;
use crate::os::system::System;
use crate::packets::Packet;
use crate::sys::BeyondSetSize;
use crate::sys::wild::Wild;
use crate::trace::tracer::now_ns;
use crate::trace::{Event, suspended};
use crate::values::{FdNumber, SocketState};

/// What happens in a lab, in the order in which it happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum LabEvent {
    /// A part begins: the broken way, the right way, another case.
    Part {
        /// Its headline.
        title: String,
    },
    /// A sentence: what there is to see, or what the peer does, which is not in the trace.
    Said {
        /// The sentence.
        text: String,
    },
    /// A prediction, before the deciding call.
    Predicted {
        /// The question.
        asks: String,
        /// The choices.
        choices: Vec<String>,
        /// The expected answer here.
        expected: String,
        /// The answer on each system, by name.
        on: BTreeMap<String, SystemAnswer>,
    },
    /// A prediction that cannot be asked here.
    NotAsked {
        /// The question.
        asks: String,
        /// Why not.
        why: String,
    },
    /// The packets between these moments are to be looked at, for the last prediction. The process that captures them answers
    /// with an observation.
    LooksAtWire {
        /// In nanoseconds of the trace's clock.
        since_ns: u64,
        /// As well.
        until_ns: u64,
    },
    /// A call is about to be made, and the lab stands until it is told to go on (`--step`).
    Calling {
        /// As far as its line is known.
        line: String,
        /// As far as its value is known.
        call: Box<Event<'static>>,
        /// The states of the lab's sockets, if they were asked for (`--view`).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        states: Vec<LabSocket>,
    },
    /// A call, as the trace shows it.
    Called {
        /// As text.
        line: String,
        /// As a value: in JSON, a line of `--trace=json`.
        #[serde(rename = "json")]
        call: Box<Event<'static>>,
    },
    /// A packet went over loopback (`--packets`). If a call caused it, that call was the last.
    Crossed {
        /// In words.
        line: String,
        /// What it means (`--explain`), if that was not told before.
        means: Option<String>,
        /// As a value: in JSON, a line of `--trace=json`.
        #[serde(rename = "json")]
        packet: Box<Packet>,
    },
    /// A remark on that call.
    Remarked {
        /// The sentence.
        text: String,
    },
    /// A line of a drawing below that call: bits of a set, a row of `poll`. What stands under what has a meaning.
    Drawn {
        /// The line.
        line: String,
    },
    /// That call took so long that the lab interrupted it.
    Overdue {
        /// The call, as in `recv(6, …)`.
        call: String,
        /// How long it had waited.
        seconds: u64,
    },
    /// What was observed, after the last prediction.
    Observed {
        /// In words.
        observed: String,
        /// Whether it agrees; none if it was never checked on this system.
        agrees: Option<bool>,
    },
    /// The lab cannot run here, or a call failed that should have succeeded.
    Stopped(Stop),
    /// Something was left behind, which is a defect of the lab.
    Left {
        /// What.
        what: String,
    },
}

/// A socket of the lab, and what the kernel tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabSocket {
    fd: i32,
    state: i32,
    unread: Option<u64>,
    unacknowledged: Option<u64>,
    waiting: Option<(u32, u32)>,
}

impl LabSocket {
    /// The socket with this descriptor in this state.
    pub fn new(fd: FdNumber, told: SocketState) -> Self {
        let SocketState { state, unread, unacknowledged, waiting } = told;
        Self { fd: fd.get(), state: state.bits(), unread, unacknowledged, waiting }
    }

    /// Its descriptor.
    pub const fn fd(&self) -> FdNumber {
        FdNumber::new(self.fd)
    }

    /// Its state.
    pub const fn state(&self) -> SocketState {
        let Self { unread, unacknowledged, waiting, .. } = *self;
        SocketState { state: TcpState::from_bits(self.state), unread, unacknowledged, waiting }
    }
}

/// What a system answers to a prediction, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemAnswer {
    /// The answer; none if it was never checked.
    pub expected: Option<String>,
    /// How it is known: "ran 13.0", "read", "walked through", "documented", "not checked".
    pub known: String,
    /// Whether the answer differs from that of Linux.
    pub differs: bool,
    /// Why it differs; empty if that is not known.
    pub why: String,
}

impl SystemAnswer {
    /// The answers of all systems, by name; and of big-endian machines, if they have their own.
    fn all(lab: &str, prediction: &Prediction) -> BTreeMap<String, Self> {
        let of = |system: System| (system.name(), answer(lab, prediction, system).into());
        let big_endian = prediction.expect.on_big_endian().map(|expected| {
            let answer = Answer {
                expected,
                answered: None,
                known: Provenance::Ran("s390x, emulated"),
                differs: true,
                why: "the byte order is reversed",
            };
            ("big-endian machines", answer.into())
        });
        let all = System::ALL.into_iter().map(of).chain(big_endian);
        all.map(|(name, there)| (name.to_string(), there)).collect()
    }

    /// The answers to a prediction about packets: on Linux they were captured, and elsewhere not looked at.
    fn all_on_wire(prediction: &Prediction) -> BTreeMap<String, Self> {
        let of = |system: System| {
            let there = answer_on_wire(prediction, system);
            (system.name().to_string(), there.into())
        };
        System::ALL.into_iter().map(of).collect()
    }
}

impl From<Answer> for SystemAnswer {
    fn from(answer: Answer) -> Self {
        Self {
            expected: answer.expected.example().map(|_| answer.expected.to_string()),
            known: answer.known.to_string(),
            differs: answer.differs,
            why: answer.why.to_string(),
        }
    }
}

/// Why a lab ended before its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// It cannot run here.
    Skipped(String),
    /// A call failed that should have succeeded.
    Failed(String),
}

/// How the code of a lab ends.
pub type LabResult = Result<(), Stop>;

impl LabEvent {
    /// The sentence that stands between the calls, of an event that is a sentence: what the lab says, and why it took another course.
    pub fn sentence(&self) -> Option<String> {
        match self {
            Self::Said { text } => Some(text.clone()),
            Self::Overdue { call, seconds } => {
                Some(format!("{call} had not returned after {seconds} s; an alarm ended its wait."))
            }
            Self::Stopped(Stop::Skipped(why)) => Some(format!("Skipped: {why}")),
            Self::Stopped(Stop::Failed(why)) => Some(format!("It ended early: {why}")),
            Self::Left { what } => Some(format!("Left behind: {what}")),
            _ => None,
        }
    }
}

impl Stop {
    /// The lab cannot run here.
    pub fn skipped(why: impl fmt::Display) -> Self {
        Self::Skipped(why.to_string())
    }

    /// Something failed that is not the lab's subject.
    pub fn failed(why: impl fmt::Display) -> Self {
        Self::Failed(why.to_string())
    }
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::Failed(format!("a call failed that should have succeeded: {errno}"))
    }
}

impl From<BeyondSetSize> for Stop {
    fn from(beyond: BeyondSetSize) -> Self {
        Self::Failed(beyond.to_string())
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(format!("the peer: {error}"))
    }
}

/// Receives the events of a lab.
pub trait Audience {
    /// Something happened. Returns when the lab may continue.
    fn hears(&mut self, event: LabEvent);
}

/// A lab that runs, in a process of its own.
pub struct Run<'a> {
    audience: &'a mut dyn Audience,
    wild: Wild,
    directory: PathBuf,
    lab: &'static str,
    /// The prediction that still waits for its observation.
    open: Option<Expected>,
    capture: LabCapture,
    /// Since when the packets count, for a prediction that waits for them.
    on_wire_since_ns: Option<u64>,
}

/// Whether another process captures the lab's packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabCapture {
    /// It does.
    Runs,
    /// None does.
    None,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("lab", &self.lab).finish_non_exhaustive()
    }
}

impl<'a> Run<'a> {
    /// Runs the lab of this name before this audience. `directory` is empty; the caller removes it afterwards.
    pub fn new(
        lab: &'static str,
        audience: &'a mut dyn Audience,
        wild: Wild,
        directory: PathBuf,
        capture: LabCapture,
    ) -> Self {
        let open = None;
        Self { audience, wild, directory, lab, open, capture, on_wire_since_ns: None }
    }

    /// A part begins.
    pub fn part(&mut self, title: &str) {
        self.hear(LabEvent::Part { title: title.to_string() });
    }

    /// A sentence about what there is to see, or about an actor whose calls are not traced.
    pub fn say(&mut self, text: impl fmt::Display) {
        self.hear(LabEvent::Said { text: text.to_string() });
    }

    /// Predicts the result of the next call; [`Run::observe`] reports the result.
    pub fn predict(&mut self, prediction: &'static Prediction) {
        let here = answer_here(self.lab, prediction).expected;
        self.hear(LabEvent::Predicted {
            asks: prediction.asks.to_string(),
            choices: prediction.choices_for(here),
            expected: here.to_string(),
            on: SystemAnswer::all(self.lab, prediction),
        });
        self.open = Some(here);
    }

    /// Tells what was observed.
    pub fn observe(&mut self, observed: impl Observed) {
        let observed = observed.words();
        // An observation without a prediction does not agree.
        let agrees = match self.open.take() {
            Some(here) => here.agrees(&observed),
            None => Some(false),
        };
        self.hear(LabEvent::Observed { observed, agrees });
    }

    /// Predicts what the next calls make the kernel send, if packets are captured; [`Run::observe_on_wire`] has them looked
    /// at.
    pub fn predict_on_wire(&mut self, on_wire: &'static WirePrediction) {
        let asked = &on_wire.asked;
        if self.capture == LabCapture::None {
            let why = "--packets shows it".to_string();
            return self.hear(LabEvent::NotAsked { asks: asked.asks.to_string(), why });
        }
        let expected = asked.expect.on_this_machine();
        self.hear(LabEvent::Predicted {
            asks: asked.asks.to_string(),
            choices: asked.choices_for(expected),
            expected: expected.to_string(),
            on: SystemAnswer::all_on_wire(asked),
        });
        self.on_wire_since_ns = Some(now_ns());
    }

    /// Has the packets since the prediction looked at.
    pub fn observe_on_wire(&mut self) {
        if let Some(since_ns) = self.on_wire_since_ns.take() {
            self.hear(LabEvent::LooksAtWire { since_ns, until_ns: now_ns() });
        }
    }

    /// The right to misuse descriptors; only a process that does nothing else has it.
    pub fn wild(&self) -> Wild {
        self.wild
    }

    /// An empty directory for files; it is also the working directory. The lab removes what it makes there.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// This program in another role of this lab. The caller adds arguments (`arg`), spawns it, communicates through
    /// its standard input and output, and waits for it.
    ///
    /// # Errors
    /// The program cannot find its own file.
    pub fn role(&self, role: &str) -> io::Result<Command> {
        let mut command = Command::new(own_program()?);
        command.args(["lab", self.lab, "--role", role, "--argument"]);
        Ok(command)
    }

    fn hear(&mut self, event: LabEvent) {
        // Reporting is not part of the lab, so it is not traced.
        suspended(|| self.audience.hears(event));
    }
}
