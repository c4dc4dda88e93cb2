//! Resolves written addresses to socket addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::addr::{Address, Host, Port, Written};
use crate::names::{AF_INET6, ResolveError, SOCK_DGRAM, SOCK_STREAM, SocketType};
use crate::sys::{self, Hints};

/// Why a written address could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// The host could not be looked up.
    Host(String, ResolveError),
    /// There is no service with this name.
    Service(String),
    /// There is no service with this name, and no host was written: the name may be that of a host.
    ServiceAlone(String),
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host, error) => {
                write!(
                    f,
                    "getaddrinfo {}: {error} ({})",
                    host.escape_debug(),
                    sys::gai_strerror(*error)
                )
            }
            Self::Service(name) => {
                write!(f, "getservbyname {}: there is no service of this name", name.escape_debug())
            }
            Self::ServiceAlone(name) => write!(
                f,
                "getservbyname {0}: there is no service of this name; if it is a host, write {0}:PORT",
                name.escape_debug()
            ),
        }
    }
}

impl std::error::Error for Unresolved {}

/// The socket addresses of a written one, for sockets of this type: one for each family if no host was written. (A
/// service may have a port for one type only: tftp has one for datagrams.)
///
/// # Errors
/// The host or the service is unknown.
pub fn resolve(written: &Written, kind: SocketType) -> Result<Vec<Address>, Unresolved> {
    let (host, port) = match written {
        Written::Unix(name) => return Ok(vec![Address::Unix(name.clone())]),
        Written::Internet { host, port } => (host, port),
    };
    let port = match port {
        Port::Number(number) => *number,
        Port::Service(name) => {
            let unresolved = if *host == Host::Loopback {
                Unresolved::ServiceAlone
            } else {
                Unresolved::Service
            };
            let protocol = if kind == SOCK_DGRAM { "udp" } else { "tcp" };
            sys::getservbyname(name, protocol).map_err(|_| unresolved(name.clone()))?
        }
    };
    let both = |v4: Ipv4Addr, v6: Ipv6Addr| {
        let mut addresses = vec![Address::v4(v4, port)];
        if has_ipv6() {
            addresses.push(Address::v6(v6, port));
        }
        addresses
    };
    match host {
        Host::Loopback => Ok(both(Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST)),
        Host::Every => Ok(both(Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED)),
        Host::Ip(ip) => Ok(vec![Address::ip(*ip, port)]),
        Host::Name(name) => look_up(name, port, kind),
    }
}

fn look_up(name: &str, port: u16, kind: SocketType) -> Result<Vec<Address>, Unresolved> {
    let hints = Hints { socktype: kind, ..Hints::default() };
    let found = sys::getaddrinfo(Some(name), None, Some(&hints))
        .map_err(|error| Unresolved::Host(name.to_string(), error))?;
    let mut addresses: Vec<Address> = Vec::new();
    for info in found {
        let address = info.address.with_port(port);
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// Whether this machine has IPv6 with a loopback address: a socket can be made and bound there.
fn has_ipv6() -> bool {
    crate::trace::suspended(|| {
        let anywhere = Address::ip(IpAddr::V6(Ipv6Addr::LOCALHOST), 0);
        let socket = sys::socket(AF_INET6, SOCK_STREAM, sys::Protocol::default());
        socket.is_ok_and(|fd| sys::bind(&fd, &anywhere).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<String> {
        let written = Written::parse(text).unwrap();
        resolve(&written, SOCK_STREAM).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_port_alone_means_this_machine() {
        let found = addresses("7007");
        assert_eq!(found[0], "127.0.0.1:7007");
        assert!(found.len() == 1 || found[1] == "[::1]:7007", "{found:?}");
        assert_eq!(addresses("127.0.0.1:80"), ["127.0.0.1:80"]);
        assert_eq!(addresses("unix:/tmp/x"), ["unix:/tmp/x"]);
        assert_eq!(addresses("*:80")[0], "0.0.0.0:80");
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let why = |text: &str| {
            resolve(&Written::parse(text).unwrap(), SOCK_STREAM).unwrap_err().to_string()
        };
        assert!(why("host.invalid:80").contains("EAI_"), "{}", why("host.invalid:80"));
        assert!(why("127.0.0.1:no-such-service").contains("no-such-service"));
        assert!(why("no-such-host").ends_with("if it is a host, write no-such-host:PORT"));
        assert!(!why("127.0.0.1:no-such-service").contains("PORT"));
    }

    #[test]
    fn a_service_is_looked_up_for_its_kind_of_socket() {
        let written = Written::parse("127.0.0.1:tftp").unwrap();
        for (kind, protocol) in [(SOCK_STREAM, "tcp"), (SOCK_DGRAM, "udp")] {
            let port = resolve(&written, kind).ok().and_then(|found| found[0].port());
            assert_eq!(port, sys::getservbyname("tftp", protocol).ok(), "{protocol}");
        }
    }
}
