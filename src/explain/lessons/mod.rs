//! The table of lessons, in chapters that follow a connection's life: making, waiting, moving, ending.
//!
//! A lesson is a call with an outcome, and one sentence about it. The sentence speaks of this call only, in plain
//! words and with its own figures; it is at most 100 characters long, whatever the figures. Where several lessons
//! apply to one call, each is told at its own occasions.

mod ending;
mod making;
mod moving;
mod waiting;

use super::facts::Facts;
use crate::trace::Function;

/// Where a lesson leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum See {
    /// A lab that shows it.
    Lab(&'static str),
    /// A word that is explained.
    Word(&'static str),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Lesson {
    /// The functions that it is about.
    pub of: &'static [Function],
    /// The outcome that it is about.
    when: fn(&Facts) -> bool,
    /// The sentence.
    says: fn(&Facts) -> String,
    /// Where it leads.
    pub see: See,
}

impl Lesson {
    /// Whether it applies to this call.
    pub fn applies(&self, call: &Facts) -> bool {
        self.of.contains(&call.function) && (self.when)(call)
    }

    /// What it says about this call.
    pub fn sentence(&self, call: &Facts) -> String {
        (self.says)(call)
    }
}

/// Every lesson, in the order of the chapters.
pub fn all() -> impl Iterator<Item = &'static Lesson> {
    [making::LESSONS, waiting::LESSONS, moving::LESSONS, ending::LESSONS].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Address;
    use crate::names::{Errno, FD_CLOEXEC, PollEvents, Signal};
    use crate::trace::arg::{Arg, Note, Value};
    use crate::trace::descriptors::OpenFile;
    use crate::trace::event::Args;
    use crate::trace::{Event, Outcome};
    use crate::values::{FdNumber, PollRow, TimeVal};

    /// A call whose every figure is as long as a figure can be.
    fn extreme(function: Function, errno: Errno, signal: Signal) -> Facts {
        let fd = FdNumber::new(i32::MIN);
        let time = TimeVal { tv_sec: i64::MAX, tv_usec: 999_999 };
        let row = PollRow { fd, events: PollEvents::NONE, revents: PollEvents::from_bits(-1) };
        let one = || Some(vec![fd]);
        let address = Address::v4([127, 0, 0, 1].into(), u16::MAX);
        let mut event = Event::new(function.into());
        event.args.extend([
            Arg::Fd(fd),
            Arg::Fds([fd; 2]),
            Arg::Named(signal.named()),
            Arg::Int(i64::MAX),
            Arg::set(one()),
            Arg::set(one()),
            Arg::set(one()),
            Arg::TimeVal(Some(time)),
        ]);
        event.outcome = Outcome::Value(i64::MAX);
        event.note = Note::select([one(), one(), one()], Some(time));
        let mut facts = Facts::of(function, &event, OpenFile::default());
        event.args = Args::default();
        event.args.extend([
            Arg::Named(FD_CLOEXEC.named()),
            Arg::address(&address),
            Arg::Value(Value::Error(errno.number())),
        ]);
        event.note = Note::Poll(vec![row].into());
        facts.add(&event);
        facts
    }

    #[test]
    fn no_sentence_is_longer_than_a_hundred_characters() {
        let longest = |of: &'static [crate::names::Constant]| {
            of.iter().max_by_key(|constant| constant.name.len()).unwrap().value as i32
        };
        let errno = Errno::from_number(longest(Errno::CONSTANTS));
        let signal = Signal::from_bits(longest(Signal::CONSTANTS));
        for lesson in all() {
            let sentence = lesson.sentence(&extreme(lesson.of[0], errno, signal));
            assert!(sentence.chars().count() <= 100, "{}: {sentence}", sentence.len());
            assert!(!sentence.ends_with('.') && !sentence.is_empty(), "{sentence}");
        }
    }

    #[test]
    fn an_option_s_figure_may_be_negative_and_long() {
        for lesson in all().filter(|lesson| lesson.of.contains(&Function::SETSOCKOPT)) {
            let mut facts = extreme(Function::SETSOCKOPT, Errno::EAGAIN, Signal::from_bits(1));
            facts.value = Some(i32::MIN.into());
            assert!(lesson.sentence(&facts).len() <= 100);
        }
    }
}
