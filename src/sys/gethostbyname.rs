//! `gethostbyname` and `gethostbyaddr`, the predecessors of `getaddrinfo` and `getnameinfo`: for comparison.

use std::ffi::{CString, c_char, c_int, c_void};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::netdb::{copied, one_at_a_time};
use crate::names::{Errno, Result};
use crate::trace::arg::{Arg, Note};
use crate::trace::call::enter;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Function, Page, Returns, Waits};

// The libc crate leaves them out.
unsafe extern "C" {
    #[link_name = "gethostbyname"]
    fn c_gethostbyname(name: *const c_char) -> *mut libc::hostent;
    #[link_name = "gethostbyaddr"]
    fn c_gethostbyaddr(
        addr: *const c_void,
        len: libc::socklen_t,
        kind: c_int,
    ) -> *mut libc::hostent;
}

static GETHOSTBYNAME: Page = Page {
    name: "gethostbyname",
    prototype: "struct hostent *gethostbyname(const char *name)",
    parameters: &["name"],
    waits: Waits::Always,
    returns: Returns::Number,
    is_library: true,
    gist: "from a host's name to IPv4 addresses, before getaddrinfo",
    result: "A structure, or NULL; then h_errno, which is not errno, has the reason. Our wrapper returns ENOENT.",
    trap: "IPv4 only, and the structure is static: the next call overwrites it, even from another thread. getaddrinfo \
        supports IPv6 and services, reports what is wrong, and returns a separate list to every caller.",
    errnos: "ENOENT",
    systems: "POSIX dropped it in 2008.",
    man: "gethostbyname(3)",
    lab: "gai-fans-out",
    lessons: &[
        &Lesson {
            when: |call| call.succeeded(),
            says: |_| "IPv4 addresses only; getaddrinfo supports IPv6, services and threads".into(),
            see: See::Lab("gai-fans-out"),
        },
        &Lesson {
            when: |call| call.failed(Errno::ENOENT),
            says: |_| {
                "no IPv4 address of that name, or no answer: getaddrinfo would say which".into()
            },
            see: See::Lab("gai-fans-out"),
        },
    ],
    ..Page::blank()
};

static GETHOSTBYADDR: Page = Page {
    name: "gethostbyaddr",
    prototype: "struct hostent *gethostbyaddr(const void *addr, socklen_t len, int type)",
    parameters: &["addr", "len", "type"],
    waits: Waits::Always,
    returns: Returns::Number,
    is_library: true,
    gist: "from an address to a host's name, before getnameinfo",
    result: "As gethostbyname: a structure or NULL, and then the reason is in h_errno.",
    trap: "The address is a struct in_addr, not a sockaddr, and the structure is static. The owner of the address \
        chooses the name: it proves nothing. getnameinfo takes any sockaddr and writes into the caller's buffers.",
    errnos: "ENOENT",
    systems: "POSIX dropped it in 2008.",
    man: "gethostbyaddr(3)",
    lessons: &[&Lesson {
        when: |call| call.succeeded(),
        says: |_| {
            "a name that the address's owner has chosen; getnameinfo needs no static structure"
                .into()
        },
        see: See::Word("getnameinfo"),
    }],
    ..Page::blank()
};

impl Function {
    /// `struct hostent *gethostbyname(const char *name)`
    pub const GETHOSTBYNAME: Self = Self::on(&GETHOSTBYNAME);
    /// `struct hostent *gethostbyaddr(const void *addr, socklen_t len, int type)`
    pub const GETHOSTBYADDR: Self = Self::on(&GETHOSTBYADDR);
}

/// What `struct hostent` says about a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostEntry {
    /// Its official name.
    pub name: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Its addresses, all of one family.
    pub addresses: Vec<IpAddr>,
}

/// `struct hostent *gethostbyname(const char *name);` looks up the IPv4 addresses of a host.
///
/// Use [`getaddrinfo`](super::getaddrinfo()): it knows IPv6 and the port of a service, and each caller gets a list of
/// its own. This function answers in a structure that the next call overwrites, also a call in another thread. The
/// wrapper copies the structure while it keeps the other wrappers of this kind waiting; code that calls C itself may
/// still overwrite it.
///
/// # Errors
/// `ENOENT` where C returns NULL. (C gives the reason in `h_errno`, which is not an errno and on some systems is one
/// variable for all threads; `getaddrinfo` returns the reason.) Refused: a name with a zero byte.
///
/// References: [`gethostbyname(3)`](https://man7.org/linux/man-pages/man3/gethostbyname.3.html);
/// not in POSIX since 2008.
pub fn gethostbyname(name: &str) -> Result<HostEntry> {
    let call = enter(Function::GETHOSTBYNAME, || [Arg::str(Some(name))]);
    let Ok(name) = CString::new(name) else {
        call.refuse::<i32>(Errno::ENOENT)?;
        return Err(Errno::ENOENT);
    };
    let _guard = one_at_a_time();
    // SAFETY: the prototype is <netdb.h>'s; the name ends with a zero byte and lives through the call.
    let entry = unsafe { c_gethostbyname(name.as_ptr()) };
    // SAFETY: the entry is NULL or the C library's, and we hold the lock.
    let found = unsafe { copy_entry(entry) };
    let addresses = |found: &HostEntry| {
        found.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let shown = found.as_ref().map(|found| (found.addresses.len(), addresses(found)));
    let (count, text) = shown.unzip();
    call.returns_noting(count.ok_or(Errno::ENOENT), |_| {
        Note::Text(text.unwrap_or_default().into())
    })?;
    found.ok_or(Errno::ENOENT)
}

/// `struct hostent *gethostbyaddr(const void *addr, socklen_t len, int type);` looks up the names of an address.
///
/// Use [`getnameinfo`](super::getnameinfo()): it takes any socket address, tells the service as well, and writes into the
/// caller's buffers instead of a structure that the next call overwrites.
///
/// # Errors
/// `ENOENT` where C returns NULL: the address is unknown, or no name server has answered.
///
/// References: [`gethostbyaddr(3)`](https://man7.org/linux/man-pages/man3/gethostbyaddr.3.html);
/// not in POSIX since 2008.
pub fn gethostbyaddr(addr: IpAddr) -> Result<HostEntry> {
    let (bytes, family) = match addr {
        IpAddr::V4(addr) => (addr.octets().to_vec(), crate::names::AF_INET),
        IpAddr::V6(addr) => (addr.octets().to_vec(), crate::names::AF_INET6),
    };
    let call = enter(Function::GETHOSTBYADDR, || {
        let shown = match addr {
            IpAddr::V4(addr) => format!("inet_addr(\"{addr}\")"),
            IpAddr::V6(addr) => format!("inet_pton(AF_INET6, \"{addr}\")"),
        };
        [Arg::Text(shown.into()), bytes.len().into(), family.named().into()]
    });
    let _guard = one_at_a_time();
    let (data, len) = (bytes.as_ptr().cast(), bytes.len() as libc::socklen_t);
    // SAFETY: the prototype is <netdb.h>'s; `data` has `len` bytes, as many as an address of this family has.
    let entry = unsafe { c_gethostbyaddr(data, len, family.bits()) };
    // SAFETY: the entry is NULL or the C library's, and we hold the lock.
    let found = unsafe { copy_entry(entry) };
    let shown = found.as_ref().map(|found| {
        let names = std::iter::once(&found.name).chain(&found.aliases);
        let names: Vec<_> = names.map(|name| format!("\"{}\"", name.escape_default())).collect();
        (names.len(), names.join(" "))
    });
    let (count, text) = shown.unzip();
    call.returns_noting(count.ok_or(Errno::ENOENT), |_| {
        Note::Text(text.unwrap_or_default().into())
    })?;
    found.ok_or(Errno::ENOENT)
}

/// Copies a structure of the C library.
///
/// # Safety
/// `entry` is NULL or leads to a hostent that stays as it is meanwhile.
unsafe fn copy_entry(entry: *const libc::hostent) -> Option<HostEntry> {
    // SAFETY: the caller says so.
    let entry = unsafe { entry.as_ref() }?;
    // SAFETY: a hostent's name is a string of C.
    let name = unsafe { copied(entry.h_name) };
    // SAFETY: the aliases are strings of C, and NULL ends their list.
    let aliases = unsafe { pointers(entry.h_aliases) };
    // SAFETY: as above.
    let aliases = aliases.into_iter().map(|alias| unsafe { copied(alias) }).collect();
    // SAFETY: NULL ends the list of addresses.
    let addresses = unsafe { pointers(entry.h_addr_list) }.into_iter().filter_map(|address| {
        let address = address.cast::<u8>();
        match entry.h_length {
            // SAFETY: each address has h_length bytes, which need not be aligned.
            4 => Some(IpAddr::V4(Ipv4Addr::from(unsafe { address.cast::<[u8; 4]>().read() }))),
            // SAFETY: as above.
            16 => Some(IpAddr::V6(Ipv6Addr::from(unsafe { address.cast::<[u8; 16]>().read() }))),
            _ => None,
        }
    });
    Some(HostEntry { name, aliases, addresses: addresses.collect() })
}

/// The pointers in a C list.
///
/// # Safety
/// `list` is NULL, or NULL ends it.
unsafe fn pointers(list: *const *mut c_char) -> Vec<*mut c_char> {
    let mut found = Vec::new();
    if list.is_null() {
        return found;
    }
    loop {
        // SAFETY: the NULL that ends the list has not been passed yet, so this place is in the list.
        let place = unsafe { list.add(found.len()) };
        // SAFETY: as above.
        let next = unsafe { *place };
        if next.is_null() {
            return found;
        }
        found.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_its_own_address() {
        let found = gethostbyname("127.0.0.1").unwrap();
        assert_eq!(found.addresses, [IpAddr::V4(Ipv4Addr::LOCALHOST)]);
    }

    #[test]
    fn what_is_no_name_is_not_found() {
        assert_eq!(gethostbyname("no name"), Err(Errno::ENOENT));
        assert_eq!(gethostbyname("a\0b"), Err(Errno::ENOENT));
    }

    #[test]
    fn loopback_s_address_leads_back_to_a_name_with_it() {
        // Not every machine has a name for loopback.
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            if let Ok(found) = gethostbyaddr(address) {
                assert!(!found.name.is_empty() && found.addresses == [address], "{found:?}");
            }
        }
    }
}
