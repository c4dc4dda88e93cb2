//! The question and the answer of a wait, in one form for `select`, `poll` and `epoll_wait`.

use std::borrow::Cow;

use crate::names::{POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, PollEvents};
use crate::trace::arg::{Arg, Note};
use crate::trace::page::Effect;
use crate::trace::{Event, Function};
use crate::values::{FdNumber, PollRow, TimeVal};

use super::reading::number;

/// How long a wait may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Until something happens.
    Unlimited,
    /// At most this many microseconds.
    Us(u64),
    /// The line does not show it.
    Unknown,
}

/// What a descriptor is ready for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadyFor {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// `POLLERR` or `POLLHUP`.
    pub trouble: bool,
    /// `POLLNVAL`: no such descriptor is open.
    pub is_invalid: bool,
}

/// A wait.
#[derive(Debug)]
pub struct Wait<'e> {
    event: &'e Event<'e>,
    /// How long it may take.
    pub patience: Patience,
}

impl<'e> Wait<'e> {
    /// The question and the answer in this event.
    pub(super) fn of(event: &'e Event<'e>) -> Self {
        let at = match event.function().map(Function::effect) {
            Some(Effect::Selects) => 4,
            Some(_) => 2,
            None => 3,
        };
        let patience = match event.args.get(at) {
            Some(Arg::TimeVal(None) | Arg::TimeSpec(None)) => Patience::Unlimited,
            Some(Arg::TimeVal(Some(time))) => microseconds(time.tv_sec, time.tv_usec),
            Some(Arg::TimeSpec(Some(time))) => microseconds(time.tv_sec, time.tv_nsec / 1_000),
            Some(arg) => match number(arg) {
                Some(ms) if ms >= 0 => Patience::Us(ms as u64 * 1_000),
                Some(_) => Patience::Unlimited,
                None => Patience::Unknown,
            },
            None => Patience::Unknown,
        };
        Self { event, patience }
    }

    /// The first argument of `select`.
    pub fn nfds(&self) -> Option<i64> {
        self.is_select().then(|| self.event.args.first().and_then(number)).flatten()
    }

    /// Whether it is `select` or `pselect`.
    pub fn is_select(&self) -> bool {
        self.event.function().is_some_and(|function| function.effect() == Effect::Selects)
    }

    /// The three sets passed to `select`; `None` for NULL.
    pub fn sets(&self) -> [Option<&'e [FdNumber]>; 3] {
        [1, 2, 3].map(|at| match self.event.args.get(at) {
            Some(Arg::Set(Some(members))) => Some(&members[..]),
            _ => None,
        })
    }

    /// The rows of `poll`.
    pub fn rows(&self) -> &'e [PollRow] {
        match self.event.args.first() {
            Some(Arg::Rows(rows)) => rows,
            _ => &[],
        }
    }

    /// The three sets that `select` left: all are empty after a timeout.
    pub fn left_sets(&self) -> Option<[&'e [FdNumber]; 3]> {
        match (&self.event.note, self.event.value()) {
            (Note::Select { sets, .. }, Some(_)) => {
                Some([0, 1, 2].map(|at| sets[at].as_deref().unwrap_or(&[])))
            }
            (_, Some(0)) => Some([&[]; 3]),
            _ => None,
        }
    }

    /// The time left after `select` on Linux, in microseconds.
    pub fn left_us(&self) -> Option<u64> {
        let us = |time: &TimeVal| match microseconds(time.tv_sec, time.tv_usec) {
            Patience::Us(us) => Some(us),
            _ => None,
        };
        match (&self.event.note, self.event.value()) {
            (_, Some(0)) => Some(0),
            (Note::Select { left: Some(left), .. }, _) => us(left),
            _ => None,
        }
    }

    /// Whether it asks whether this descriptor is writable.
    pub fn asks_to_write(&self, fd: i32) -> bool {
        let in_set = self.sets()[1].is_some_and(|set| set.iter().any(|member| member.get() == fd));
        let in_rows = |row: &PollRow| row.fd.get() == fd && row.events.contains(POLLOUT);
        in_set || self.rows().iter().any(in_rows)
    }

    /// Whether it asks about this descriptor at all.
    pub fn asks_for(&self, fd: i32) -> bool {
        let mut sets = self.sets().into_iter().flatten().flatten();
        sets.any(|member| member.get() == fd)
            || self.rows().iter().any(|row| row.fd.get() == fd && row.events != PollEvents::NONE)
    }

    /// Calls `say` for each ready descriptor. For `epoll_wait`, `say` gets the data that was passed to `epoll_ctl`.
    pub(super) fn each_ready(&self, mut say: impl FnMut(i64, ReadyFor)) {
        match &self.event.note {
            Note::Select { sets, .. } if self.event.value().is_some() => {
                let [read, write, except] = [0, 1, 2].map(|at| members(&sets[at]));
                for fd in read {
                    let write = write.contains(fd);
                    say(fd.get().into(), ReadyFor { read: true, write, ..ReadyFor::default() });
                }
                for fd in write.iter().filter(|fd| !read.contains(fd)) {
                    say(fd.get().into(), ReadyFor { write: true, ..ReadyFor::default() });
                }
                for fd in except.iter().filter(|fd| !read.contains(fd) && !write.contains(fd)) {
                    say(fd.get().into(), ReadyFor::default());
                }
            }
            Note::Poll(rows) => {
                for row in rows.iter() {
                    say(row.fd.get().into(), readiness(row.revents));
                }
            }
            _ => self.each_of_epoll(say),
        }
    }

    fn each_of_epoll(&self, mut say: impl FnMut(i64, ReadyFor)) {
        let Some(Arg::Text(ready)) = self.event.args.get(1) else { return };
        // `[{events=EPOLLIN, data={u32=5, u64=5}}]`, in an older strace `{{EPOLLIN, {u32=5, u64=5}}}`.
        let mut rest = from_event(ready);
        while !rest.is_empty() {
            let (events, after) = rest.split_once(',').unwrap_or((rest, ""));
            rest = from_event(after);
            let data = &after[..after.len() - rest.len()];
            let has = |name: &str| events.split('|').any(|event| event == name);
            let readiness = ReadyFor {
                read: has("EPOLLIN"),
                write: has("EPOLLOUT"),
                trouble: has("EPOLLERR") || has("EPOLLHUP"),
                is_invalid: false,
            };
            let data = super::reading::number_after(data, "u64=")
                .or_else(|| super::reading::number_after(data, "="));
            if let Some(data) = data {
                say(data, readiness);
            }
        }
    }
}

/// The text from the first name of an event on.
fn from_event(text: &str) -> &str {
    let mut capitals = memchr::memchr_iter(b'E', text.as_bytes());
    let at = capitals.find(|at| text[*at..].starts_with("EPOLL"));
    &text[at.unwrap_or(text.len())..]
}

fn members<'e>(set: &'e Option<Cow<'e, [FdNumber]>>) -> &'e [FdNumber] {
    set.as_deref().unwrap_or(&[])
}

fn readiness(revents: PollEvents) -> ReadyFor {
    ReadyFor {
        read: revents.contains(POLLIN),
        write: revents.contains(POLLOUT),
        trouble: revents.intersects(POLLERR | POLLHUP),
        is_invalid: revents.contains(POLLNVAL),
    }
}

fn microseconds(seconds: i64, rest: i64) -> Patience {
    let us = seconds.checked_mul(1_000_000).and_then(|us| us.checked_add(rest));
    us.and_then(|us| us.try_into().ok()).map_or(Patience::Unknown, Patience::Us)
}
