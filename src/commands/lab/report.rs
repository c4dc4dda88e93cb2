//! `lab --report`: what a person with another system can send, so that its answers come into the tables.
//!
//! It has the form of those tables, `src/labs/systems/*.txt`: the question and what was observed, for each prediction
//! that differs here or that was never checked here.

use std::fmt::Write;

use baresock::labs::Lab;
use baresock::labs::run::{LabEvent, Stop};
use baresock::os::machine::system;
use baresock::os::system::this_system;

/// What one lab has to report, a line each.
#[derive(Debug, Default)]
pub(super) struct LabReport {
    /// The question that is open, and what is expected.
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

/// The text: which system and which program, how many labs came to what, and the findings of each lab that has some.
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
