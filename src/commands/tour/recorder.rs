//! Records the calls of each side, and what the tour says between them, for a page that shows them side by side.

use std::cell::RefCell;
use std::rc::Rc;

use baresock::cli::Common;
use baresock::ladder::LadderTrace;
use baresock::ladder::html::{LadderNote, LadderNoteKind};
use baresock::os::identity;
use baresock::sys::socket_state;
use baresock::trace::tracer::NoSink;
use baresock::trace::{Both, Recording, Sink, Tracer};
use baresock::view::{RunSink, RunTeller, SaidKind};

use super::packets::TourWire;
use crate::commands::tracing::limits;

/// A recording for the server and one for each client. All clones share them.
#[derive(Clone, Debug)]
pub(super) struct TourRecordings {
    common: Common,
    /// Each with its name in the tour.
    recordings: Rc<RefCell<Vec<(&'static str, Recording)>>>,
    notes: Rc<RefCell<Vec<LadderNote>>>,
}

impl TourRecordings {
    pub(super) fn new(common: &Common) -> Self {
        Self { common: common.clone(), recordings: Rc::default(), notes: Rc::default() }
    }

    /// Records the server, in addition to its trace.
    pub(super) fn server(&self) -> impl Sink + use<> {
        self.sink("server")
    }

    /// Records the side of this name.
    fn sink(&self, name: &'static str) -> impl Sink + use<> {
        let recording = Recording::default();
        let sink = recording.sink(limits(&self.common));
        self.recordings.borrow_mut().push((name, recording));
        sink
    }

    /// The tour says this between the calls so far and the next one.
    pub(super) fn note(&self, kind: LadderNoteKind, text: impl Into<String>) {
        let last = |(_, recording): &(_, Recording)| recording.last_ns();
        let after_ns = self.recordings.borrow().iter().map(last).max().unwrap_or(0);
        self.notes.borrow_mut().push(LadderNote { after_ns, kind, text: text.into() });
    }

    /// The recordings with their names, and what was said between their calls.
    pub(super) fn taken(&self) -> (Vec<LadderTrace>, Vec<LadderNote>) {
        let recordings = self.recordings.borrow();
        let named = recordings
            .iter()
            .map(|(name, recording)| LadderTrace { name: Some(name), calls: recording.events() });
        (named.collect(), self.notes.borrow().clone())
    }
}

/// What wants to know the calls of the clients, too: the recordings for a page, and the capture.
#[derive(Clone, Debug)]
pub(super) struct BothSides {
    pub(super) recorder: Option<TourRecordings>,
    pub(super) wire: Option<TourWire>,
    /// Tells the view.
    pub(super) teller: Option<RunTeller>,
}

impl BothSides {
    /// The tour says this between the calls so far and the next one.
    pub(super) fn note(&self, kind: LadderNoteKind, text: &str) {
        if let Some(recorder) = &self.recorder {
            recorder.note(kind, text);
        }
        if let Some(teller) = &self.teller {
            let kind = match kind {
                LadderNoteKind::Chapter => SaidKind::Chapter,
                _ => SaidKind::Said,
            };
            teller.say(kind, text);
        }
    }

    /// The tracer of the client of this name, if its calls are of interest.
    pub(super) fn client(&self, name: &'static str) -> Option<Tracer> {
        if self.recorder.is_none() && self.wire.is_none() && self.teller.is_none() {
            return None;
        }
        let mut sink: Box<dyn Sink> = match &self.recorder {
            Some(recorder) => Box::new(recorder.sink(name)),
            None => Box::new(NoSink),
        };
        if let Some(teller) = &self.teller {
            sink = Box::new(Both::new(sink, RunSink::new(teller.clone(), name)));
        }
        if let Some(wire) = &self.wire {
            sink = Box::new(wire.around(sink));
        }
        let tracer = Tracer::boxed(sink).with_caller(identity::caller());
        let wants_states = self.recorder.as_ref().is_some_and(|recorder| recorder.common.state);
        Some(if wants_states { tracer.with_probe(socket_state) } else { tracer })
    }
}
