//! `select` and `poll` as twins behind one small trait.
//!
//! Neither call leaves anything in the kernel, so a [`Poller`] keeps nothing either: each turn the loop states
//! its whole question and gets evidence back. There is no "add", "modify" or "delete", and so no descriptor that
//! is still watched after it was closed.
//!
//! The evidence stays as raw as the call gave it. One function, [`Evidence::readiness`], says what it means.

mod by_poll;
mod by_select;

use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::names::{POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, PollEvents, Result};
use crate::trace::Function;
use crate::values::FdNumber;

pub use by_poll::ByPoll;
pub use by_select::BySelect;

/// What is asked about a descriptor. One that is asked nothing is left out of the question: in `poll` it would
/// still be answered with errors, in `select` not, and the twins would differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Is there something to read, or the end of it?
    Read,
    /// Is there room to send?
    Write,
    /// Either.
    Both,
}

impl Interest {
    /// The interest in reading, in writing, in both, or none.
    #[inline]
    pub const fn of(read: bool, write: bool) -> Option<Self> {
        match (read, write) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::Read),
            (false, true) => Some(Self::Write),
            (false, false) => None,
        }
    }

    /// Whether reading is of interest.
    #[inline]
    pub const fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Both)
    }

    /// Whether sending is of interest.
    #[inline]
    pub const fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Both)
    }
}

/// One row of the question.
#[derive(Clone, Copy, Debug)]
pub struct Row<'fd> {
    /// The descriptor.
    pub fd: BorrowedFd<'fd>,
    /// What is asked about it.
    pub interest: Interest,
    /// What the asker knows it by: the evidence says it again.
    pub place: u32,
}

/// What a call said about one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The row's place.
    pub place: u32,
    /// What was asked.
    pub asked: Interest,
    /// What was said.
    pub said: Said,
}

/// The raw answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// By `select`: in which of its sets the descriptor was left.
    Sets {
        /// In `readfds`.
        read: bool,
        /// In `writefds`.
        write: bool,
    },
    /// By `poll`: `revents`.
    Revents(PollEvents),
}

/// What the evidence means for a program that wants to receive or to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// A receive will not wait: there are bytes, or the end of them, or an error to be told.
    pub readable: bool,
    /// A send will not wait: there is room, or an error to be told.
    pub writable: bool,
    /// The descriptor is not open: a defect of this program.
    pub invalid: bool,
}

impl Row<'_> {
    fn answered(&self, said: Said) -> Evidence {
        Evidence { place: self.place, asked: self.interest, said }
    }
}

impl Evidence {
    /// What the evidence means. This is the only place that decides it.
    ///
    /// | poll says | readable | writable | because |
    /// |---|---|---|---|
    /// | `POLLIN` | yes | | there are bytes, or the peer has finished |
    /// | `POLLPRI` | | | never requested: an urgent byte has arrived, which only `MSG_OOB` receives; `recv` without it would wait |
    /// | `POLLOUT` | | yes | there is room |
    /// | `POLLERR` | yes | yes | whichever call comes next tells the error |
    /// | `POLLHUP` | yes | yes | both halves are closed, or the pipe has no writer any more: `recv` gives the remaining bytes, then 0; `send` gives `EPIPE` |
    /// | `POLLNVAL` | | | no such descriptor is open |
    ///
    /// `select` needs no table: the kernel has put its answers into the sets by such a rule (Linux: IN, HUP and ERR into
    /// `readfds`; OUT and ERR into `writefds`. HUP is missing there, but a socket that hangs up says OUT with it).
    ///
    /// It is no more than was asked for. Of two files that stand for one connection, what is said of the one says nothing
    /// about the other: that the writer of standard input is gone (`POLLHUP`) makes standard output no more writable.
    pub fn readiness(&self) -> Readiness {
        let (readable, writable, invalid) = match self.said {
            Said::Sets { read, write } => (read, write, false),
            Said::Revents(revents) => (
                revents.intersects(POLLIN | POLLERR | POLLHUP),
                revents.intersects(POLLOUT | POLLERR | POLLHUP),
                revents.intersects(POLLNVAL),
            ),
        };
        Readiness {
            readable: readable && self.asked.reads(),
            writable: writable && self.asked.writes(),
            invalid,
        }
    }
}

/// Waits until something in the question is so.
pub trait Poller {
    /// Its name, as `--via` has it.
    fn via(&self) -> Via;

    /// Whether it can watch a descriptor of this number at all.
    fn can_watch(&self, number: FdNumber) -> bool;

    /// Waits at most `timeout` (forever without one) and appends the evidence: `poll`'s in the order of the question,
    /// `select`'s in the order of the descriptors, the readable first. No evidence means that the time is up.
    ///
    /// # Errors
    /// As [`select`](crate::sys::select()) and [`poll`](crate::sys::poll()): `EINTR` is passed on. `EMFILE`: a descriptor in the
    /// question cannot be watched.
    fn wait(
        &mut self,
        question: &[Row<'_>],
        timeout: Option<Duration>,
        evidence: &mut Vec<Evidence>,
    ) -> Result<()>;
}

/// Which of the two calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// `select(2)`.
    #[default]
    Select,
    /// `poll(2)`.
    Poll,
}

impl Via {
    /// The function of C that it calls.
    pub const fn function(self) -> Function {
        match self {
            Self::Select => Function::SELECT,
            Self::Poll => Function::POLL,
        }
    }

    /// A poller of this kind.
    pub fn poller(self) -> Box<dyn Poller> {
        match self {
            Self::Select => Box::new(BySelect::new()),
            Self::Poll => Box::new(ByPoll::new()),
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Select => "select",
            Self::Poll => "poll",
        })
    }
}

/// The memory of a vector that is empty from now on, for the next turn: what its rows borrowed is borrowed no more. (Collecting
/// an empty vector into one of the same layout keeps its allocation.)
#[inline]
pub(crate) fn emptied<T, U>(mut rows: Vec<T>) -> Vec<U> {
    if rows.capacity() == 0 {
        return Vec::new();
    }
    rows.clear();
    rows.into_iter().map_while(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::names::{AF_UNIX, Errno, MsgFlags, POLLPRI, Protocol, SHUT_WR, SOCK_STREAM};
    use crate::sys::{self, Fd};

    fn pair() -> [Fd; 2] {
        sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap()
    }

    fn both() -> [Box<dyn Poller>; 2] {
        [Via::Select.poller(), Via::Poll.poller()]
    }

    /// Asks about one descriptor without waiting.
    fn ask(poller: &mut dyn Poller, fd: &Fd, interest: Interest) -> Readiness {
        let mut evidence = Vec::new();
        let question = [Row { fd: fd.as_fd(), interest, place: 0 }];
        poller.wait(&question, Some(Duration::ZERO), &mut evidence).unwrap();
        evidence.first().map(Evidence::readiness).unwrap_or_default()
    }

    #[test]
    fn the_twins_agree_on_the_states_of_a_connection() {
        for mut poller in both() {
            let via = poller.via();
            let [a, b] = pair();
            let idle = Readiness { writable: true, ..Readiness::default() };
            assert_eq!(ask(&mut *poller, &b, Interest::Both), idle, "idle, {via}");
            assert_eq!(ask(&mut *poller, &b, Interest::Read), Readiness::default(), "idle, {via}");
            sys::send(&a, b"x", MsgFlags::NONE).unwrap();
            let ready = Readiness { readable: true, writable: true, invalid: false };
            assert_eq!(ask(&mut *poller, &b, Interest::Both), ready, "data, {via}");
            sys::recv(&b, &mut [0; 8], MsgFlags::NONE).unwrap();
            sys::shutdown(&a, SHUT_WR).unwrap();
            assert_eq!(ask(&mut *poller, &b, Interest::Both), ready, "end of file, {via}");
            drop(a);
            assert!(ask(&mut *poller, &b, Interest::Write).writable, "closed, {via}");
        }
    }

    #[test]
    fn evidence_names_the_place_that_it_speaks_of() {
        for mut poller in both() {
            let pairs = [pair(), pair(), pair()];
            sys::send(&pairs[2][0], b"x", MsgFlags::NONE).unwrap();
            sys::send(&pairs[0][0], b"x", MsgFlags::NONE).unwrap();
            let question: Vec<_> = (7..)
                .zip(&pairs)
                .map(|(place, [_, b])| Row { fd: b.as_fd(), interest: Interest::Read, place })
                .collect();
            let mut evidence = Vec::new();
            poller.wait(&question, None, &mut evidence).unwrap();
            let mut places: Vec<_> = evidence.iter().map(|one| one.place).collect();
            places.sort_unstable();
            assert_eq!(places, [7, 9], "{}", poller.via());
        }
    }

    #[test]
    fn a_descriptor_without_a_bit_is_one_too_many() {
        let [_a, b] = pair();
        let Ok(high) = sys::fcntl_dupfd(&b, sys::FD_SETSIZE as i32) else {
            return eprintln!("skipped: no descriptors beyond FD_SETSIZE can be had here");
        };
        let question = [Row { fd: high.as_fd(), interest: Interest::Write, place: 0 }];
        let ask = |mut poller: Box<dyn Poller>| poller.wait(&question, None, &mut Vec::new());
        assert_eq!(ask(Via::Select.poller()), Err(Errno::EMFILE));
        assert_eq!(ask(Via::Poll.poller()), Ok(()));
    }

    fn poll_said(revents: PollEvents, asked: Interest) -> Readiness {
        Evidence { place: 0, asked, said: Said::Revents(revents) }.readiness()
    }

    #[test]
    fn each_bit_of_poll_has_one_meaning() {
        let meaning = |revents| {
            let readiness = poll_said(revents, Interest::Both);
            (readiness.readable, readiness.writable, readiness.invalid)
        };
        assert_eq!(meaning(POLLIN), (true, false, false));
        assert_eq!(meaning(POLLPRI), (false, false, false));
        assert_eq!(meaning(POLLOUT), (false, true, false));
        assert_eq!(meaning(POLLERR), (true, true, false));
        assert_eq!(meaning(POLLHUP), (true, true, false));
        assert_eq!(meaning(POLLNVAL), (false, false, true));
    }

    /// Standard input is a pipe without a writer, standard output one that no process reads: each has its own
    /// evidence, because otherwise the loop would write and wait.
    #[test]
    fn what_was_not_asked_is_not_answered() {
        let answer = |asked| {
            let readiness = poll_said(POLLHUP | POLLERR, asked);
            (readiness.readable, readiness.writable)
        };
        assert_eq!(answer(Interest::Read), (true, false));
        assert_eq!(answer(Interest::Write), (false, true));
        assert_eq!(answer(Interest::Both), (true, true));
    }

    #[test]
    fn a_timeout_gives_no_evidence() {
        for mut poller in both() {
            let [_a, b] = pair();
            let mut evidence = Vec::new();
            let question = [Row { fd: b.as_fd(), interest: Interest::Read, place: 0 }];
            poller.wait(&question, Some(Duration::from_millis(1)), &mut evidence).unwrap();
            assert!(evidence.is_empty(), "{}", poller.via());
        }
    }
}
