//! Which end of a connection a descriptor is: `recv(6<server of 127.0.0.1:4242>, …`, where strace's `-yy` shows the
//! file of a descriptor.

use std::fmt::Write;

use super::descriptors::{DescriptorKind, DescriptorTable};
use super::event::{Event, Outcome};
use super::line::LineBuffer;
use super::page::Effect;
use crate::addr::{Address, UnixName};
use crate::values::FdNumber;

/// What stands behind the number of a descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndNotation {
    /// Nothing.
    #[default]
    Bare,
    /// Which end it is, and the address of the other: `6<server of 127.0.0.1:4242>`.
    WithAddress,
    /// Which end it is, `6<server>`, once the calls have shown both ends of a connection: from then on a reader wonders which
    /// of them makes a call. Without ports, a run looks like the one before.
    WhereBothPlay,
}

/// What descriptors are, as far as the calls written so far have shown.
#[derive(Debug, Default)]
pub(super) struct EndNames {
    notation: EndNotation,
    table: DescriptorTable,
    has_client: bool,
    has_server: bool,
}

impl EndNames {
    /// Names of this form; none if there is nothing to write.
    pub(super) fn new(notation: EndNotation) -> Option<Self> {
        (notation != EndNotation::Bare).then(|| Self { notation, ..Self::default() })
    }

    /// Learns from a call.
    pub(super) fn learn(&mut self, event: &Event<'_>) {
        self.table.learn(event);
        match (event.callee.effect(), event.outcome) {
            (Effect::Accepts, Outcome::Value(_)) => self.has_server = true,
            (Effect::Connects, _) => {
                let file = event.fd().and_then(|fd| self.table.get(fd));
                self.has_client |= file.is_some_and(|file| {
                    file.kind == DescriptorKind::Connection && file.connection.is_some()
                });
            }
            _ => {}
        }
    }

    /// Writes what is known about a descriptor after its number.
    pub(super) fn write(&self, out: &mut LineBuffer, fd: FdNumber) {
        let both_play = self.has_client && self.has_server;
        if self.notation == EndNotation::WhereBothPlay && !both_play {
            return;
        }
        let Some(file) = self.table.get(fd) else { return };
        let (what, link, address) = match file.kind {
            DescriptorKind::Listener => ("listener", "at", &file.local),
            DescriptorKind::Connection if file.accepted => ("server", "of", &file.peer),
            DescriptorKind::Connection if file.connection.is_some() => ("client", "of", &file.peer),
            // Neither end of a pair of datagram sockets is the server.
            DescriptorKind::Datagram if self.notation == EndNotation::WhereBothPlay => return,
            DescriptorKind::Datagram if file.peer.is_some() => ("datagrams", "to", &file.peer),
            DescriptorKind::Datagram if file.local.is_some() => ("datagrams", "at", &file.local),
            _ => return,
        };
        let is_told = self.notation == EndNotation::WithAddress;
        let _ = match address.as_ref().filter(|_| is_told) {
            None | Some(Address::Unix(UnixName::Unnamed)) => write!(out, "<{what}>"),
            // A port of 0 asks for any port; no call has shown yet which one it became.
            Some(address) if address.port() == Some(0) => write!(out, "<{what}>"),
            Some(address) => write!(out, "<{what} {link} {address}>"),
        };
    }
}
