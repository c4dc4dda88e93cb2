//! Records the calls of turns, for one frame.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;

use crate::explain::Explainer;
use crate::trace::arg::{Arg, Note};
use crate::trace::descriptors::OpenFile;
use crate::trace::page::Effect;
use crate::trace::text::{TextLine, TextOptions};
use crate::trace::tracer::now_ns;
use crate::trace::{Event, Sink};
use crate::values::FdNumber;

/// When a frame has this many calls, it is full: no further turn is recorded.
const ENOUGH_CALLS: usize = 60;
/// The most calls of a frame. A single turn may have more.
const MOST_CALLS: usize = 400;
/// The most descriptors of a set, and the most rows of poll.
const MOST_MEMBERS: usize = 256;

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

/// A call as the page shows it.
#[derive(Debug, Serialize)]
pub(super) struct FrameCall {
    /// Microseconds since the view began.
    at_us: u64,
    took_us: u64,
    name: String,
    kind: &'static str,
    fd: Option<i32>,
    failed: bool,
    line: String,
    about: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<FrameWait>,
}

/// The question and the answer of a wait.
#[derive(Debug, Serialize)]
struct FrameWait {
    nfds: i64,
    /// The sets of select, each before and after the call; null if a set was NULL.
    sets: Vec<Option<[Vec<i32>; 2]>>,
    /// The rows of poll: descriptor, events, revents.
    rows: Vec<(i32, String, String)>,
    /// How many members or rows are left out.
    left_out: usize,
}

impl Recorder {
    pub(super) fn new() -> Self {
        let remarks = Remarks::default();
        Self {
            explainer: Explainer::new(remarks.clone()).every_time(),
            remarks,
            text: TextLine::new(TextOptions { duration: true, ..TextOptions::default() }),
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
        let about = self.remarks.0.take();
        if self.calls.len() >= MOST_CALLS {
            self.left_out += 1;
            return;
        }
        self.text.begin(event);
        let line = self.text.whole(event).to_string();
        self.calls.push(FrameCall {
            at_us: event.begin_ns.saturating_sub(self.began_ns) / 1_000,
            took_us: event.end_ns.saturating_sub(event.begin_ns) / 1_000,
            name: event.callee.name().to_string(),
            kind: kind(event.callee.effect()),
            fd: event.fd().map(FdNumber::get),
            failed: event.errno().is_some(),
            line,
            about,
            wait: wait(event),
        });
    }
}

const fn kind(effect: Effect) -> &'static str {
    match effect {
        Effect::Selects | Effect::Polls => "wait",
        Effect::Receives => "receive",
        Effect::Sends | Effect::Splices => "send",
        Effect::Accepts => "accept",
        Effect::Closes => "close",
        _ => "other",
    }
}

/// The sets or rows of a waiting call.
fn wait(event: &Event<'_>) -> Option<FrameWait> {
    let mut seen = FrameWait { nfds: 0, sets: Vec::new(), rows: Vec::new(), left_out: 0 };
    match event.callee.effect() {
        Effect::Selects => {
            let after = match &event.note {
                Note::Select { sets, .. } => sets.each_ref().map(Option::as_deref),
                _ => [None; 3],
            };
            if let Some(Arg::Int(nfds)) = event.args.first() {
                seen.nfds = *nfds;
            }
            let before = event.args.iter().filter_map(|arg| match arg {
                Arg::Set(members) => Some(members.as_deref()),
                _ => None,
            });
            for (before, after) in before.zip(after) {
                let set = before.map(|before| [before, after.unwrap_or_default()].map(numbers));
                let members = before.map_or(0, <[FdNumber]>::len);
                seen.left_out += members.saturating_sub(MOST_MEMBERS);
                seen.sets.push(set);
            }
            Some(seen)
        }
        Effect::Polls => {
            let Some(Arg::Rows(rows)) = event.args.first() else { return Some(seen) };
            let answered = match &event.note {
                Note::Poll(rows) => &rows[..],
                _ => &[],
            };
            // The answers are in the order of the rows; rows without an answer are missing in them.
            let mut answers = answered.iter().peekable();
            for row in rows.iter() {
                let answer = answers.next_if(|answer| answer.fd == row.fd);
                let revents = answer.map(|answer| answer.revents.to_string());
                if seen.rows.len() == MOST_MEMBERS {
                    seen.left_out += 1;
                } else {
                    let revents = revents.unwrap_or_default();
                    seen.rows.push((row.fd.get(), row.events.to_string(), revents));
                }
            }
            Some(seen)
        }
        _ => None,
    }
}

fn numbers(members: &[FdNumber]) -> Vec<i32> {
    members.iter().take(MOST_MEMBERS).map(|fd| fd.get()).collect()
}

/// Keeps the remarks about a call.
#[derive(Clone, Debug, Default)]
struct Remarks(Rc<RefCell<Vec<String>>>);

impl Sink for Remarks {
    fn end(&mut self, _: &Event<'_>) {}
    fn remark(&mut self, text: &str) {
        self.0.borrow_mut().push(text.to_string());
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
