//! `getnameinfo` looks up the names of an address.
//!
//! The calls that it makes inside (reading files, asking name servers) are not in the trace, which shows one line,
//! marked `(library)`.

use std::ffi::c_char;

use libc::socklen_t;

use super::c_string::text_of;
use super::gai_strerror;
use super::sockaddr::RawAddress;
use crate::addr::Address;
use crate::names::{EAI_OVERFLOW, NameInfoFlags, ResolveError};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::page::{Effect, Function, Page, Waits};

static GETNAMEINFO: Page = Page {
    name: "getnameinfo",
    prototype: "int getnameinfo(const struct sockaddr *addr, socklen_t addrlen, char *host, socklen_t hostlen, char *serv, socklen_t servlen, int flags)",
    parameters: &["addr", "addrlen", "host", "hostlen", "serv", "servlen", "flags"],
    fills: &["host", "serv"],
    waits: Waits::Always,
    effect: Effect::Resolves,
    is_library: true,
    gist: "from an address to the names of a host and a service",
    result: "0, or an EAI_ code.",
    trap: "Without NI_NUMERICHOST it asks a name server, which can take seconds.",
    errnos: "EAI_NONAME EAI_AGAIN EAI_OVERFLOW EAI_FAMILY EAI_SYSTEM",
    man: "getnameinfo(3)",
    posix: "getnameinfo",
    ..Page::blank()
};

impl Function {
    /// `int getnameinfo(const struct sockaddr *addr, socklen_t addrlen, char *host, socklen_t hostlen, char *serv, socklen_t servlen, int flags)`
    pub const GETNAMEINFO: Self = Self::on(&GETNAMEINFO);
}

/// `int getnameinfo(const struct sockaddr *addr, socklen_t addrlen, char *host, socklen_t hostlen, char *serv, socklen_t
/// servlen, int flags);` the names of an address's host and port.
///
/// # Errors
/// A [`ResolveError`]: `EAI_NONAME` with `NI_NAMEREQD` where there is no name, `EAI_FAMILY` for other addresses. A path
/// that does not fit into `sun_path` is refused with `EAI_OVERFLOW`.
///
/// References: [`getnameinfo(3)`](https://man7.org/linux/man-pages/man3/getnameinfo.3.html);
/// POSIX [`getnameinfo`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/getnameinfo.html).
pub fn getnameinfo(
    addr: &Address,
    flags: NameInfoFlags,
) -> std::result::Result<(String, String), ResolveError> {
    let raw = RawAddress::encode(addr).ok();
    let call = enter(Function::GETNAMEINFO, || {
        [Arg::address(addr), Arg::Int(raw.as_ref().map_or(0, RawAddress::len).into())]
    });
    let call = call.refused_if(raw.is_none());
    let (mut host, mut serv) = ([0u8; HOST_ROOM], [0u8; SERVICE_ROOM]);
    let code = match &raw {
        Some(raw) => names_of(raw, &mut host, &mut serv, flags),
        None => EAI_OVERFLOW,
    };
    let (host, serv) = (text_of(&host), text_of(&serv));
    let call = call.rest(|| {
        let (host, serv) = (Arg::str(Some(&host)), Arg::str(Some(&serv)));
        [host, HOST_ROOM.into(), serv, SERVICE_ROOM.into(), flags.named().into()]
    });
    if code.bits() == 0 {
        let _ = call.returns(Ok(()));
        return Ok((host, serv));
    }
    call.returns_code(code.named(), &gai_strerror(code));
    Err(code)
}

/// `NI_MAXHOST` and `NI_MAXSERV`, which <netdb.h> suggests.
const HOST_ROOM: usize = 1025;

const SERVICE_ROOM: usize = 32;

fn names_of(
    raw: &RawAddress,
    host: &mut [u8],
    serv: &mut [u8],
    flags: NameInfoFlags,
) -> ResolveError {
    let (host_len, serv_len) = (host.len() as socklen_t, serv.len() as socklen_t);
    let host_ptr = host.as_mut_ptr().cast::<c_char>();
    let serv_ptr = serv.as_mut_ptr().cast::<c_char>();
    // SAFETY: the address has the length given, and the two buffers are as long as their lengths say.
    let code = unsafe {
        libc::getnameinfo(
            raw.as_ptr(),
            raw.len(),
            host_ptr,
            host_len as _,
            serv_ptr,
            serv_len as _,
            flags.bits(),
        )
    };
    ResolveError::from_bits(code)
}
