//! The layout of C's socket addresses in memory on this machine: the offset of each field, and its bytes in an example.

use std::mem::offset_of;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use crate::addr::Address;
use crate::byteorder::shown;
use crate::sys;

/// The layout of one kind of socket address.
#[derive(Clone, Debug, Serialize)]
pub struct Layout {
    /// Its name in C.
    pub name: &'static str,
    /// Its size in bytes.
    pub size: usize,
    /// The example address, if this kind has one.
    pub example: Option<String>,
    /// Its fields, in the order in memory.
    pub fields: Vec<Field>,
}

/// A field of a socket address.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Its name in C.
    pub name: &'static str,
    /// Its offset from the beginning.
    pub offset: usize,
    /// How many bytes it has.
    pub size: usize,
    /// The bytes of the example, as far as they are used.
    pub bytes: Option<String>,
}

type FieldOffsets = &'static [(&'static str, usize)];

macro_rules! fields {
    ($Type:ident: $( $(#[$condition:meta])* $field:ident ),*) => {
        &[$( $(#[$condition])* (stringify!($field), offset_of!(libc::$Type, $field)) ),*]
    };
}

const IN: FieldOffsets =
    fields!(sockaddr_in: #[cfg(has_sa_len)] sin_len, sin_family, sin_port, sin_addr, sin_zero);
const IN6: FieldOffsets = fields!(sockaddr_in6: #[cfg(has_sa_len)] sin6_len, sin6_family, sin6_port, sin6_flowinfo, sin6_addr, sin6_scope_id);
const UN: FieldOffsets = fields!(sockaddr_un: #[cfg(has_sa_len)] sun_len, sun_family, sun_path);
const ANY: FieldOffsets = fields!(sockaddr: #[cfg(has_sa_len)] sa_len, sa_family, sa_data);
const STORAGE: FieldOffsets = &[
    #[cfg(has_sa_len)]
    ("ss_len", offset_of!(libc::sockaddr_storage, ss_len)),
    ("ss_family", offset_of!(libc::sockaddr_storage, ss_family)),
    ("(room)", offset_of!(libc::sockaddr_storage, ss_family) + size_of::<libc::sa_family_t>()),
];

/// Every kind of socket address that a program meets.
pub fn layouts() -> Vec<Layout> {
    let v4 = Address::v4(Ipv4Addr::LOCALHOST, 7007);
    let v6 = Address::v6(Ipv6Addr::LOCALHOST, 7007);
    let unix = Address::unix("/tmp/echo");
    vec![
        layout("struct sockaddr", size_of::<libc::sockaddr>(), ANY, None),
        layout("struct sockaddr_in", size_of::<libc::sockaddr_in>(), IN, Some(&v4)),
        layout("struct sockaddr_in6", size_of::<libc::sockaddr_in6>(), IN6, Some(&v6)),
        layout("struct sockaddr_un", size_of::<libc::sockaddr_un>(), UN, Some(&unix)),
        layout("struct sockaddr_storage", size_of::<libc::sockaddr_storage>(), STORAGE, None),
    ]
}

fn layout(
    name: &'static str,
    size: usize,
    fields: FieldOffsets,
    example: Option<&Address>,
) -> Layout {
    let bytes = example.and_then(|example| sys::sockaddr_bytes(example).ok()).unwrap_or_default();
    let field = |(at, (name, offset)): (usize, &(&'static str, usize))| {
        let end = fields.get(at + 1).map_or(size, |(_, next)| *next);
        let used = bytes.get(*offset..end.min(bytes.len())).filter(|used| !used.is_empty());
        Field { name, offset: *offset, size: end - offset, bytes: used.map(shown) }
    };
    Layout {
        name,
        size,
        example: example.map(ToString::to_string),
        fields: fields.iter().enumerate().map(field).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_stands_behind_the_family_with_its_high_byte_first() {
        for layout in layouts().iter().filter(|layout| layout.name.contains("_in")) {
            let port = layout.fields.iter().find(|field| field.name.ends_with("_port")).unwrap();
            assert_eq!((port.offset, port.size), (2, 2), "{layout:?}");
            assert_eq!(port.bytes.as_deref(), Some("1b 5f"), "{layout:?}");
        }
    }

    #[test]
    fn fields_fill_their_structure() {
        for layout in layouts() {
            let sum: usize = layout.fields.iter().map(|field| field.size).sum();
            assert_eq!(sum + layout.fields[0].offset, layout.size, "{layout:?}");
        }
    }
}
