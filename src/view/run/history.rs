//! What is shown of a run: every line so far, or the last ones, with the call that is being made.

use std::collections::VecDeque;

use serde::Serialize;

use super::super::frame::{FrameCall, NextCall, Remarks, kind, line_writer};
use super::{RunKind, SaidKind, SocketStates};
use crate::explain::Explainer;
use crate::trace::descriptors::DescriptorTable;
use crate::trace::descriptors::change::FileChange;
use crate::trace::ends::EndNotation;
use crate::trace::text::TextLine;
use crate::trace::tracer::now_ns;
use crate::trace::{Event, Sink};

/// The most lines of a script: the longest lab has a tenth of them.
const LINES_OF_A_SCRIPT: usize = 20_000;
/// The lines of a server that are kept.
const LINES_OF_A_SERVER: usize = 300;

/// What has happened so far.
#[derive(Debug)]
pub(super) struct RunHistory {
    explainer: Explainer<Remarks>,
    remarks: Remarks,
    text: TextLine,
    lines: VecDeque<RunLine>,
    most: usize,
    /// The number of the first line that is kept.
    first: u64,
    /// The call that is about to be made, or has not returned.
    pub(super) next: Option<NextCall>,
    pub(super) files: DescriptorTable,
    /// The process that makes the calls; 0 before the first.
    pub(super) process: u32,
    /// What that process has told of its sockets.
    pub(super) states: SocketStates,
    /// How many calls have returned, and how many bytes they have moved.
    pub(super) made: u64,
    pub(super) received: u64,
    pub(super) sent: u64,
    began_ns: u64,
}

/// A call, or what is said between calls.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum RunLine {
    Call {
        #[serde(flatten)]
        call: FrameCall,
        /// Who made it, if there are several.
        #[serde(skip_serializing_if = "str::is_empty")]
        who: &'static str,
    },
    Said {
        said: SaidKind,
        line: String,
    },
}

impl RunHistory {
    pub(super) fn new(kind: RunKind) -> Self {
        let remarks = Remarks::default();
        Self {
            explainer: Explainer::new(remarks.clone()).every_time(),
            remarks,
            text: line_writer(EndNotation::WhereBothPlay),
            lines: VecDeque::new(),
            most: match kind {
                RunKind::Script => LINES_OF_A_SCRIPT,
                RunKind::Server => LINES_OF_A_SERVER,
            },
            first: 0,
            next: None,
            files: DescriptorTable::default(),
            process: 0,
            states: SocketStates::new(),
            made: 0,
            received: 0,
            sent: 0,
            began_ns: now_ns(),
        }
    }

    /// A call is about to be made.
    pub(super) fn calling(&mut self, event: &Event<'_>, who: &'static str, states: SocketStates) {
        self.states = states;
        self.text.begin(event);
        let line = self.text.first_half(event).to_string();
        self.next = Some(NextCall { line, kind: kind(event.callee.effect()), who, held: false });
    }

    /// A call has returned.
    pub(super) fn called(&mut self, event: &Event<'_>, who: &'static str) {
        self.next = None;
        self.made += 1;
        self.process = event.pid;
        match FileChange::of(event) {
            Some(FileChange::Received { bytes, .. }) => self.received += bytes,
            Some(FileChange::Sent(bytes)) => self.sent += bytes,
            _ => {}
        }
        self.explainer.end(event);
        self.files.learn(event);
        self.text.begin(event);
        let line = self.text.whole(event).to_string();
        let call = FrameCall::of(event, self.began_ns, line, self.remarks.take());
        self.push(RunLine::Call { call, who });
    }

    pub(super) fn say(&mut self, said: SaidKind, line: String) {
        self.push(RunLine::Said { said, line });
    }

    fn push(&mut self, line: RunLine) {
        if self.lines.len() == self.most {
            self.lines.pop_front();
            self.first += 1;
        }
        self.lines.push_back(line);
    }

    /// How many lines there have been.
    pub(super) fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// How many lines are kept.
    pub(super) const fn most(&self) -> usize {
        self.most
    }

    /// At most `most` lines that follow the first `seen`, and the number of the first of them.
    pub(super) fn lines_after(&mut self, seen: u64, most: usize) -> (u64, &[RunLine]) {
        let first = seen.max(self.first);
        let lines = &self.lines.make_contiguous()[(first - self.first) as usize..];
        (first, &lines[..lines.len().min(most)])
    }

    /// Microseconds since the view began.
    pub(super) fn now_us(&self) -> u64 {
        now_ns().saturating_sub(self.began_ns) / 1_000
    }
}
