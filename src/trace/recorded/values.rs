//! The values in a JSON trace, read back: what [`json`](crate::trace::json) has made of them.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;

use serde_json::Value as Json;

use crate::addr::{Address, UnixName};
use crate::names::{
    Domain, Errno, Level, OPTIONS, OpenFlags, PollEvents, SocketFlags, SocketType, value_of,
};
use crate::trace::arg::Value;
use crate::values::{FdNumber, Linger, PollRow, TimeVal};

/// A value in strace's notation.
pub(super) fn written(value: &Json) -> String {
    match value {
        Json::Null => "NULL".into(),
        Json::String(text) => printable(text),
        Json::Array(values) => {
            let values: Vec<_> = values.iter().map(written).collect();
            format!("[{}]", values.join(", "))
        }
        Json::Object(object) => match (object.get("text"), object.get("given")) {
            (Some(Json::String(text)), _) => {
                let cut = object.get("cut") == Some(&Json::Bool(true));
                format!("\"{}\"{}", printable(text), if cut { "..." } else { "" })
            }
            (_, Some(given)) => match object.get("returned") {
                Some(returned) if returned != given => format!("[{given} => {returned}]"),
                _ => format!("[{given}]"),
            },
            _ => printable(&value.to_string()),
        },
        _ => printable(&value.to_string()),
    }
}

/// What a trace says is printable; what somebody else has made of it may not be.
pub(crate) fn printable(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.into();
    }
    let plain = |c: char| matches!(c, ' '..='~');
    text.chars().map(|c| if plain(c) { c.into() } else { c.escape_default().to_string() }).collect()
}

pub(super) fn number(value: &Json) -> Option<FdNumber> {
    value.as_i64()?.try_into().ok().map(FdNumber::new)
}

pub(super) fn set(value: &Json) -> Option<Vec<FdNumber>> {
    Some(value.as_array()?.iter().filter_map(number).collect())
}

pub(super) fn timeval(time: &Json) -> Option<TimeVal> {
    let part = |name| time.get(name)?.as_i64();
    Some(TimeVal { tv_sec: part("tv_sec")?, tv_usec: part("tv_usec")? })
}

pub(super) fn read_row(row: &Json, field: &str) -> Option<PollRow> {
    let events = value_of(row.get(field)?.as_str()?, PollEvents::CONSTANTS)?;
    let events = PollEvents::from_bits(events as i32);
    Some(PollRow { fd: number(row.get("fd")?)?, events, revents: PollEvents::NONE })
}

pub(super) fn read_open_flags(text: &str) -> Option<OpenFlags> {
    // No flag, but the way of access where none is set.
    let text = text.strip_prefix("O_RDONLY").map_or(text, |rest| rest.trim_start_matches('|'));
    let bits = if text.is_empty() { 0 } else { value_of(text, OpenFlags::CONSTANTS)? };
    Some(OpenFlags::from_bits(bits as i32))
}

pub(super) fn read_type(text: &str) -> Option<SocketType> {
    let (alone, flags) = text.split_once('|').unwrap_or((text, "0"));
    let alone = value_of(alone, SocketType::CONSTANTS)?;
    let flags = value_of(flags, SocketFlags::CONSTANTS)?;
    Some(SocketType::from_bits((alone | flags) as i32))
}

/// A socket option by its name, which is one at its level only.
pub(super) fn read_option(level: &str, name: &str) -> Option<(Level, i32)> {
    let level = Level::from_bits(value_of(level, Level::CONSTANTS)? as i32);
    let (_, options) = OPTIONS.iter().find(|(of, _)| *of == level)?;
    let option = options.iter().find(|option| option.name == name)?;
    Some((level, option.value as i32))
}

/// The value of an option that a lesson speaks of.
pub(super) fn read_value<'a>(option: &str, text: &str) -> Option<Value<'a>> {
    match option {
        "SO_LINGER" => {
            let inside = text.strip_prefix("{l_onoff=")?.strip_suffix('}')?;
            let (l_onoff, l_linger) = inside.split_once(", l_linger=")?;
            let (l_onoff, l_linger) = (l_onoff.parse().ok()?, l_linger.parse().ok()?);
            Some(Value::Linger(Linger { l_onoff, l_linger }))
        }
        "SO_ERROR" => {
            let name = text.strip_prefix('[')?.strip_suffix(']')?;
            let number = Errno::from_name(name).map(Errno::number);
            Some(Value::Error(number.or_else(|| name.parse().ok())?))
        }
        _ => None,
    }
}

/// An address as [`Address`] prints it.
pub(super) fn read_address(text: &str) -> Option<Address> {
    if let Ok(address) = text.parse() {
        return Some(match address {
            SocketAddr::V4(address) => Address::V4(address),
            SocketAddr::V6(address) => Address::V6(address),
        });
    }
    let (family, name) = text.split_once(':')?;
    Some(match (family, name.strip_prefix('@')) {
        ("unix", _) if name == "(unnamed)" => Address::Unix(UnixName::Unnamed),
        ("unix", Some(name)) => Address::Unix(UnixName::Abstract(unescaped(name)?)),
        ("unix", None) => Address::unix(OsString::from_vec(unescaped(name)?)),
        _ => {
            let family = Domain::from_bits(value_of(family, Domain::CONSTANTS)? as i32);
            Address::Other { family, data: unescaped(name)? }
        }
    })
}

/// The bytes that [`slice::escape_ascii`] wrote.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let (escaped, behind) = rest.split_first()?;
        rest = behind;
        bytes.push(match escaped {
            b't' => b'\t',
            b'r' => b'\r',
            b'n' => b'\n',
            b'x' => {
                let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
                rest = &rest[2..];
                u8::from_str_radix(digits, 16).ok()?
            }
            itself => *itself,
        });
    }
    Some(bytes)
}
