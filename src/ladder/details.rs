//! Everything that is to be said of one call: in full, what it means, and its sets or rows drawn.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use super::Step;
use crate::explain::Explainer;
use crate::explain::words::{Entry, find};
use crate::trace::arg::{Arg, Limits};
use crate::trace::bits::BitsSink;
use crate::trace::output::{Output, Pace};
use crate::trace::text::{TextOptions, TextSink};
use crate::trace::tracer::Ended;
use crate::trace::{Both, Call, Outcome, Sink};

/// What is to be said of one call.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// The call in strace's notation.
    pub(super) in_full: String,
    /// What it means.
    pub(super) about: Vec<String>,
    /// The sets of `select` or the rows of `poll`.
    pub(super) drawing: Vec<String>,
}

/// Tells calls again to the sinks that the trace has, and keeps what they say. What a call means depends on those before
/// it, so each source has its own.
#[derive(Debug, Default)]
pub(super) struct Teller {
    of_sources: HashMap<usize, Told>,
}

#[derive(Debug)]
struct Told {
    sink: Both<Explainer<BitsSink<Notes>>, TextSink>,
    notes: Notes,
    text: Memory,
}

impl Teller {
    pub(super) fn details(&mut self, step: &Step) -> Details {
        let told = self.of_sources.entry(step.source).or_insert_with(Told::new);
        step.call.tell(&mut told.sink);
        told.sink.flush();
        let mut details = told.notes.0.take();
        details.in_full = told.text.take();
        if details.about.is_empty() {
            details.about = gist(step);
        }
        details
    }
}

impl Told {
    fn new() -> Self {
        let (notes, text) = (Notes::default(), Memory::default());
        let output = Output::new(text.clone(), "memory", Pace::Collected);
        let limits = Limits { bytes: usize::MAX, items: usize::MAX };
        let options = TextOptions { limits, duration: true, ..TextOptions::default() };
        let explainer = Explainer::new(BitsSink::new(notes.clone())).every_time();
        Self { sink: Both::new(explainer, TextSink::new(output, options)), notes, text }
    }
}

/// For a call without a lesson: what its error means, or what the call is for.
fn gist(step: &Step) -> Vec<String> {
    let call = &step.call;
    if call.refused {
        return vec!["not made: it would have done harm".into()];
    }
    let name = match call.outcome() {
        Outcome::Error(errno) => errno.name().unwrap_or_default(),
        _ => call.function.name(),
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
    fn begin(&mut self, _: &Call, _: &[Arg<'_>]) {}
    fn rest(&mut self, _: &[Arg<'_>]) {}
    fn end(&mut self, _: &Ended<'_>) {}
    fn remark(&mut self, text: &str) {
        self.0.borrow_mut().about.push(text.to_string());
    }
    fn drawing(&mut self, line: &str) {
        self.0.borrow_mut().drawing.push(line.to_string());
    }
    fn flush(&mut self) {}
}

/// Keeps the text.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    /// What was written since the last time.
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&bytes).trim_end().to_string()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
