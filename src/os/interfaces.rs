//! The network interfaces of this machine, and who can reach a server that is bound to their addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use serde::Serialize;

use crate::addr::Address;

/// One interface.
#[derive(Clone, Debug, Serialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Whether it is in use.
    pub up: bool,
    /// Its addresses.
    pub addresses: Vec<Bindable>,
}

/// An address that a server can be bound to.
#[derive(Clone, Debug, Serialize)]
pub struct Bindable {
    /// The address.
    pub address: String,
    /// Who can reach a server that is bound to it.
    pub reached_by: String,
}

impl Bindable {
    /// What can be said of an address without asking the network.
    pub fn new(ip: IpAddr) -> Self {
        let reach = Address::ip(ip, 0).reach().to_string();
        let network = match ip {
            IpAddr::V4(ip) if ip.is_link_local() => ": those on the same link",
            IpAddr::V6(ip) if ip.is_unicast_link_local() => ": those on the same link",
            IpAddr::V4(ip) if ip.is_private() => ": those of its private network",
            IpAddr::V6(ip) if ip.is_unique_local() => ": those of its private network",
            _ => "",
        };
        Self { address: ip.to_string(), reached_by: format!("{reach}{network}") }
    }

    /// What a server can be bound to on any machine.
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

/// The interfaces, in the order in which the system names them. None of them is no failure.
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
        interfaces[at].addresses.extend(ip.map(Bindable::new));
    }
    interfaces
}
