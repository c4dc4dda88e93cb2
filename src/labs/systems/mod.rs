//! The answer of each system to each prediction, and how it is known.
//!
//! Beside this file is a table for each system, with a row for each prediction that was run or read there: the
//! question, the answer as seen, and how it is known. `differs` in a row marks a difference that the lab itself does
//! not mention. A prediction without a row was not checked.
//!
//! `read` names the place in the source; `read in` names another source than that of the system's version, as that of a
//! library. `walked through` has none: the calls were followed through that source, but
//! the report of it notes no place for this answer. The two are counted apart.
//!
//! `cannot be asked` is the answer of a lab that ran and found that the system lacks what is asked about, as descriptor 1000
//! in NetBSD's sets: it counts as run, and as another answer than Linux's.
//!
//! ```text
//! ran: 13.0
//! read: 14.2
//!
//! [accept-after-rst]
//! What does accept give? | ECONNABORTED | ran
//! And once more? | 0 | read uipc_socket.c: soreceive
//!
//! [write-after-fin]
//! The peer has closed. What does recv give? | 0 | walked through
//! ```
//!
//! A test compares every row with the lab's prediction, so that neither can change without the other. Those that differ
//! and are not in the lab it compares with `differences.txt`.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use super::expect::{Difference, Expected};
use super::{Lab, Prediction};
use crate::os::system::{BuiltFor, System, built_for, this_system};

/// How an answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// It was run, on this version.
    Ran(&'static str),
    /// It was read in the source of this version, at this place.
    Read(&'static str, &'static str),
    /// It was read in another source, as that of a library, which the place names.
    ReadIn(&'static str),
    /// Its calls were followed through the source of this version, and no place was noted.
    WalkedThrough(&'static str),
    /// POSIX, an RFC or a manual says so.
    Documented,
    /// Not checked.
    NotLookedAt,
}

impl Provenance {
    /// The kind, as a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ran(_) => "ran",
            Self::Read(..) | Self::ReadIn(_) => "read",
            Self::WalkedThrough(_) => "walked through",
            Self::Documented => "documented",
            Self::NotLookedAt => "not checked",
        }
    }

    /// With the version that was read, and the place.
    pub fn in_full(self) -> String {
        match self {
            Self::ReadIn(place) => format!("read in {place}"),
            Self::Read(version, place) => format!("read {version}, {place}"),
            Self::WalkedThrough(version) => format!("walked through {version}, no place noted"),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Provenance {
    /// In short: what was run has its version.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ran(version) => write!(f, "ran {version}"),
            _ => f.write_str(self.word()),
        }
    }
}

/// A row of a table.
#[derive(Clone, Copy, Debug)]
pub struct ReportRow {
    /// The lab's name.
    pub lab: &'static str,
    /// The question, as the lab asks it.
    pub asks: &'static str,
    /// The answer as seen; a range if it varies.
    pub answered: &'static str,
    /// How it is known.
    pub known: Provenance,
    /// A difference from Linux that the lab itself does not mention; with the reason, or empty.
    pub differs: Option<&'static str>,
}

/// The answer of a system to one prediction.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The expected answer; [`Expected::NotChecked`] if it was never checked there.
    pub expected: Expected,
    /// The answer that was seen or read there, which may be one of several that are expected; none if only the
    /// expectation is known.
    pub answered: Option<&'static str>,
    /// How it is known.
    pub known: Provenance,
    /// Whether the answer differs from that of Linux.
    pub differs: bool,
    /// Why it differs; empty if that is not known.
    pub why: &'static str,
}

impl Answer {
    /// The answer in words: as seen, or else as expected.
    pub fn words(&self) -> String {
        self.answered.map_or_else(|| self.expected.to_string(), str::to_string)
    }
}

/// The Linux versions on which the labs are run.
const LINUX: Provenance = Provenance::Ran("6.18");

const TABLES: &[(System, &str)] = &[
    (System::LinuxMusl, include_str!("musl.txt")),
    (System::Linux32, include_str!("linux-32.txt")),
    (System::GVisor, include_str!("gvisor.txt")),
    (System::FreeBsd, include_str!("freebsd.txt")),
    (System::NetBsd, include_str!("netbsd.txt")),
    (System::OpenBsd, include_str!("openbsd.txt")),
    (System::MacOs, include_str!("macos.txt")),
];

/// The answers of this system.
pub fn answer_here(lab: &str, prediction: &Prediction) -> Answer {
    answer(lab, prediction, who_answers(prediction, this_system(), built_for()))
}

/// Whose answer a prediction gets: that of the kernel, unless the C library gives an answer of its own before any kernel is
/// asked, as musl does, or the width of a program's words decides.
fn who_answers(prediction: &Prediction, here: System, built_for: BuiltFor) -> System {
    let states_its_own = |system: &System| prediction.expect.difference(*system).is_some();
    [built_for.libc, built_for.width].into_iter().find(states_its_own).unwrap_or(here)
}

/// The answer of a system to a prediction of the lab of this name.
pub fn answer(lab: &str, prediction: &Prediction, system: System) -> Answer {
    let linux = prediction.expect.on_this_machine();
    if system == System::LinuxGlibc {
        return Answer { expected: linux, answered: None, known: LINUX, differs: false, why: "" };
    }
    let table = table(system);
    let row = table.rows.get(&(lab, prediction.asks));
    let known = row.map(|row| row.known).or(table.otherwise);
    let answered = row.map(|row| row.answered);
    // What the lab states comes first, also before what POSIX requires of all.
    if let Some(difference) = prediction.expect.difference(system) {
        let known = known.unwrap_or(Provenance::NotLookedAt);
        let Difference { expected, why, .. } = *difference;
        return Answer { expected, answered, known, differs: true, why };
    }
    if let Some(row) = row
        && let Some(why) = row.differs
    {
        let expected = Expected::written(row.answered);
        return Answer { expected, answered, known: row.known, differs: true, why };
    }
    let (expected, known) = match known {
        Some(known) => (linux, known),
        None if prediction.expect.is_required() => (linux, Provenance::Documented),
        None => (Expected::NotChecked, Provenance::NotLookedAt),
    };
    Answer { expected, answered, known, differs: false, why: "" }
}

/// The answer of a system to a prediction about packets: they were captured on Linux alone.
pub fn answer_on_wire(prediction: &Prediction, system: System) -> Answer {
    let linux = prediction.expect.on_this_machine();
    let (expected, known) = match system {
        System::LinuxGlibc => (linux, LINUX),
        _ => (Expected::NotChecked, Provenance::NotLookedAt),
    };
    Answer { expected, answered: None, known, differs: false, why: "" }
}

/// Counts over predictions: how many of them a system answers like Linux, and how that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerCount {
    /// Those answered as on Linux.
    pub same: usize,
    /// Those answered differently.
    pub differ: usize,
    /// Those whose answer is not known.
    pub not_known: usize,
    /// Those that were run, also where the lab found that the question cannot be asked.
    pub ran: usize,
    /// Those that were read in the source, at a place that is named.
    pub read: usize,
    /// Those whose calls were followed through the source, without a note of the place.
    pub walked_through: usize,
    /// Those that POSIX, an RFC or a manual answers.
    pub documented: usize,
}

impl AnswerCount {
    /// The predictions of these labs on a system.
    pub fn of<'a>(labs: impl IntoIterator<Item = &'a Lab>, system: System) -> Self {
        let mut count = Self::default();
        for lab in labs {
            for prediction in lab.predictions {
                count.add(answer(lab.name, prediction, system));
            }
        }
        count
    }

    /// Counts one more.
    pub fn add(&mut self, answer: Answer) {
        *match answer {
            Answer { known: Provenance::NotLookedAt, .. } => &mut self.not_known,
            Answer { differs: true, .. } => &mut self.differ,
            _ => &mut self.same,
        } += 1;
        match answer.known {
            Provenance::Ran(_) => self.ran += 1,
            Provenance::Read(..) | Provenance::ReadIn(_) => self.read += 1,
            Provenance::WalkedThrough(_) => self.walked_through += 1,
            Provenance::Documented => self.documented += 1,
            Provenance::NotLookedAt => {}
        }
    }

    /// All of them.
    pub const fn all(&self) -> usize {
        self.same + self.differ + self.not_known
    }
}

/// A table that was read.
#[derive(Debug, Default)]
struct ReportTable {
    rows: HashMap<(&'static str, &'static str), ReportRow>,
    /// How the other predictions, which agree with Linux, are known: where each lab was run.
    otherwise: Option<Provenance>,
}

/// The rows of a system, in no particular order.
pub fn rows_of(system: System) -> impl Iterator<Item = &'static ReportRow> {
    table(system).rows.values()
}

fn table(system: System) -> &'static ReportTable {
    static READ: OnceLock<Vec<(System, ReportTable)>> = OnceLock::new();
    static NONE: OnceLock<ReportTable> = OnceLock::new();
    let tables =
        READ.get_or_init(|| TABLES.iter().map(|(system, text)| (*system, read(text))).collect());
    let of_it = tables.iter().find(|(of, _)| *of == system);
    of_it.map_or_else(|| NONE.get_or_init(ReportTable::default), |(_, table)| table)
}

/// Reads a table. Lines that are not rows are skipped; a test finds them.
fn read(text: &'static str) -> ReportTable {
    let mut table = ReportTable::default();
    let mut lab = "";
    let mut versions = Versions::default();
    for line in lines(text) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            lab = name;
        } else if let Some(version) = line.strip_prefix("ran: ") {
            versions.ran = version;
        } else if let Some(version) = line.strip_prefix("read: ") {
            versions.read = version;
        } else if let Some(how) = line.strip_prefix("all else as on Linux: ") {
            table.otherwise = versions.known(how);
        } else if let Some(row) = row(lab, line, versions) {
            table.rows.insert((lab, row.asks), row);
        }
    }
    table
}

/// The lines of a table that are no remarks.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn row(lab: &'static str, line: &'static str, versions: Versions) -> Option<ReportRow> {
    let mut cells = line.split(" | ");
    let asks = cells.next()?;
    let answered = cells.next()?;
    let how = cells.next()?;
    let differs = match cells.next() {
        None => None,
        Some(cell) => Some(cell.strip_prefix("differs")?.trim_start_matches(": ")),
    };
    Some(ReportRow { lab, asks, answered, known: versions.known(how)?, differs })
}

/// What "ran" and "read" mean in a table that names no version beside them.
#[derive(Clone, Copy, Debug, Default)]
struct Versions {
    ran: &'static str,
    read: &'static str,
}

impl Versions {
    fn known(self, how: &'static str) -> Option<Provenance> {
        match how.split_once(' ').unwrap_or((how, "")) {
            ("ran", "") => Some(Provenance::Ran(self.ran)),
            ("ran", version) => Some(Provenance::Ran(version)),
            ("read", place) if !place.is_empty() && place.trim() != "in" => {
                Some(match place.strip_prefix("in ") {
                    Some(place) => Provenance::ReadIn(place),
                    None => Provenance::Read(self.read, place),
                })
            }
            ("walked", "through") => Some(Provenance::WalkedThrough(self.read)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
