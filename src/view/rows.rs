//! The descriptors of the loop, as the page shows them.

use serde::Serialize;

use crate::addr::Address;
use crate::conn::Ends;
use crate::event_loop::{EndpointKind, EndpointReport, EventLoop};
use crate::events::ServiceId;
use crate::poller::Interest;
use crate::sys::{AsFd, getsockname, socket_state};
use crate::trace::descriptors::{DescriptorKind, OpenFile};
use crate::trace::suspended;
use crate::values::{FdNumber, SocketState};

/// The most descriptors that a frame shows.
pub(super) const MOST_ROWS: usize = 256;

/// All descriptors.
#[derive(Debug, Serialize)]
pub(super) struct Rows {
    pub(super) rows: Vec<DescriptorRow>,
    /// How many are left out.
    pub(super) left_out: usize,
    /// The view's own.
    pub(super) own: Vec<i32>,
}

/// One descriptor, or a pair of files.
#[derive(Debug, Default, Serialize)]
pub(super) struct DescriptorRow {
    pub(super) fd: i32,
    pub(super) role: &'static str,
    pub(super) service: String,
    pub(super) local: Option<String>,
    pub(super) peer: Option<String>,
    /// What the next wait asks about it, if that is known.
    pub(super) asked: Option<&'static str>,
    /// The state of TCP, and what the kernel holds.
    pub(super) state: Option<String>,
    pub(super) unread: Option<u64>,
    pub(super) unacknowledged: Option<u64>,
    pub(super) waiting: Option<(u32, u32)>,
    /// Bytes in the program, as far as they are known: received and not used, sent and not taken by the kernel.
    pub(super) kept: Option<usize>,
    pub(super) unsent: Option<usize>,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// What else is known.
    pub(super) about: Vec<&'static str>,
}

impl DescriptorRow {
    /// A row of which only the state is known.
    pub(super) fn in_state(state: Option<SocketState>) -> Self {
        Self {
            state: state.map(|state| state.state.to_string()),
            unread: state.and_then(|state| state.unread),
            unacknowledged: state.and_then(|state| state.unacknowledged),
            waiting: state.and_then(|state| state.waiting),
            ..Self::default()
        }
    }
}

impl Rows {
    /// The descriptors at this moment. The calls that this makes are not traced.
    pub(super) fn of(
        event_loop: &EventLoop,
        observer: Option<ServiceId>,
        names: &[(ServiceId, String)],
    ) -> Self {
        let mut own = Vec::new();
        let mut reports = Vec::new();
        for report in event_loop.endpoints() {
            let Some(fd) = number(&report) else { continue };
            if Some(report.service) == observer {
                own.push(fd.get());
            } else {
                reports.push((fd, report));
            }
        }
        own.sort_unstable();
        reports.sort_unstable_by_key(|(fd, _)| *fd);
        let left_out = reports.len().saturating_sub(MOST_ROWS);
        let rows = reports.iter().take(MOST_ROWS);
        let rows = rows.map(|(fd, report)| row(*fd, report, name(names, report.service)));
        Self { rows: rows.collect(), left_out, own }
    }
}

fn number(report: &EndpointReport<'_>) -> Option<FdNumber> {
    report.ends.input().or(report.ends.output()).map(FdNumber::from)
}

fn name(names: &[(ServiceId, String)], service: ServiceId) -> String {
    let named = names.iter().find(|(known, _)| *known == service);
    named.map_or_else(String::new, |(_, name)| name.clone())
}

fn row(fd: FdNumber, report: &EndpointReport<'_>, service: String) -> DescriptorRow {
    DescriptorRow {
        fd: fd.get(),
        role: role(report.kind),
        service,
        local: local(report.ends),
        peer: report.peer.map(Address::to_string),
        asked: Some(match report.asked {
            None => "",
            Some(Interest::Read) => "read",
            Some(Interest::Write) => "write",
            Some(Interest::Both) => "read and write",
        }),
        kept: Some(report.kept),
        unsent: Some(report.unsent),
        received: report.received,
        sent: report.sent,
        about: about(report),
        ..DescriptorRow::in_state(socket_state(fd))
    }
}

const fn role(kind: EndpointKind) -> &'static str {
    match kind {
        EndpointKind::Listener => "listener",
        EndpointKind::Accepted => "client",
        EndpointKind::Made => "connection made",
        EndpointKind::Connecting => "connecting",
        EndpointKind::Datagram => "datagram socket",
        EndpointKind::Files => "self-pipe",
    }
}

fn about(report: &EndpointReport<'_>) -> Vec<&'static str> {
    let said = [
        (report.peer_finished, "the peer has finished"),
        (report.finished, "our half is closed"),
        (report.is_closing, "closing"),
    ];
    said.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words).collect()
}

/// The address of our end.
fn local(ends: &Ends) -> Option<String> {
    let (Ends::Socket(fd) | Ends::Datagrams(fd)) = ends else { return None };
    suspended(|| getsockname(fd.as_fd())).ok().map(|address| address.to_string())
}

/// What the descriptors are, for explanations of calls from now on.
pub(super) fn open_files(
    event_loop: &EventLoop,
    observer: Option<ServiceId>,
) -> Vec<(FdNumber, OpenFile)> {
    let others = event_loop.endpoints().filter(|report| Some(report.service) != observer);
    let known = others.take(MOST_ROWS).filter_map(|report| Some((number(&report)?, file(&report))));
    known.collect()
}

fn file(report: &EndpointReport<'_>) -> OpenFile {
    let is_connection = matches!(report.kind, EndpointKind::Accepted | EndpointKind::Made);
    OpenFile {
        kind: match report.kind {
            EndpointKind::Listener => DescriptorKind::Listener,
            EndpointKind::Datagram => DescriptorKind::Datagram,
            EndpointKind::Files => DescriptorKind::Pipe,
            _ => DescriptorKind::Connection,
        },
        peer: report.peer.cloned(),
        connection: is_connection.then_some(u64::from(report.token.slot())),
        accepted: report.kind == EndpointKind::Accepted,
        nonblocking: Some(true),
        bytes_in: report.received,
        bytes_out: report.sent,
        peer_finished: report.peer_finished,
        finished: report.finished,
        ..OpenFile::default()
    }
}
