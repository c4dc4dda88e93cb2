//! The details of a call: its full line, what it means, and a drawing of its sets or rows.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::LadderStep;
use crate::explain::Explainer;
use crate::explain::words::{Entry, find};
use crate::trace::arg::ValueLimits;
use crate::trace::bits::BitsSink;
use crate::trace::event::Mark;
use crate::trace::text::{TextLine, TextOptions};
use crate::trace::{Event, Outcome, Sink};

/// The details of a call.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// The call in strace's notation.
    pub(super) in_full: String,
    /// What it means.
    pub(super) about: Vec<String>,
    /// The sets of `select` or the rows of `poll`.
    pub(super) drawing: Vec<String>,
}

/// Passes calls to an explainer again, and keeps its remarks. The meaning of a call depends on those before it, so each
/// source has an explainer of its own.
#[derive(Debug, Default)]
pub(super) struct DetailsTeller {
    of_sources: HashMap<usize, SourceExplainer>,
}

#[derive(Debug)]
struct SourceExplainer {
    explainer: Explainer<BitsSink<Notes>>,
    notes: Notes,
    text: TextLine,
}

impl DetailsTeller {
    pub(super) fn details(&mut self, step: &LadderStep) -> Details {
        let told = self.of_sources.entry(step.source).or_insert_with(SourceExplainer::new);
        told.explainer.end(&step.call);
        let mut details = told.notes.0.take();
        told.text.begin(&step.call);
        details.in_full = told.text.whole(&step.call).to_string();
        if details.about.is_empty() {
            details.about = gist(step);
        }
        details
    }
}

impl SourceExplainer {
    fn new() -> Self {
        let notes = Notes::default();
        let limits = ValueLimits::NONE;
        let options = TextOptions { limits, duration: true, ..TextOptions::default() };
        let explainer = Explainer::new(BitsSink::new(notes.clone())).every_time();
        Self { explainer, notes, text: TextLine::new(options) }
    }
}

/// For a call without a lesson: the meaning of its error, or the purpose of the call.
fn gist(step: &LadderStep) -> Vec<String> {
    let call = &step.call;
    if call.mark == Mark::Refused {
        return vec!["not made: it would have done harm".into()];
    }
    let name = match call.outcome {
        Outcome::Error(errno) => errno.name().unwrap_or_default(),
        _ => call.callee.name(),
    };
    let entries = find(name);
    let entry = entries.iter().find(|entry| entry.name == name);
    let said = |entry: &Entry| if entry.is_call() { entry.gist } else { entry.means };
    entry.map(|entry| vec![format!("{name}: {}", said(entry))]).unwrap_or_default()
}

/// Keeps remarks and drawings.
#[derive(Clone, Debug, Default)]
struct Notes(Rc<RefCell<Details>>);

impl Sink for Notes {
    fn end(&mut self, _: &Event<'_>) {}
    fn remark(&mut self, text: &str) {
        self.0.borrow_mut().about.push(text.to_string());
    }
    fn drawing(&mut self, line: &str) {
        self.0.borrow_mut().drawing.push(line.to_string());
    }
}
