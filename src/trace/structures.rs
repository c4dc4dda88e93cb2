//! strace's notation for C's structures: addresses, messages, signal actions, and the lists of the resolver.

use std::fmt::Write;
use std::net::Ipv4Addr;

use super::arg::{Bytes, Interfaces, Message, SignalAction, SignalHandler, ValueLimits};
use super::line::LineBuffer;
use super::notation::write_bytes;
use super::quote::quote;
use crate::addr::{Address, UnixName};
use crate::names::{
    AF_INET, CONTROL_HEADER_LEN, ControlKind, Domain, SOL_IPV6, SOL_SOCKET, Signal, SocketType,
};
use crate::names::{interface_name, option_name};
use crate::values::{ControlMessage, TimeVal};

pub(super) fn write_address(out: &mut LineBuffer, address: &Address, limits: ValueLimits) {
    let _ = match address {
        Address::V4(at) => write!(
            out,
            "{{sa_family=AF_INET, sin_port=htons({}), sin_addr=inet_addr(\"{}\")}}",
            at.port(),
            at.ip()
        ),
        Address::V6(at) => write!(
            out,
            "{{sa_family=AF_INET6, sin6_port=htons({}), sin6_flowinfo=htonl({}), \
             inet_pton(AF_INET6, \"{}\", &sin6_addr), sin6_scope_id={}}}",
            at.port(),
            u32::from_be(at.flowinfo()),
            at.ip(),
            match address.link() {
                Some(number) => interface(number, limits),
                None => at.scope_id().to_string(),
            }
        ),
        Address::Unix(UnixName::Unnamed) => write!(out, "{{sa_family=AF_UNIX}}"),
        Address::Unix(UnixName::Path(path)) => {
            let path = path.as_os_str().as_encoded_bytes();
            out.push_str("{sa_family=AF_UNIX, sun_path=");
            // The kernel reads a path up to the first zero byte.
            quote(out, path.split(|byte| *byte == 0).next().unwrap_or_default(), usize::MAX);
            write!(out, "}}")
        }
        Address::Unix(UnixName::Abstract(name)) => {
            out.push_str("{sa_family=AF_UNIX, sun_path=@");
            quote(out, name, usize::MAX);
            write!(out, "}}")
        }
        Address::Other { family, data } if data.is_empty() => write!(out, "{{sa_family={family}}}"),
        Address::Other { family, data } => {
            let _ = write!(out, "{{sa_family={family}, sa_data=");
            quote(out, data, usize::MAX);
            write!(out, "}}")
        }
    };
}

/// The interface in `sin6_scope_id`.
fn interface(number: u32, limits: ValueLimits) -> String {
    let named = limits.interfaces == Interfaces::Named;
    let Some(name) = named.then(|| interface_name(number)).flatten() else {
        return number.to_string();
    };
    let mut text = LineBuffer::new();
    text.push_str("if_nametoindex(");
    quote(&mut text, name.as_bytes(), usize::MAX);
    text.push(b')');
    text.into()
}

/// Signals without their SIG, between brackets, as strace writes them: `[INT TERM]`.
pub(super) fn write_mask(out: &mut LineBuffer, signals: &[Signal]) {
    out.push(b'[');
    for (at, signal) in signals.iter().enumerate() {
        let name = signal.to_string();
        let _ = write!(out, "{}{}", if at == 0 { "" } else { " " }, name.trim_start_matches("SIG"));
    }
    out.push(b']');
}

pub(super) fn write_action(out: &mut LineBuffer, action: &SignalAction) {
    let _ = match action.handler {
        SignalHandler::Default => write!(out, "{{sa_handler=SIG_DFL, sa_mask="),
        SignalHandler::Ignore => write!(out, "{{sa_handler=SIG_IGN, sa_mask="),
        SignalHandler::Function(address) => write!(out, "{{sa_handler={address:#x}, sa_mask="),
    };
    write_mask(out, &action.mask);
    let _ = write!(out, ", sa_flags={}}}", action.flags);
}

pub(super) fn write_message(out: &mut LineBuffer, message: &Message<'_>, limits: ValueLimits) {
    out.push_str("{msg_name=");
    match &message.name {
        Ok(address) => write_address(out, address, limits),
        Err(0) => out.push_str("NULL"),
        Err(pointer) => {
            let _ = write!(out, "{pointer:#x}");
        }
    }
    let _ = match message.name_len {
        (given, returned) if given == returned => write!(out, ", msg_namelen={given}"),
        (given, returned) => write!(out, ", msg_namelen={given} => {returned}"),
    };
    out.push_str(", msg_iov=");
    write_buffers(out, &message.buffers, limits);
    let _ = write!(out, ", msg_iovlen={}", message.buffers.len());
    write_control(out, message, limits);
    let _ = write!(out, ", msg_flags={}}}", message.flags);
}

/// Writes buffers with their bytes.
pub(super) fn write_buffers(
    out: &mut LineBuffer,
    buffers: &[(Bytes<'_>, usize)],
    limits: ValueLimits,
) {
    write_array(out, buffers, limits, |out, (bytes, len)| {
        out.push_str("{iov_base=");
        write_bytes(out, bytes, limits);
        let _ = write!(out, ", iov_len={len}}}");
    });
}

/// Writes buffers of which only address and length are known.
pub(super) fn write_room(out: &mut LineBuffer, room: &[(usize, usize)], limits: ValueLimits) {
    write_array(out, room, limits, |out, (at, len)| {
        let _ = write!(out, "{{iov_base={at:#x}, iov_len={len}}}");
    });
}

pub(super) fn write_messages(
    out: &mut LineBuffer,
    messages: &[(Message<'_>, Option<u32>)],
    limits: ValueLimits,
) {
    write_array(out, messages, limits, |out, (message, len)| {
        out.push_str("{msg_hdr=");
        write_message(out, message, limits);
        let _ = match len {
            Some(len) => write!(out, ", msg_len={len}}}"),
            None => write!(out, "}}"),
        };
    });
}

fn write_array<T>(
    out: &mut LineBuffer,
    rows: &[T],
    limits: ValueLimits,
    write: impl Fn(&mut LineBuffer, &T),
) {
    out.push(b'[');
    for (at, row) in rows.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { ", " });
        if at == limits.items {
            out.push_str("...");
            break;
        }
        write(out, row);
    }
    out.push(b']');
}

fn write_control(out: &mut LineBuffer, message: &Message<'_>, limits: ValueLimits) {
    for (at, control) in message.control.iter().enumerate() {
        out.push_str(if at == 0 { ", msg_control=[" } else { ", " });
        let len = CONTROL_HEADER_LEN + control.data.len();
        let _ = write!(out, "{{cmsg_len={len}, cmsg_level={}, cmsg_type=", control.level);
        write_control_data(out, control, limits);
        out.push(b'}');
    }
    if !message.control.is_empty() {
        out.push(b']');
    }
    let _ = write!(out, ", msg_controllen={}", message.control_len);
}

/// Writes the type of a control message, and its data if the structure is known.
fn write_control_data(out: &mut LineBuffer, control: &ControlMessage, limits: ValueLimits) {
    let data = control.data.as_slice();
    let name = match control.level {
        SOL_SOCKET => ControlKind::CONSTANTS
            .iter()
            .find(|known| known.value == i64::from(control.kind))
            .map(|known| known.name),
        // strace has no names for those of IPv6, and shows numbers.
        SOL_IPV6 => None,
        level => option_name(level, control.kind),
    };
    let int = |at: usize| {
        data.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_ne_bytes)
    };
    let _ = match name {
        Some("SCM_RIGHTS") => {
            out.push_str("SCM_RIGHTS, cmsg_data=[");
            for (at, bytes) in data.chunks_exact(4).enumerate() {
                if at == limits.items {
                    out.push_str(", ...");
                    break;
                }
                let fd = bytes.try_into().map_or(-1, i32::from_ne_bytes);
                let _ = write!(out, "{}{fd}", if at == 0 { "" } else { ", " });
            }
            write!(out, "]")
        }
        Some("SCM_CREDENTIALS") => {
            let (pid, uid, gid) = (int(0), int(4), int(8));
            write!(out, "SCM_CREDENTIALS, cmsg_data={{pid={pid}, uid={uid}, gid={gid}}}")
        }
        Some("IP_TTL") => write!(out, "IP_TTL, cmsg_data=[{}]", int(0)),
        Some("IP_RECVERR") if data.len() >= EXTENDED_ERROR_LEN => {
            out.push_str("IP_RECVERR, cmsg_data=");
            return write_extended_error(out, data);
        }
        Some("IP_PKTINFO") if data.len() >= 12 => {
            let ip = |at: usize| Ipv4Addr::new(data[at], data[at + 1], data[at + 2], data[at + 3]);
            write!(
                out,
                "IP_PKTINFO, cmsg_data={{ipi_ifindex={}, ipi_spec_dst=inet_addr(\"{}\"), ipi_addr=inet_addr(\"{}\")}}",
                interface(int(0) as u32, limits),
                ip(4),
                ip(8)
            )
        }
        // strace names it after the option that requested it.
        Some("SCM_TIMESTAMP") if data.len() >= TimeVal::C_LEN => {
            let time = TimeVal::from_c_bytes(&data[..TimeVal::C_LEN]).unwrap_or_default();
            let TimeVal { tv_sec, tv_usec } = time;
            write!(out, "SO_TIMESTAMP, cmsg_data={{tv_sec={tv_sec}, tv_usec={tv_usec}}}")
        }
        Some(name) => write!(out, "{name}"),
        None => write!(out, "{:#x}", control.kind),
    };
}

/// The length of a `struct sock_extended_err`; the address of the machine that reported the error follows it.
const EXTENDED_ERROR_LEN: usize = 16;

/// Writes a `struct sock_extended_err` (linux/errqueue.h).
fn write_extended_error(out: &mut LineBuffer, data: &[u8]) {
    let (error, offender) = data.split_at(EXTENDED_ERROR_LEN);
    let int =
        |at: usize| u32::from_ne_bytes([error[at], error[at + 1], error[at + 2], error[at + 3]]);
    let _ = write!(
        out,
        "{{ee_errno={}, ee_origin={}, ee_type={}, ee_code={}, ee_info={}, ee_data={}, offender=",
        int(0),
        error[4],
        error[5],
        error[6],
        int(8),
        int(12)
    );
    if let [f0, f1, p0, p1, a, b, c, d, rest @ ..] = offender {
        let family = Domain::from_bits(u16::from_ne_bytes([*f0, *f1]).into());
        let address = match family {
            AF_INET => Address::v4(Ipv4Addr::new(*a, *b, *c, *d), u16::from_be_bytes([*p0, *p1])),
            _ => Address::Other { family, data: [&[*p0, *p1, *a, *b, *c, *d], rest].concat() },
        };
        write_address(out, &address, ValueLimits::NONE);
    }
    out.push(b'}');
}

pub(super) fn write_found(
    out: &mut LineBuffer,
    found: &[(SocketType, Address)],
    limits: ValueLimits,
) {
    out.push(b'[');
    for (at, (kind, address)) in found.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        if at == limits.items {
            out.push_str("...");
            break;
        }
        let _ = write!(out, "{{ai_socktype={kind}, ai_addr=");
        write_address(out, address, limits);
        out.push(b'}');
    }
    out.push(b']');
}
