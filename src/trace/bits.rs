//! `--bits`: the sets of `select` as bitmaps before and after the call, and the rows of `poll` as a table.

use std::borrow::Cow;
use std::fmt::Write;

use super::arg::{Arg, Note};
use super::event::Event;
use super::tracer::{PacketWords, Sink};
use crate::values::{FdNumber, PollRow};

const BITS_PER_LINE: i32 = 48;

/// Draws the sets and rows of waiting calls below the lines of another sink.
#[derive(Debug)]
pub struct BitsSink<S> {
    below: S,
}

/// The members of a set, or NULL.
type Set<'a> = Option<Cow<'a, [FdNumber]>>;

impl<S: Sink> BitsSink<S> {
    /// Draws below the lines of this sink.
    pub const fn new(below: S) -> Self {
        Self { below }
    }

    fn draw_sets(&mut self, event: &Event<'_>, after: &[Set<'_>; 3]) {
        let nfds = match event.args.first() {
            Some(Arg::Int(nfds)) => *nfds as i32,
            _ => 0,
        };
        let sets = event.args.iter().filter_map(|arg| match arg {
            Arg::Set(members) => Some(members),
            _ => None,
        });
        for first in (0..nfds).step_by(BITS_PER_LINE as usize) {
            let end = nfds.min(first + BITS_PER_LINE);
            let in_line = |fd: &FdNumber| (first..end).contains(&fd.get());
            let mut members = sets.clone().flatten().flat_map(|set| set.iter());
            if first > 0 && !members.any(in_line) {
                continue;
            }
            let ruler: String =
                (first..end).map(|fd| if fd % 8 == 0 { '|' } else { ' ' }).collect();
            self.below.drawing(&format!("{:10} {ruler}  | every 8th", format!("from {first}")));
            for (name, (before, after)) in
                ["readfds", "writefds", "exceptfds"].iter().zip(sets.clone().zip(after))
            {
                if let (Some(before), Some(after)) = (before, after) {
                    let (before, after) = (bitmap(before, first, end), bitmap(after, first, end));
                    self.below.drawing(&format!("{name:10} {before}  asked"));
                    self.below.drawing(&format!("{:10} {after}  ready", ""));
                }
            }
        }
    }

    fn draw_rows(&mut self, event: &Event<'_>, answered: &[PollRow]) {
        let Some(Arg::Rows(rows)) = event.args.first() else { return };
        let widest = rows.iter().map(|row| row.events.to_string().len()).max().unwrap_or(0);
        let width = widest.max(20);
        self.below.drawing(&format!("{:>6}  {:width$} revents", "fd", "events"));
        let mut answers = answered.iter().peekable();
        for row in rows.iter() {
            let mut line = format!("{:>6}  {:width$}", row.fd.get(), row.events.to_string());
            // The answers are in the order of the rows; rows without an answer are missing in them.
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
    fn begin(&mut self, event: &Event<'_>) {
        self.below.begin(event);
    }

    fn wait(&mut self, event: &Event<'_>) {
        self.below.wait(event);
    }

    fn end(&mut self, event: &Event<'_>) {
        self.below.end(event);
        match &event.note {
            Note::Select { sets, .. } => self.draw_sets(event, sets),
            Note::Poll(answered) => self.draw_rows(event, answered),
            _ => {}
        }
    }

    fn remark(&mut self, text: &str) {
        self.below.remark(text);
    }

    fn intent(&mut self, words: &'static str) {
        self.below.intent(words);
    }

    fn packet(&mut self, packet: &PacketWords<'_>) {
        self.below.packet(packet);
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
