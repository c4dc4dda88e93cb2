//! `getservbyname` looks up the port of a service.

use std::ffi::CString;

use crate::byteorder::ntohs;
use crate::names::{Errno, Result};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::page::{Function, Page, Returns};

static GETSERVBYNAME: Page = Page {
    name: "getservbyname",
    prototype: "struct servent *getservbyname(const char *name, const char *proto)",
    parameters: &["name", "proto"],
    returns: Returns::Number,
    is_library: true,
    gist: "from a service's name to its port",
    result: "A structure, or NULL if there is none. C sets no errno then; our wrapper says ENOENT.",
    trap: "s_port is in network order already. The structure is static: the next call overwrites it.",
    errnos: "ENOENT",
    man: "getservbyname(3)",
    posix: "getservbyname",
    lab: "forgot-htons",
    ..Page::blank()
};

impl Function {
    /// `struct servent *getservbyname(const char *name, const char *proto)`
    pub const GETSERVBYNAME: Self = Self::on(&GETSERVBYNAME);
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
    let call = enter(Function::GETSERVBYNAME, || [Arg::str(Some(name)), Arg::str(Some(proto))]);
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
