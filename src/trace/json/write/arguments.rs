//! Writes the arguments of a call, each kind in its form.

use std::fmt::Write;

use super::values::*;
use crate::addr::Address;
use crate::names::{AF_INET, AF_INET6, ControlKind, Errno, Named, SCM_RIGHTS, SOL_SOCKET};
use crate::names::{SocketType, option_name};
use crate::trace::arg::{Arg, Bytes, Message, SignalAction, SignalHandler, Value, ValueLimits};
use crate::trace::line::LineBuffer;
use crate::trace::notation::write_arg;
use crate::values::ControlMessage;

pub(super) fn argument(out: &mut LineBuffer, arg: &Arg<'_>, limits: ValueLimits) {
    match arg {
        Arg::Fd(fd) => out.decimal(fd.get().into()),
        Arg::Fds(pair) => numbers(out, pair),
        Arg::Int(number) => out.decimal(*number),
        Arg::Millis(timeout_ms) => out.decimal((*timeout_ms).into()),
        Arg::Named(named) if named.family.flags => flags(out, *named),
        Arg::Named(named) => one(out, *named),
        Arg::Word(word) => string(out, word),
        Arg::Type(kind) => socket_type(out, *kind),
        Arg::Protocol(AF_INET | AF_INET6, protocol) => one(out, protocol.named()),
        Arg::Protocol(_, protocol) => out.decimal(protocol.bits().into()),
        Arg::OpenFlags(flags) => open_flags(out, *flags),
        Arg::Request(request) => {
            let _ = write!(out, "\"{request}\"");
        }
        Arg::Bytes(shown) => bytes(out, shown, limits),
        Arg::Str(text) => optional(out, text.as_deref(), string),
        Arg::Address(at) => address(out, at),
        Arg::Pointer(at) => pointer(out, *at),
        Arg::Length { given, returned } => changed(out, *given, Some(*returned)),
        Arg::Offset { given, returned } => changed(out, *given, *returned),
        Arg::OptionName(level, number) => match option_name(*level, *number) {
            Some(name) => constant(out, name),
            None => out.decimal((*number).into()),
        },
        Arg::Value(set) => value(out, set, limits),
        Arg::Set(members) => optional(out, members.as_deref(), numbers),
        Arg::Rows(rows) => array(out, rows.iter(), |out, row| {
            out.push_str("{\"fd\":");
            out.decimal(row.fd.get().into());
            out.push_str(",\"events\":");
            flags(out, row.events.named());
            out.push(b'}');
        }),
        Arg::TimeVal(time) => optional(out, *time, timeval),
        Arg::TimeSpec(time) => optional(out, *time, timespec),
        Arg::Mask(signals) => optional(out, signals.as_deref(), |out, signals| {
            array(out, signals.iter(), |out, signal| one(out, signal.named()));
        }),
        Arg::Action(done) => optional(out, done.as_deref(), action),
        Arg::Message(told) => message(out, told, limits),
        Arg::Messages(told) => array(out, told.iter(), |out, (told, len)| {
            out.push_str("{\"msg_hdr\":");
            message(out, told, limits);
            out.push_str(",\"msg_len\":");
            optional(out, *len, |out, len| out.decimal(len.into()));
            out.push(b'}');
        }),
        Arg::Buffers(lent) => buffers(out, lent, limits),
        Arg::Room(room) => array(out, room.iter(), |out, (at, len)| {
            out.push_str("{\"iov_base\":");
            pointer(out, *at);
            number(out, ",\"len\":", *len as u64);
            out.push(b'}');
        }),
        Arg::Unanswered { name_len } => {
            number(out, "{\"msg_namelen\":", (*name_len).into());
            out.push(b'}');
        }
        Arg::Hints(wanted) => optional(out, wanted.as_deref(), hints),
        Arg::Found(found) => array(out, found.iter(), entry),
        Arg::Text(_) => written(out, arg, limits),
    }
}

/// Writes an argument in strace's notation, because it has no other form.
pub(super) fn written(out: &mut LineBuffer, arg: &Arg<'_>, limits: ValueLimits) {
    let mut text = LineBuffer::new();
    write_arg(&mut text, arg, limits);
    out.push_str("{\"written\":");
    string(out, text.as_str());
    out.push(b'}');
}

fn value(out: &mut LineBuffer, value: &Value<'_>, limits: ValueLimits) {
    match value {
        Value::Int(number) => out.decimal((*number).into()),
        Value::Byte(byte) => {
            number(out, "{\"byte\":", (*byte).into());
            out.push(b'}');
        }
        Value::Error(number) => match Errno::from_number(*number).name() {
            Some(name) => constant(out, name),
            None => out.decimal((*number).into()),
        },
        Value::Linger(linger) => {
            let _ =
                write!(out, "{{\"l_onoff\":{},\"l_linger\":{}}}", linger.l_onoff, linger.l_linger);
        }
        Value::TimeVal(time) => timeval(out, *time),
        Value::Credentials(peer) => {
            let _ =
                write!(out, "{{\"pid\":{},\"uid\":{},\"gid\":{}}}", peer.pid, peer.uid, peer.gid);
        }
        Value::Bytes(shown) => bytes(out, shown, limits),
    }
}

fn hints(out: &mut LineBuffer, [asked, family, kind, protocol]: &[Named; 4]) {
    out.push_str("{\"ai_flags\":");
    flags(out, *asked);
    let others =
        [(",\"ai_family\":", family), (",\"ai_socktype\":", kind), (",\"ai_protocol\":", protocol)];
    for (name, constant) in others {
        out.push_str(name);
        one(out, *constant);
    }
    out.push(b'}');
}

/// Writes an entry of what `getaddrinfo` returned.
fn entry(out: &mut LineBuffer, (kind, at): &(SocketType, Address)) {
    out.push_str("{\"ai_socktype\":");
    one(out, kind.named());
    out.push_str(",\"ai_addr\":");
    address(out, at);
    out.push(b'}');
}

fn action(out: &mut LineBuffer, action: &SignalAction) {
    out.push_str("{\"sa_handler\":");
    match action.handler {
        SignalHandler::Default => constant(out, "SIG_DFL"),
        SignalHandler::Ignore => constant(out, "SIG_IGN"),
        SignalHandler::Function(at) => pointer(out, at),
    }
    out.push_str(",\"sa_mask\":");
    array(out, action.mask.iter(), |out, signal| one(out, signal.named()));
    out.push_str(",\"sa_flags\":");
    flags(out, action.flags.named());
    out.push(b'}');
}

fn message(out: &mut LineBuffer, message: &Message<'_>, limits: ValueLimits) {
    out.push_str("{\"msg_name\":");
    match &message.name {
        Ok(at) => address(out, at),
        Err(at) => pointer(out, *at),
    }
    let (given, returned) = message.name_len;
    out.push_str(",\"msg_namelen\":");
    changed(out, given.into(), Some(returned.into()));
    out.push_str(",\"msg_iov\":");
    buffers(out, &message.buffers, limits);
    out.push_str(",\"msg_control\":");
    array(out, message.control.iter(), control);
    number(out, ",\"msg_controllen\":", message.control_len as u64);
    out.push_str(",\"msg_flags\":");
    flags(out, message.flags.named());
    out.push(b'}');
}

fn buffers(out: &mut LineBuffer, buffers: &[(Bytes<'_>, usize)], limits: ValueLimits) {
    array(out, buffers.iter(), |out, (shown, len)| {
        bytes(out, shown, limits);
        // Continues the same object with one more field.
        out.pop();
        number(out, ",\"len\":", *len as u64);
        out.push(b'}');
    });
}

fn control(out: &mut LineBuffer, control: &ControlMessage) {
    out.push_str("{\"cmsg_level\":");
    one(out, control.level.named());
    out.push_str(",\"cmsg_type\":");
    match control.level {
        SOL_SOCKET => one(out, ControlKind::from_bits(control.kind).named()),
        _ => out.decimal(control.kind.into()),
    }
    if (control.level, control.kind) == (SOL_SOCKET, SCM_RIGHTS.bits()) {
        out.push_str(",\"fds\":");
        let fds = control.data.chunks_exact(4).flat_map(<[u8; 4]>::try_from);
        array(out, fds.map(i32::from_ne_bytes), |out, fd| out.decimal(fd.into()));
    } else {
        out.push_str(",\"data\":");
        bytes(out, &control.data[..].into(), ValueLimits::NONE);
    }
    out.push(b'}');
}
