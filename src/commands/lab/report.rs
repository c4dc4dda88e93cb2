//! `lab --report`: a text that users of other systems can send, so that their answers can be added to the tables.
//!
//! It has the form of those tables, `src/labs/systems/*.txt`: the question and the observation, for each prediction
//! that differs on this system or was never checked on it.

use std::fmt::Write;

use baresock::labs::Lab;
use baresock::labs::run::{LabEvent, Stop};
use baresock::os::machine::system;
use baresock::os::system::this_system;

/// The lines of one lab.
#[derive(Debug, Default)]
pub(super) struct LabReport {
    /// The open question, and the expected answer.
    asked: Option<(String, String)>,
    lines: Vec<String>,
}

impl LabReport {
    /// Takes note of an event.
    pub(super) fn hear(&mut self, event: &LabEvent) {
        match event {
            LabEvent::Predicted { asks, expected, .. } => {
                self.asked = Some((asks.clone(), expected.clone()));
            }
            LabEvent::Observed { observed, agrees } => {
                let (asks, expected) = self.asked.take().unwrap_or_default();
                match agrees {
                    Some(true) => {}
                    Some(false) => {
                        self.lines.push(format!("{asks} | {observed} | differs, not {expected}"));
                    }
                    None => self.lines.push(format!("{asks} | {observed} | not checked so far")),
                }
            }
            LabEvent::Overdue { call, seconds } => {
                self.lines.push(format!("{call} had not returned after {seconds} s"));
            }
            LabEvent::Stopped(Stop::Skipped(why)) => self.lines.push(format!("skipped: {why}")),
            LabEvent::Stopped(Stop::Failed(why)) => self.lines.push(format!("ended early: {why}")),
            LabEvent::Left { what } => self.lines.push(format!("left behind: {what}")),
            _ => {}
        }
    }
}

/// The whole text: the system and the program, how many labs came to which verdict, and the findings of each lab that
/// has any.
pub(super) fn written<'a>(
    labs: impl IntoIterator<Item = (&'a Lab, &'a LabReport)>,
    summary: &str,
) -> String {
    let mut out = format!(
        "baresock {} lab --report\nsystem: {} ({})\nbuilt for: {}\n{summary}",
        env!("CARGO_PKG_VERSION"),
        system(),
        this_system().name(),
        env!("BARESOCK_TARGET"),
    );
    for (lab, findings) in labs.into_iter().filter(|(_, findings)| !findings.lines.is_empty()) {
        let _ = writeln!(out, "\n[{}]", lab.name);
        for line in &findings.lines {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}
