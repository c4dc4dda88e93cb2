//! A name's number on this system, and its short description.

use crate::names::{
    AddrInfoFlags, CloseRangeFlags, Constant, ControlKind, Domain, Errno, FcntlCommand, FdFlags,
    IoctlRequest, Level, MsgFlags, NameInfoFlags, OPTIONS, OpenFlags, PollEvents, Protocol,
    ResolveError, SaFlags, ShutdownHow, Signal, SocketFlags, SocketType, SpliceFlags, TcpState,
};

/// Every table of names, except those of the options.
const TABLES: &[&[Constant]] = &[
    Errno::CONSTANTS,
    MsgFlags::CONSTANTS,
    ControlKind::CONSTANTS,
    PollEvents::CONSTANTS,
    Domain::CONSTANTS,
    SocketType::CONSTANTS,
    SocketFlags::CONSTANTS,
    Protocol::CONSTANTS,
    ShutdownHow::CONSTANTS,
    TcpState::CONSTANTS,
    Level::CONSTANTS,
    OpenFlags::CONSTANTS,
    FdFlags::CONSTANTS,
    SpliceFlags::CONSTANTS,
    CloseRangeFlags::CONSTANTS,
    FcntlCommand::CONSTANTS,
    IoctlRequest::CONSTANTS,
    Signal::CONSTANTS,
    SaFlags::CONSTANTS,
    AddrInfoFlags::CONSTANTS,
    NameInfoFlags::CONSTANTS,
    ResolveError::CONSTANTS,
];

/// A name on this system.
#[derive(Clone, Copy, Debug)]
pub struct KnownName {
    /// Its value here.
    pub value: i64,
    /// Its short description.
    pub gist: &'static str,
    /// Whether it is an errno.
    pub is_errno: bool,
}

/// Every constant that this system knows and the trace can print.
pub(super) fn constants() -> impl Iterator<Item = &'static Constant> {
    let options = OPTIONS.iter().map(|(_, options)| *options);
    TABLES.iter().copied().chain(options).flatten()
}

/// The value and description of a name, if it is a constant on this system.
pub fn known(name: &str) -> Option<KnownName> {
    let constant = constants().find(|constant| constant.name == name)?;
    let is_errno = Errno::from_name(name).is_some();
    Some(KnownName { value: constant.value, gist: constant.gist, is_errno })
}
