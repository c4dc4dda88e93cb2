//! Socket addresses as values: how people write them, how they are printed, and which machines can reach them.
//!
//! Nothing here asks the system. Looking up a name is [`crate::sys::getaddrinfo`](crate::sys::getaddrinfo())'s work; turning a
//! value into the bytes that the kernel reads is that of `sys/sockaddr.rs`.

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::names::{AF_INET, AF_INET6, AF_UNIX, Domain};

/// The address of one end of a socket, as `bind`, `connect` and `accept` pass it.
#[doc(alias = "sockaddr")]
#[doc(alias = "sockaddr_in")]
#[doc(alias = "sockaddr_in6")]
#[doc(alias = "sockaddr_un")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `struct sockaddr_in`.
    V4(SocketAddrV4),
    /// `struct sockaddr_in6`.
    V6(SocketAddrV6),
    /// `struct sockaddr_un`.
    Unix(UnixName),
    /// An address of another family, as the system returned it.
    Other {
        /// The `sa_family` at its beginning.
        family: Domain,
        /// The bytes after the family.
        data: Vec<u8>,
    },
}

/// The content of `sun_path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnixName {
    /// No name: a socket that was never bound, or either end of a `socketpair`.
    Unnamed,
    /// A file.
    Path(PathBuf),
    /// A name that begins with a zero byte and exists in no directory (Linux only).
    Abstract(Vec<u8>),
}

impl Address {
    /// An IPv4 address and port.
    pub const fn v4(ip: Ipv4Addr, port: u16) -> Self {
        Self::V4(SocketAddrV4::new(ip, port))
    }

    /// An IPv6 address and port, without a scope.
    pub const fn v6(ip: Ipv6Addr, port: u16) -> Self {
        Self::V6(SocketAddrV6::new(ip, port, 0, 0))
    }

    /// An IP address of either kind, and a port.
    pub const fn ip(ip: IpAddr, port: u16) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::v4(ip, port),
            IpAddr::V6(ip) => Self::v6(ip, port),
        }
    }

    /// A Unix-domain address at a path.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::Unix(UnixName::Path(path.into()))
    }

    /// The domain in which a socket for this address is created.
    pub const fn domain(&self) -> Domain {
        match self {
            Self::V4(_) => AF_INET,
            Self::V6(_) => AF_INET6,
            Self::Unix(_) => AF_UNIX,
            Self::Other { family, .. } => *family,
        }
    }

    /// The port; `None` for an address without one.
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::V4(address) => Some(address.port()),
            Self::V6(address) => Some(address.port()),
            Self::Unix(_) | Self::Other { .. } => None,
        }
    }

    /// The number of the interface (the scope) of an IPv6 address that is valid on one link only, if the address says
    /// it.
    pub const fn link(&self) -> Option<u32> {
        match self {
            Self::V6(address) if is_of_a_link(address.ip()) && address.scope_id() > 0 => {
                Some(address.scope_id())
            }
            _ => None,
        }
    }

    /// Whether the address is valid on one link only and does not say on which.
    pub const fn lacks_link(&self) -> bool {
        matches!(self, Self::V6(address) if is_of_a_link(address.ip()) && address.scope_id() == 0)
    }

    /// The same address with another port; an address without a port stays as it is.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        match &mut self {
            Self::V4(address) => address.set_port(port),
            Self::V6(address) => address.set_port(port),
            Self::Unix(_) | Self::Other { .. } => {}
        }
        self
    }

    /// Which machines can reach a server bound here.
    pub fn reach(&self) -> Reach {
        let ip = match self {
            Self::V4(address) => IpAddr::V4(*address.ip()),
            // `::ffff:127.0.0.1` is IPv4's loopback, written in IPv6.
            Self::V6(address) => address.ip().to_canonical(),
            Self::Unix(_) | Self::Other { .. } => return Reach::ThisMachine,
        };
        if ip.is_loopback() {
            Reach::ThisMachine
        } else if ip.is_unspecified() {
            Reach::EveryInterface
        } else {
            Reach::OneAddress
        }
    }
}

/// fe80::/10, and the multicast addresses of a link, ff02::/16 and those with other flags.
const fn is_of_a_link(ip: &Ipv6Addr) -> bool {
    let [first, second, ..] = ip.octets();
    ip.is_unicast_link_local() || (first == 0xff && second & 0xf == 2)
}

/// Which machines can reach a server bound to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Loopback and Unix-domain sockets.
    ThisMachine,
    /// The wildcard address: every machine that can send this one a packet, on any of its
    /// interfaces.
    EveryInterface,
    /// One address of this machine: every machine with a route to that address.
    OneAddress,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ThisMachine => "this machine only",
            Self::EveryInterface => "every machine that can reach this one",
            Self::OneAddress => "every machine that can reach this address",
        })
    }
}

/// For a person: `127.0.0.1:80`, `[::1]:80`, `unix:/run/x`, `unix:@abstract`. Bytes that could change a terminal's
/// state are escaped.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => address.fmt(f),
            Self::Unix(UnixName::Unnamed) => f.write_str("unix:(unnamed)"),
            Self::Unix(UnixName::Path(path)) => match path.as_os_str().as_bytes() {
                // Escaped, so that a path is not taken for an abstract name or for the text of an unnamed socket.
                [first @ (b'@' | b'('), rest @ ..] => {
                    write!(f, "unix:\\x{first:x}{}", rest.escape_ascii())
                }
                path => write!(f, "unix:{}", path.escape_ascii()),
            },
            Self::Unix(UnixName::Abstract(name)) => write!(f, "unix:@{}", name.escape_ascii()),
            Self::Other { family, data } => write!(f, "{family}:{}", data.escape_ascii()),
        }
    }
}

/// An address as a person writes it on a command line, before names are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// `HOST:PORT` and its short forms.
    Internet {
        /// The host.
        host: Host,
        /// The port.
        port: Port,
    },
    /// `unix:PATH`; `unix:@NAME` is an abstract name.
    Unix(UnixName),
}

/// The host of a [`Written`] address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// No host was written: loopback, in IPv4 and IPv6.
    Loopback,
    /// `*`: every interface, in IPv4 and IPv6.
    Every,
    /// An IP address in numbers.
    Ip(IpAddr),
    /// A name that must be looked up. (An address with a zone, `fe80::1%eth0`, also counts as a name.)
    Name(String),
}

/// The port of a [`Written`] address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// A port number; 0 lets the kernel choose a free one.
    Number(u16),
    /// The name of a service that must be looked up.
    Service(String),
}

/// Why a written address could not be understood: one line for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadAddress {
    /// What is wrong with the address.
    pub why: String,
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for BadAddress {}

fn bad<T>(why: impl Into<String>) -> Result<T, BadAddress> {
    Err(BadAddress { why: why.into() })
}

impl Written {
    /// Reads `HOST:PORT`, `PORT`, `:PORT`, `*:PORT`, `[::1]:PORT` or `unix:PATH`.
    ///
    /// # Errors
    /// The text is none of these; the error says what to write instead.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::parse_unix(path);
        }
        let (host, port) = split_port(text)?;
        Ok(Self::Internet { host: parse_host(host)?, port: parse_port(port)? })
    }

    fn parse_unix(path: &str) -> Result<Self, BadAddress> {
        match path.strip_prefix('@') {
            _ if path.is_empty() => bad("unix: needs a path, as in unix:/tmp/echo.sock"),
            Some("") => bad("unix:@ needs a name, as in unix:@echo"),
            Some(name) => Ok(Self::Unix(UnixName::Abstract(name.as_bytes().to_vec()))),
            None if path.contains('\0') => bad("a path cannot contain a zero byte"),
            None => Ok(Self::Unix(UnixName::Path(path.into()))),
        }
    }
}

/// The host and port of a text, either of which may be empty.
fn split_port(text: &str) -> Result<(&str, &str), BadAddress> {
    if let Some(rest) = text.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((host, port)) if port.starts_with(':') && !host.is_empty() => {
                Ok((&text[..host.len() + 2], &port[1..]))
            }
            _ => bad(format!("'{}': write an IPv6 address as [::1]:PORT", text.escape_debug())),
        };
    }
    match text.rsplit_once(':') {
        None if text.parse::<Ipv4Addr>().is_ok() => {
            bad(format!("{text} is a host: write {text}:PORT"))
        }
        None => Ok(("", text)),
        Some((host, _)) if host.contains(':') => bad(format!(
            "'{}': put an IPv6 address in brackets, as in [::1]:PORT",
            text.escape_debug()
        )),
        Some(parts) => Ok(parts),
    }
}

fn parse_host(host: &str) -> Result<Host, BadAddress> {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match inner.parse::<Ipv6Addr>() {
            Ok(ip) => Ok(Host::Ip(IpAddr::V6(ip))),
            Err(_) if inner.contains('%') => Ok(Host::Name(inner.to_string())),
            Err(_) => bad(format!("'{}' is no IPv6 address", inner.escape_debug())),
        };
    }
    Ok(match host {
        "" => Host::Loopback,
        "*" => Host::Every,
        _ if host.contains('\0') => return bad("a host name cannot contain a zero byte"),
        _ => match host.parse::<Ipv4Addr>() {
            Ok(ip) => Host::Ip(IpAddr::V4(ip)),
            Err(_) => Host::Name(host.to_string()),
        },
    })
}

fn parse_port(port: &str) -> Result<Port, BadAddress> {
    if port.is_empty() {
        return bad("a port is missing: write HOST:PORT, or PORT alone for this machine");
    }
    if port.bytes().all(|byte| byte.is_ascii_digit()) {
        return match port.parse() {
            Ok(number) => Ok(Port::Number(number)),
            Err(_) => bad(format!("port {port} is out of range: ports go from 0 to 65535")),
        };
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+.*".contains(&byte);
    if !port.bytes().all(is_name) || !port.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return bad(format!(
            "'{}' is no port: write a number from 0 to 65535",
            port.escape_debug()
        ));
    }
    Ok(Port::Service(port.to_string()))
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(name) => Address::Unix(name.clone()).fmt(f),
            Self::Internet { host, port } => {
                match host {
                    Host::Loopback => f.write_str("localhost")?,
                    Host::Every => f.write_str("*")?,
                    Host::Ip(IpAddr::V4(ip)) => ip.fmt(f)?,
                    Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]")?,
                    // An IPv6 address with a zone.
                    Host::Name(name) if name.contains(':') => {
                        write!(f, "[{}]", name.escape_debug())?
                    }
                    Host::Name(name) => name.escape_debug().fmt(f)?,
                }
                match port {
                    Port::Number(number) => write!(f, ":{number}"),
                    Port::Service(name) => write!(f, ":{name}"),
                }
            }
        }
    }
}
