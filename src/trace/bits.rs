//! `--bits`: the sets of `select` as bitmaps before and after the call, and the rows of `poll` as a table.

use std::borrow::Cow;
use std::fmt::Write;

use super::arg::{Arg, Note};
use super::page::Effect;
use super::tracer::{Call, Ended, Sink};
use crate::values::{FdNumber, PollRow};

/// How many bits stand in a line.
const BITS_PER_LINE: i32 = 48;

/// Draws the sets and rows of calls that wait, below the lines of another sink.
#[derive(Debug)]
pub struct BitsSink<S> {
    below: S,
    nfds: i32,
    /// The sets before the call; none for NULL.
    sets: Vec<Option<Vec<FdNumber>>>,
    rows: Vec<PollRow>,
}

impl<S: Sink> BitsSink<S> {
    /// Draws below the lines of this sink.
    pub const fn new(below: S) -> Self {
        Self { below, nfds: 0, sets: Vec::new(), rows: Vec::new() }
    }

    fn draw_sets(&mut self, after: &[Option<Cow<'_, [FdNumber]>>; 3]) {
        for first in (0..self.nfds).step_by(BITS_PER_LINE as usize) {
            let end = self.nfds.min(first + BITS_PER_LINE);
            let in_line = |fd: &FdNumber| (first..end).contains(&fd.get());
            if first > 0 && !self.sets.iter().flatten().flatten().any(in_line) {
                continue;
            }
            let ruler: String =
                (first..end).map(|fd| if fd % 8 == 0 { '|' } else { ' ' }).collect();
            self.below.drawing(&format!("{:10} {ruler}  | every 8th", format!("from {first}")));
            for (name, (before, after)) in
                ["readfds", "writefds", "exceptfds"].iter().zip(self.sets.iter().zip(after))
            {
                if let (Some(before), Some(after)) = (before, after) {
                    let (before, after) = (bitmap(before, first, end), bitmap(after, first, end));
                    self.below.drawing(&format!("{name:10} {before}  asked"));
                    self.below.drawing(&format!("{:10} {after}  ready", ""));
                }
            }
        }
    }

    fn draw_rows(&mut self, answered: &[PollRow]) {
        self.below.drawing(&format!("{:>6}  {:20} revents", "fd", "events"));
        let mut answers = answered.iter().peekable();
        for row in &self.rows {
            let mut line = format!("{:>6}  {:20}", row.fd.get(), row.events.to_string());
            // The answers are in the order of the rows; a row without an answer is left out of them.
            if let Some(answer) =
                answers.next_if(|answer| (answer.fd, answer.events) == (row.fd, row.events))
            {
                let _ = write!(line, " {}", answer.revents);
            }
            self.below.drawing(line.trim_end());
        }
    }
}

fn bitmap(members: &[FdNumber], first: i32, end: i32) -> String {
    (first..end).map(|fd| if members.contains(&FdNumber::new(fd)) { '1' } else { '.' }).collect()
}

impl<S: Sink> Sink for BitsSink<S> {
    fn begin(&mut self, call: &Call, args: &[Arg<'_>]) {
        self.sets.clear();
        self.rows.clear();
        for arg in args {
            match arg {
                Arg::Int(nfds) => self.nfds = *nfds as i32,
                Arg::Set(members) => self.sets.push(members.as_deref().map(<[_]>::to_vec)),
                Arg::Rows(rows) => self.rows = rows.to_vec(),
                _ => {}
            }
        }
        self.below.begin(call, args);
    }

    fn rest(&mut self, args: &[Arg<'_>]) {
        self.below.rest(args);
    }

    fn end(&mut self, ended: &Ended<'_>) {
        self.below.end(ended);
        match (ended.call.function.effect(), ended.note) {
            (Effect::Selects, Note::Select { sets, .. }) => self.draw_sets(sets),
            (Effect::Polls, Note::Poll(answered)) => self.draw_rows(answered),
            _ => {}
        }
    }

    fn remark(&mut self, text: &str) {
        self.below.remark(text);
    }

    fn intent(&mut self, words: &'static str) {
        self.below.intent(words);
    }

    fn flush(&mut self) {
        self.below.flush();
    }

    fn wants_times(&self) -> bool {
        self.below.wants_times()
    }

    fn wants_connections(&self) -> bool {
        self.below.wants_connections()
    }
}
