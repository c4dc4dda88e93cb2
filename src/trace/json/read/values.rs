//! Reads the values that arguments consist of.

use std::borrow::Cow;
use std::ffi::OsString;
use std::net::{SocketAddr, SocketAddrV6};
use std::os::unix::ffi::OsStringExt;

use serde_json::Value as Json;

use crate::addr::{Address, UnixName};
use crate::names::*;
use crate::trace::arg::{Bytes, Message, SignalAction, SignalHandler};
use crate::values::{ControlMessage, FdNumber, PollRow, TimeSpec, TimeVal};

/// Our own traces are printable; an edited one may not be.
pub(super) fn printable(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.into();
    }
    let plain = |c: char| matches!(c, ' '..='~');
    text.chars().map(|c| if plain(c) { c.into() } else { c.escape_default().to_string() }).collect()
}

pub(super) fn errno_of(name: &str) -> Option<Errno> {
    Errno::from_name(name).or_else(|| name.parse().ok().map(Errno::from_number))
}

pub(super) fn number(json: &Json) -> Option<FdNumber> {
    json.as_i64()?.try_into().ok().map(FdNumber::new)
}

pub(super) fn pointer(json: &Json) -> Option<usize> {
    usize::from_str_radix(json.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// One of several constants.
pub(super) fn one_of(kind: Named, json: &Json) -> Option<i64> {
    match json {
        Json::String(name) => value_of_name(kind, name),
        _ => json.as_i64(),
    }
}

fn value_of_name(kind: Named, name: &str) -> Option<i64> {
    kind.family.names.iter().find(|known| known.name == name).map(|known| known.value)
}

/// Flags; names that are unknown here are left out.
pub(super) fn bits(kind: Named, json: &Json) -> i32 {
    let flags = json.as_array().into_iter().flatten();
    flags.filter_map(|flag| one_of(kind, flag)).fold(0, |all, flag| all | flag) as i32
}

pub(super) fn open_flags(json: &Json) -> OpenFlags {
    OpenFlags::from_bits(bits(OpenFlags::NONE.named(), json))
}

pub(super) fn socket_type(json: &Json) -> Option<SocketType> {
    let (alone, flags) = json.as_array()?.split_first()?;
    let alone = one_of(SocketType::default().named(), alone)?;
    let flags = flags.iter().filter_map(|flag| one_of(SocketFlags::NONE.named(), flag));
    Some(SocketType::from_bits(flags.fold(alone, |all, flag| all | flag) as i32))
}

pub(super) fn request(json: &Json) -> Option<IoctlRequest> {
    let name = json.as_str()?;
    let known = IoctlRequest::CONSTANTS.iter().find(|known| known.name == name)?;
    Some(IoctlRequest::from_bits(known.value as _))
}

/// A socket option, whose name is unique at its level only.
pub(super) fn option(level: Level, json: &Json) -> Option<i32> {
    let Json::String(name) = json else { return json.as_i64()?.try_into().ok() };
    let (_, options) = OPTIONS.iter().find(|(of, _)| *of == level)?;
    options.iter().find(|option| option.name == name).map(|option| option.value as i32)
}

pub(super) fn set(json: &Json) -> Option<Vec<FdNumber>> {
    Some(json.as_array()?.iter().filter_map(number).collect())
}

pub(super) fn rows_of(json: &Json) -> Vec<PollRow> {
    let events = |row: &Json, name| {
        let flags = row.get(name).map_or(0, |flags| bits(PollEvents::NONE.named(), flags));
        PollEvents::from_bits(flags)
    };
    let row = |row: &Json| {
        let (events, revents) = (events(row, "events"), events(row, "revents"));
        Some(PollRow { fd: number(row.get("fd")?)?, events, revents })
    };
    json.as_array().into_iter().flatten().filter_map(row).collect()
}

pub(super) fn timeval(json: &Json) -> Option<TimeVal> {
    let part = |name| json.get(name)?.as_i64();
    Some(TimeVal { tv_sec: part("tv_sec")?, tv_usec: part("tv_usec")? })
}

pub(super) fn timespec(json: &Json) -> Option<TimeSpec> {
    let part = |name| json.get(name)?.as_i64();
    Some(TimeSpec { tv_sec: part("tv_sec")?, tv_nsec: part("tv_nsec")? })
}

pub(super) fn changed(json: &Json) -> Option<(i64, Option<i64>)> {
    Some((json.get("given")?.as_i64()?, json.get("returned")?.as_i64()))
}

pub(super) fn signals(json: &Json) -> Option<Vec<Signal>> {
    let family = Signal::default().named();
    let signals = json.as_array()?.iter().filter_map(|signal| one_of(family, signal));
    Some(signals.map(|number| Signal::from_bits(number as i32)).collect())
}

pub(super) fn action(json: &Json) -> Option<SignalAction> {
    let handler = json.get("sa_handler")?;
    let handler = match handler.as_str() {
        Some("SIG_DFL") => SignalHandler::Default,
        Some("SIG_IGN") => SignalHandler::Ignore,
        _ => SignalHandler::Function(pointer(handler)?),
    };
    let flags = SaFlags::from_bits(bits(SaFlags::NONE.named(), json.get("sa_flags")?));
    Some(SignalAction { handler, mask: signals(json.get("sa_mask")?)?, flags })
}

pub(super) fn message(json: &Json) -> Option<Message<'static>> {
    let part = |name| json.get(name);
    let name = part("msg_name")?;
    let (given, returned) = changed(part("msg_namelen")?)?;
    Some(Message {
        name: match address(name) {
            Some(address) => Ok(Cow::Owned(address)),
            None => Err(pointer(name).unwrap_or(0)),
        },
        name_len: (given as u32, returned? as u32),
        buffers: buffers(part("msg_iov")?)?,
        control: part("msg_control")?.as_array()?.iter().filter_map(control).collect(),
        control_len: part("msg_controllen")?.as_u64()? as usize,
        flags: MsgFlags::from_bits(bits(MsgFlags::NONE.named(), part("msg_flags")?)),
    })
}

pub(super) fn buffers(json: &Json) -> Option<Vec<(Bytes<'static>, usize)>> {
    let buffer = |json: &Json| Some((bytes(json)?, json.get("len")?.as_u64()? as usize));
    json.as_array()?.iter().map(buffer).collect()
}

/// Buffers of which only address and length are known.
pub(super) fn room(json: &Json) -> Option<Vec<(usize, usize)>> {
    let buffer =
        |json: &Json| Some((pointer(json.get("iov_base")?)?, json.get("len")?.as_u64()? as usize));
    json.as_array()?.iter().map(buffer).collect()
}

pub(super) fn messages(json: &Json) -> Option<Vec<(Message<'static>, Option<u32>)>> {
    let one = |json: &Json| {
        let len = json.get("msg_len")?.as_u64().map(|len| len as u32);
        Some((message(json.get("msg_hdr")?)?, len))
    };
    json.as_array()?.iter().map(one).collect()
}

fn control(json: &Json) -> Option<ControlMessage> {
    let level = one_of(Level::default().named(), json.get("cmsg_level")?)?;
    let kind = one_of(ControlKind::default().named(), json.get("cmsg_type")?)?;
    let data = match json.get("fds") {
        Some(fds) => set(fds)?.into_iter().flat_map(|fd| fd.get().to_ne_bytes()).collect(),
        None => bytes(json.get("data")?)?.shown.into_owned(),
    };
    Some(ControlMessage { level: Level::from_bits(level as i32), kind: kind as i32, data })
}

pub(super) fn hints(json: &Json) -> Option<[Named; 4]> {
    let flags = AddrInfoFlags::NONE.named();
    let flags = Named { value: bits(flags, json.get("ai_flags")?).into(), ..flags };
    let one = |kind: Named, name| Some(Named { value: one_of(kind, json.get(name)?)?, ..kind });
    Some([
        flags,
        one(Domain::default().named(), "ai_family")?,
        one(SocketType::default().named(), "ai_socktype")?,
        one(Protocol::default().named(), "ai_protocol")?,
    ])
}

pub(super) fn found(json: &Json) -> Option<Vec<(SocketType, Address)>> {
    let one = |json: &Json| {
        let kind = one_of(SocketType::default().named(), json.get("ai_socktype")?)?;
        Some((SocketType::from_bits(kind as i32), address(json.get("ai_addr")?)?))
    };
    Some(json.as_array()?.iter().filter_map(one).collect())
}

pub(super) fn bytes(json: &Json) -> Option<Bytes<'static>> {
    let shown = unescaped(json.get("text")?.as_str()?)?.into();
    Some(Bytes { shown, is_cut: json.get("cut").is_some_and(|cut| cut == true) })
}

/// An address as [`Address`] prints it, or an object where the text says too little.
pub(super) fn address(json: &Json) -> Option<Address> {
    if let Some(family) = json.get("family") {
        let family = Domain::from_bits(one_of(Domain::default().named(), family)? as i32);
        return Some(Address::Other { family, data: bytes(json.get("data")?)?.shown.into_owned() });
    }
    if let Some(flow) = json.get("flowinfo").and_then(Json::as_u64) {
        let mut at: SocketAddrV6 = json.get("address")?.as_str()?.parse().ok()?;
        at.set_flowinfo(flow.try_into().ok()?);
        return Some(Address::V6(at));
    }
    let text = json.as_str()?;
    if let Ok(address) = text.parse() {
        return Some(match address {
            SocketAddr::V4(address) => Address::V4(address),
            SocketAddr::V6(address) => Address::V6(address),
        });
    }
    let name = text.strip_prefix("unix:")?;
    Some(match name.strip_prefix('@') {
        _ if name == "(unnamed)" => Address::Unix(UnixName::Unnamed),
        Some(name) => Address::Unix(UnixName::Abstract(unescaped(name)?)),
        None => Address::unix(OsString::from_vec(unescaped(name)?)),
    })
}

/// The bytes of an escaped text, in the notation of strace or [`slice::escape_ascii`].
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let (escaped, behind) = rest.split_first()?;
        let octal = rest.iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
        let (byte, behind) = match escaped {
            b'0'..=b'7' => (digits(&rest[..octal], 8)?, &rest[octal..]),
            b'x' => (digits(rest.get(1..3)?, 16)?, &rest[3..]),
            b't' => (b'\t', behind),
            b'r' => (b'\r', behind),
            b'n' => (b'\n', behind),
            b'v' => (0x0b, behind),
            b'f' => (0x0c, behind),
            itself => (*itself, behind),
        };
        bytes.push(byte);
        rest = behind;
    }
    Some(bytes)
}

fn digits(digits: &[u8], radix: u32) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}
