//! How a lab ended: which observations agreed with their predictions, and which differed.

use super::run::{LabEvent, Stop};
use crate::os::system::this_system;

/// How a lab ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabVerdict {
    /// How many observations agreed with their prediction.
    pub agreed: usize,
    /// The differences, in words.
    pub differed: Vec<String>,
    /// How many could not be compared, because they were never checked on this system.
    pub not_checked: usize,
    /// Why it cannot run here.
    pub skipped: Option<String>,
    /// The last prediction.
    expected: String,
}

impl LabVerdict {
    /// Takes note of an event.
    pub fn hear(&mut self, event: &LabEvent) {
        match event {
            LabEvent::Predicted { expected, .. } => self.expected.clone_from(expected),
            LabEvent::Observed { agrees: Some(true), .. } => self.agreed += 1,
            LabEvent::Observed { agrees: Some(false), observed } => {
                self.differed.push(format!("{observed}, not {}", self.expected));
            }
            LabEvent::Observed { agrees: None, .. } => self.not_checked += 1,
            LabEvent::Overdue { call, seconds } => {
                self.differed.push(format!("{call} had not returned after {seconds} s"));
            }
            LabEvent::Stopped(Stop::Skipped(why)) => self.skipped = Some(why.clone()),
            LabEvent::Stopped(Stop::Failed(why)) => self.differed.push(why.clone()),
            LabEvent::Left { what } => self.differed.push(format!("left behind: {what}")),
            _ => {}
        }
    }

    /// Whether all observations agreed.
    pub fn holds(&self) -> bool {
        self.differed.is_empty()
    }

    /// As a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self { differed, .. } if !differed.is_empty() => "differs",
            Self { skipped: Some(_), .. } => "skipped",
            Self { agreed: 0, .. } => "not checked",
            _ => "as predicted",
        }
    }

    /// As a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self { differed, .. } if !differed.is_empty() => {
                format!("DIFFERS: {}", differed.join("; "))
            }
            Self { skipped: Some(why), .. } => format!("skipped: {why}"),
            Self { agreed: 0, not_checked, .. } => {
                format!("not checked on {}: {not_checked} observations", this_system().name())
            }
            Self { agreed, not_checked: 0, .. } => format!("as predicted, {agreed} of {agreed}"),
            Self { agreed, not_checked, .. } => {
                format!("as predicted, {agreed} of {agreed}; not checked here: {not_checked}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_differed_is_told_with_what_was_predicted() {
        let mut verdict = LabVerdict::default();
        let predicted = |expected: &str| LabEvent::Predicted {
            asks: String::new(),
            choices: Vec::new(),
            expected: expected.to_string(),
            on: BTreeMap::new(),
        };
        let observed = |observed: &str, agrees| LabEvent::Observed {
            observed: observed.to_string(),
            agrees: Some(agrees),
        };
        verdict.hear(&predicted("0"));
        verdict.hear(&observed("0", true));
        verdict.hear(&predicted("30 to 179 ms"));
        verdict.hear(&observed("EAGAIN", false));
        assert_eq!(verdict.agreed, 1);
        assert_eq!(verdict.sentence(), "DIFFERS: EAGAIN, not 30 to 179 ms");
    }
}
