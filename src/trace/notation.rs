//! strace's notation for each kind of argument, and for the notes behind a result.

use std::borrow::Cow;
use std::fmt::Write;

use super::arg::{Arg, Bytes, Note, Value, ValueLimits};
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

/// Writes an argument in strace's notation. (Writing to a String cannot fail, hence the `let _`.)
pub(crate) fn write_arg(out: &mut String, arg: &Arg<'_>, limits: ValueLimits) {
    let _ = match arg {
        // The arguments that occur in every turn of a loop are written without `format!`, which would take half the
        // time of a line.
        Arg::Fd(fd) => return decimal(out, fd.get().into()),
        Arg::Int(number) => return decimal(out, *number),
        Arg::Millis(timeout_ms) => return decimal(out, (*timeout_ms).into()),
        Arg::Named(named) => named.write_to(out),
        Arg::Fds([first, second]) => write!(out, "[{first}, {second}]"),
        Arg::Word(text) | Arg::Text(text) => out.write_str(text),
        Arg::Type(kind) => return write_type(out, *kind),
        Arg::Protocol(AF_INET | AF_INET6, protocol) => write!(out, "{protocol}"),
        Arg::Protocol(_, protocol) => write!(out, "{}", protocol.bits()),
        Arg::OpenFlags(flags) => write!(out, "{}", flags.with_access()),
        Arg::Request(request) => write!(out, "{request}"),
        Arg::Str(None) | Arg::Pointer(0) | Arg::Set(None) | Arg::TimeVal(None) => {
            write!(out, "NULL")
        }
        Arg::TimeSpec(None) | Arg::Mask(None) | Arg::Action(None) | Arg::Hints(None) => {
            write!(out, "NULL")
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
        Arg::Bytes(bytes) => return write_bytes(out, bytes, limits),
        Arg::Str(Some(text)) => return quote(out, text.as_bytes(), usize::MAX),
        Arg::Address(address) => return write_address(out, address, limits),
        Arg::Value(value) => return write_value(out, value, limits),
        Arg::Set(Some(members)) => return write_set(out, members),
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
pub(super) fn write_bytes(out: &mut String, bytes: &Bytes<'_>, limits: ValueLimits) {
    let (shown, is_cut) = bytes.cut(limits.bytes);
    quote(out, shown, usize::MAX);
    if is_cut {
        out.push_str("...");
    }
}

/// Writes a number in decimal.
pub(crate) fn decimal(out: &mut String, number: i64) {
    if number < 0 {
        out.push('-');
    }
    let mut rest = number.unsigned_abs();
    if rest < 1000 {
        if rest >= 100 {
            out.push(char::from(b'0' + (rest / 100) as u8));
        }
        if rest >= 10 {
            out.push(char::from(b'0' + (rest / 10 % 10) as u8));
        }
        return out.push(char::from(b'0' + (rest % 10) as u8));
    }
    let mut digits = [0; 20];
    let mut at = digits.len();
    // Two digits at a time: a division takes longer than everything else here.
    while rest >= 10 {
        at -= 2;
        let two = (rest % 100) as u8;
        (digits[at], digits[at + 1]) = (b'0' + two / 10, b'0' + two % 10);
        rest /= 100;
    }
    if rest > 0 {
        at -= 1;
        digits[at] = b'0' + rest as u8;
    }
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

/// Writes the note behind the result, in parentheses.
pub(crate) fn write_note(out: &mut String, note: &Note<'_>, returned: i64, limits: ValueLimits) {
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
    out: &mut String,
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
        out.push(')');
    }
}

fn write_poll_note(out: &mut String, rows: &[PollRow], limits: ValueLimits) {
    out.push_str(" (");
    write_rows(out, rows, limits, |row| ("revents", row.revents));
    out.push(')');
}

/// Writes a type and its flags; if there is no such type, everything counts as flags, some without a name.
fn write_type(out: &mut String, kind: SocketType) {
    let (alone, rest) = (kind.bits() & 0xf, kind.bits() & !0xf);
    let known = SocketType::CONSTANTS.iter().find(|known| known.value == i64::from(alone));
    let _ = match known {
        None => write!(out, "{}", SocketFlags::from_bits(kind.bits())),
        Some(known) if rest == 0 => write!(out, "{}", known.name),
        Some(known) => write!(out, "{}|{}", known.name, SocketFlags::from_bits(rest)),
    };
}

fn write_timeval(out: &mut String, time: TimeVal) -> std::fmt::Result {
    write!(out, "{{tv_sec={}, tv_usec={}}}", time.tv_sec, time.tv_usec)
}

fn write_timespec(out: &mut String, time: TimeSpec) -> std::fmt::Result {
    write!(out, "{{tv_sec={}, tv_nsec={}}}", time.tv_sec, time.tv_nsec)
}

fn write_set(out: &mut String, members: &[FdNumber]) {
    out.push('[');
    for (at, fd) in members.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        decimal(out, fd.get().into());
    }
    out.push(']');
}

fn write_rows(
    out: &mut String,
    rows: &[PollRow],
    limits: ValueLimits,
    shown: impl Fn(&PollRow) -> (&'static str, PollEvents),
) {
    out.push('[');
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        if at == limits.items {
            out.push_str("...");
            break;
        }
        out.push_str("{fd=");
        decimal(out, row.fd.get().into());
        if row.fd.get() >= 0 {
            let (name, events) = shown(row);
            out.push_str(", ");
            out.push_str(name);
            out.push('=');
            let _ = events.named().write_to(out);
        }
        out.push('}');
    }
    out.push(']');
}

fn write_value(out: &mut String, value: &Value<'_>, limits: ValueLimits) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_digits() {
        for number in [0, 7, -1, 10, 99, 100, 101, 110, 999, -999, 1000, 65536, i64::MAX, i64::MIN]
        {
            let mut out = String::new();
            decimal(&mut out, number);
            assert_eq!(out, number.to_string());
        }
    }
}
