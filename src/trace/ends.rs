//! Which end of a connection a descriptor is: `recv(6<server of 127.0.0.1:4242>, …`, where strace's `-yy` shows the
//! file of a descriptor.

use std::fmt::Write;

use super::descriptors::{DescriptorKind, DescriptorTable};
use super::event::Event;
use crate::addr::{Address, UnixName};
use crate::values::FdNumber;

/// What descriptors are, as far as the calls written so far have shown.
#[derive(Debug, Default)]
pub(super) struct EndNames {
    table: DescriptorTable,
}

impl EndNames {
    /// Learns from a call.
    pub(super) fn learn(&mut self, event: &Event<'_>) {
        self.table.learn(event);
    }

    /// Writes what is known about a descriptor after its number.
    pub(super) fn write(&self, out: &mut String, fd: FdNumber) {
        let Some(file) = self.table.get(fd) else { return };
        let (what, link, address) = match file.kind {
            DescriptorKind::Listener => ("listener", "at", &file.local),
            DescriptorKind::Connection if file.accepted => ("server", "of", &file.peer),
            DescriptorKind::Connection if file.connection.is_some() => ("client", "of", &file.peer),
            DescriptorKind::Datagram if file.peer.is_some() => ("datagrams", "to", &file.peer),
            DescriptorKind::Datagram if file.local.is_some() => ("datagrams", "at", &file.local),
            _ => return,
        };
        let _ = match address {
            None | Some(Address::Unix(UnixName::Unnamed)) => write!(out, "<{what}>"),
            // A port of 0 asks for any port; no call has shown yet which one it became.
            Some(address) if address.port() == Some(0) => write!(out, "<{what}>"),
            Some(address) => write!(out, "<{what} {link} {address}>"),
        };
    }
}
