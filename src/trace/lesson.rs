//! A lesson: a call with an outcome, and one sentence about it.
//!
//! The sentence is about this call only, in plain words and with the call's own numbers; it has at most 100 characters,
//! whatever the numbers are. Each page has the lessons of its function. If several lessons apply to one call, each is
//! told when its own count is due.

use super::facts::Facts;

/// Where a lesson points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum See {
    /// A lab that shows it.
    Lab(&'static str),
    /// A word that is explained.
    Word(&'static str),
}

/// A sentence about a call with a certain outcome.
#[derive(Clone, Copy, Debug)]
pub struct Lesson {
    /// Whether the lesson is about this outcome.
    pub when: fn(&Facts) -> bool,
    /// The sentence.
    pub says: fn(&Facts) -> String,
    /// Where the lesson points to.
    pub see: See,
}

#[cfg(test)]
mod tests {
    use crate::addr::Address;
    use crate::names::{Errno, FD_CLOEXEC, PollEvents, Signal};
    use crate::trace::arg::{Arg, Note, Value};
    use crate::trace::descriptors::OpenFile;
    use crate::trace::event::Args;
    use crate::trace::facts::Facts;
    use crate::trace::{Event, Function, Outcome};
    use crate::values::{FdNumber, PollRow, TimeVal};

    /// A call whose numbers are all as long as possible.
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
        let of_calls =
            Function::all().flat_map(|call| call.page().lessons.iter().map(move |one| (call, one)));
        for (call, lesson) in of_calls {
            let sentence = (lesson.says)(&extreme(call, errno, signal));
            assert!(sentence.chars().count() <= 100, "{}: {sentence}", sentence.len());
            assert!(!sentence.ends_with('.') && !sentence.is_empty(), "{sentence}");
        }
    }

    #[test]
    fn an_option_s_figure_may_be_negative_and_long() {
        for lesson in Function::SETSOCKOPT.page().lessons {
            let mut facts = extreme(Function::SETSOCKOPT, Errno::EAGAIN, Signal::from_bits(1));
            facts.value = Some(i32::MIN.into());
            assert!((lesson.says)(&facts).len() <= 100);
        }
    }
}
