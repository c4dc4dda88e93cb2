//! What the code of a lab has in hand while it runs: it predicts, makes its calls, and tells what it observed.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::expect::Expected;
use super::prediction::{Observed, Prediction};
use super::systems::{Answer, Provenance, answer, answer_here};
use crate::names::Errno;
use crate::os::system::System;
use crate::sys::BeyondSetSize;
use crate::sys::wild::Wild;
use crate::trace::{Event, suspended};

/// What happens in a lab, in the order in which it happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum LabEvent {
    /// A part begins: the broken way, the right way, another case.
    Part {
        /// Its headline.
        title: String,
    },
    /// A sentence: what is seen, or what the peer does, which is not in the trace.
    Said {
        /// The sentence.
        text: String,
    },
    /// A prediction, ahead of the call that decides.
    Predicted {
        /// The question.
        asks: String,
        /// What one might answer.
        choices: Vec<String>,
        /// The answer that is expected here.
        expected: String,
        /// The answer on each system, by name.
        on: BTreeMap<String, SystemAnswer>,
    },
    /// A call is about to be made, and the lab stands until it is told to go on (`--step`).
    Calling {
        /// As far as its line is known.
        line: String,
        /// As far as its value is known.
        call: Box<Event<'static>>,
    },
    /// A call, as the trace shows it.
    Called {
        /// As text.
        line: String,
        /// As a value: in JSON, a line of `--trace=json`.
        #[serde(rename = "json")]
        call: Box<Event<'static>>,
    },
    /// A remark on that call.
    Remarked {
        /// The sentence.
        text: String,
    },
    /// That call had not returned for so long that the lab interrupted it.
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
        /// Whether it agrees; none where nobody has looked.
        agrees: Option<bool>,
    },
    /// The lab cannot run here, or something in it failed that was not the question.
    Stopped(Stop),
    /// Something was left behind, which is a defect of the lab.
    Left {
        /// What.
        what: String,
    },
}

/// What a system answers to a prediction, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemAnswer {
    /// The answer; none where nobody has looked.
    pub expected: Option<String>,
    /// How it is known: "ran 13.0", "read", "documented", "not looked at".
    pub known: String,
    /// Whether it is another answer than that of Linux.
    pub differs: bool,
    /// Why it is another; empty where that is not known.
    pub why: String,
}

impl SystemAnswer {
    /// The answers of all systems, by name; and of big-endian machines, if they have their own.
    fn all(lab: &str, prediction: &Prediction) -> BTreeMap<String, Self> {
        let of = |system: System| (system.name(), answer(lab, prediction, system).into());
        let big_endian = prediction.expect.on_big_endian().map(|expected| {
            let (known, why) =
                (Provenance::Ran("s390x, emulated"), "the order of bytes is the other");
            ("big-endian machines", Answer { expected, known, differs: true, why }.into())
        });
        let all = System::ALL.into_iter().map(of).chain(big_endian);
        all.map(|(name, there)| (name.to_string(), there)).collect()
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
    /// A call failed that was to succeed.
    Failed(String),
}

/// How the code of a lab ends.
pub type LabResult = Result<(), Stop>;

impl Stop {
    /// The lab cannot run here.
    pub fn skipped(why: impl fmt::Display) -> Self {
        Self::Skipped(why.to_string())
    }

    /// Something failed that was not the question.
    pub fn failed(why: impl fmt::Display) -> Self {
        Self::Failed(why.to_string())
    }
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::Failed(format!("a call failed that was to succeed: {errno}"))
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

/// Who is told what happens.
pub trait Audience {
    /// Something happened. Returns when the lab may go on.
    fn hears(&mut self, event: LabEvent);
}

/// A lab that runs, in a process of its own.
pub struct Run<'a> {
    audience: &'a mut dyn Audience,
    wild: Wild,
    directory: PathBuf,
    lab: &'static str,
    /// What was predicted, and waits for its observation.
    open: Option<Expected>,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("lab", &self.lab).finish_non_exhaustive()
    }
}

impl<'a> Run<'a> {
    /// The lab of that name runs before this audience. `directory` is empty, and removed afterwards by others.
    pub fn new(
        lab: &'static str,
        audience: &'a mut dyn Audience,
        wild: Wild,
        directory: PathBuf,
    ) -> Self {
        Self { audience, wild, directory, lab, open: None }
    }

    /// A part begins.
    pub fn part(&mut self, title: &str) {
        self.hear(LabEvent::Part { title: title.to_string() });
    }

    /// A sentence about what is seen, or what somebody does whose calls are not traced.
    pub fn say(&mut self, text: impl fmt::Display) {
        self.hear(LabEvent::Said { text: text.to_string() });
    }

    /// Predicts what the next call will give; [`Run::observe`] tells what it gave.
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
        // Without a prediction it decides nothing, and so it does not agree.
        let agrees = match self.open.take() {
            Some(here) => here.agrees(&observed),
            None => Some(false),
        };
        self.hear(LabEvent::Observed { observed, agrees });
    }

    /// The right to misuse descriptors, which only a process has that does nothing else.
    pub fn wild(&self) -> Wild {
        self.wild
    }

    /// An empty directory for files; it is also the working directory. The lab removes what it makes there.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// This program once more, as another role of this lab: to be given arguments (`arg`), spawned, spoken to through
    /// standard input and output, and waited for.
    ///
    /// # Errors
    /// The program does not know where it lies.
    pub fn role(&self, role: &str) -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["lab", self.lab, "--role", role, "--argument"]);
        Ok(command)
    }

    fn hear(&mut self, event: LabEvent) {
        // To tell is not part of the lab.
        suspended(|| self.audience.hears(event));
    }
}
