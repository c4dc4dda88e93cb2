//! `socketpair` makes both ends of a connection at once.

use std::os::fd::RawFd;

use super::pipe::pair;
use super::{Fd, status};
use crate::names::{Domain, Protocol, Result, SocketType};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::page::{Effect, Function, Page};

static SOCKETPAIR: Page = Page {
    name: "socketpair",
    prototype: "int socketpair(int domain, int type, int protocol, int sv[2])",
    parameters: &["domain", "type", "protocol", "sv"],
    fills: &["sv"],
    effect: Effect::MakesPair,
    gist: "two sockets, connected to each other",
    result: "0; the two descriptors are in sv.",
    trap: "Close both ends: end of file arrives only when every copy of the other end is closed, including those in child processes.",
    errnos: "EOPNOTSUPP EAFNOSUPPORT EPROTONOSUPPORT EMFILE",
    man: "socketpair(2)",
    posix: "socketpair",
    lab: "socketpair-talks",
    ..Page::blank()
};

impl Function {
    /// `int socketpair(int domain, int type, int protocol, int sv[2])`
    pub const SOCKETPAIR: Self = Self::on(&SOCKETPAIR);
}

/// `int socketpair(int domain, int type, int protocol, int sv[2]);` makes two sockets that are connected to each other
/// and have no addresses.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EOPNOTSUPP` | this domain has no pairs (only `AF_UNIX` has) |
/// | `EAFNOSUPPORT` | no such domain here |
/// | `EPROTONOSUPPORT` | no such protocol in this domain |
/// | `EMFILE` | this process has no two descriptors left |
///
/// References: [`socketpair(2)`](https://man7.org/linux/man-pages/man2/socketpair.2.html);
/// POSIX [`socketpair`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/socketpair.html).
pub fn socketpair(domain: Domain, kind: SocketType, protocol: Protocol) -> Result<[Fd; 2]> {
    let call = enter(Function::SOCKETPAIR, || {
        // strace knows the names of protocols in `socket` only.
        [domain.named().into(), Arg::Type(kind), protocol.bits().into()]
    });
    let mut raw: [RawFd; 2] = [-1; 2];
    let result = call.make(|| {
        // SAFETY: `raw` has room for the two numbers that the call writes.
        status(unsafe {
            libc::socketpair(domain.bits(), kind.bits(), protocol.bits(), raw.as_mut_ptr())
        })
    });
    call.rest(|| [pair(raw, result.is_ok())]).returns(result)?;
    // SAFETY: the call succeeded and has just made both descriptors for us.
    Ok(raw.map(|raw| unsafe { Fd::own(raw) }))
}
