//! Reads what stands after a result: the sets that `select` left, the answers of `poll`, flags.

use super::answer::RawCall;
use super::arguments::items;
use super::values::{self, Room, named};
use crate::names::{F_GETFD, F_GETFL, FcntlCommand, FdFlags, OpenFlags, PollEvents};
use crate::trace::Function;
use crate::trace::arg::{Arg, Note};
use crate::trace::event::Event;
use crate::trace::page::Effect;
use crate::values::TimeVal;

/// The note after the result, in parentheses.
pub(super) fn note<'a>(call: &RawCall<'a>, event: &Event<'a>, room: &mut Room<'a>) -> Note<'a> {
    let Some(value) = event.value() else { return Note::None };
    let rest = without_mark(call.answer.rest);
    let noted = rest.split_once('(').map(|(_, rest)| &rest[..closing(rest)]);
    let note = match event.function().map(|function| (function.effect(), function.name())) {
        Some((Effect::Selects, _)) => select_note((noted, call.name), value, event, room),
        Some((Effect::Polls, _)) => {
            let rows = noted.filter(|_| value > 0).and_then(|noted| poll_note(noted, event, room));
            rows.or_else(|| (value == 0).then(|| Note::Poll((&[][..]).into())))
                .or_else(|| answered_in_place(event))
        }
        Some((_, "fcntl")) => flags_note(noted, value, event),
        _ => None,
    };
    note.or_else(|| noted.map(|noted| Note::Text(noted.into()))).unwrap_or_default()
}

/// The text without the mark that our own traces put at the end of a line.
fn without_mark(rest: &str) -> &str {
    const MARKS: [&str; 4] = ["(library)", "(INJECTED)", "(refused)", "(libc)"];
    let found = MARKS.iter().find_map(|mark| rest.strip_suffix(mark));
    found.unwrap_or(rest)
}

/// Where the open parenthesis is closed.
fn closing(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => return at,
            b')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// `in [3], out [4], left {tv_sec=1, tv_usec=0}`, or `Timeout`. A set that was passed and is not named is empty.
fn select_note<'a>(
    (noted, call): (Option<&'a str>, &str),
    value: i64,
    event: &Event<'a>,
    room: &mut Room<'a>,
) -> Option<Note<'a>> {
    let noted = noted.filter(|noted| *noted != "Timeout").unwrap_or_default();
    let mut sets = [1, 2, 3].map(|at| match event.args.get(at) {
        Some(Arg::Set(Some(_))) => Some((&[][..]).into()),
        _ => None,
    });
    let mut left = None;
    for item in items(noted) {
        let (name, what) = item.split_once(' ')?;
        match name {
            "in" => sets[0] = Some(room.set(what)?.into()),
            "out" => sets[1] = Some(room.set(what)?.into()),
            "except" => sets[2] = Some(room.set(what)?.into()),
            "left" => left = Some(values::timeval(what, call)?),
            _ => return None,
        }
    }
    if event.function() == Some(Function::PSELECT) {
        // libc does not return it to its caller.
        left = None;
    } else if value == 0 && matches!(event.args.get(4), Some(Arg::TimeVal(Some(_)))) {
        left = left.or(Some(TimeVal::default()));
    }
    Some(Note::Select { sets, left })
}

/// `[{fd=3, revents=POLLIN}]`. An answer names only its descriptor; it belongs to the next row with that descriptor.
fn poll_note<'a>(noted: &'a str, event: &Event<'a>, room: &mut Room<'a>) -> Option<Note<'a>> {
    // With a timeout, strace adds the time left.
    let rows = items_of_poll(noted);
    let answered = room.rows(rows)?;
    let mut asked = match event.args.first() {
        Some(Arg::Rows(rows)) => rows.iter(),
        _ => [].iter(),
    };
    for answer in &mut *answered {
        if let Some(row) = asked.find(|row| row.fd == answer.fd) {
            answer.events = row.events;
        }
    }
    Some(Note::Poll((&*answered).into()))
}

/// A very old strace has the answers in the rows of the arguments.
fn answered_in_place<'a>(event: &Event<'a>) -> Option<Note<'a>> {
    let Some(Arg::Rows(rows)) = event.args.first() else { return None };
    let answered = rows.iter().filter(|row| row.revents != PollEvents::NONE).copied();
    let answered: Vec<_> = answered.collect();
    (!answered.is_empty()).then(|| Note::Poll(answered.into()))
}

/// The rows alone, without the time left.
fn items_of_poll(noted: &str) -> &str {
    match noted.rfind(']') {
        Some(end) => &noted[..=end],
        None => noted,
    }
}

fn flags_note<'a>(noted: Option<&'a str>, value: i64, event: &Event<'a>) -> Option<Note<'a>> {
    let command = match event.args.get(1) {
        Some(Arg::Named(command)) => FcntlCommand::from_bits(command.value as i32),
        _ => return None,
    };
    let flags = noted.and_then(|noted| noted.strip_prefix("flags "));
    match command {
        // The number contains all flags, also those without a name here.
        F_GETFL => Some(Note::OpenFlags(OpenFlags::from_bits(i32::try_from(value).ok()?))),
        F_GETFD => {
            let flags = flags.map_or(Some(0), |flags| named(flags, FdFlags::CONSTANTS))?;
            Some(Note::FdFlags(FdFlags::from_bits(flags as i32)))
        }
        _ => None,
    }
}
