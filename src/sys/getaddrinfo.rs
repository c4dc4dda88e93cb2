//! `getaddrinfo` looks up addresses.
//!
//! The calls that it makes inside (reading files, asking name servers) are not in the trace, which shows one line,
//! marked `(library)`.

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;

use super::c_string::to_c;
use super::sockaddr::RawAddress;
use crate::addr::Address;
use crate::names::{AddrInfoFlags, Domain, EAI_NONAME, Protocol, ResolveError, SocketType};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::page::{Effect, Function, Page, Waits};

/// What [`getaddrinfo`] should look for: the fields of `struct addrinfo` that serve as hints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// Flags for the lookup.
    pub flags: AddrInfoFlags,
    /// This family only; [`AF_UNSPEC`](crate::names::AF_UNSPEC) for any.
    pub family: Domain,
    /// This type of socket only; `SocketType::default()` for any.
    pub socktype: SocketType,
    /// This protocol only; `Protocol::default()` for any.
    pub protocol: Protocol,
}

/// One result of [`getaddrinfo`]: arguments for `socket`, and an address for `connect` or `bind`.
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

static GETADDRINFO: Page = Page {
    name: "getaddrinfo",
    prototype: "int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)",
    parameters: &["node", "service", "hints", "res"],
    fills: &["res"],
    waits: Waits::Always,
    effect: Effect::Resolves,
    is_library: true,
    gist: "from a host and a service to addresses",
    result: "0, or an EAI_ code, which is not an errno; res is a list.",
    trap: "It may wait for the network and block the whole loop. Without hints each address appears three times, once \
        for each type. Try all the results. glibc has errors beside those below: Parameter string not correctly encoded, \
        for a host that is no domain name; and those of getaddrinfo_a, which looks up meanwhile: Processing request in \
        progress, All requests done, Request canceled, Interrupted by a signal.",
    errnos: "EAI_NONAME EAI_AGAIN EAI_SERVICE EAI_FAMILY EAI_SYSTEM",
    man: "getaddrinfo(3)",
    posix: "getaddrinfo",
    lab: "gai-fans-out",
    ..Page::blank()
};

impl Function {
    /// `int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)`
    pub const GETADDRINFO: Self = Self::on(&GETADDRINFO);
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
/// References: [`getaddrinfo(3)`](https://man7.org/linux/man-pages/man3/getaddrinfo.3.html);
/// POSIX [`getaddrinfo`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/getaddrinfo.html).
pub fn getaddrinfo(
    node: Option<&str>,
    service: Option<&str>,
    hints: Option<&Hints>,
) -> std::result::Result<Vec<AddrInfo>, ResolveError> {
    let call = enter(Function::GETADDRINFO, || {
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

/// `const char *gai_strerror(int errcode);` the text for an error of [`getaddrinfo`].
///
/// # Errors
/// None: an unknown number has a text too.
///
/// References: [`gai_strerror(3)`](https://man7.org/linux/man-pages/man3/gai_strerror.3.html);
/// POSIX [`gai_strerror`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/gai_strerror.html).
pub fn gai_strerror(errcode: ResolveError) -> String {
    // SAFETY: takes no pointers; the result is a string that is never freed.
    let text = unsafe { libc::gai_strerror(errcode.bits()) };
    // SAFETY: gai_strerror gives a string with a zero byte at its end for every number.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::names::{AI_NUMERICHOST, EAI_OVERFLOW, Errno, NameInfoFlags, SOCK_STREAM};
    use crate::sys::{SUN_PATH_LEN, getnameinfo, getservbyname};
    use crate::trace::arg::Note;
    use crate::trace::arg::ValueLimits;
    use crate::trace::event::Mark;
    use crate::trace::{Recording, Tracer, install};

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
        let traced = install(Tracer::new(recording.sink(ValueLimits::default())));
        assert_eq!(getaddrinfo(Some("a\0b"), None, None), Err(EAI_NONAME));
        assert_eq!(getservbyname("echo", "a\0b"), Err(Errno::ENOENT));
        let path = Address::unix("x".repeat(SUN_PATH_LEN + 1));
        assert_eq!(getnameinfo(&path, NameInfoFlags::NONE), Err(EAI_OVERFLOW));
        drop(traced);
        let error = |call: &crate::trace::Event<'_>| match &call.note {
            Note::Code(code, _) => code.to_string(),
            _ => call.errno().unwrap().name().unwrap().to_string(),
        };
        let calls = recording.events();
        assert!(calls.iter().all(|call| call.mark == Mark::Refused), "{calls:?}");
        let errors: Vec<_> = calls.iter().map(error).collect();
        assert_eq!(errors, ["EAI_NONAME", "ENOENT", "EAI_OVERFLOW"]);
    }

    #[test]
    fn without_hints_there_is_an_entry_for_each_type() {
        assert!(getaddrinfo(Some("127.0.0.1"), None, None).unwrap().len() > 1);
    }
}
