//! The explainer: every call passes through it to another sink, and some calls get a remark.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::has_lab;
use crate::trace::descriptors::{DescriptorTables, OpenFile};
use crate::trace::event::Mark;
use crate::trace::facts::Facts;
use crate::trace::figures::grouped;
use crate::trace::lesson::{Lesson, See};
use crate::trace::{Event, Outcome, PacketWords, Sink};
use crate::values::FdNumber;

/// Passes calls on to another sink, and adds remarks to those that teach something: a lesson when it applies for the
/// first time, and again the 10th, 100th, … time, with the count.
#[derive(Debug)]
pub struct Explainer<S> {
    to: S,
    descriptors: DescriptorTables,
    /// How often each lesson applied, by its address in memory: a lesson that several calls share is one lesson.
    counts: HashMap<usize, u64>,
    intents: HashMap<&'static str, u64>,
    every_time: bool,
}

/// Whether an occurrence with this count is remarked on: the 1st, the 10th, the 100th, …
pub fn is_due(count: u64) -> bool {
    count > 0 && count == 10u64.pow(count.ilog10())
}

impl<S: Sink> Explainer<S> {
    /// An explainer in front of `to`.
    pub fn new(to: S) -> Self {
        Self {
            to,
            descriptors: DescriptorTables::default(),
            counts: HashMap::new(),
            intents: HashMap::new(),
            every_time: false,
        }
    }

    /// The same, but with a remark whenever a lesson applies: for a reader who may begin anywhere.
    #[must_use]
    pub fn every_time(mut self) -> Self {
        self.every_time = true;
        self
    }

    /// Records what a descriptor of this call's process is, as known from elsewhere: the first call that is explained
    /// need not be the first that was made.
    pub fn enter(&mut self, call: &Event<'_>, fd: FdNumber, file: OpenFile) {
        self.descriptors.of(call).enter(fd, file);
    }

    fn teach(&mut self, facts: &Facts) {
        let Self { to, counts, every_time, .. } = self;
        for lesson in facts.function.page().lessons.iter().filter(|lesson| (lesson.when)(facts)) {
            let count = counts.entry(std::ptr::from_ref::<Lesson>(lesson).addr()).or_default();
            *count += 1;
            if *every_time {
                to.remark(&in_full(lesson, facts, 1));
            } else if is_due(*count) {
                to.remark(&in_full(lesson, facts, *count));
            }
        }
    }
}

/// The complete remark: with its reference the first time, with its count later.
fn in_full(lesson: &Lesson, facts: &Facts, count: u64) -> String {
    let sentence = (lesson.says)(facts);
    match count {
        1 => format!("{sentence} ({})", leads_to(lesson, facts, has_lab)),
        _ => counted(&sentence, count),
    }
}

/// The lab of a lesson, if the program has it; otherwise the word that says most about this call.
fn leads_to(lesson: &Lesson, facts: &Facts, has_lab: impl Fn(&str) -> bool) -> String {
    let word = match (lesson.see, facts.outcome) {
        (See::Lab(name), _) if has_lab(name) => return format!("lab {name}"),
        (See::Word(word), _) => word,
        (See::Lab(_), Outcome::Error(errno)) if errno.is_of_this_book() => {
            errno.name().unwrap_or(facts.function.name())
        }
        (See::Lab(_), _) => facts.option_name().unwrap_or(facts.function.name()),
    };
    format!("explain {word}")
}

fn counted(sentence: &str, count: u64) -> String {
    format!("{sentence} ({} times by now)", grouped(count as i64))
}

impl<S: Sink> Sink for Explainer<S> {
    fn begin(&mut self, event: &Event<'_>) {
        self.to.begin(event);
    }

    fn wait(&mut self, event: &Event<'_>) {
        self.to.wait(event);
    }

    fn end(&mut self, event: &Event<'_>) {
        self.to.end(event);
        if let Some(function) = event.function().filter(|_| event.mark != Mark::Refused) {
            let known = event.fd().and_then(|fd| self.descriptors.of(event).known(fd));
            self.teach(&Facts::of(function, event, known.unwrap_or_default()));
        }
        self.descriptors.learn(event);
    }

    fn remark(&mut self, text: &str) {
        self.to.remark(text);
    }

    fn drawing(&mut self, line: &str) {
        self.to.drawing(line);
    }

    fn intent(&mut self, words: &'static str) {
        let count = self.intents.entry(words).or_default();
        *count += 1;
        match *count {
            1 => self.to.remark(words),
            count if is_due(count) => self.to.remark(&counted(words, count)),
            _ => {}
        }
    }

    fn packet(&mut self, packet: &PacketWords<'_>) {
        self.to.packet(packet);
    }

    fn flush(&mut self) {
        self.to.flush();
    }

    fn wants_times(&self) -> bool {
        self.to.wants_times()
    }

    fn wants_connections(&self) -> bool {
        self.to.wants_connections()
    }
}
