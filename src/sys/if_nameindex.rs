//! `if_nameindex` lists the network interfaces.

use std::ffi::CStr;

use crate::names::{Errno, Result};
use crate::trace::call::enter;
use crate::trace::page::{Function, Page, Returns};

static IF_NAMEINDEX: Page = Page {
    name: "if_nameindex",
    prototype: "struct if_nameindex *if_nameindex(void)",
    parameters: &[],
    returns: Returns::Number,
    is_library: true,
    gist: "the network interfaces, with their numbers",
    result: "An array that ends with 0, to be freed with if_freenameindex.",
    trap: "The number is the scope id of link-local IPv6 addresses. It may change when an interface comes back.",
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
/// References: `if_nameindex(3)`; POSIX `if_nameindex`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_an_interface() {
        assert!(if_nameindex().unwrap().iter().any(|(_, name)| name.starts_with("lo")));
    }
}
