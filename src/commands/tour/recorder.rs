//! Records the calls of each side, for a page that shows them side by side.

use std::cell::RefCell;
use std::rc::Rc;

use baresock::cli::Common;
use baresock::os::identity;
use baresock::sys::socket_state;
use baresock::trace::{Recording, Sink, Tracer};

use crate::commands::tracing::limits;

/// A recording for the server and one for each client. All clones share them.
#[derive(Clone, Debug)]
pub(super) struct TourRecordings {
    common: Common,
    recordings: Rc<RefCell<Vec<Recording>>>,
}

impl TourRecordings {
    pub(super) fn new(common: &Common) -> Self {
        Self { common: common.clone(), recordings: Rc::default() }
    }

    /// Records the server, in addition to its trace.
    pub(super) fn server(&self) -> impl Sink + use<> {
        self.sink()
    }

    /// Records one client.
    pub(super) fn client(&self) -> Tracer {
        let tracer = Tracer::new(self.sink()).with_caller(identity::caller());
        if self.common.state { tracer.with_probe(socket_state) } else { tracer }
    }

    fn sink(&self) -> impl Sink + use<> {
        let recording = Recording::default();
        let sink = recording.sink(limits(&self.common));
        self.recordings.borrow_mut().push(recording);
        sink
    }

    /// The recordings.
    pub(super) fn recordings(&self) -> Vec<Recording> {
        self.recordings.borrow().clone()
    }
}
