//! Turns a call of a log into an event.

use std::borrow::Cow;

use super::addresses::address;
use super::answer::{CallResult, RawCall};
use super::arguments::{Arguments, field, inside, items};
use super::constants::{constant, fcntl_argument, option_name, option_value};
use super::fold::name_in_c;
use super::notes::note;
use super::parameters::{self, Parameter};
use super::structures::{action, buffers, message, messages};
use super::values::{self, Room, int, only};
use crate::names::{Errno, Signal};
use crate::trace::arg::{Arg, Value};
use crate::trace::event::{Args, Callee, Event, Mark, Outcome};
use crate::values::FdNumber;

/// Makes the event of a call. It borrows from the call's text and from the room.
pub fn event<'a>(call: &RawCall<'a>, room: &mut Room<'a>) -> Event<'a> {
    let arguments = Arguments::divide(call.arguments);
    let (name, count) = name_in_c(call, &arguments);
    let (callee, row) = match parameters::known(name) {
        Some(known) => (known.function.map(Callee::Known), &known.row),
        None => (None, &[Parameter::Other; Args::MOST]),
    };
    let mut event = Event::new(callee.unwrap_or(Callee::Other(name.into())));
    event.outcome = outcome(&call.answer);
    let failed = !matches!(event.outcome, Outcome::Value(_));
    for (text, parameter) in arguments.iter().take(count).zip(row) {
        let arg = known((call.name, *parameter), text, &event, room);
        let arg = arg.unwrap_or_else(|| unknown(text, failed));
        event.args.push(arg);
    }
    event.note = note(call, &event, room);
    event.mark = mark(call.answer.rest);
    event
}

fn outcome(answer: &CallResult<'_>) -> Outcome {
    match (answer.value, answer.error) {
        (Some(_), Some(name)) => Outcome::Error(errno(name)),
        (Some(value), None) => Outcome::Value(value),
        (None, _) => Outcome::Unknown,
    }
}

/// The errno with this name, or with this number if strace has no name.
fn errno(name: &str) -> Errno {
    match name {
        "EAGAIN" | "EWOULDBLOCK" => Errno::EAGAIN,
        "EINTR" => Errno::EINTR,
        "EINPROGRESS" => Errno::EINPROGRESS,
        _ => Errno::from_name(name)
            .or_else(|| name.parse().ok().map(Errno::from_number))
            .unwrap_or(Errno::UNLISTED),
    }
}

/// Whether a rule changed the call, as marked by strace or our own trace.
fn mark(rest: &str) -> Mark {
    if !rest.ends_with(')') {
        return Mark::None;
    }
    match rest {
        _ if rest.ends_with("(INJECTED)") => Mark::Injected,
        _ if rest.ends_with("(refused)") => Mark::Refused,
        _ if rest.ends_with("(libc)") => Mark::Libc,
        _ => Mark::None,
    }
}

/// An argument of an unknown kind, or in a form that its kind does not have.
fn unknown<'a>(text: &'a str, failed: bool) -> Arg<'a> {
    match int(text) {
        _ if text == "NULL" => Arg::Pointer(0),
        // The address that the call would have written to.
        Some(address) if text.starts_with("0x") && failed => Arg::Pointer(address as usize),
        Some(address) if text.starts_with("0x7f") => Arg::Pointer(address as usize),
        Some(value) => Arg::Int(value),
        None => Arg::Text(text.into()),
    }
}

/// An argument, by the kind of its parameter; `None` if the text has no form of this kind.
fn known<'a>(
    (call, parameter): (&str, Parameter),
    text: &'a str,
    event: &Event<'a>,
    room: &mut Room<'a>,
) -> Option<Arg<'a>> {
    Some(match parameter {
        Parameter::Fd => Arg::Fd(values::fd(text)?),
        Parameter::Pair => Arg::Fds(pair(text)?),
        Parameter::Int => Arg::Int(int(text)?),
        Parameter::Bytes => Arg::Bytes(room.string(text)?),
        Parameter::Str => {
            Arg::Str(Some(String::from_utf8_lossy(&room.string(text)?.shown).into_owned().into()))
        }
        // An older strace writes NULL so.
        Parameter::Address if text == "0" => Arg::Pointer(0),
        // What the kernel did not write to, or could not read.
        Parameter::Address if text.starts_with("0x") => Arg::Pointer(int(text)? as usize),
        Parameter::Address => Arg::Address(Cow::Owned(address(text, room)?)),
        Parameter::Length if text.starts_with('[') => {
            let (given, returned) = values::length(text)?;
            Arg::Length { given, returned }
        }
        Parameter::Length => Arg::Int(int(text)?),
        Parameter::Offset => offset(text)?,
        Parameter::Set => match text {
            "NULL" => Arg::Set(None),
            _ => Arg::Set(Some(room.set(text)?.into())),
        },
        Parameter::Rows if text == "NULL" => Arg::Rows((&[][..]).into()),
        Parameter::Rows => Arg::Rows((&*room.rows(text)?).into()),
        Parameter::Millis => Arg::Millis(millis(text, call)?),
        Parameter::TimeVal if text == "NULL" => Arg::TimeVal(None),
        Parameter::TimeVal => Arg::TimeVal(Some(values::timeval(text, call)?)),
        Parameter::TimeSpec if text == "NULL" => Arg::TimeSpec(None),
        Parameter::TimeSpec => Arg::TimeSpec(Some(values::timespec(text, call)?)),
        Parameter::Mask if text == "NULL" => Arg::Mask(None),
        // The kernel takes it in a structure, with its size.
        Parameter::Mask if text.starts_with("{sigmask=") => match field(text, "sigmask")? {
            "NULL" | "0" => Arg::Mask(None),
            inside => Arg::Mask(Some(mask(inside)?)),
        },
        Parameter::Mask => Arg::Mask(Some(mask(text)?)),
        Parameter::Action if text == "NULL" => Arg::Action(None),
        Parameter::Action => Arg::Action(Some(Box::new(action(text)?))),
        Parameter::Message => message(text, event.errno().is_some(), room)?,
        Parameter::Messages => messages(text, room)?,
        Parameter::Buffers => buffers(text, event, room)?,
        Parameter::OptionName => option_name(text, event)?,
        Parameter::OptionValue => Arg::Value(option_value(text, event, room)?),
        Parameter::Domain
        | Parameter::SocketType
        | Parameter::Protocol
        | Parameter::Level
        | Parameter::How
        | Parameter::MsgFlags
        | Parameter::SocketFlags
        | Parameter::SpliceFlags
        | Parameter::CloseRangeFlags
        | Parameter::Command
        | Parameter::Request
        | Parameter::Signal => constant(parameter, text, event)?,
        Parameter::IoctlArgument => Arg::Value(Value::Int(i32::try_from(only(text)?).ok()?)),
        Parameter::FcntlArgument => fcntl_argument(text, event)?,
        Parameter::Other => return None,
    })
}

fn pair(text: &str) -> Option<[FdNumber; 2]> {
    let mut ends = items(text).map(values::fd);
    let pair = [ends.next()??, ends.next()??];
    ends.next().is_none().then_some(pair)
}

/// `[0] => [5]`, `[5 => 9]`, or NULL.
fn offset<'a>(text: &str) -> Option<Arg<'a>> {
    if text == "NULL" {
        return Some(Arg::Pointer(0));
    }
    let number = |text: &str| {
        let text = inside(text);
        int(text).or_else(|| Some(text.parse::<u64>().ok()?.cast_signed()))
    };
    let (given, returned) = match text.split_once("=>") {
        Some((given, returned)) => (given.trim_ascii(), Some(returned.trim_ascii())),
        None => (text, None),
    };
    let bare = |text: &str| text.trim_matches(['[', ']']).trim_ascii().to_string();
    let returned = match returned {
        Some(text) => Some(number(&bare(text))?),
        None => None,
    };
    Some(Arg::Offset { given: number(&bare(given))?, returned })
}

/// Milliseconds; in a structure if the kernel has no `poll`.
fn millis(text: &str, call: &str) -> Option<i32> {
    match text {
        "NULL" => Some(-1),
        _ if text.starts_with('{') => {
            let time = values::timespec(text, call)?;
            let millis = time.tv_sec.checked_mul(1_000)?.checked_add(time.tv_nsec / 1_000_000)?;
            i32::try_from(millis).ok()
        }
        _ => values::millis(text),
    }
}

/// A signal mask; `pselect6` takes it in a structure, with its size.
fn mask(text: &str) -> Option<Vec<Signal>> {
    values::mask(field(text, "sigmask").unwrap_or(text))
}
