//! Unix-domain sockets: the same calls within one machine, and what only they can do.

mod fd_passing;
mod fd_vanishes;
mod stale_socket_file;
mod unix_is_not_tcp;

use super::LabGroup;

pub(super) const GROUP: LabGroup = LabGroup {
    name: "unix",
    title: "Unix domain",
    labs: &[fd_passing::LAB, fd_vanishes::LAB, stale_socket_file::LAB, unix_is_not_tcp::LAB],
};
