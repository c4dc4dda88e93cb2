//! `if_nameindex` lists the network interfaces; `if_nametoindex` and `if_indextoname` convert between the name and the
//! number of an interface.

use std::ffi::{CStr, CString};

use super::c_string::text_of;
use crate::names::{Errno, Result};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Function, Page, Returns};

static IF_NAMEINDEX: Page = Page {
    name: "if_nameindex",
    prototype: "struct if_nameindex *if_nameindex(void)",
    parameters: &[],
    returns: Returns::Number,
    is_library: true,
    gist: "the network interfaces, with their numbers",
    result: "An array that ends with 0; free it with if_freenameindex.",
    trap: "The number is the scope ID of link-local IPv6 addresses. It may change when an interface is removed and \
        added again.",
    errnos: "ENOBUFS",
    man: "if_nameindex(3)",
    posix: "if_nameindex",
    ..Page::blank()
};

impl Function {
    /// `struct if_nameindex *if_nameindex(void)`
    pub const IF_NAMEINDEX: Self = Self::on(&IF_NAMEINDEX);
}

/// `struct if_nameindex *if_nameindex(void);` the network interfaces: number and name of each.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOBUFS` | no memory |
///
/// References: [`if_nameindex(3)`](https://man7.org/linux/man-pages/man3/if_nameindex.3.html);
/// POSIX [`if_nameindex`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/if_nameindex.html).
pub fn if_nameindex() -> Result<Vec<(u32, String)>> {
    let call = enter(Function::IF_NAMEINDEX, || []);
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

static IF_NAMETOINDEX: Page = Page {
    name: "if_nametoindex",
    prototype: "unsigned int if_nametoindex(const char *ifname)",
    parameters: &["ifname"],
    returns: Returns::Number,
    is_library: true,
    gist: "from a network interface's name to its number",
    result: "The number, or 0 with an errno if there is no such interface.",
    trap: "The number is the scope ID of link-local IPv6 addresses. It may change when the interface is removed and \
        added again.",
    errnos: "ENODEV ENXIO",
    systems: "Without such an interface Linux returns ENODEV, FreeBSD ENXIO (lib/libc/net/if_nametoindex.c, read); the others were not checked.",
    man: "if_nametoindex(3)",
    posix: "if_nametoindex",
    lessons: &[&Lesson {
        when: |call| call.succeeded(),
        says: |call| format!("{}: the sin6_scope_id for addresses of this link", call.returned()),
        see: See::Word("sin6_scope_id"),
    }],
    ..Page::blank()
};

static IF_INDEXTONAME: Page = Page {
    name: "if_indextoname",
    prototype: "char *if_indextoname(unsigned int ifindex, char *ifname)",
    parameters: &["ifindex", "ifname"],
    fills: &["ifname"],
    returns: Returns::Number,
    is_library: true,
    gist: "from a network interface's number to its name",
    result: "ifname, which holds the name, or NULL if no interface has this number. The trace shows 1 for ifname.",
    trap: "ifname must have room for IF_NAMESIZE bytes; C does not check.",
    errnos: "ENXIO",
    man: "if_indextoname(3)",
    posix: "if_indextoname",
    lessons: &[&Lesson {
        when: |call| call.succeeded(),
        says: |call| format!("the interface with the number {}", call.number()),
        see: See::Word("if_indextoname"),
    }],
    ..Page::blank()
};

impl Function {
    /// `unsigned int if_nametoindex(const char *ifname)`
    pub const IF_NAMETOINDEX: Self = Self::on(&IF_NAMETOINDEX);
    /// `char *if_indextoname(unsigned int ifindex, char *ifname)`
    pub const IF_INDEXTONAME: Self = Self::on(&IF_INDEXTONAME);
}

/// `unsigned int if_nametoindex(const char *ifname);` the number of a network interface.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENODEV` | there is no such interface (`ENXIO` on FreeBSD, read); (refused) a name with a zero byte |
///
/// References: [`if_nametoindex(3)`](https://man7.org/linux/man-pages/man3/if_nametoindex.3.html);
/// POSIX [`if_nametoindex`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/if_nametoindex.html).
pub fn if_nametoindex(ifname: &str) -> Result<u32> {
    let call = enter(Function::IF_NAMETOINDEX, || [Arg::str(Some(ifname))]);
    let Ok(name) = CString::new(ifname) else {
        return call.refuse::<i32>(Errno::ENODEV).map(|index| index as u32);
    };
    let result = call.make(|| {
        // SAFETY: the name ends with a zero byte and lives through the call.
        match unsafe { libc::if_nametoindex(name.as_ptr()) } {
            0 => Err(Errno::last()),
            index => Ok(index as i32),
        }
    });
    call.returns(result).map(|index| index as u32)
}

/// `char *if_indextoname(unsigned int ifindex, char *ifname);` the name of a network interface.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENXIO` | no interface has this number |
///
/// References: [`if_indextoname(3)`](https://man7.org/linux/man-pages/man3/if_indextoname.3.html);
/// POSIX [`if_indextoname`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/if_indextoname.html).
pub fn if_indextoname(ifindex: u32) -> Result<String> {
    let call = enter(Function::IF_INDEXTONAME, || [Arg::Int(ifindex.into())]);
    let mut room = [0u8; libc::IF_NAMESIZE];
    let result = call.make(|| {
        // SAFETY: `room` has the IF_NAMESIZE bytes that the function may write.
        let name = unsafe { libc::if_indextoname(ifindex, room.as_mut_ptr().cast()) };
        if name.is_null() { Err(Errno::last()) } else { Ok(1) }
    });
    let name = text_of(&room);
    call.rest(|| [Arg::str(Some(&name))]).returns(result)?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_a_number_and_back() {
        for (index, name) in if_nameindex().unwrap() {
            assert_eq!(if_nametoindex(&name), Ok(index));
            assert_eq!(if_indextoname(index), Ok(name));
        }
        assert!(if_nametoindex("no such interface").is_err());
        assert_eq!(if_indextoname(0), Err(Errno::ENXIO));
    }

    #[test]
    fn loopback_is_an_interface() {
        assert!(if_nameindex().unwrap().iter().any(|(_, name)| name.starts_with("lo")));
    }
}
