//! strace's notation for each kind of argument, and for the notes behind a result.

use std::borrow::Cow;
use std::fmt::Write;

use super::arg::{Arg, Bytes, Note, Value, ValueLimits};
use super::line::LineBuffer;
use super::quote::quote;
use super::structures::{
    write_action, write_address, write_buffers, write_found, write_mask, write_message,
    write_messages, write_room,
};
use crate::names::{
    AF_INET, AF_INET6, Errno, Level, PollEvents, SocketFlags, SocketType, option_name,
};
use crate::names::{SOL_IP, SOL_IPV6, SOL_SOCKET, SOL_TCP, SOL_UDP};
use crate::values::{FdNumber, Linger, PeerCredentials, PollRow, TimeSpec, TimeVal};

/// Writes an argument in strace's notation. The arguments that occur in every turn of a loop are written here, without
/// `write!`, which would take half the time of a line.
#[inline(always)]
pub(crate) fn write_arg(out: &mut LineBuffer, arg: &Arg<'_>, limits: ValueLimits) {
    match arg {
        Arg::Fd(fd) => out.decimal(fd.get().into()),
        Arg::Int(number) => out.decimal(*number),
        Arg::Millis(timeout_ms) => out.decimal((*timeout_ms).into()),
        Arg::Bytes(bytes) => write_bytes(out, bytes, limits),
        Arg::Set(Some(members)) => write_set(out, members),
        Arg::Set(None) => out.push_str("NULL"),
        _ => write_other_arg(out, arg, limits),
    }
}

/// Writes any other argument. (Writing to a line cannot fail, hence the `let _`.)
#[inline(never)]
fn write_other_arg(out: &mut LineBuffer, arg: &Arg<'_>, limits: ValueLimits) {
    let _ = match arg {
        // `write_arg` has written these.
        Arg::Fd(_) | Arg::Int(_) | Arg::Millis(_) | Arg::Bytes(_) | Arg::Set(_) => Ok(()),
        Arg::Named(named) => named.write_to(out),
        Arg::Fds([first, second]) => write!(out, "[{first}, {second}]"),
        Arg::Word(text) | Arg::Text(text) => out.write_str(text),
        Arg::Type(kind) => return write_type(out, *kind),
        Arg::Protocol(AF_INET | AF_INET6, protocol) => write!(out, "{protocol}"),
        Arg::Protocol(_, protocol) => write!(out, "{}", protocol.bits()),
        Arg::OpenFlags(flags) => write!(out, "{}", flags.with_access()),
        Arg::Request(request) => write!(out, "{request}"),
        Arg::Str(None) | Arg::Pointer(0) | Arg::TimeVal(None) => out.write_str("NULL"),
        Arg::TimeSpec(None) | Arg::Mask(None) | Arg::Action(None) | Arg::Hints(None) => {
            out.write_str("NULL")
        }
        Arg::Unanswered { name_len } => write!(out, "{{msg_namelen={name_len}}}"),
        Arg::Pointer(address) => write!(out, "{address:#x}"),
        Arg::Length { given, returned } if given == returned => write!(out, "[{given}]"),
        Arg::Length { given, returned } => write!(out, "[{given} => {returned}]"),
        Arg::Offset { given, returned: None } => write!(out, "[{given}]"),
        Arg::Offset { given, returned: Some(returned) } => write!(out, "[{given}] => [{returned}]"),
        Arg::OptionName(level, number) => match option_name(*level, *number) {
            Some(name) => write!(out, "{name}"),
            None => match option_prefix(*level) {
                "" => write!(out, "{number}"),
                prefix => write!(out, "{number:#x} /* {prefix}??? */"),
            },
        },
        Arg::TimeVal(Some(time)) => write_timeval(out, *time),
        Arg::TimeSpec(Some(time)) => write_timespec(out, *time),
        Arg::Hints(Some(hints)) => {
            let [flags, family, kind, protocol] = &**hints;
            write!(
                out,
                "{{ai_flags={flags}, ai_family={family}, ai_socktype={kind}, ai_protocol={protocol}}}"
            )
        }
        Arg::Str(Some(text)) => return quote(out, text.as_bytes(), usize::MAX),
        Arg::Address(address) => return write_address(out, address, limits),
        Arg::Value(value) => return write_value(out, value, limits),
        Arg::Rows(rows) => return write_rows(out, rows, limits, |row| ("events", row.events)),
        Arg::Mask(Some(signals)) => return write_mask(out, signals),
        Arg::Action(Some(action)) => return write_action(out, action),
        Arg::Message(message) => return write_message(out, message, limits),
        Arg::Messages(messages) => return write_messages(out, messages, limits),
        Arg::Buffers(buffers) => return write_buffers(out, buffers, limits),
        Arg::Room(room) => return write_room(out, room, limits),
        Arg::Found(found) => return write_found(out, found, limits),
    };
}

/// Writes bytes in quotes, and dots if there are more.
#[inline]
pub(super) fn write_bytes(out: &mut LineBuffer, bytes: &Bytes<'_>, limits: ValueLimits) {
    let (shown, is_cut) = bytes.cut(limits.bytes);
    quote(out, shown, usize::MAX);
    if is_cut {
        out.push_str("...");
    }
}

/// Writes the note behind the result, in parentheses.
pub(crate) fn write_note(
    out: &mut LineBuffer,
    note: &Note<'_>,
    returned: i64,
    limits: ValueLimits,
) {
    let _ = match note {
        Note::None => Ok(()),
        Note::OpenFlags(flags) => write!(out, " (flags {})", flags.with_access()),
        Note::FdFlags(flags) if flags.bits() == 0 => Ok(()),
        Note::FdFlags(flags) => write!(out, " (flags {flags})"),
        Note::Select { .. } | Note::Poll(_) if returned == 0 => write!(out, " (Timeout)"),
        Note::Select { sets, left } => return write_select_note(out, sets, *left),
        Note::Poll(rows) => return write_poll_note(out, rows, limits),
        Note::Code(_, text) | Note::Text(text) => write!(out, " ({text})"),
    };
}

fn write_select_note(
    out: &mut LineBuffer,
    sets: &[Option<Cow<'_, [FdNumber]>>; 3],
    left: Option<TimeVal>,
) {
    let mut separator = " (";
    for (name, set) in ["in", "out", "except"].iter().zip(sets) {
        let Some(members) = set.as_deref().filter(|members| !members.is_empty()) else { continue };
        let _ = write!(out, "{separator}{name} ");
        write_set(out, members);
        separator = ", ";
    }
    if let Some(left) = left {
        let _ = write!(out, "{separator}left ");
        let _ = write_timeval(out, left);
        separator = ", ";
    }
    if separator == ", " {
        out.push(b')');
    }
}

fn write_poll_note(out: &mut LineBuffer, rows: &[PollRow], limits: ValueLimits) {
    out.push_str(" (");
    write_rows(out, rows, limits, |row| ("revents", row.revents));
    out.push(b')');
}

/// Writes a type and its flags; if there is no such type, everything counts as flags, some without a name.
fn write_type(out: &mut LineBuffer, kind: SocketType) {
    let (alone, rest) = (kind.bits() & 0xf, kind.bits() & !0xf);
    let known = SocketType::CONSTANTS.iter().find(|known| known.value == i64::from(alone));
    let _ = match known {
        None => write!(out, "{}", SocketFlags::from_bits(kind.bits())),
        Some(known) if rest == 0 => write!(out, "{}", known.name),
        Some(known) => write!(out, "{}|{}", known.name, SocketFlags::from_bits(rest)),
    };
}

fn write_timeval(out: &mut LineBuffer, time: TimeVal) -> std::fmt::Result {
    write!(out, "{{tv_sec={}, tv_usec={}}}", time.tv_sec, time.tv_usec)
}

fn write_timespec(out: &mut LineBuffer, time: TimeSpec) -> std::fmt::Result {
    write!(out, "{{tv_sec={}, tv_nsec={}}}", time.tv_sec, time.tv_nsec)
}

fn write_set(out: &mut LineBuffer, members: &[FdNumber]) {
    out.push(b'[');
    for (at, fd) in members.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.decimal(fd.get().into());
    }
    out.push(b']');
}

fn write_rows(
    out: &mut LineBuffer,
    rows: &[PollRow],
    limits: ValueLimits,
    shown: impl Fn(&PollRow) -> (&'static str, PollEvents),
) {
    out.push(b'[');
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        if at == limits.items {
            out.push_str("...");
            break;
        }
        out.push_str("{fd=");
        out.decimal(row.fd.get().into());
        if row.fd.get() >= 0 {
            let (name, events) = shown(row);
            out.push_str(", ");
            out.push_str(name);
            out.push(b'=');
            let _ = events.named().write_to(out);
        }
        out.push(b'}');
    }
    out.push(b']');
}

fn write_value(out: &mut LineBuffer, value: &Value<'_>, limits: ValueLimits) {
    let _ = match value {
        Value::Int(number) => write!(out, "[{number}]"),
        Value::Byte(byte) => return quote(out, &[*byte], limits.bytes),
        Value::Error(0) => write!(out, "[0]"),
        Value::Error(number) => match Errno::from_number(*number).name() {
            Some(name) => write!(out, "[{name}]"),
            None => write!(out, "[{number}]"),
        },
        Value::Linger(Linger { l_onoff, l_linger }) => {
            write!(out, "{{l_onoff={l_onoff}, l_linger={l_linger}}}")
        }
        Value::TimeVal(time) => write_timeval(out, *time),
        Value::Credentials(PeerCredentials { pid, uid, gid }) => {
            write!(out, "{{pid={pid}, uid={}, gid={}}}", owner(*uid), owner(*gid))
        }
        Value::Bytes(bytes) => return write_bytes(out, bytes, limits),
    };
}

/// The id of a user or group; -1, as a program would write it, for none.
fn owner(id: u32) -> i64 {
    if id == u32::MAX { -1 } else { id.into() }
}

/// The prefix of the options of a level: `SO_`.
fn option_prefix(level: Level) -> &'static str {
    match level {
        SOL_SOCKET => "SO_",
        SOL_IP => "IP_",
        SOL_IPV6 => "IPV6_",
        SOL_TCP => "TCP_",
        SOL_UDP => "UDP_",
        _ => "",
    }
}
