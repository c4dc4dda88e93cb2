//! From names to addresses and back: `getaddrinfo`, `getnameinfo`, and their small relatives. These are
//! functions of the C library. What they do inside (reading files, asking name servers) is not in the trace;
//! each is one line, marked `(library)`.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char};
use std::fmt;

use libc::socklen_t;

use super::sockaddr::RawAddress;
use super::status;
use crate::addr::Address;
use crate::byteorder::ntohs;
use crate::names::{
    AddrInfoFlags, Domain, EAI_NONAME, EAI_OVERFLOW, Errno, NameInfoFlags, Protocol,
};
use crate::names::{ResolveError, Result, SocketType};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::function::Function;

/// What [`getaddrinfo`] should look for: the fields of `struct addrinfo` that serve as hints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// What to do beyond the ordinary.
    pub flags: AddrInfoFlags,
    /// This family only; [`AF_UNSPEC`](crate::names::AF_UNSPEC) for any.
    pub family: Domain,
    /// This type of socket only; `SocketType::default()` for any.
    pub socktype: SocketType,
    /// This protocol only; `Protocol::default()` for any.
    pub protocol: Protocol,
}

/// One result of [`getaddrinfo`]: the arguments for `socket`, and the address for `connect` or `bind`.
#[doc(alias = "addrinfo")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddrInfo {
    /// For `socket`.
    pub family: Domain,
    /// For `socket`.
    pub socktype: SocketType,
    /// For `socket`.
    pub protocol: Protocol,
    /// For `connect` or `bind`.
    pub address: Address,
}

impl fmt::Display for AddrInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.address, self.socktype)
    }
}

/// `int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res);` looks
/// up the addresses of a host and the port of a service. Without hints it gives one entry for each type of
/// socket.
///
/// # Errors
/// Not an errno but a [`ResolveError`]: `EAI_NONAME` for a host that does not exist, `EAI_AGAIN` when no name server
/// answers, `EAI_SERVICE` for a service that does not exist for the type. A name with a zero byte, where a string of C
/// ends, is refused with `EAI_NONAME`. (What errno says after `EAI_SYSTEM` is not kept.)
///
/// References: `getaddrinfo(3)`; POSIX `getaddrinfo`.
pub fn getaddrinfo(
    node: Option<&str>,
    service: Option<&str>,
    hints: Option<&Hints>,
) -> std::result::Result<Vec<AddrInfo>, ResolveError> {
    let call = enter(Function::Getaddrinfo, || {
        let hints = hints
            .map(|h| [h.flags.named(), h.family.named(), h.socktype.named(), h.protocol.named()]);
        [Arg::str(node), Arg::str(service), Arg::Hints(hints.map(Box::new))]
    });
    let names = to_c(node).zip(to_c(service));
    let call = call.refused_if(names.is_none());
    let found = match &names {
        Some((node, service)) => look_up(node, service, hints),
        None => Err(EAI_NONAME),
    };
    let shown: Vec<_> =
        found.iter().flatten().map(|info| (info.socktype, info.address.clone())).collect();
    let code = found.as_ref().err().copied().unwrap_or_default();
    let call = call
        .rest(|| [if found.is_ok() { Arg::Found(Cow::Borrowed(&shown)) } else { Arg::Pointer(0) }]);
    match found {
        Ok(_) => drop(call.returns(Ok(()))),
        Err(_) => call.returns_code(code.named(), &gai_strerror(code)),
    }
    found
}

/// A string of C, or NULL; none if a zero byte would end it before its end.
fn to_c(text: Option<&str>) -> Option<Option<CString>> {
    text.map(CString::new).transpose().ok()
}

fn look_up(
    node: &Option<CString>,
    service: &Option<CString>,
    hints: Option<&Hints>,
) -> std::result::Result<Vec<AddrInfo>, ResolveError> {
    let hints = hints.map(|h| {
        // SAFETY: addrinfo is plain data, and zeros are "no hint".
        let mut c: libc::addrinfo = unsafe { std::mem::zeroed() };
        c.ai_flags = h.flags.bits();
        c.ai_family = h.family.bits();
        c.ai_socktype = h.socktype.bits();
        c.ai_protocol = h.protocol.bits();
        c
    });
    let as_ptr =
        |text: &Option<CString>| text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
    let hints_ptr = hints.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let mut list: *mut libc::addrinfo = std::ptr::null_mut();
    // SAFETY: the strings end with a zero byte, the hints are NULL or a value, and `list` is ours to be written.
    let code =
        unsafe { libc::getaddrinfo(as_ptr(node), as_ptr(service), hints_ptr, &raw mut list) };
    if code != 0 {
        return Err(ResolveError::from_bits(code));
    }
    let mut found = Vec::new();
    let mut next = list;
    // SAFETY: each pointer of the list is NULL or leads to an entry that lives until freeaddrinfo.
    while let Some(entry) = unsafe { next.as_ref() } {
        if let Some(address) = copy_address(entry) {
            found.push(AddrInfo {
                family: Domain::from_bits(entry.ai_family),
                socktype: SocketType::from_bits(entry.ai_socktype),
                protocol: Protocol::from_bits(entry.ai_protocol),
                address,
            });
        }
        next = entry.ai_next;
    }
    // SAFETY: `list` came from getaddrinfo, and nothing borrows from it any more.
    unsafe { libc::freeaddrinfo(list) };
    Ok(found)
}

fn copy_address(entry: &libc::addrinfo) -> Option<Address> {
    if entry.ai_addr.is_null() {
        return None;
    }
    let mut raw = RawAddress::room();
    let len = (entry.ai_addrlen).min(raw.len());
    // SAFETY: `ai_addr` has `ai_addrlen` bytes, `raw` has room for them, and they do not overlap.
    unsafe {
        std::ptr::copy_nonoverlapping(
            entry.ai_addr.cast::<u8>(),
            raw.as_mut_ptr().cast::<u8>(),
            len as usize,
        );
    }
    *raw.len_mut() = len;
    raw.decode()
}

/// `const char *gai_strerror(int errcode);` what an error of [`getaddrinfo`] means.
///
/// # Errors
/// None: an unknown number has a text too.
///
/// References: `gai_strerror(3)`; POSIX `gai_strerror`.
pub fn gai_strerror(errcode: ResolveError) -> String {
    // SAFETY: takes no pointers; the result is a string that is never freed.
    let text = unsafe { libc::gai_strerror(errcode.bits()) };
    // SAFETY: gai_strerror gives a string with a zero byte at its end for every number.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// `int getnameinfo(const struct sockaddr *addr, socklen_t addrlen, char *host, socklen_t hostlen, char *serv, socklen_t
/// servlen, int flags);` the names of an address's host and port.
///
/// # Errors
/// A [`ResolveError`]: `EAI_NONAME` with `NI_NAMEREQD` where there is no name, `EAI_FAMILY` for other addresses. A path
/// that does not fit into `sun_path` is refused with `EAI_OVERFLOW`.
///
/// References: `getnameinfo(3)`; POSIX `getnameinfo`.
pub fn getnameinfo(
    addr: &Address,
    flags: NameInfoFlags,
) -> std::result::Result<(String, String), ResolveError> {
    let raw = RawAddress::encode(addr).ok();
    let call = enter(Function::Getnameinfo, || {
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
    let (host_ptr, serv_ptr) =
        (host.as_mut_ptr().cast::<c_char>(), serv.as_mut_ptr().cast::<c_char>());
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

/// `int gethostname(char *name, size_t len);` what this machine calls itself. Whether others can reach it by that name
/// is another question.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENAMETOOLONG` | the name does not fit (glibc) |
///
/// References: `gethostname(2)`; POSIX `gethostname`.
pub fn gethostname() -> Result<String> {
    let call = enter(Function::Gethostname, || []);
    let mut name = [0u8; 256];
    let len = name.len();
    let result = call.make(|| {
        // SAFETY: the function writes at most `len` bytes to `name`.
        status(unsafe { libc::gethostname(name.as_mut_ptr().cast(), len as _) })
    });
    let name = text_of(&name);
    call.rest(|| [Arg::str(Some(&name)), len.into()]).returns(result)?;
    Ok(name)
}

/// `struct servent *getservbyname(const char *name, const char *proto);` the port of a service, in the machine's byte
/// order.
///
/// (C returns a pointer to a structure that the next call overwrites, and the port in network order.)
///
/// # Errors
/// `ENOENT` where C returns NULL: there is no such service. (Refused: a name with a zero byte.)
///
/// References: `getservbyname(3)`; POSIX `getservbyname`.
pub fn getservbyname(name: &str, proto: &str) -> Result<u16> {
    use std::sync::{Mutex, PoisonError};
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let call = enter(Function::Getservbyname, || [Arg::str(Some(name)), Arg::str(Some(proto))]);
    let (Ok(name), Ok(proto)) = (CString::new(name), CString::new(proto)) else {
        return call.refuse::<i32>(Errno::ENOENT).map(|port| port as u16);
    };
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: both strings end with a zero byte; the static result is ours while we hold the lock.
    let entry = unsafe { libc::getservbyname(name.as_ptr(), proto.as_ptr()) };
    // SAFETY: the result is NULL or leads to a servent that stays as it is while we hold the lock.
    let port = unsafe { entry.as_ref() }.map(|entry| ntohs(entry.s_port as u16));
    call.returns(port.map(i32::from).ok_or(Errno::ENOENT)).map(|port| port as u16)
}

/// `struct if_nameindex *if_nameindex(void);` the network interfaces: number and name of each.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOBUFS` | no memory |
///
/// References: `if_nameindex(3)`; POSIX `if_nameindex`.
pub fn if_nameindex() -> Result<Vec<(u32, String)>> {
    let call = enter(Function::IfNameindex, || []);
    // SAFETY: takes nothing; the result is NULL or a list that ends with an entry of zeros.
    let list = unsafe { libc::if_nameindex() };
    if list.is_null() {
        return call.returns(Err::<(), _>(Errno::last())).map(|()| Vec::new());
    }
    let mut interfaces = Vec::new();
    let mut next = list;
    loop {
        // SAFETY: we have not yet gone past the entry of zeros.
        let entry = unsafe { &*next };
        if entry.if_index == 0 || entry.if_name.is_null() {
            break;
        }
        // SAFETY: the name of an entry that is not the last is a string with a zero byte at its end.
        let name = unsafe { CStr::from_ptr(entry.if_name) };
        interfaces.push((entry.if_index, name.to_string_lossy().into_owned()));
        // SAFETY: another entry follows one that is not the last.
        next = unsafe { next.add(1) };
    }
    // SAFETY: `list` came from if_nameindex, and nothing borrows from it any more.
    unsafe { libc::if_freenameindex(list) };
    call.returns(Ok(interfaces.len()))?;
    Ok(interfaces)
}

/// A string of C in a buffer, up to its zero byte.
pub(super) fn text_of(buf: &[u8]) -> String {
    let end = buf.iter().position(|byte| *byte == 0).unwrap_or(buf.len());
    String::from_utf8_lossy(&buf[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::names::{AI_NUMERICHOST, SOCK_STREAM};
    use crate::sys::SUN_PATH_LEN;
    use crate::trace::arg::Limits;
    use crate::trace::json::Source;
    use crate::trace::{Recorded, Recording, Tracer, install};

    #[test]
    fn a_number_needs_no_name_server() {
        let hints = Hints { flags: AI_NUMERICHOST, socktype: SOCK_STREAM, ..Hints::default() };
        let found = getaddrinfo(Some("127.0.0.1"), Some("80"), Some(&hints)).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].address, Address::v4(Ipv4Addr::LOCALHOST, 80));
    }

    #[test]
    fn what_is_no_number_is_refused_when_only_numbers_are_asked_for() {
        let hints = Hints { flags: AI_NUMERICHOST, ..Hints::default() };
        assert_eq!(getaddrinfo(Some("no number"), None, Some(&hints)), Err(EAI_NONAME));
    }

    #[test]
    fn what_cannot_be_told_to_c_is_refused_and_the_trace_says_so() {
        let recording = Recording::default();
        let source = Source { pid: 1, tid: 1, clock: String::new() };
        let traced = install(Tracer::new(recording.sink(source, Limits::default())));
        assert_eq!(getaddrinfo(Some("a\0b"), None, None), Err(EAI_NONAME));
        assert_eq!(getservbyname("echo", "a\0b"), Err(Errno::ENOENT));
        let path = Address::unix("x".repeat(SUN_PATH_LEN + 1));
        assert_eq!(getnameinfo(&path, NameInfoFlags::NONE), Err(EAI_OVERFLOW));
        drop(traced);
        let trace = String::from_utf8(recording.trace()).unwrap();
        let calls = trace.lines().map(|line| Recorded::parse(line).unwrap());
        let refused: Vec<_> = calls.map(|call| (call.refused, call.errno.unwrap())).collect();
        let expected = ["EAI_NONAME", "ENOENT", "EAI_OVERFLOW"].map(|errno| (true, errno.into()));
        assert_eq!(refused, expected);
    }

    #[test]
    fn without_hints_there_is_an_entry_for_each_type() {
        assert!(getaddrinfo(Some("127.0.0.1"), None, None).unwrap().len() > 1);
    }

    #[test]
    fn loopback_is_an_interface() {
        assert!(if_nameindex().unwrap().iter().any(|(_, name)| name.starts_with("lo")));
    }
}
