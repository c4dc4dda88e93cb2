//! C's structures in strace's notation: messages, signal actions, values of options.

use std::borrow::Cow;

use super::addresses::address;
use super::arguments::{field, inside, items};
use super::number::number;
use super::values::{self, Room, fields, int, named, only};
use crate::names::{CONTROL_HEADER_LEN, ControlKind, Errno, Level, MsgFlags, OPTIONS, SaFlags};
use crate::trace::arg::{Arg, Bytes, Message, SignalAction, SignalHandler, Value};
use crate::trace::event::Event;
use crate::values::{ControlMessage, Linger, PeerCredentials, TimeVal};

/// A `struct msghdr`.
pub(super) fn message<'a>(text: &'a str, failed: bool, room: &mut Room<'a>) -> Option<Arg<'a>> {
    let (given, returned) = name_len(text)?;
    let Some(buffers) = field(text, "msg_iov") else {
        let name_len = u32::try_from(given).ok()?;
        return failed.then_some(Arg::Unanswered { name_len });
    };
    let name = field(text, "msg_name")?;
    let name = match pointer(name) {
        Some(pointer) => Err(pointer),
        None => Ok(Cow::Owned(address(name, room)?)),
    };
    let buffers = items(buffers).map(|item| buffer(item, room)).collect::<Option<_>>()?;
    let control = match field(text, "msg_control") {
        Some("NULL") => Vec::new(),
        Some(control) => items(control).filter_map(|item| control_message(item, room)).collect(),
        // An older strace does not name the field.
        None => {
            let messages = items(text).filter(|item| item.starts_with("{cmsg_len="));
            messages.filter_map(|item| control_message(item, room)).collect()
        }
    };
    Some(Arg::Message(Box::new(Message {
        name,
        name_len: (u32::try_from(given).ok()?, u32::try_from(returned).ok()?),
        buffers,
        control,
        control_len: control_len(text)?,
        flags: MsgFlags::from_bits(named(field(text, "msg_flags")?, MsgFlags::CONSTANTS)? as i32),
    })))
}

/// The messages of `sendmmsg` and `recvmmsg`: `[{msg_hdr={…}, msg_len=5}]`.
pub(super) fn messages<'a>(text: &'a str, room: &mut Room<'a>) -> Option<Arg<'a>> {
    let one = |item: &'a str| {
        let has_failed = false;
        let header = match message(field(item, "msg_hdr")?, has_failed, room)? {
            Arg::Message(header) => *header,
            _ => return None,
        };
        let len = field(item, "msg_len").and_then(int).and_then(|len| u32::try_from(len).ok());
        Some((header, len))
    };
    text.starts_with('[').then(|| items(text).map(one).collect::<Option<_>>())?.map(Arg::Messages)
}

/// The buffers of `readv` and `writev`: `[{iov_base="hello", iov_len=5}]`. For a failed call, a log has only their
/// addresses.
pub(super) fn buffers<'a>(
    text: &'a str,
    event: &Event<'a>,
    room: &mut Room<'a>,
) -> Option<Arg<'a>> {
    if !text.starts_with('[') {
        return None;
    }
    let place = |item: &str| {
        let base = usize::try_from(int(field(item, "iov_base")?)?).ok()?;
        Some((base, usize::try_from(int(field(item, "iov_len")?)?).ok()?))
    };
    let is_room = event.errno().is_some() && text.contains("iov_base=0x");
    if is_room {
        return items(text).map(place).collect::<Option<_>>().map(Arg::Room);
    }
    items(text).map(|item| buffer(item, room)).collect::<Option<_>>().map(Arg::Buffers)
}

/// NULL, or an address in memory.
fn pointer(text: &str) -> Option<usize> {
    match text {
        "NULL" => Some(0),
        _ if text.starts_with("0x") => Some(int(text)? as usize),
        _ => None,
    }
}

/// `msg_namelen=128 => 16`; an older strace does not show it.
fn name_len(text: &str) -> Option<(i64, i64)> {
    let Some(len) = field(text, "msg_namelen") else { return Some((0, 0)) };
    let (given, rest) = number(len)?;
    let returned = rest.trim_start_matches([' ', '=', '-', '>']);
    let returned = if returned.is_empty() { given } else { int(returned)? };
    Some((given, returned))
}

/// The length that the kernel wrote, if it did.
fn control_len(text: &str) -> Option<usize> {
    let len = field(text, "msg_controllen")?;
    let returned = len.rsplit([' ', '>']).next()?;
    usize::try_from(int(returned)?).ok()
}

/// `{iov_base="hello", iov_len=5}`; in an older strace `{"hello", 5}`.
fn buffer<'a>(text: &'a str, room: &mut Room<'a>) -> Option<(Bytes<'a>, usize)> {
    let mut parts = items(text);
    let base = parts.next()?;
    let len = parts.next()?;
    let base = base.strip_prefix("iov_base=").unwrap_or(base);
    let len = len.strip_prefix("iov_len=").unwrap_or(len);
    let bytes = room.string(base).unwrap_or(Bytes { shown: (&[][..]).into(), is_cut: true });
    Some((bytes, usize::try_from(int(len)?).ok()?))
}

fn control_message<'a>(text: &'a str, room: &mut Room<'a>) -> Option<ControlMessage> {
    let len = usize::try_from(int(field(text, "cmsg_len")?)?).ok()?;
    let level = named(field(text, "cmsg_level")?, Level::CONSTANTS)?;
    let level = Level::from_bits(level as i32);
    let name = field(text, "cmsg_type")?;
    // An older strace does not name the data, and may have no comma before it.
    let (name, unnamed) = match name.find('{') {
        Some(at) => (&name[..at], Some(&name[at..])),
        None => (name, items(text).nth(3)),
    };
    let kind = control_kind(level, name)?;
    let data = field(text, "cmsg_data").or(unnamed);
    let data = data.and_then(|data| control_data(name, data, room));
    let room = len.checked_sub(CONTROL_HEADER_LEN).filter(|len| *len < 1 << 16)?;
    Some(ControlMessage { level, kind, data: data.unwrap_or_else(|| vec![0; room]) })
}

fn control_kind(level: Level, name: &str) -> Option<i32> {
    // strace uses the name of the option that requested it.
    let name = if name.starts_with("SO_TIMESTAMP") { "SCM_TIMESTAMP" } else { name };
    let known = named(name, ControlKind::CONSTANTS).or_else(|| {
        let options = OPTIONS.iter().find(|(of, _)| *of == level)?.1;
        named(name, options)
    });
    known.map(|kind| kind as i32)
}

fn control_data<'a>(name: &str, text: &'a str, _room: &mut Room<'a>) -> Option<Vec<u8>> {
    let bytes = |numbers: &[i64]| {
        numbers.iter().flat_map(|number| (*number as i32).to_ne_bytes()).collect()
    };
    match name {
        "SCM_RIGHTS" => {
            let fds = items(text).map_while(values::fd);
            Some(fds.flat_map(|fd| fd.get().to_ne_bytes()).collect())
        }
        "SCM_CREDENTIALS" => Some(bytes(&fields(text, ["pid", "uid", "gid"])?)),
        "IP_TTL" => Some(bytes(&[only(text)?])),
        _ if name.starts_with("SO_TIMESTAMP") => Some(values::timeval(text, "")?.to_c_bytes()),
        "IP_PKTINFO" => {
            let interface = int(field(text, "ipi_ifindex")?).unwrap_or(0) as i32;
            let ip = |name| {
                let text = field(text, name)?.strip_prefix("inet_addr(\"")?.strip_suffix("\")")?;
                text.parse().ok().map(|ip: std::net::Ipv4Addr| ip.octets())
            };
            Some([interface.to_ne_bytes(), ip("ipi_spec_dst")?, ip("ipi_addr")?].concat())
        }
        _ => None,
    }
}

/// A `struct sigaction`, without the fields that only the kernel has.
pub(super) fn action(text: &str) -> Option<SignalAction> {
    // An older strace does not name the fields.
    let mut unnamed = items(text).filter(|_| !text.contains("sa_flags="));
    let [first, second, third] = [0; 3].map(|_| unnamed.next());
    let handler = field(text, "sa_handler").or_else(|| field(text, "sa_sigaction")).or(first)?;
    let handler = match handler {
        "SIG_DFL" => SignalHandler::Default,
        "SIG_IGN" => SignalHandler::Ignore,
        address => SignalHandler::Function(int(address)? as usize),
    };
    let mut flags = 0;
    for name in field(text, "sa_flags").or(third)?.split('|') {
        flags |= match name {
            // libc's own flag, and the sign of an int in a long.
            "SA_RESTORER" | "0xffffffff00000000" => 0,
            name => named(name, SaFlags::CONSTANTS)?,
        };
    }
    let mask = values::mask(field(text, "sa_mask").or(second)?)?;
    Some(SignalAction { handler, mask, flags: SaFlags::from_bits(flags as i32) })
}

/// The value that an option is set to.
pub(super) fn value_of_option<'a>(
    name: &str,
    text: &'a str,
    room: &mut Room<'a>,
) -> Option<Value<'a>> {
    if let Some(number) = only(text) {
        let number = i32::try_from(number).ok()?;
        return Some(if name == "SO_ERROR" { Value::Error(number) } else { Value::Int(number) });
    }
    if name == "SO_ERROR" {
        return Some(Value::Error(Errno::from_name(inside(text))?.number()));
    }
    let linger = || fields(text, ["l_onoff", "l_linger"]);
    // The spelling of an older strace.
    let older = || fields(text, ["onoff", "linger"]);
    if let Some([l_onoff, l_linger]) = linger().or_else(older) {
        return Some(Value::Linger(Linger { l_onoff: l_onoff as i32, l_linger: l_linger as i32 }));
    }
    if let Some([pid, uid, gid]) = fields(text, ["pid", "uid", "gid"]) {
        let (pid, uid, gid) = (pid as i32, uid as u32, gid as u32);
        return Some(Value::Credentials(PeerCredentials { pid, uid, gid }));
    }
    if let Some(time) = values::timeval(text, "") {
        return Some(Value::TimeVal(time));
    }
    let bytes = room.string(text)?;
    // strace does not know the structure of the older option.
    if matches!(name, "SO_RCVTIMEO" | "SO_SNDTIMEO")
        && !bytes.is_cut
        && let Some(time) = TimeVal::from_c_bytes(&bytes.shown)
    {
        return Some(Value::TimeVal(time));
    }
    Some(match (name, &*bytes.shown) {
        // strace does not take apart a value that is set.
        ("SO_PEERCRED", shown) if shown.len() == 12 && !bytes.is_cut => {
            let part = |at: usize| shown[at..at + 4].try_into().map_or(0, i32::from_ne_bytes);
            let (uid, gid) = (part(4) as u32, part(8) as u32);
            Value::Credentials(PeerCredentials { pid: part(0), uid, gid })
        }
        ("IP_MULTICAST_TTL" | "IP_MULTICAST_LOOP", [byte]) => Value::Byte(*byte),
        _ => Value::Bytes(bytes),
    })
}
