//! `select` and `poll` as twins behind one small trait.
//!
//! Neither call leaves anything in the kernel, so a [`Poller`] keeps nothing either: in each turn the loop states its
//! whole question and gets evidence back. There is no "add", "modify" or "delete", so no descriptor is still watched
//! after it was closed.
//!
//! [`Tiers`] stands between a loop and its poller, and leaves out of most questions what was not busy lately.
//!
//! The evidence is the raw answer of the call. One function, [`Evidence::readiness`], says what it means.

mod by_poll;
mod by_select;
mod tiers;

use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::names::{POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, PollEvents, Result};
use crate::trace::Function;
use crate::values::FdNumber;

pub use by_poll::ByPoll;
pub use by_select::BySelect;
pub use tiers::{Places, ROWS_OF_A_LOOK, TierLimits, TieredWait, Tiers};

/// What is asked about a descriptor. A descriptor about which nothing is asked is left out of the question: `poll`
/// would still report errors for it, `select` would not, and the twins would differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Is there something to read, or end of file?
    Read,
    /// Is there room to send?
    Write,
    /// Both questions.
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

    /// Whether this interest includes reading.
    #[inline]
    pub const fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Both)
    }

    /// Whether this interest includes sending.
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
    /// What is asked about the descriptor.
    pub interest: Interest,
    /// The caller's name for the descriptor: the evidence repeats it.
    pub place: u32,
}

/// What a call answered about one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The row's `place`.
    pub place: u32,
    /// What was asked.
    pub asked: Interest,
    /// The answer.
    pub said: Said,
}

/// The raw answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// By `select`: in which of its sets the descriptor was left.
    Sets {
        /// Whether it is in `readfds`.
        read: bool,
        /// Whether it is in `writefds`.
        write: bool,
    },
    /// By `poll`: the row's `revents`.
    Revents(PollEvents),
}

/// What the evidence means for a program that wants to receive or send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// A receive will not wait: there are bytes, or end of file, or an error to report.
    pub readable: bool,
    /// A send will not wait: there is room, or an error to report.
    pub writable: bool,
    /// The descriptor is not open: this program has a defect.
    pub invalid: bool,
}

impl Row<'_> {
    #[inline]
    fn answered(&self, said: Said) -> Evidence {
        Evidence { place: self.place, asked: self.interest, said }
    }
}

impl Evidence {
    /// What the evidence means. Only this function decides it.
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
    /// `select` needs no table: the kernel has filled the sets by a similar rule (Linux: IN, HUP and ERR into
    /// `readfds`; OUT and ERR into `writefds`. HUP is missing in `writefds`, but a socket that reports HUP reports OUT
    /// too).
    ///
    /// The answer is limited to what was asked. Of two files that form one connection, the state of one says nothing
    /// about the other: if the writer of standard input is gone (`POLLHUP`), standard output is not writable because of
    /// that.
    #[inline]
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

/// A wait for many descriptors.
pub trait Poller {
    /// The call, as `--via` names it.
    fn via(&self) -> Via;

    /// Whether the call can watch a descriptor with this number at all.
    fn can_watch(&self, number: FdNumber) -> bool;

    /// Waits at most `timeout` (forever without one) and appends the evidence: that of `poll` in the order of the
    /// question, that of `select` in the order of descriptors, readable ones first. No evidence means that the time is
    /// over.
    ///
    /// # Errors
    /// As [`select`](crate::sys::select()) and [`poll`](crate::sys::poll()), `EINTR` included. `EMFILE`: the question
    /// contains a descriptor that the call cannot watch.
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
    /// The C function.
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

/// The memory of an emptied vector, for the next turn: its former rows no longer borrow their descriptors. (Collecting
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

    /// Standard input is a pipe without a writer, standard output a pipe that no process reads: each needs evidence of
    /// its own, because otherwise the loop would write, and wait.
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
