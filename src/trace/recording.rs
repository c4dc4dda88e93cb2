//! A trace that is kept in memory, for a picture that is drawn afterwards.

use std::cell::RefCell;
use std::rc::Rc;

use super::arg::ValueLimits;
use super::event::Event;
use super::tracer::Sink;

/// The calls that its sinks have received so far.
#[derive(Clone, Debug, Default)]
pub struct Recording(Rc<RefCell<Vec<Event<'static>>>>);

impl Recording {
    /// A sink that records, with as many bytes of strings as the limits allow.
    pub fn sink(&self, limits: ValueLimits) -> impl Sink + use<> {
        RecordingSink { recording: self.clone(), limits }
    }

    /// The recorded calls, in order.
    pub fn events(&self) -> Vec<Event<'static>> {
        self.0.borrow().clone()
    }

    /// When the last call returned; 0 before the first.
    pub fn last_ns(&self) -> u64 {
        self.0.borrow().last().map_or(0, |event| event.end_ns)
    }
}

struct RecordingSink {
    recording: Recording,
    limits: ValueLimits,
}

impl Sink for RecordingSink {
    fn end(&mut self, event: &Event<'_>) {
        self.recording.0.borrow_mut().push(event.kept(self.limits));
    }

    fn wants_times(&self) -> bool {
        true
    }

    fn wants_connections(&self) -> bool {
        true
    }
}
