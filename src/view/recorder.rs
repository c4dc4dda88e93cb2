//! Records the calls of turns, for one frame.

use std::cell::RefCell;
use std::rc::Rc;

use super::frame::{FrameCall, Remarks, line_writer};
use crate::explain::Explainer;
use crate::trace::descriptors::OpenFile;
use crate::trace::ends::EndNotation;
use crate::trace::text::TextLine;
use crate::trace::tracer::now_ns;
use crate::trace::{Event, Sink};
use crate::values::FdNumber;

/// When a frame has this many calls, it is full: no further turn is recorded.
const ENOUGH_CALLS: usize = 60;
/// The most calls of a frame. A single turn may have more.
const MOST_CALLS: usize = 400;

/// Keeps the calls of a frame.
#[derive(Debug)]
pub(super) struct Recorder {
    explainer: Explainer<Remarks>,
    remarks: Remarks,
    text: TextLine,
    calls: Vec<FrameCall>,
    left_out: u64,
    state: RecorderState,
    /// What was open when the recording began, until the first call is recorded.
    known: Vec<(FdNumber, OpenFile)>,
    /// How many calls were kept and left out before this turn.
    before_turn: (usize, u64),
    /// When the view began, by the clock of the trace.
    began_ns: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecorderState {
    /// No call is recorded, and those that are made are not known.
    Off,
    /// The last turn was recorded, and the next may be.
    Between,
    /// The calls of this turn are recorded.
    InTurn,
}

impl Recorder {
    pub(super) fn new() -> Self {
        let remarks = Remarks::default();
        Self {
            explainer: Explainer::new(remarks.clone()).every_time(),
            remarks,
            text: line_writer(EndNotation::Bare),
            calls: Vec::new(),
            left_out: 0,
            state: RecorderState::Off,
            known: Vec::new(),
            before_turn: (0, 0),
            began_ns: now_ns(),
        }
    }

    /// Whether the frame has room for another turn.
    pub(super) fn has_room(&self) -> bool {
        self.calls.len() < ENOUGH_CALLS
    }

    /// Whether all calls since the beginning were recorded.
    pub(super) fn has_begun(&self) -> bool {
        self.state != RecorderState::Off
    }

    /// Begins, or begins again after calls that were not recorded; `known` is what is open now.
    pub(super) fn begin(&mut self, known: Vec<(FdNumber, OpenFile)>) {
        self.explainer = Explainer::new(self.remarks.clone()).every_time();
        self.known = known;
        self.state = RecorderState::Between;
    }

    /// The calls of a turn were not recorded.
    pub(super) fn interrupt(&mut self) {
        self.state = RecorderState::Off;
    }

    /// The last browser is gone.
    pub(super) fn end(&mut self) {
        self.interrupt();
        self.clear();
    }

    pub(super) fn begin_turn(&mut self) {
        self.state = RecorderState::InTurn;
        self.before_turn = (self.calls.len(), self.left_out);
    }

    pub(super) fn end_turn(&mut self) {
        self.state = RecorderState::Between;
    }

    /// Forgets a turn that served only the view: its calls are waits that ended for the view.
    pub(super) fn forget_turn(&mut self) {
        let (calls, left_out) = self.before_turn;
        self.calls.truncate(calls);
        self.left_out = left_out;
    }

    pub(super) fn calls(&self) -> &[FrameCall] {
        &self.calls
    }

    pub(super) const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Microseconds since the view began.
    pub(super) fn now_us(&self) -> u64 {
        now_ns().saturating_sub(self.began_ns) / 1_000
    }

    /// The frame is sent.
    pub(super) fn clear(&mut self) {
        self.calls.clear();
        self.left_out = 0;
    }

    fn record(&mut self, event: &Event<'_>) {
        for (fd, file) in self.known.drain(..) {
            self.explainer.enter(event, fd, file);
        }
        // Also a call that is left out says what a descriptor is.
        self.explainer.end(event);
        let about = self.remarks.take();
        if self.calls.len() >= MOST_CALLS {
            self.left_out += 1;
            return;
        }
        self.text.begin(event);
        let line = self.text.whole(event).to_string();
        self.calls.push(FrameCall::of(event, self.began_ns, line, about));
    }
}

/// Passes calls to the recorder.
#[derive(Debug)]
pub(super) struct RecorderSink(Rc<RefCell<Recorder>>);

impl RecorderSink {
    pub(super) fn new(recorder: &Rc<RefCell<Recorder>>) -> Self {
        Self(recorder.clone())
    }
}

impl Sink for RecorderSink {
    fn end(&mut self, event: &Event<'_>) {
        let mut recorder = self.0.borrow_mut();
        if recorder.state == RecorderState::InTurn {
            recorder.record(event);
        }
    }

    fn intent(&mut self, words: &'static str) {
        let mut recorder = self.0.borrow_mut();
        // After a call that was left out, the last one of the frame is another.
        if recorder.state == RecorderState::InTurn
            && recorder.left_out == 0
            && let Some(call) = recorder.calls.last_mut()
        {
            call.about.push(words.to_string());
        }
    }

    fn wants_times(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Function;

    #[test]
    fn what_is_said_of_a_call_that_is_left_out_is_left_out_too() {
        let recorder = Rc::new(RefCell::new(Recorder::new()));
        let mut sink = RecorderSink::new(&recorder);
        recorder.borrow_mut().begin(Vec::new());
        recorder.borrow_mut().begin_turn();
        let event = Event::new(Function::CLOSE.into());
        (0..MOST_CALLS).for_each(|_| sink.end(&event));
        sink.intent("of the last call");
        sink.end(&event);
        sink.intent("of a call that is left out");
        let recorder = recorder.borrow();
        assert_eq!((recorder.calls().len(), recorder.left_out()), (MOST_CALLS, 1));
        let about = &recorder.calls().last().unwrap().about;
        assert_eq!(about.last().map(String::as_str), Some("of the last call"));
    }
}
