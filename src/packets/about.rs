//! The files that a call is about.

use crate::trace::Event;
use crate::trace::arg::Arg;
use crate::trace::descriptors::{DescriptorTables, OpenFile};
use crate::trace::page::Effect;
use crate::values::FdNumber;

/// The descriptor that a call is about, as it was before the call.
pub(super) struct AboutCall {
    pub(super) effect: Effect,
    pub(super) file: Option<OpenFile>,
    /// What the call has closed: several files, if it is `close_range`.
    pub(super) closed: Vec<OpenFile>,
    /// Where `splice` puts the bytes.
    second: Option<OpenFile>,
}

impl AboutCall {
    pub(super) fn of(event: &Event<'_>, descriptors: &mut DescriptorTables) -> Self {
        let table = descriptors.of(event);
        let mut known = |fd: FdNumber| {
            table.id(fd);
            let mut file = table.known(fd)?;
            // The trace may have asked the system for the addresses.
            if let Some(connection) = event.connection.as_ref().filter(|_| event.fd() == Some(fd)) {
                file.local = connection.local.clone().or(file.local);
                file.peer = connection.peer.clone().or(file.peer);
            }
            Some(file)
        };
        let second = match event.args.get(2) {
            Some(Arg::Fd(fd)) if event.callee.effect() == Effect::Splices => known(*fd),
            _ => None,
        };
        let file = event.fd().and_then(&mut known);
        let table = descriptors.of(event);
        let closed = table.all_closed_by(event).into_iter().filter_map(|fd| table.known(fd));
        // While another descriptor leads to it, it stays open.
        let closed = closed.filter(|file| file.copies == 0).collect();
        Self { effect: event.callee.effect(), file, closed, second }
    }

    /// The files through which the call may send.
    pub(super) fn senders(&self) -> impl Iterator<Item = &OpenFile> {
        let other = self.second.as_ref().or(self.file.as_ref());
        self.closed.iter().chain(other.filter(|_| self.closed.is_empty()))
    }
}
