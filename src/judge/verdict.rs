//! How a case ended, and the report about it.

use std::fmt;
use std::time::Duration;

use super::JudgeCase;
use super::steps::{DrawnPackets, DrawnSteps};
use crate::names::Errno;

/// A symptom in one word: causes belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symptom {
    /// The program ended, by itself or by a signal.
    Died,
    /// The program runs, but no connection can be made.
    Refused,
    /// Something expected did not arrive in time.
    Silent,
    /// The connection ended before everything had arrived.
    Ended,
    /// The connection was reset.
    Reset,
    /// Other bytes arrived than expected.
    Wrong,
    /// More bytes arrived than expected.
    TooMuch,
    /// It uses the processor while there is nothing to do.
    Spins,
    /// Its memory grows.
    Grows,
    /// It holds more and more descriptors.
    Leaks,
    /// While one client does something, another client is not served.
    HoldsUp,
    /// It does not end when asked to.
    Stays,
    /// It cannot be started again.
    NotAgain,
    /// It failed, and its exit status says success.
    ClaimsSuccess,
}

impl Symptom {
    /// The word in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Died => "died",
            Self::Refused => "refused",
            Self::Silent => "silent",
            Self::Ended => "ended",
            Self::Reset => "reset",
            Self::Wrong => "wrong",
            Self::TooMuch => "too-much",
            Self::Spins => "spins",
            Self::Grows => "grows",
            Self::Leaks => "leaks",
            Self::HoldsUp => "holds-up",
            Self::Stays => "stays",
            Self::NotAgain => "not-again",
            Self::ClaimsSuccess => "claims-success",
        }
    }
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFailure {
    /// In a word.
    pub symptom: Symptom,
    /// What judge did.
    pub sent: String,
    /// What a right program does then.
    pub expected: String,
    /// What this program did.
    pub came: String,
    /// The name of the signal that killed it, if one did.
    pub signal: Option<String>,
}

impl CaseFailure {
    /// A failure, described in words.
    pub fn new(
        symptom: Symptom,
        sent: impl fmt::Display,
        expected: impl fmt::Display,
        came: impl fmt::Display,
    ) -> Self {
        let [sent, expected, came] = [sent.to_string(), expected.to_string(), came.to_string()];
        Self { symptom, sent, expected, came, signal: None }
    }
}

/// Why a case ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseStop {
    /// The program did something wrong.
    Failed(Box<CaseFailure>),
    /// It cannot be asked, for this reason.
    NotAsked(String),
}

/// How the code of a case ends.
pub type CaseOutcome = Result<(), CaseStop>;

impl CaseStop {
    /// The case cannot be asked.
    pub fn not_asked(why: impl fmt::Display) -> Self {
        Self::NotAsked(why.to_string())
    }
}

impl From<CaseFailure> for CaseStop {
    fn from(failure: CaseFailure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<Errno> for CaseStop {
    fn from(errno: Errno) -> Self {
        Self::NotAsked(format!("a call of judge's own failed: {errno}"))
    }
}

/// A failure with its explanation.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What happened.
    pub failure: CaseFailure,
    /// What usually causes it.
    pub because: String,
    /// What to do.
    pub remedy: String,
    /// The ladder of both sides.
    pub ladder: DrawnSteps,
    /// The packets in the ladder, if they were captured.
    pub packets: Option<DrawnPackets>,
    /// What the program wrote to standard output and standard error.
    pub output: String,
    /// The advice of `watch` about its calls.
    pub advice: Vec<String>,
}

/// The verdict of a case.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Everything was as expected.
    Passed,
    /// Something was not as expected.
    Failed(Box<Explained>),
    /// Not asked, for this reason.
    NotAsked(String),
}

impl Verdict {
    /// As a word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Failed(_) => "fail",
            Self::NotAsked(_) => "not asked",
        }
    }
}

/// A case with its verdict.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The case.
    pub case: &'static JudgeCase,
    /// Its points.
    pub points: u32,
    /// The verdict; the worst one of several runs.
    pub verdict: Verdict,
    /// How often it was run.
    pub runs: u32,
    /// How often it failed.
    pub failed_runs: u32,
    /// How long it took.
    pub took: Duration,
}

impl Judged {
    /// Whether it failed in some runs and passed in others.
    pub const fn is_flaky(&self) -> bool {
        self.failed_runs > 0 && self.failed_runs < self.runs
    }
}

/// All verdicts on a program.
#[derive(Clone, Debug)]
pub struct JudgeReport {
    /// The role that it was judged as.
    pub judged_as: String,
    /// The program, or its address.
    pub subject: String,
    /// The cases with their verdicts.
    pub cases: Vec<Judged>,
    /// Why the program could not be judged at all.
    pub not_judged: Option<String>,
    /// How much slower than idle this machine was.
    pub slowness: f64,
}

/// The number of cases and points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// How many cases passed.
    pub passed: u32,
    /// How many failed.
    pub failed: u32,
    /// How many were not asked.
    pub not_asked: u32,
    /// The points of the passed cases.
    pub points: u32,
    /// The points of the asked cases.
    pub of: u32,
}

impl JudgeReport {
    /// Counts.
    pub fn score(&self) -> Score {
        let mut score = Score::default();
        for judged in &self.cases {
            match judged.verdict {
                Verdict::Passed => {
                    score.passed += 1;
                    score.points += judged.points;
                    score.of += judged.points;
                }
                Verdict::Failed(_) => {
                    score.failed += 1;
                    score.of += judged.points;
                }
                Verdict::NotAsked(_) => score.not_asked += 1,
            }
        }
        score
    }

    /// The program's exit status: 0 all passed, 1 some failed, 3 nothing could be judged.
    pub fn status(&self) -> u8 {
        let score = self.score();
        match (self.not_judged.is_some(), score.failed, score.passed) {
            (true, _, _) | (_, 0, 0) => 3,
            (_, 0, _) => 0,
            _ => 1,
        }
    }
}
