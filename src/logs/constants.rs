//! Names, read as constants and flags.

use std::borrow::Cow;

use super::parameters::Parameter;
use super::structures::value_of_option;
use super::values::{self, Room, int, named};
use crate::names::{
    self, AF_INET, CloseRangeFlags, Domain, F_SETFD, F_SETFL, FIOASYNC, FIONBIO, FIONREAD,
    FcntlCommand, FdFlags, IoctlRequest, Level, MsgFlags, OPTIONS, OpenFlags, Protocol, SIOCATMARK,
    ShutdownHow, SocketFlags, SpliceFlags, TIOCOUTQ,
};
use crate::trace::Function;
use crate::trace::arg::{Arg, Value};
use crate::trace::event::Event;

/// A named constant, or flags.
pub(super) fn constant<'a>(
    parameter: Parameter,
    text: &'a str,
    event: &Event<'a>,
) -> Option<Arg<'a>> {
    let value = |names| named(text, names).map(|value| value as i32);
    let arg =
        match parameter {
            Parameter::Domain => {
                // An older strace says PF_INET, and calls AF_UNIX by a third name.
                let family = match text.strip_prefix("PF_") {
                    Some("FILE" | "LOCAL") => Cow::Borrowed("AF_UNIX"),
                    Some(name) => Cow::Owned(["AF_", name].concat()),
                    None => Cow::Borrowed(text),
                };
                let family = named(&family, Domain::CONSTANTS);
                family.map(|value| Domain::from_bits(value as i32).named().into())
            }
            Parameter::SocketType => values::socket_type(text).map(Arg::Type),
            Parameter::Protocol => {
                let domain = match event.args.first() {
                    Some(Arg::Named(domain)) => Domain::from_bits(domain.value as i32),
                    _ => AF_INET,
                };
                let protocol = value(Protocol::CONSTANTS).or_else(|| values::millis(text));
                let is_pair = event.function() == Some(Function::SOCKETPAIR);
                protocol.map(|value| match is_pair {
                    true => Arg::Int(value.into()),
                    false => Arg::Protocol(domain, Protocol::from_bits(value)),
                })
            }
            Parameter::Level => {
                value(Level::CONSTANTS).map(|value| Level::from_bits(value).named().into())
            }
            // An older strace adds the meaning of the number: `1 /* send */`.
            Parameter::How => value(ShutdownHow::CONSTANTS)
                .map(|value| ShutdownHow::from_bits(value).named().into()),
            Parameter::SocketFlags => value(SocketFlags::CONSTANTS)
                .map(|value| SocketFlags::from_bits(value).named().into()),
            Parameter::MsgFlags => {
                value(MsgFlags::CONSTANTS).map(|value| MsgFlags::from_bits(value).named().into())
            }
            Parameter::SpliceFlags => value(SpliceFlags::CONSTANTS)
                .map(|value| SpliceFlags::from_bits(value).named().into()),
            Parameter::CloseRangeFlags => value(CloseRangeFlags::CONSTANTS)
                .map(|value| CloseRangeFlags::from_bits(value).named().into()),
            Parameter::Command => value(FcntlCommand::CONSTANTS)
                .map(|value| FcntlCommand::from_bits(value).named().into()),
            Parameter::Request => request(text).map(Arg::Request),
            Parameter::Signal => values::signal(text).map(|signal| signal.named().into()),
            _ => None,
        };
    arg.or_else(|| is_word(text).then(|| Arg::Word(text.into())))
}

/// Whether this is the name of a constant, or names of flags.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_|".contains(&byte))
}

fn request(text: &str) -> Option<IoctlRequest> {
    // strace adds the other name of a request.
    let first = text.split([' ', '/']).next()?;
    let name = if first == "TIOCINQ" { "FIONREAD" } else { first };
    let known = [FIONREAD, FIONBIO, FIOASYNC, TIOCOUTQ, SIOCATMARK];
    known
        .into_iter()
        .find(|request| request.to_string() == name || int(name) == Some(request.bits() as i64))
}

/// An option's name, which depends on the level.
pub(super) fn option_name<'a>(text: &'a str, event: &Event<'a>) -> Option<Arg<'a>> {
    let Some(Arg::Named(level)) = event.args.get(1) else { return None };
    let level = Level::from_bits(level.value as i32);
    // The kernel has two of some, for times of 32 and of 64 bits; C has one.
    let name = text.strip_suffix("_OLD").or_else(|| text.strip_suffix("_NEW")).unwrap_or(text);
    let names = OPTIONS.iter().find(|(of, _)| *of == level).map_or(&[][..], |(_, names)| *names);
    match named(name, names).or_else(|| int(name)) {
        Some(value) => Some(Arg::OptionName(level, value as i32)),
        None => is_word(text).then(|| Arg::Word(text.into())),
    }
}

/// The value that an option is set to.
pub(super) fn option_value<'a>(
    text: &'a str,
    event: &Event<'a>,
    room: &mut Room<'a>,
) -> Option<Value<'a>> {
    let name = match event.args.get(2) {
        Some(Arg::OptionName(level, number)) => {
            names::option_name(*level, *number).unwrap_or_default()
        }
        _ => "",
    };
    let is_asked = event.function() == Some(Function::GETSOCKOPT);
    match value_of_option(name, text, room)? {
        // A value to be set is just a number, whatever it means.
        Value::Error(number) if !is_asked => Some(Value::Int(number)),
        value => Some(value),
    }
}

/// The third argument of `fcntl`.
pub(super) fn fcntl_argument<'a>(text: &str, event: &Event<'a>) -> Option<Arg<'a>> {
    let command = match event.args.get(1) {
        Some(Arg::Named(command)) => FcntlCommand::from_bits(command.value as i32),
        _ => return None,
    };
    match command {
        F_SETFL => open_flags(text).map(Arg::OpenFlags),
        F_SETFD => {
            let flags = named(text, FdFlags::CONSTANTS)?;
            Some(FdFlags::from_bits(flags as i32).named().into())
        }
        _ => Some(Arg::Int(values::millis(text)?.into())),
    }
}

/// A file's status flags. Flags without a name here are left out, except strace's own number for them.
pub(super) fn open_flags(text: &str) -> Option<OpenFlags> {
    let mut bits = 0;
    for name in text.split('|') {
        bits |= match name {
            "O_RDONLY" => 0,
            "FASYNC" => named("O_ASYNC", OpenFlags::CONSTANTS)?,
            name => named(name, OpenFlags::CONSTANTS).unwrap_or(0),
        };
    }
    Some(OpenFlags::from_bits(bits as i32))
}
