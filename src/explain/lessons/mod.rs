//! The table of lessons, in chapters that follow a connection's life: making, waiting, moving, ending.
//!
//! A lesson is a call with an outcome, and one sentence about it. The sentence speaks of this call only, in plain
//! words and with its own figures; it is at most 100 characters long, whatever the figures. Where several lessons
//! apply to one call, each is told at its own occasions.

mod ending;
mod making;
mod moving;
mod waiting;

use std::fmt;

use super::facts::Facts;
use crate::trace::Function;

/// Where a lesson leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum See {
    /// A lab that shows it.
    Lab(&'static str),
    /// A word that is explained.
    Word(&'static str),
}

impl fmt::Display for See {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lab(name) => write!(f, "lab {name}"),
            Self::Word(word) => write!(f, "explain {word}"),
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Lesson {
    /// The functions that it is about.
    pub of: &'static [Function],
    /// The outcome that it is about.
    when: fn(&Facts) -> bool,
    /// The sentence.
    says: fn(&Facts) -> String,
    /// Where it leads.
    pub see: See,
}

impl Lesson {
    /// Whether it applies to this call.
    pub fn applies(&self, call: &Facts) -> bool {
        self.of.contains(&call.function) && (self.when)(call)
    }

    /// What it says about this call.
    pub fn sentence(&self, call: &Facts) -> String {
        (self.says)(call)
    }
}

/// Every lesson, in the order of the chapters.
pub fn all() -> impl Iterator<Item = &'static Lesson> {
    [making::LESSONS, waiting::LESSONS, moving::LESSONS, ending::LESSONS].into_iter().flatten()
}
