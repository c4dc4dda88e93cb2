//! `socket` makes one end of a connection, not yet connected.

use super::{Fd, number};
use crate::names::{Domain, Errno, Protocol, Result, SocketType};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns};

static SOCKET: Page = Page {
    name: "socket",
    prototype: "int socket(int domain, int type, int protocol)",
    parameters: &["domain", "type", "protocol"],
    short: &["domain", "type"],
    effect: Effect::MakesSocket,
    returns: Returns::Descriptor,
    gist: "creates an endpoint for communication",
    result: "A new descriptor, the lowest free number.",
    trap: "It has no address and no peer yet; nothing was sent over the network. The number may be one that was just closed.",
    errnos: "EAFNOSUPPORT EPROTONOSUPPORT ESOCKTNOSUPPORT EINVAL EMFILE ENFILE EPERM",
    systems: "SOCK_NONBLOCK and SOCK_CLOEXEC do not exist on macOS.",
    man: "socket(2)",
    posix: "socket",
    lab: "names-appear-late",
    lessons: &[
        &Lesson {
            when: |call| call.succeeded(),
            says: |call| format!("{}: a socket, without an address or a peer yet", call.returned()),
            see: See::Lab("names-appear-late"),
        },
        &NO_DESCRIPTOR_LEFT,
    ],
    ..Page::blank()
};

impl Function {
    /// `int socket(int domain, int type, int protocol)`
    pub const SOCKET: Self = Self::on(&SOCKET);
}

pub(super) static NO_DESCRIPTOR_LEFT: Lesson = Lesson {
    when: |call| call.failed(Errno::EMFILE),
    says: |_| "this process has no descriptor left (ulimit -n)".into(),
    see: See::Word("EMFILE"),
};

/// `int socket(int domain, int type, int protocol);` creates an endpoint for communication.
///
/// Protocol 0 (`Protocol::default()`, which is [`IPPROTO_IP`](crate::names::IPPROTO_IP)) chooses the usual protocol for
/// the type.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAFNOSUPPORT` | no such domain here (IPv6 switched off) |
/// | `EPROTONOSUPPORT` | no such protocol in this domain |
/// | `ESOCKTNOSUPPORT` | no such type in this domain (Linux; elsewhere `EPROTOTYPE` or `EPROTONOSUPPORT`) |
/// | `EINVAL` | unknown type or flags |
/// | `EMFILE` | this process has no descriptor left |
/// | `ENFILE` | the whole system has no descriptor left |
/// | `EPERM` | raw sockets need a privilege (`EACCES` on some systems) |
///
/// Systems differ: the flags `SOCK_NONBLOCK` and `SOCK_CLOEXEC` do not exist on macOS.
///
/// References: [`socket(2)`](https://man7.org/linux/man-pages/man2/socket.2.html);
/// POSIX [`socket`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/socket.html).
pub fn socket(domain: Domain, kind: SocketType, protocol: Protocol) -> Result<Fd> {
    let call = enter(Function::SOCKET, || {
        [domain.named().into(), Arg::Type(kind), Arg::Protocol(domain, protocol)]
    });
    let result = call.make(|| {
        // SAFETY: takes no pointers.
        let raw = number(unsafe { libc::socket(domain.bits(), kind.bits(), protocol.bits()) })?;
        // SAFETY: the kernel has just made `raw` for us.
        Ok(unsafe { Fd::own(raw) })
    });
    call.returns(result)
}
