//! Findings, with the lines of the log that prove them.

use serde::Serialize;

use super::advice::Advice;
use super::moment::SeenCall;

/// How certain a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The lines allow no other explanation.
    Certain,
    /// Another explanation is unlikely.
    Likely,
    /// It depends on something that the log does not show.
    Perhaps,
}

impl Certainty {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Perhaps => "perhaps",
        }
    }
}

/// A line of the log that proves something.
#[derive(Clone, Debug, Serialize)]
pub struct EvidenceLine {
    /// The line number, from 1.
    pub line: u64,
    /// The call in the line, with dots for parts that were not kept.
    pub text: String,
    /// What the line shows.
    pub shows: String,
}

/// A finding.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The name of the advice.
    pub advice: &'static str,
    /// How certain it is.
    pub certainty: Certainty,
    /// The process.
    pub pid: u32,
    /// The descriptor, if the finding is about one.
    pub fd: Option<i32>,
    /// What happened, with numbers.
    pub says: String,
    /// The lab about it.
    pub lab: &'static str,
    /// The lines that prove it.
    pub evidence: Vec<EvidenceLine>,
}

/// How many findings of one advice are kept; further ones are counted.
const MOST_OF_ONE: u64 = 3;

/// All findings.
#[derive(Debug)]
pub struct Findings {
    found: Vec<Finding>,
    counts: Vec<u64>,
}

/// The subject of a finding: a process, and one of its descriptors.
#[derive(Clone, Copy, Debug)]
pub struct Subject(pub u32, pub i32);

impl Findings {
    /// No findings yet.
    pub(super) fn new() -> Self {
        Self { found: Vec::new(), counts: vec![0; super::advice::ALL.len()] }
    }

    /// Adds a finding. Its words are only made if it is kept.
    pub fn add(
        &mut self,
        advice: &Advice,
        certainty: Certainty,
        subject: Subject,
        says: impl FnOnce() -> String,
        evidence: &[(&SeenCall, &str)],
    ) {
        let at = super::advice::ALL.iter().position(|known| known.name == advice.name);
        let Some(count) = at.and_then(|at| self.counts.get_mut(at)) else { return };
        *count += 1;
        if *count > MOST_OF_ONE {
            return;
        }
        let one = |(mark, shows): &(&SeenCall, &str)| EvidenceLine {
            line: mark.line,
            text: mark.text(),
            shows: (*shows).to_string(),
        };
        let mut evidence: Vec<_> = evidence.iter().map(one).collect();
        evidence.sort_by_key(|evidence| evidence.line);
        let Subject(pid, fd) = subject;
        let fd = Some(fd).filter(|fd| *fd >= 0);
        self.found.push(Finding {
            advice: advice.name,
            certainty,
            pid,
            fd,
            says: says(),
            lab: advice.lab,
            evidence,
        });
    }

    /// Adds a finding that replaces a less certain one about this subject.
    pub fn replace(
        &mut self,
        advice: &Advice,
        certainty: Certainty,
        subject: Subject,
        says: impl FnOnce() -> String,
        evidence: &[(&SeenCall, &str)],
    ) {
        let Subject(pid, fd) = subject;
        let line = evidence.first().map_or(0, |(mark, _)| mark.line);
        let is_same = |one: &Finding| {
            let about = (one.advice, one.pid, one.fd);
            let shows = one.evidence.iter().any(|evidence| evidence.line == line);
            about == (advice.name, pid, Some(fd)) && shows
        };
        if let Some(at) = self.found.iter().position(is_same) {
            self.found.remove(at);
            let known = super::advice::ALL.iter().position(|known| known.name == advice.name);
            if let Some(count) = known.and_then(|known| self.counts.get_mut(known)) {
                *count -= 1;
            }
        }
        self.add(advice, certainty, subject, says, evidence);
    }

    /// How often each advice was found, in the order of [`super::advice::ALL`].
    pub(super) fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The findings, the most certain first, then in the order of the log.
    pub(super) fn into_sorted(mut self) -> Vec<Finding> {
        let line = |finding: &Finding| finding.evidence.last().map_or(0, |last| last.line);
        self.found.sort_by_key(|finding| (finding.certainty, line(finding)));
        self.found
    }
}
