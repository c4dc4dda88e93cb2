//! The descriptors of a run, as its calls tell, with what the system tells of each.

use std::process;

use super::super::rows::{DescriptorRow, MOST_ROWS, Rows};
use super::history::RunHistory;
use crate::addr::Address;
use crate::sys::socket_state;
use crate::trace::descriptors::{DescriptorKind, OpenFile};
use crate::values::{FdNumber, SocketState};

/// The descriptors at this moment, of this process or of another, which has told their states.
pub(super) fn rows(history: &RunHistory) -> Rows {
    let mut open: Vec<(FdNumber, OpenFile)> = history.files.open().collect();
    let left_out = open.len().saturating_sub(MOST_ROWS);
    open.truncate(MOST_ROWS);
    let is_own = history.process == process::id();
    let state = |fd: FdNumber| {
        if is_own { socket_state(fd) } else { history.states.get(&fd).copied() }
    };
    let rows = open.iter().map(|(fd, file)| row(*fd, file, state(*fd)));
    Rows { rows: rows.collect(), left_out, own: Vec::new() }
}

fn row(fd: FdNumber, file: &OpenFile, state: Option<SocketState>) -> DescriptorRow {
    DescriptorRow {
        fd: fd.get(),
        role: role(file),
        local: file.local.as_ref().map(Address::to_string),
        peer: file.peer.as_ref().map(Address::to_string),
        received: file.bytes_in,
        sent: file.bytes_out,
        about: about(file),
        ..DescriptorRow::in_state(state)
    }
}

const fn role(file: &OpenFile) -> &'static str {
    match (file.kind, file.accepted) {
        (DescriptorKind::Unknown, _) => "was there before",
        (DescriptorKind::Socket, _) => "socket",
        (DescriptorKind::Datagram, _) => "datagram socket",
        (DescriptorKind::Listener, _) => "listener",
        (DescriptorKind::Connection, true) => "connection accepted",
        (DescriptorKind::Connection, false) => "connection made",
        (DescriptorKind::Pipe, _) => "pipe",
    }
}

fn about(file: &OpenFile) -> Vec<&'static str> {
    let said = [
        (file.nonblocking == Some(true), "nonblocking"),
        (file.peer_finished, "the peer has finished"),
        (file.finished, "our half is closed"),
        (file.abrupt, "close will reset it"),
        (file.broken, "broken"),
        (file.copies > 0, "other descriptors lead to it, too"),
        (file.passed, "was passed to another process"),
    ];
    said.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words).collect()
}
