//! Writes the values that fields and arguments consist of.

use std::fmt::Write;

use crate::addr::Address;
use crate::names::{Named, O_RDONLY, OpenFlags, SocketType};
use crate::trace::arg::{Bytes, ValueLimits};
use crate::trace::line::LineBuffer;
use crate::trace::quote::escape_in_json;
use crate::values::{FdNumber, TimeSpec, TimeVal};

pub(super) fn number(out: &mut LineBuffer, name: &str, number: u64) {
    out.push_str(name);
    out.decimal(i64::try_from(number).unwrap_or(i64::MAX));
}

pub(super) fn optional<T>(
    out: &mut LineBuffer,
    value: Option<T>,
    write: impl FnOnce(&mut LineBuffer, T),
) {
    match value {
        Some(value) => write(out, value),
        None => out.push_str("null"),
    }
}

pub(super) fn array<T>(
    out: &mut LineBuffer,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut LineBuffer, T),
) {
    out.push(b'[');
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

pub(super) fn numbers(out: &mut LineBuffer, fds: &[FdNumber]) {
    array(out, fds.iter(), |out, fd| out.decimal(fd.get().into()));
}

/// Writes a name that needs no escapes.
pub(super) fn constant(out: &mut LineBuffer, name: &str) {
    out.push(b'"');
    out.push_str(name);
    out.push(b'"');
}

/// Writes one of several constants: its name, or its number.
pub(super) fn one(out: &mut LineBuffer, named: Named) {
    match named.family.names.iter().find(|known| known.value == named.value) {
        Some(known) => constant(out, known.name),
        None => out.decimal(named.value),
    }
}

/// Writes the names of the bits that are set, and the rest as a number.
pub(super) fn flags(out: &mut LineBuffer, named: Named) {
    array(out, parts(named), |out, part| match part {
        Ok(name) => constant(out, name),
        Err(rest) => out.decimal(rest),
    });
}

fn parts(named: Named) -> impl Iterator<Item = Result<&'static str, i64>> {
    let mut rest = named.value;
    let mut known = named.family.names.iter();
    std::iter::from_fn(move || {
        for known in known.by_ref() {
            if rest != 0 && known.value != 0 && rest & known.value == known.value {
                rest &= !known.value;
                return Some(Ok(known.name));
            }
        }
        (rest != 0).then(|| Err(std::mem::take(&mut rest)))
    })
}

/// Writes the type, and then its flags.
pub(super) fn socket_type(out: &mut LineBuffer, kind: SocketType) {
    out.push(b'[');
    one(out, kind.without_flags().named());
    for part in parts(kind.flags().named()) {
        out.push(b',');
        match part {
            Ok(name) => constant(out, name),
            Err(rest) => out.decimal(rest),
        }
    }
    out.push(b']');
}

/// Writes the flags, including the access mode, which is not a flag.
pub(super) fn open_flags(out: &mut LineBuffer, flags: OpenFlags) {
    let access = flags.is_read_only().then_some(Ok("O_RDONLY"));
    array(out, access.into_iter().chain(parts(flags.without(O_RDONLY).named())), |out, part| {
        match part {
            Ok(name) => constant(out, name),
            Err(rest) => out.decimal(rest),
        }
    });
}

pub(super) fn bytes(out: &mut LineBuffer, bytes: &Bytes<'_>, limits: ValueLimits) {
    let (shown, is_cut) = bytes.cut(limits.bytes);
    out.push_str("{\"text\":\"");
    escape_in_json(out, shown);
    out.push_str(if is_cut { "\",\"cut\":true}" } else { "\",\"cut\":false}" });
}

/// Writes any text, in ASCII.
pub(super) fn string(out: &mut LineBuffer, text: &str) {
    out.push(b'"');
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        out.push_str(text);
    } else {
        for unit in text.encode_utf16() {
            match u8::try_from(unit) {
                Ok(byte @ (b'"' | b'\\')) => {
                    out.push(b'\\');
                    out.push(byte);
                }
                Ok(byte @ b' '..=b'~') => out.push(byte),
                _ => {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push(b'"');
}

pub(super) fn address(out: &mut LineBuffer, address: &Address) {
    match address {
        Address::V4(at) => {
            for (octet, separator) in at.ip().octets().into_iter().zip(["\"", ".", ".", "."]) {
                number(out, separator, octet.into());
            }
            number(out, ":", at.port().into());
            out.push(b'"');
        }
        Address::Other { family, data } => {
            out.push_str("{\"family\":");
            one(out, family.named());
            out.push_str(",\"data\":");
            bytes(out, &data[..].into(), ValueLimits::NONE);
            out.push(b'}');
        }
        Address::V6(at) if at.flowinfo() != 0 => {
            let _ = write!(out, "{{\"address\":\"{at}\",\"flowinfo\":{}}}", at.flowinfo());
        }
        _ => string(out, &address.to_string()),
    }
}

pub(super) fn pointer(out: &mut LineBuffer, at: usize) {
    match at {
        0 => out.push_str("null"),
        at => {
            let _ = write!(out, "\"{at:#x}\"");
        }
    }
}

pub(super) fn changed(out: &mut LineBuffer, given: i64, returned: Option<i64>) {
    out.push_str("{\"given\":");
    out.decimal(given);
    out.push_str(",\"returned\":");
    optional(out, returned, LineBuffer::decimal);
    out.push(b'}');
}

pub(super) fn timeval(out: &mut LineBuffer, time: TimeVal) {
    out.push_str("{\"tv_sec\":");
    out.decimal(time.tv_sec);
    out.push_str(",\"tv_usec\":");
    out.decimal(time.tv_usec);
    out.push(b'}');
}

pub(super) fn timespec(out: &mut LineBuffer, time: TimeSpec) {
    out.push_str("{\"tv_sec\":");
    out.decimal(time.tv_sec);
    out.push_str(",\"tv_nsec\":");
    out.decimal(time.tv_nsec);
    out.push(b'}');
}
