//! Socket addresses in strace's present and older spelling.

use std::ffi::OsString;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::unix::ffi::OsStringExt;

use super::arguments::items;
use super::number::digits;
use super::values::{Room, int};
use crate::addr::{Address, UnixName};
use crate::names::{Domain, value_of};

/// `{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}`.
pub(super) fn address<'a>(text: &'a str, room: &mut Room<'a>) -> Option<Address> {
    if let Some(address) = ipv4(text) {
        return Some(address);
    }
    let rest = text.strip_prefix("{sa_family=")?;
    let family = &rest[..rest.find([',', '}'])?];
    if let Some(number) = int(family) {
        let family = Domain::from_bits(i32::try_from(number).ok()?);
        let data = bytes_of("sa_data=", text, room)?.unwrap_or_default();
        return Some(Address::Other { family, data });
    }
    match family.strip_prefix("AF_").or_else(|| family.strip_prefix("PF_"))? {
        "INET6" if text.contains("sin6_port=") => ipv6(text),
        "UNIX" | "LOCAL" | "FILE" => unix(text, room),
        other => {
            let name = ["AF_", other].concat();
            let family = Domain::from_bits(value_of(&name, Domain::CONSTANTS)? as i32);
            Some(Address::Other {
                family,
                data: bytes_of("sa_data=", text, room)?.unwrap_or_default(),
            })
        }
    }
}

/// By far the most frequent form, read in one go.
fn ipv4(text: &str) -> Option<Address> {
    let (port, rest) = digits(text.strip_prefix("{sa_family=AF_INET, sin_port=htons(")?)?;
    let rest = rest.strip_prefix("), sin_addr=inet_addr(\"")?;
    let ip: Ipv4Addr = rest.strip_suffix("\")}")?.parse().ok()?;
    Some(Address::V4(SocketAddrV4::new(ip, u16::try_from(port).ok()?)))
}

fn ipv6(text: &str) -> Option<Address> {
    let mut port = 0;
    let mut flow = 0u32;
    let mut scope = 0;
    let mut ip = Ipv6Addr::UNSPECIFIED;
    for item in items(text) {
        if let Some(text) = item.strip_prefix("inet_pton(AF_INET6, \"") {
            ip = text.split('"').next()?.parse().ok()?;
        }
        match item.split_once('=') {
            Some(("sin6_port", value)) => port = digits(value.strip_prefix("htons(")?)?.0,
            Some(("sin6_flowinfo", value)) => {
                let value = value.strip_prefix("htonl(").unwrap_or(value);
                flow = u32::try_from(digits(value)?.0).ok()?.to_be();
            }
            Some(("sin6_scope_id", value)) => scope = digits(value).map_or(0, |(scope, _)| scope),
            _ => {}
        }
    }
    let port = u16::try_from(port).ok()?;
    let scope = u32::try_from(scope).ok()?;
    Some(Address::V6(SocketAddrV6::new(ip, port, flow, scope)))
}

fn unix<'a>(text: &'a str, room: &mut Room<'a>) -> Option<Address> {
    // `path` in strace 4.
    let path = match bytes_of("sun_path=", text, room)? {
        Some(path) => Some(path),
        None => bytes_of("path=", text, room)?,
    };
    Some(Address::Unix(match path {
        None => UnixName::Unnamed,
        Some(name) if is_abstract(text) => UnixName::Abstract(name),
        Some(path) => UnixName::Path(OsString::from_vec(path).into()),
    }))
}

fn is_abstract(text: &str) -> bool {
    items(text).any(|item| item.starts_with("sun_path=@") || item.starts_with("path=@"))
}

/// The string of a field: the outer `None` means unreadable, the inner one that the field is missing.
fn bytes_of<'a>(field: &str, text: &'a str, room: &mut Room<'a>) -> Option<Option<Vec<u8>>> {
    let Some(value) = items(text).find_map(|item| item.strip_prefix(field)) else {
        return Some(None);
    };
    match value.strip_prefix('@') {
        // The oldest write an abstract name without quotes.
        Some(bare) if !bare.starts_with('"') => Some(Some(bare.as_bytes().to_vec())),
        quoted => Some(Some(room.string(quoted.unwrap_or(value))?.shown.into_owned())),
    }
}
