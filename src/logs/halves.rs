//! Puts together calls that are in pieces: halves with lines of other processes in between, and wrapped lines.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::answer::{RawCall, split_answer, split_beginning};
use super::arguments::is_from_its_beginning;
use super::body::{INSIDE_ARGUMENTS, LineBody};
use super::processes::{is_thread, makes};

/// How many processes may be in the middle of a call at a time. A further call is reported as one that never returned.
const MOST_BEGUN: usize = 10_000;

/// How many bytes all first halves together may have.
const MOST_BYTES: usize = 8 << 20;

/// How many processes that are in the middle of a call may be creating a thread or a process.
const MOST_MAKERS: usize = 64;

/// How many lines a call may be wrapped into, and how many bytes they may have.
const MOST_WRAPPED: (u32, usize) = (40, 256 << 10);

/// Where a call began: line, time and caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The process or thread, if the line names it.
    pub pid: Option<u32>,
    /// The line, from 1.
    pub line: u64,
    /// The time in nanoseconds; 0 if unknown.
    pub time: u64,
}

/// A part of a call that waits for the rest.
#[derive(Debug, Default)]
pub struct HalfCall {
    /// The text from the beginning of the call.
    pub text: String,
    /// Where the call began.
    pub origin: Origin,
    /// How many lines it has so far.
    wrapped: u32,
}

/// The pieces that wait.
#[derive(Debug, Default)]
pub struct Halves {
    /// By process; 0 if the log does not name it.
    begun: HashMap<u32, HalfCall>,
    bytes: usize,
    /// The callers that are creating a thread or a process, and whether they create a thread.
    makers: Vec<(u32, bool)>,
    /// The call that was wrapped at the end of the previous line.
    pub open: Option<HalfCall>,
    /// Halves to be reused, so that not every text is allocated.
    spare: Vec<HalfCall>,
}

impl Halves {
    /// Keeps the first half of a call. Returns a half to give up: an earlier one of the same process, whose call never
    /// returned, or this one, if there is no room for it.
    pub fn begin(&mut self, origin: Origin, text: &str) -> Option<HalfCall> {
        let key = origin.pid.unwrap_or(0);
        let half = self.fresh(text, origin);
        let is_full = self.begun.len() >= MOST_BEGUN;
        let len = half.text.len();
        if self.bytes + len > MOST_BYTES {
            return Some(half);
        }
        self.bytes += len;
        self.forget_maker(key);
        if text.split('(').next().is_some_and(makes) && self.makers.len() < MOST_MAKERS {
            self.makers.push((key, is_thread(text)));
        }
        match self.begun.entry(key) {
            Entry::Occupied(mut old) => {
                let old = old.insert(half);
                self.bytes -= old.text.len();
                Some(old)
            }
            Entry::Vacant(_) if is_full => {
                self.bytes -= len;
                Some(half)
            }
            Entry::Vacant(place) => {
                place.insert(half);
                None
            }
        }
    }

    /// Takes the first half of a process's call.
    pub fn take(&mut self, pid: Option<u32>) -> Option<HalfCall> {
        if self.begun.is_empty() {
            return None;
        }
        let mut key = pid.unwrap_or(0);
        // On a terminal, strace names the process only while there are several.
        if pid.is_none() && !self.begun.contains_key(&0) && self.begun.len() == 1 {
            key = *self.begun.keys().next()?;
        }
        let half = self.begun.remove(&key)?;
        self.forget_maker(key);
        self.bytes -= half.text.len();
        Some(half)
    }

    /// Takes every first half, in the order of lines, at the end of the log.
    pub fn take_all(&mut self) -> Vec<HalfCall> {
        self.bytes = 0;
        self.makers.clear();
        let mut all: Vec<_> = self.begun.drain().map(|(_, half)| half).collect();
        all.sort_by_key(|half| half.origin.line);
        all
    }

    /// Keeps the beginning of a call that does not end on its line.
    pub fn open(&mut self, origin: Origin, text: &str) {
        self.open = Some(self.fresh(text, origin));
    }

    /// Appends a line to the open call; false if the line is not part of it.
    pub fn go_on(&mut self, text: &str) -> bool {
        let Some(open) = &mut self.open else { return false };
        let (most_lines, most_bytes) = MOST_WRAPPED;
        if open.wrapped >= most_lines || open.text.len() + text.len() > most_bytes {
            return false;
        }
        open.wrapped += 1;
        // If a line was broken between words, the space there is lost.
        let is_between = open.text.ends_with([',', '=']) || text.starts_with(['=', '(']);
        if is_between {
            open.text.push(' ');
        }
        open.text.push_str(text);
        true
    }

    /// Takes the open call if it is complete, or if its text ends with `<unfinished ...>`, so that strace resumes it later.
    pub fn take_whole(&mut self) -> Option<HalfCall> {
        let text = &self.open.as_ref()?.text;
        let is_whole = text.ends_with("<unfinished ...>") || whole(text).is_some();
        if is_whole { self.open.take() } else { None }
    }

    /// Returns a used half for reuse.
    pub fn recycle(&mut self, mut half: HalfCall) {
        if self.spare.len() < 16 && half.text.capacity() < 64 << 10 {
            half.text.clear();
            self.spare.push(half);
        }
    }

    fn fresh(&mut self, text: &str, origin: Origin) -> HalfCall {
        let mut half = self.spare.pop().unwrap_or_default();
        half.text.push_str(text);
        (half.origin, half.wrapped) = (origin, 0);
        half
    }

    /// The one thread that is creating another thread or process, if there is only one: its id, and whether it creates
    /// a thread.
    pub fn making(&self) -> Option<(u32, bool)> {
        match self.makers[..] {
            [maker] => Some(maker),
            _ => None,
        }
    }

    fn forget_maker(&mut self, pid: u32) {
        if !self.makers.is_empty() {
            self.makers.retain(|(maker, _)| *maker != pid);
        }
    }
}

impl HalfCall {
    /// Appends the second half, if it belongs to the same call.
    pub fn join(&mut self, name: &str, rest: &str) -> bool {
        // An older strace writes `<... resumed>` if it no longer knows the name.
        let own = self.text.split('(').next().unwrap_or_default();
        if own != name && name != "???" && own != "???" {
            return false;
        }
        let len = self.text.trim_ascii_end().len();
        self.text.truncate(len);
        self.text.push_str(rest);
        true
    }
}

/// The complete call in a text.
pub fn whole(text: &str) -> Option<RawCall<'_>> {
    let (name, inside) = text.split_once('(')?;
    let (arguments, answer, took_ns) = split_answer(inside)?;
    Some(RawCall { name, arguments, answer, took_ns })
}

/// The call of a second half whose first half was not seen.
pub fn headless<'a>(name: &'a str, rest: &'a str) -> Option<RawCall<'a>> {
    let (_, answer, took_ns) = split_answer(rest)?;
    Some(RawCall { name, arguments: "", answer, took_ns })
}

/// The call in a text, even if its result is cut.
pub fn cut(text: &str) -> Option<RawCall<'_>> {
    let (name, inside) = text.split_once('(')?;
    let (arguments, answer, took_ns) = split_beginning(inside)?;
    Some(RawCall { name, arguments, answer, took_ns })
}

/// Whether a line begins something new instead of continuing a wrapped call.
pub fn is_new(body: &LineBody<'_>) -> bool {
    match body {
        LineBody::Text => false,
        // Within its arguments, a call may be broken in a place that looks like another call.
        LineBody::Call(call) => is_name(call.name) && is_from_its_beginning(call.arguments),
        LineBody::Open { text, .. } | LineBody::Begun(text) => {
            text.split('(').next().is_some_and(is_name) && is_from_its_beginning(text)
        }
        _ => true,
    }
}

/// Whether this is the name of a call, and not the end of a word within arguments: `ons(80), …`.
fn is_name(name: &str) -> bool {
    !INSIDE_ARGUMENTS.iter().any(|word| word.ends_with(name))
}
