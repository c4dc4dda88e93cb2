//! The network interfaces of this machine, and which machines can reach a server bound to their addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use serde::Serialize;

use crate::addr::{Address, Reach};

/// A network interface.
#[derive(Clone, Debug, Serialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Whether it is up.
    pub up: bool,
    /// Its addresses.
    pub addresses: Vec<Bindable>,
}

/// An address that a server can be bound to.
#[derive(Clone, Debug, Serialize)]
pub struct Bindable {
    /// The address.
    pub address: String,
    /// Which machines can reach a server bound to it.
    pub reached_by: String,
}

impl Bindable {
    /// What can be said about an address without asking the network.
    pub fn new(ip: IpAddr) -> Self {
        let reached_by = if is_of_the_link(ip) {
            "every machine on the same link".to_string()
        } else if is_private(ip) {
            "every machine of its private network".to_string()
        } else {
            Address::ip(ip, 0).reach().to_string()
        };
        Self { address: ip.to_string(), reached_by }
    }

    /// An address of an interface. Every link has its own fe80::/10: without the interface's name, `bind` fails with
    /// `EINVAL`.
    fn of_interface(ip: IpAddr, name: &str, flags: InterfaceFlags) -> Self {
        let ip = without_scope(ip);
        let mut bindable = Self::new(ip);
        if ip.is_ipv6() && is_of_the_link(ip) {
            bindable.address = format!("{ip}%{name}");
            if flags.contains(InterfaceFlags::IFF_LOOPBACK) {
                bindable.reached_by = Reach::ThisMachine.to_string();
            }
        }
        bindable
    }

    /// The addresses that a server can be bound to on any machine.
    pub fn everywhere() -> Vec<Self> {
        let addresses: [IpAddr; 4] = [
            Ipv4Addr::LOCALHOST.into(),
            Ipv6Addr::LOCALHOST.into(),
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv6Addr::UNSPECIFIED.into(),
        ];
        addresses.map(Self::new).to_vec()
    }
}

/// The address without the number of its interface, which NetBSD's `getifaddrs` leaves in the second group, as in
/// `fe80:1::1` (ran 10.99.12). Elsewhere that group is zero, as RFC 4291 wants it.
fn without_scope(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) if is_of_the_link(ip) => {
            let mut groups = v6.segments();
            groups[1] = 0;
            Ipv6Addr::from(groups).into()
        }
        other => other,
    }
}

/// Addresses that no router forwards: 169.254.0.0/16 and fe80::/10.
fn is_of_the_link(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// Addresses for use within one organisation only: 10.0.0.0/8 and the like, and fc00::/7.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

/// Whether an interface that is up has the IPv4 loopback address. If the system lists no interface at all, the answer
/// is yes.
pub fn loopback_is_up() -> bool {
    let is_loopback = |bindable: &Bindable| {
        bindable.address.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
    };
    let all = interfaces();
    let is_up = |one: &Interface| one.up && one.addresses.iter().any(is_loopback);
    all.is_empty() || all.iter().any(is_up)
}

/// The interfaces, in the order of the system. An empty list is not a failure.
pub fn interfaces() -> Vec<Interface> {
    let mut interfaces: Vec<Interface> = Vec::new();
    for entry in getifaddrs().into_iter().flatten() {
        let up = entry.flags.contains(InterfaceFlags::IFF_UP);
        let ip = entry.address.and_then(|address| {
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
        });
        let name = entry.interface_name;
        let known = interfaces.iter().position(|interface| interface.name == name);
        let at = known.unwrap_or_else(|| {
            interfaces.push(Interface { name, up, addresses: Vec::new() });
            interfaces.len() - 1
        });
        let of_interface = |ip| Bindable::of_interface(ip, &interfaces[at].name, entry.flags);
        let address = ip.map(of_interface);
        interfaces[at].addresses.extend(address);
    }
    interfaces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_interface(ip: &str, name: &str, flags: InterfaceFlags) -> (String, String) {
        let bindable = Bindable::of_interface(ip.parse().unwrap(), name, flags);
        (bindable.address, bindable.reached_by)
    }

    #[test]
    fn an_address_of_the_link_can_be_given_to_bind_as_it_is_printed() {
        let up = InterfaceFlags::IFF_UP;
        let (address, reached_by) = of_interface("fe80::7", "eth0", up);
        assert_eq!((&*address, &*reached_by), ("fe80::7%eth0", "every machine on the same link"));
        // NetBSD tells the number of the interface within the address, and has such an address for loopback.
        let (address, reached_by) =
            of_interface("fe80:1::1", "lo0", up | InterfaceFlags::IFF_LOOPBACK);
        assert_eq!((&*address, &*reached_by), ("fe80::1%lo0", "this machine only"));
        let (address, _) = of_interface("2001:db8::1", "eth0", up);
        assert_eq!(address, "2001:db8::1");
    }
}
