//! Headers, read by hand: Ethernet, IPv4 or IPv6, and TCP, UDP or ICMP.
//!
//! ```text
//!            0        2        4        6        8        10       12
//! Ethernet  | to (6 bytes)             | from (6 bytes)          | type  |
//! IPv4      |4 len|tos| length | id     | fragm. |ttl|prot| sum  | from (4) | to (4) |
//! IPv6      |6 class, flow     | length |next|hop| from (16)      … to (16)
//! TCP       | from   | to     | sequence number | acknowledged    |len|flags| window | sum | urgent |
//! UDP       | from   | to     | length | sum    |
//! ICMP      |type|code| sum   | (4 bytes)        | the packet that it is about …
//! ```
//!
//! Every number is in network byte order: the most significant byte comes first.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const ETHERNET_LEN: usize = 14;
const IPV6_LEN: usize = 40;
const TCP_LEN: usize = 20;
const UDP_LEN: usize = 8;

/// A packet as its headers say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers {
    /// The source: address and port (0 where there are no ports).
    pub from: SocketAddr,
    /// The destination.
    pub to: SocketAddr,
    /// What the packet carries.
    pub carries: Carried,
}

/// The header of the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// TCP.
    Tcp(TcpHeader),
    /// UDP, with the bytes of the datagram.
    Udp {
        /// The bytes after the header.
        len: u32,
    },
    /// ICMP or ICMPv6.
    Icmp {
        /// The type.
        kind: u8,
        /// The code.
        code: u8,
        /// The packet that the message quotes: from where to where.
        about: Option<[SocketAddr; 2]>,
    },
}

/// The header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpHeader {
    /// The number of its first byte.
    pub seq: u32,
    /// The number of the next byte that its sender expects.
    pub ack: u32,
    /// The flags.
    pub flags: SegmentFlags,
    /// The window as written, without its scale.
    pub window: u16,
    /// The option of a SYN by which later windows are scaled: the number of bits.
    pub scale: Option<u8>,
    /// The bytes after the header.
    pub len: u32,
}

/// The flags of a segment.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct SegmentFlags(pub u8);

impl SegmentFlags {
    /// The sender has sent all its bytes.
    pub const FIN: Self = Self(0x01);
    /// The first segment of each direction.
    pub const SYN: Self = Self(0x02);
    /// The connection is over, or there is none.
    pub const RST: Self = Self(0x04);
    /// The receiver's kernel shall hand the bytes to its program without waiting for more.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement number counts.
    pub const ACK: Self = Self(0x10);

    /// The names, in the order in which they are written.
    const NAMES: [(u8, &'static str); 8] = [
        (0x02, "SYN"),
        (0x01, "FIN"),
        (0x04, "RST"),
        (0x08, "PSH"),
        (0x20, "URG"),
        (0x10, "ACK"),
        (0x40, "ECE"),
        (0x80, "CWR"),
    ];

    /// Whether all of these are set.
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// The names of those that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(bit, _)| self.0 & bit != 0).map(|(_, name)| name)
    }
}

/// `PSH ACK`
impl fmt::Display for SegmentFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names().collect();
        f.write_str(if names.is_empty() { "no flags" } else { "" })?;
        f.write_str(&names.join(" "))
    }
}

impl fmt::Debug for SegmentFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SegmentFlags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for SegmentFlags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let bit = |name: &String| Self::NAMES.iter().find(|(_, known)| known == name);
        names.iter().try_fold(Self(0), |flags, name| match bit(name) {
            Some((bit, _)) => Ok(Self(flags.0 | bit)),
            None => Err(serde::de::Error::custom("no flag of TCP")),
        })
    }
}

/// Reads a frame's headers. `None` if it is neither TCP, UDP nor ICMP, is a fragment, or is cut within its headers.
pub fn read_frame(frame: &[u8]) -> Option<Headers> {
    let packet = frame.get(ETHERNET_LEN..)?;
    match number16(frame, 12)? {
        0x0800 => read_ipv4(packet),
        0x86dd => read_ipv6(packet),
        _ => None,
    }
}

fn read_ipv4(packet: &[u8]) -> Option<Headers> {
    let header_len = usize::from(packet.first()? & 0x0f) * 4;
    let total = usize::from(number16(packet, 2)?);
    const FRAGMENT: u16 = 0x3fff;
    if packet[0] >> 4 != 4 || header_len < 20 || number16(packet, 6)? & FRAGMENT != 0 {
        return None;
    }
    let address =
        |at: usize| Some(IpAddr::from(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?));
    let (from, to) = (address(12)?, address(16)?);
    read_transport(packet[9], from, to, packet.get(header_len..)?, total.checked_sub(header_len)?)
}

fn read_ipv6(packet: &[u8]) -> Option<Headers> {
    let length = usize::from(number16(packet, 4)?);
    let next_header = *packet.get(6)?;
    if packet[0] >> 4 != 6 {
        return None;
    }
    let address =
        |at: usize| Some(IpAddr::from(<[u8; 16]>::try_from(packet.get(at..at + 16)?).ok()?));
    read_transport(next_header, address(8)?, address(24)?, packet.get(IPV6_LEN..)?, length)
}

/// Reads what follows the IP header; `length` is how long it is on the wire.
fn read_transport(
    protocol: u8,
    from: IpAddr,
    to: IpAddr,
    bytes: &[u8],
    length: usize,
) -> Option<Headers> {
    const ICMP: u8 = 1;
    const TCP: u8 = 6;
    const UDP: u8 = 17;
    const ICMPV6: u8 = 58;
    let ports = || Some([number16(bytes, 0)?, number16(bytes, 2)?]);
    let (ports, carries) = match protocol {
        TCP => (ports()?, Carried::Tcp(read_tcp(bytes, length)?)),
        UDP => {
            let len = u32::try_from(length.checked_sub(UDP_LEN)?).ok()?;
            (ports()?, Carried::Udp { len })
        }
        ICMP | ICMPV6 => {
            let kind = *bytes.first()?;
            let code = *bytes.get(1)?;
            // Messages about a packet that was sent quote its headers; others have other data there.
            let is_error =
                if protocol == ICMP { [3, 4, 5, 11, 12].contains(&kind) } else { kind < 128 };
            let about = bytes.get(8..).filter(|_| is_error).and_then(quoted_ends);
            ([0, 0], Carried::Icmp { kind, code, about })
        }
        _ => return None,
    };
    let [from, to] = [SocketAddr::new(from, ports[0]), SocketAddr::new(to, ports[1])];
    Some(Headers { from, to, carries })
}

/// The ends of a quoted packet, of which only the first bytes may be there.
fn quoted_ends(packet: &[u8]) -> Option<[SocketAddr; 2]> {
    let headers = match packet.first()? >> 4 {
        4 => read_ipv4(packet),
        _ => read_ipv6(packet),
    }?;
    Some([headers.from, headers.to])
}

fn read_tcp(bytes: &[u8], length: usize) -> Option<TcpHeader> {
    let header_len = usize::from(bytes.get(12)? >> 4) * 4;
    if header_len < TCP_LEN {
        return None;
    }
    Some(TcpHeader {
        seq: number32(bytes, 4)?,
        ack: number32(bytes, 8)?,
        flags: SegmentFlags(*bytes.get(13)?),
        window: number16(bytes, 14)?,
        // The header of a long segment may be cut behind its fixed part; only a SYN has this option.
        scale: bytes.get(TCP_LEN..header_len).and_then(window_scale),
        len: u32::try_from(length.checked_sub(header_len)?).ok()?,
    })
}

/// Looks for the window scale among the options: each is a kind, a length that includes both, and its data; the kinds 0 and 1
/// are single bytes.
fn window_scale(mut options: &[u8]) -> Option<u8> {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    const WINDOW_SCALE: u8 = 3;
    /// More would be more than 30 bits: RFC 7323, 2.3.
    const MOST: u8 = 14;
    loop {
        options = match options {
            [] | [END, ..] => return None,
            [NOTHING, rest @ ..] => rest,
            [WINDOW_SCALE, 3, bits, ..] => return Some(*bits.min(&MOST)),
            [_, len, ..] if *len >= 2 => options.get(usize::from(*len)..)?,
            _ => return None,
        };
    }
}

fn number16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A SYN as loopback had it, with the options of Linux.
    fn syn() -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00]);
        frame
            .extend([0x45, 0, 0, 60, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2]);
        frame.extend([
            0x9c, 0x40, 0x1b, 0x5f, 0, 0, 1, 0, 0, 0, 0, 0, 0xa0, 0x02, 0xff, 0xd7, 0, 0, 0, 0,
        ]);
        frame.extend([2, 4, 0xff, 0xd7, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7]);
        frame
    }

    #[test]
    fn a_syn_is_read_with_its_window_scale() {
        let read = read_frame(&syn()).unwrap();
        assert_eq!(read.from, "127.0.0.1:40000".parse().unwrap());
        assert_eq!(read.to, "127.0.0.2:7007".parse().unwrap());
        let expected = TcpHeader {
            seq: 256,
            ack: 0,
            flags: SegmentFlags::SYN,
            window: 65495,
            scale: Some(7),
            len: 0,
        };
        assert_eq!(read.carries, Carried::Tcp(expected));
    }

    #[test]
    fn a_frame_that_is_cut_anywhere_is_none_or_the_same() {
        let whole = read_frame(&syn());
        for len in 0..syn().len() {
            let cut = read_frame(&syn()[..len]);
            // The ports come first; nothing is made up for what is missing.
            let ends = |read: &Headers| (read.from, read.to);
            assert!(cut.is_none() || cut.as_ref().map(ends) == whole.as_ref().map(ends), "{len}");
            assert!(cut.is_none() || len >= 14 + 20 + 16, "{len}: {cut:?}");
        }
        assert!(whole.is_some());
        let mut garbage = syn();
        for at in 12..garbage.len() {
            for byte in [0, 1, 2, 0x7f, 0xff] {
                let was = std::mem::replace(&mut garbage[at], byte);
                let _ = read_frame(&garbage);
                garbage[at] = was;
            }
        }
    }

    #[test]
    fn a_quoted_packet_that_is_cut_anywhere_is_none_or_the_same() {
        let icmp = [3, 3, 0, 0, 0, 0, 0, 0];
        let mut ipv6 = vec![0x60, 0, 0, 0, 0, 13, 17, 64];
        ipv6.extend([0; 32]);
        ipv6.extend([0x9c, 0x40, 0, 53, 0, 13, 0, 0]);
        let mut ipv4 =
            vec![0x45, 0, 0, 33, 0, 0, 0x40, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1];
        ipv4.extend(&ipv6[40..]);
        for quoted in [ipv6, ipv4] {
            let about = |len: usize| {
                let message = [&icmp[..], &quoted[..len]].concat();
                let mut frame = syn();
                frame.truncate(14 + 20);
                frame[16..18].copy_from_slice(&(20 + message.len() as u16).to_be_bytes());
                frame[14 + 9] = 1;
                frame.extend(message);
                match read_frame(&frame).unwrap().carries {
                    Carried::Icmp { about, .. } => about,
                    other => panic!("{other:?}"),
                }
            };
            let whole = about(quoted.len());
            assert!(whole.is_some());
            assert!((0..quoted.len()).all(|len| [None, whole].contains(&about(len))));
        }
    }

    #[test]
    fn an_unreachable_port_is_read_with_the_datagram_that_it_is_about() {
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00]);
        frame.extend([0x45, 0xc0, 0, 61, 0, 0, 0, 0, 64, 1, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        frame.extend([3, 3, 0, 0, 0, 0, 0, 0]);
        frame.extend([0x45, 0, 0, 33, 0, 0, 0x40, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        frame.extend([0x9c, 0x40, 0x00, 0x35, 0, 13, 0, 0, b'h', b'e', b'l', b'l', b'o']);
        let about = Some(["127.0.0.1:40000", "127.0.0.1:53"].map(|at| at.parse().unwrap()));
        let read = read_frame(&frame).unwrap();
        assert_eq!(read.carries, Carried::Icmp { kind: 3, code: 3, about });
        assert_eq!(read.from.port(), 0);
    }

    #[test]
    fn flags_are_written_in_the_order_in_which_people_say_them() {
        let flags = SegmentFlags(0x18);
        assert_eq!(
            (flags.to_string(), SegmentFlags(0x12).to_string()),
            ("PSH ACK".into(), "SYN ACK".into())
        );
        let json = serde_json::to_string(&flags).unwrap();
        assert_eq!(json, r#"["PSH","ACK"]"#);
        assert_eq!(serde_json::from_str::<SegmentFlags>(&json).unwrap(), flags);
    }
}
