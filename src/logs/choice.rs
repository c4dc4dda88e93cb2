//! Which calls of a log are wanted: by name, by descriptor, by peer.

use crate::trace::Event;
use crate::trace::descriptors::{DescriptorTable, DescriptorTables};
use crate::trace::page::Returns;
use crate::values::FdNumber;

/// Selects calls. To know the peers it must see every call.
#[derive(Debug, Default)]
pub struct Chooser {
    only: Vec<String>,
    fd: Option<i32>,
    peer: Option<String>,
    /// Used only if a peer is asked for.
    tables: DescriptorTables,
}

impl Chooser {
    /// Selects calls with these names (all if there are none), on this descriptor, and with this peer, or a part of its
    /// address.
    pub fn new(only: &[String], fd: Option<i32>, peer: Option<&str>) -> Self {
        let peer = peer.map(str::to_string);
        Self { only: only.to_vec(), fd, peer, tables: DescriptorTables::default() }
    }

    /// Whether this call is selected.
    pub fn wants(&mut self, event: &Event<'_>) -> bool {
        let Self { only, fd, peer, tables } = self;
        let by_peer = peer.as_ref().is_none_or(|peer| {
            let before = is_with(tables.of(event), event, peer);
            tables.learn(event);
            before || is_with(tables.of(event), event, peer)
        });
        let by_name = only.is_empty() || only.iter().any(|name| *name == event.callee.name());
        let by_fd = fd.is_none_or(|fd| descriptors(event).any(|own| own.get() == fd));
        by_peer && by_name && by_fd
    }
}

/// The descriptor that a call is about, and the one that it has made.
fn descriptors(event: &Event<'_>) -> impl Iterator<Item = FdNumber> {
    let makes = |function: crate::trace::Function| function.page().returns == Returns::Descriptor;
    let made = event.value().filter(|_| event.function().is_some_and(makes));
    let made = made.and_then(|made| i32::try_from(made).ok()).map(FdNumber::new);
    event.fd().into_iter().chain(made)
}

/// Whether one of the call's descriptors is connected to this peer.
fn is_with(table: &DescriptorTable, event: &Event<'_>, peer: &str) -> bool {
    descriptors(event)
        .filter_map(|fd| table.connection(fd)?.peer)
        .any(|address| address.to_string().contains(peer))
}
