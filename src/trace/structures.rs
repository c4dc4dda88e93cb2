//! strace's notation of C's structures: addresses, messages, actions of signals, and the lists of the resolver.

use std::fmt::Write;

use super::arg::{Action, Handler, Limits, Message};
use super::quote::{escape, quote};
use crate::addr::{Address, UnixName};
use crate::names::{Signal, SocketType};

pub(super) fn write_address(out: &mut String, address: &Address) {
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
            at.scope_id()
        ),
        Address::Unix(UnixName::Unnamed) => write!(out, "{{sa_family=AF_UNIX}}"),
        Address::Unix(UnixName::Path(path)) => {
            let path = path.as_os_str().as_encoded_bytes();
            out.push_str("{sa_family=AF_UNIX, sun_path=");
            // The kernel reads a path up to its first zero byte.
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

/// Signals without their SIG, between brackets, as strace writes them: `[INT TERM]`.
pub(super) fn write_mask(out: &mut String, signals: &[Signal]) {
    out.push('[');
    for (at, signal) in signals.iter().enumerate() {
        let name = signal.to_string();
        let _ = write!(out, "{}{}", if at == 0 { "" } else { " " }, name.trim_start_matches("SIG"));
    }
    out.push(']');
}

pub(super) fn write_action(out: &mut String, action: &Action) {
    let _ = match action.handler {
        Handler::Default => write!(out, "{{sa_handler=SIG_DFL, sa_mask="),
        Handler::Ignore => write!(out, "{{sa_handler=SIG_IGN, sa_mask="),
        Handler::Function(address) => write!(out, "{{sa_handler={address:#x}, sa_mask="),
    };
    write_mask(out, &action.mask);
    let _ = write!(out, ", sa_flags={}}}", action.flags);
}

pub(super) fn write_message(out: &mut String, message: &Message<'_>, limits: Limits) {
    out.push_str("{msg_name=");
    match message.name {
        Ok(address) => write_address(out, address),
        Err(0) => out.push_str("NULL"),
        Err(pointer) => {
            let _ = write!(out, "{pointer:#x}");
        }
    }
    let _ = match message.name_len {
        (given, returned) if given == returned => write!(out, ", msg_namelen={given}"),
        (given, returned) => write!(out, ", msg_namelen={given} => {returned}"),
    };
    out.push_str(", msg_iov=[");
    for (at, (bytes, len)) in message.buffers.iter().enumerate() {
        if at == limits.items {
            out.push_str(", ...");
            break;
        }
        out.push_str(if at == 0 { "{iov_base=" } else { ", {iov_base=" });
        quote(out, bytes, limits.bytes);
        let _ = write!(out, ", iov_len={len}}}");
    }
    let _ = write!(out, "], msg_iovlen={}", message.buffers.len());
    write_control(out, message, limits);
    let _ = write!(out, ", msg_flags={}}}", message.flags);
}

fn write_control(out: &mut String, message: &Message<'_>, limits: Limits) {
    if !message.control.is_empty() {
        // CMSG_LEN: the header's 16 bytes on 64-bit systems, then an int for each descriptor.
        let len = size_of::<libc::cmsghdr>() + 4 * message.control.len();
        let _ = write!(
            out,
            ", msg_control=[{{cmsg_len={len}, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=["
        );
        for (at, fd) in message.control.iter().enumerate() {
            if at == limits.items {
                out.push_str(", ...");
                break;
            }
            let _ = write!(out, "{}{fd}", if at == 0 { "" } else { ", " });
        }
        out.push_str("]}]");
    }
    let _ = write!(out, ", msg_controllen={}", message.control_len);
}

pub(super) fn write_found(out: &mut String, found: &[(SocketType, Address)], limits: Limits) {
    out.push('[');
    for (at, (kind, address)) in found.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        if at == limits.items {
            out.push_str("...");
            break;
        }
        let _ = write!(out, "{{ai_socktype={kind}, ai_addr=");
        write_address(out, address);
        out.push('}');
    }
    out.push(']');
}

pub(super) fn write_interfaces(out: &mut String, interfaces: &[(u32, String)]) {
    out.push('[');
    for (at, (index, name)) in interfaces.iter().enumerate() {
        let _ = write!(out, "{}{{if_index={index}, if_name=\"", if at == 0 { "" } else { ", " });
        escape(out, name.as_bytes());
        out.push_str("\"}");
    }
    out.push(']');
}
