//! The watcher: every call passes through it to another sink, and some get a remark.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::facts::{Facts, Kind, Known};
use super::figures::grouped;
use super::has_lab;
use super::lessons::{self, Lesson, See};
use crate::names::Errno;
use crate::trace::arg::Arg;
use crate::trace::page::Effect;
use crate::trace::tracer::{Ended, Mark};
use crate::trace::{Call, Function, Outcome, Sink};
use crate::values::FdNumber;

/// Passes calls on to another sink, and remarks there on those that teach something: a lesson at its first occasion,
/// and again at the 10th, 100th, … with its count.
#[derive(Debug)]
pub struct Explainer<S> {
    to: S,
    facts: Facts,
    known: HashMap<i32, Known>,
    /// How often each lesson of the table applied.
    counts: Vec<u64>,
    intents: HashMap<&'static str, u64>,
    every_time: bool,
}

/// Whether something that has happened so often is told: the first time, the 10th, the 100th, …
pub fn is_due(count: u64) -> bool {
    count > 0 && count == 10u64.pow(count.ilog10())
}

impl<S: Sink> Explainer<S> {
    /// Explains what goes to `to`.
    pub fn new(to: S) -> Self {
        Self {
            to,
            facts: Facts::new(Function::NONE, None, Known::default()),
            known: HashMap::new(),
            counts: vec![0; lessons::all().count()],
            intents: HashMap::new(),
            every_time: false,
        }
    }

    /// The same, telling every lesson whenever it applies: for a reader who may begin anywhere.
    #[must_use]
    pub fn every_time(mut self) -> Self {
        self.every_time = true;
        self
    }

    fn teach(&mut self) {
        let Self { to, facts, counts, every_time, .. } = self;
        for (lesson, count) in lessons::all().zip(counts) {
            if !lesson.applies(facts) {
                continue;
            }
            *count += 1;
            if *every_time {
                to.remark(&in_full(lesson, facts, 1));
            } else if is_due(*count) {
                to.remark(&in_full(lesson, facts, *count));
            }
        }
    }

    /// What this call says about descriptors, for the calls that come after it.
    fn learn(&mut self) {
        let facts = &self.facts;
        let fd = facts.fd;
        match (facts.function.effect(), facts.outcome) {
            (Effect::Closes, Outcome::Value(_)) => {
                self.known.remove(&fd);
            }
            (Effect::MakesSocket, Outcome::Value(made)) => {
                let kind = if facts.is_datagram() { Kind::Datagram } else { Kind::Socket };
                self.known.insert(made as i32, Known { kind, ..Known::default() });
            }
            (Effect::Accepts, Outcome::Value(made)) => {
                let kind = Kind::Connection;
                self.known.insert(made as i32, Known { kind, ..Known::default() });
            }
            (Effect::MakesPipe | Effect::MakesPair, Outcome::Value(_)) => {
                let kind = match facts.function.effect() {
                    Effect::MakesPipe => Kind::Pipe,
                    _ if facts.is_datagram() => Kind::Datagram,
                    _ => Kind::Connection,
                };
                for end in facts.pair.into_iter().flatten() {
                    self.known.insert(end, Known { kind, ..Known::default() });
                }
            }
            (Effect::Copies, Outcome::Value(made)) => self.copy(fd, made as i32),
            (Effect::Commands, Outcome::Value(made)) if !facts.named("F_DUPFD").is_empty() => {
                self.copy(fd, made as i32);
            }
            (Effect::ShutsDown, Outcome::Value(_)) if !facts.says("SHUT_RD") => {
                self.descriptor(fd).finished = true;
            }
            (Effect::Listens, Outcome::Value(_)) => self.descriptor(fd).kind = Kind::Listener,
            (Effect::Connects, Outcome::Value(_) | Outcome::Error(Errno::EINPROGRESS)) => {
                let known = self.descriptor(fd);
                if known.kind != Kind::Datagram {
                    known.kind = Kind::Connection;
                }
            }
            (Effect::Receives, Outcome::Value(0)) if facts.number() > 0 => {
                self.descriptor(fd).peer_finished = true;
            }
            (Effect::SetsOption, Outcome::Value(_)) => {
                if let Some(linger) = facts.linger {
                    self.descriptor(fd).abrupt = linger.l_onoff != 0 && linger.l_linger == 0;
                }
            }
            // After its own shutdown EPIPE says nothing of the peer, which may still send.
            (_, Outcome::Error(Errno::EPIPE)) if facts.known.finished => {}
            (_, Outcome::Error(Errno::ECONNRESET | Errno::EPIPE)) => {
                self.descriptor(fd).broken = true;
            }
            _ => {}
        }
    }

    /// What was at the new number before is closed. (`dup2` may be given one number twice.)
    fn copy(&mut self, old: i32, new: i32) {
        if old != new {
            let known = self.descriptor(old);
            known.copied = true;
            let copy = *known;
            self.known.insert(new, copy);
        }
    }

    fn descriptor(&mut self, fd: i32) -> &mut Known {
        self.known.entry(fd).or_default()
    }
}

/// The sentence; with where it leads the first time, and with its count later.
fn in_full(lesson: &Lesson, facts: &Facts, count: u64) -> String {
    let sentence = lesson.sentence(facts);
    match count {
        1 => format!("{sentence} ({})", leads_to(lesson, facts, has_lab)),
        _ => counted(&sentence, count),
    }
}

/// The lab of a lesson, where the program has it; otherwise the word that says most about this call.
fn leads_to(lesson: &Lesson, facts: &Facts, has_lab: impl Fn(&str) -> bool) -> String {
    let word = match (lesson.see, facts.outcome) {
        (See::Lab(name), _) if has_lab(name) => return format!("lab {name}"),
        (See::Word(word), _) => word,
        (See::Lab(_), Outcome::Error(errno)) => errno.name().unwrap_or(facts.function.name()),
        (See::Lab(_), _) => facts.option_name().unwrap_or(facts.function.name()),
    };
    format!("explain {word}")
}

fn counted(sentence: &str, count: u64) -> String {
    format!("{sentence} ({} times by now)", grouped(count as i64))
}

impl<S: Sink> Sink for Explainer<S> {
    fn begin(&mut self, call: &Call, args: &[Arg<'_>]) {
        let known = call.fd.map(FdNumber::get).and_then(|fd| self.known.get(&fd).copied());
        self.facts = Facts::new(call.function, call.fd, known.unwrap_or_default());
        self.facts.take(args);
        self.to.begin(call, args);
    }

    fn rest(&mut self, args: &[Arg<'_>]) {
        self.facts.take(args);
        self.to.rest(args);
    }

    fn end(&mut self, ended: &Ended<'_>) {
        self.facts.end(ended.outcome, ended.note);
        self.to.end(ended);
        if ended.mark == Mark::Refused {
            return;
        }
        self.teach();
        self.learn();
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
