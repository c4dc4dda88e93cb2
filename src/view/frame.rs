//! What a frame says: the state of what is shown, and its calls.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;

use crate::trace::arg::{Arg, Note};
use crate::trace::ends::EndNotation;
use crate::trace::page::Effect;
use crate::trace::text::{TextLine, TextOptions};
use crate::trace::{Event, Sink};
use crate::values::FdNumber;

/// The most descriptors of a set, and the most rows of poll.
const MOST_MEMBERS: usize = 256;

/// Writes the line of a call, with its duration.
pub(super) fn line_writer(ends: EndNotation) -> TextLine {
    TextLine::new(TextOptions { duration: true, ends, ..TextOptions::default() })
}

/// All that a page shows, besides the descriptors.
#[derive(Debug, Serialize)]
pub(super) struct ViewFrame<'a, C> {
    /// What is shown.
    pub(super) title: &'a str,
    /// What a step makes: a `turn` or a `call`.
    pub(super) unit: &'static str,
    /// Microseconds since the view began.
    pub(super) at_us: u64,
    pub(super) via: String,
    pub(super) fd_setsize: usize,
    pub(super) pace: &'static str,
    pub(super) slow_ms: u64,
    pub(super) viewers: usize,
    pub(super) clients: usize,
    /// How many turns, or calls, there have been.
    pub(super) made: u64,
    /// Turns since the last frame of which no call was recorded.
    pub(super) unrecorded_turns: u64,
    /// Calls of recorded turns for which the frame had no room.
    pub(super) unrecorded_calls: u64,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// How many lines a page keeps.
    pub(super) keeps: usize,
    /// The number of the first line, if all lines are numbered.
    pub(super) first: Option<u64>,
    /// The call that has begun.
    pub(super) next: Option<&'a NextCall>,
    /// Why no more frames follow.
    pub(super) over: Option<&'a str>,
    pub(super) calls: &'a [C],
}

/// A call that is about to be made, or that has not returned yet.
#[derive(Debug, Serialize)]
pub(super) struct NextCall {
    pub(super) line: String,
    pub(super) kind: &'static str,
    /// Who makes it, if there are several.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) who: &'static str,
    /// Whether it stands, until a person lets it be made.
    pub(super) held: bool,
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
    pub(super) about: Vec<String>,
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

impl FrameCall {
    /// A call that has returned, with its line and what there is to say about it.
    pub(super) fn of(event: &Event<'_>, began_ns: u64, line: String, about: Vec<String>) -> Self {
        Self {
            at_us: event.begin_ns.saturating_sub(began_ns) / 1_000,
            took_us: event.end_ns.saturating_sub(event.begin_ns) / 1_000,
            name: event.callee.name().to_string(),
            kind: kind(event.callee.effect()),
            fd: event.fd().map(FdNumber::get),
            failed: event.errno().is_some(),
            line,
            about,
            wait: wait(event),
        }
    }
}

pub(super) const fn kind(effect: Effect) -> &'static str {
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
pub(super) struct Remarks(Rc<RefCell<Vec<String>>>);

impl Remarks {
    /// Those since the last time.
    pub(super) fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

impl Sink for Remarks {
    fn end(&mut self, _: &Event<'_>) {}
    fn remark(&mut self, text: &str) {
        self.0.borrow_mut().push(text.to_string());
    }
}
