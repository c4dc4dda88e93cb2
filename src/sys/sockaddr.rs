//! Addresses ↔ the bytes that the kernel reads, built by hand so that the layout and the byte order can be
//! seen.
//!
//! ```text
//!            0      2        4            8                      24          28
//! in        | family | port   | IPv4       | eight zero bytes → 16
//! in6       | family | port   | flowinfo   | IPv6 (16 bytes)      | scope id  |
//! un        | family | path …                                        (Linux: 110 bytes in all)
//! ```
//!
//! Port and addresses are in network order, the scope id in the machine's order. Where C has structures, casts and
//! `htons`, this code has offsets. On the BSDs and macOS the two bytes of the family are a length byte and a family
//! byte.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::unix::ffi::OsStrExt;

use libc::{sockaddr, socklen_t};

use crate::addr::{Address, UnixName};
use crate::byteorder::{htons, ntohs};
use crate::names::{AF_INET, AF_INET6, AF_UNIX, Domain, Errno, Result};

/// The size of `struct sockaddr_in`.
const SOCKADDR_IN_LEN: usize = 16;
/// The size of `struct sockaddr_in6`.
const SOCKADDR_IN6_LEN: usize = 28;
/// Where `sun_path` begins: after the family.
const SUN_PATH_OFFSET: usize = 2;
/// The length of `sun_path`: 108 bytes on Linux, 104 on the BSDs and macOS.
pub const SUN_PATH_LEN: usize = size_of::<libc::sockaddr_un>() - SUN_PATH_OFFSET;

/// The bytes of an address in memory, as `bind` and `connect` pass them to the kernel; to look at.
///
/// # Errors
/// The path does not fit into `sun_path`, or an [`Address::Other`] is longer than any address.
pub fn sockaddr_bytes(address: &Address) -> Result<Vec<u8>> {
    let raw = RawAddress::encode(address)?;
    Ok(raw.bytes[..raw.len as usize].to_vec())
}

/// Room for an address of any family: `struct sockaddr_storage`.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct RawAddress {
    bytes: [u8; Self::SIZE],
    len: socklen_t,
}

impl RawAddress {
    const SIZE: usize = size_of::<libc::sockaddr_storage>();

    /// Empty room, for the kernel to fill.
    pub(super) const fn room() -> Self {
        Self { bytes: [0; Self::SIZE], len: Self::SIZE as socklen_t }
    }

    /// The bytes of an address.
    ///
    /// # Errors
    /// `ENAMETOOLONG`: the path does not fit into `sun_path`. `EINVAL`: the data is longer than any address.
    pub(super) fn encode(address: &Address) -> Result<Self> {
        let mut raw = Self::room();
        let len = match address {
            Address::V4(at) => {
                raw.bytes[2..4].copy_from_slice(&htons(at.port()).to_ne_bytes());
                raw.bytes[4..8].copy_from_slice(&at.ip().octets());
                SOCKADDR_IN_LEN
            }
            Address::V6(at) => {
                raw.bytes[2..4].copy_from_slice(&htons(at.port()).to_ne_bytes());
                raw.bytes[4..8].copy_from_slice(&at.flowinfo().to_ne_bytes());
                raw.bytes[8..24].copy_from_slice(&at.ip().octets());
                raw.bytes[24..28].copy_from_slice(&at.scope_id().to_ne_bytes());
                SOCKADDR_IN6_LEN
            }
            Address::Unix(name) => SUN_PATH_OFFSET + raw.put_name(name)?,
            Address::Other { data, .. } => {
                let room = raw.bytes[2..].get_mut(..data.len()).ok_or(Errno::EINVAL)?;
                room.copy_from_slice(data);
                2 + data.len()
            }
        };
        raw.len = len as socklen_t;
        raw.put_family(address.domain());
        Ok(raw)
    }

    /// Writes a Unix-domain name and returns how many bytes of `sun_path` belong to it.
    fn put_name(&mut self, name: &UnixName) -> Result<usize> {
        let (skip, text) = match name {
            UnixName::Unnamed => return Ok(0),
            UnixName::Path(path) => (0, path.as_os_str().as_bytes()),
            // The zero byte in front says that the name is not that of a file.
            UnixName::Abstract(name) => (1, name.as_slice()),
        };
        let end = skip + text.len();
        let sun_path = &mut self.bytes[SUN_PATH_OFFSET..SUN_PATH_OFFSET + SUN_PATH_LEN];
        sun_path.get_mut(skip..end).ok_or(Errno::ENAMETOOLONG)?.copy_from_slice(text);
        // A path ends with a zero byte where there is room; every byte of an abstract name counts.
        let terminator = usize::from(matches!(name, UnixName::Path(_)) && end < SUN_PATH_LEN);
        Ok(end + terminator)
    }

    #[cfg(not(has_sa_len))]
    fn put_family(&mut self, family: Domain) {
        self.bytes[..2].copy_from_slice(&(family.bits() as u16).to_ne_bytes());
    }

    #[cfg(has_sa_len)]
    fn put_family(&mut self, family: Domain) {
        self.bytes[0] = self.len as u8;
        self.bytes[1] = family.bits() as u8;
    }

    #[cfg(not(has_sa_len))]
    fn family(&self) -> Domain {
        Domain::from_bits(u16::from_ne_bytes([self.bytes[0], self.bytes[1]]).into())
    }

    #[cfg(has_sa_len)]
    fn family(&self) -> Domain {
        Domain::from_bits(self.bytes[1].into())
    }

    /// The address that the kernel wrote; `None` if it wrote nothing.
    pub(super) fn decode(&self) -> Option<Address> {
        // The kernel reports the full length of the address even if it was cut.
        let len = (self.len as usize).min(Self::SIZE);
        if len < 2 {
            return None;
        }
        let bytes = &self.bytes;
        let port = ntohs(u16::from_ne_bytes([bytes[2], bytes[3]]));
        Some(match self.family() {
            AF_INET if len >= SOCKADDR_IN_LEN => {
                let ip: [u8; 4] = array(&bytes[4..]);
                Address::V4(SocketAddrV4::new(Ipv4Addr::from(ip), port))
            }
            AF_INET6 if len >= SOCKADDR_IN6_LEN => {
                let ip: [u8; 16] = array(&bytes[8..]);
                let flowinfo = u32::from_ne_bytes(array(&bytes[4..]));
                let scope_id = u32::from_ne_bytes(array(&bytes[24..]));
                Address::V6(SocketAddrV6::new(Ipv6Addr::from(ip), port, flowinfo, scope_id))
            }
            AF_UNIX => Address::Unix(decode_name(&bytes[SUN_PATH_OFFSET..len])),
            family => Address::Other { family, data: bytes[2..len].to_vec() },
        })
    }

    /// For the trace: how the kernel reads an address that was passed as bytes. The bytes of an IPv4 address are read
    /// as one, and an empty path is, on Linux, an abstract name of length zero.
    pub(super) fn as_read<'a>(&self, given: &'a Address) -> Cow<'a, Address> {
        let as_bytes = match given {
            Address::Other { .. } => true,
            Address::Unix(UnixName::Path(path)) => path.as_os_str().is_empty(),
            _ => false,
        };
        match as_bytes.then(|| self.decode()).flatten() {
            Some(read) => Cow::Owned(read),
            None => Cow::Borrowed(given),
        }
    }

    /// For the trace, which shows an address even where the kernel wrote none.
    pub(super) fn shown(&self) -> Address {
        let nothing = Address::Other { family: Domain::from_bits(0), data: Vec::new() };
        self.decode().unwrap_or(nothing)
    }

    /// A pointer for a call that reads the address.
    pub(super) const fn as_ptr(&self) -> *const sockaddr {
        self.bytes.as_ptr().cast()
    }

    /// A pointer for a call that writes an address.
    pub(super) const fn as_mut_ptr(&mut self) -> *mut sockaddr {
        self.bytes.as_mut_ptr().cast()
    }

    /// The length, for a call that reads the address.
    pub(super) const fn len(&self) -> socklen_t {
        self.len
    }

    /// The length, for a call that changes it.
    pub(super) const fn len_mut(&mut self) -> &mut socklen_t {
        &mut self.len
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[..N]);
    array
}

fn decode_name(sun_path: &[u8]) -> UnixName {
    match sun_path {
        [] => UnixName::Unnamed,
        // Zero bytes are how the BSDs and macOS report "no name".
        [0, ..] if cfg!(not(linux)) => UnixName::Unnamed,
        [0, name @ ..] => UnixName::Abstract(name.to_vec()),
        path => {
            let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
            UnixName::Path(OsStr::from_bytes(&path[..end]).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(address: &Address) -> Address {
        RawAddress::encode(address).unwrap().decode().unwrap()
    }

    #[test]
    fn the_bytes_are_those_of_the_c_structures() {
        assert_eq!(size_of::<libc::sockaddr_in>(), SOCKADDR_IN_LEN);
        assert_eq!(size_of::<libc::sockaddr_in6>(), SOCKADDR_IN6_LEN);
        assert_eq!(std::mem::offset_of!(libc::sockaddr_un, sun_path), SUN_PATH_OFFSET);
        let raw = RawAddress::encode(&Address::v4(Ipv4Addr::new(127, 0, 0, 1), 8080)).unwrap();
        assert_eq!(raw.bytes[2..8], [0x1f, 0x90, 127, 0, 0, 1]);
        assert_eq!(raw.len(), 16);
    }

    #[test]
    fn every_address_survives_the_way_there_and_back() {
        for address in [
            Address::v4(Ipv4Addr::new(192, 0, 2, 1), 65535),
            Address::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 1, 2, 3)),
            Address::unix("/tmp/a socket"),
            Address::Unix(UnixName::Unnamed),
        ] {
            assert_eq!(there_and_back(&address), address);
        }
        #[cfg(linux)]
        {
            let address = Address::Unix(UnixName::Abstract(b"a\0b".to_vec()));
            assert_eq!(there_and_back(&address), address);
        }
    }

    #[test]
    fn a_path_may_fill_sun_path_and_no_more() {
        let longest = Address::unix("x".repeat(SUN_PATH_LEN));
        assert_eq!(there_and_back(&longest), longest);
        let longer = Address::unix("x".repeat(SUN_PATH_LEN + 1));
        assert_eq!(RawAddress::encode(&longer).map(|raw| raw.len()), Err(Errno::ENAMETOOLONG));
    }

    #[test]
    fn an_address_that_was_not_written_is_none() {
        let mut raw = RawAddress::room();
        *raw.len_mut() = 0;
        assert_eq!(raw.decode(), None);
    }
}
