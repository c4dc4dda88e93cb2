//! `getservbyname` and `getservbyport` look up the port of a service and the service of a port.

use std::ffi::CString;

use super::netdb::{copied, one_at_a_time};
use crate::byteorder::{htons, ntohs};
use crate::names::{Errno, Result};
use crate::trace::arg::{Arg, Note};
use crate::trace::call::enter;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Function, Page, Returns};

static GETSERVBYNAME: Page = Page {
    name: "getservbyname",
    prototype: "struct servent *getservbyname(const char *name, const char *proto)",
    parameters: &["name", "proto"],
    returns: Returns::Number,
    is_library: true,
    gist: "from a service's name to its port",
    result: "A structure, or NULL if there is none. C sets no errno then; our wrapper returns ENOENT.",
    trap: "s_port is already in network order. The structure is static: the next call overwrites it.",
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
/// References: [`getservbyname(3)`](https://man7.org/linux/man-pages/man3/getservbyname.3.html);
/// POSIX [`getservbyname`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/getservbyname.html).
pub fn getservbyname(name: &str, proto: &str) -> Result<u16> {
    let call = enter(Function::GETSERVBYNAME, || [Arg::str(Some(name)), Arg::str(Some(proto))]);
    let (Ok(name), Ok(proto)) = (CString::new(name), CString::new(proto)) else {
        return call.refuse::<i32>(Errno::ENOENT).map(|port| port as u16);
    };
    let _guard = one_at_a_time();
    // SAFETY: both strings end with a zero byte; the static result is ours while we hold the lock.
    let entry = unsafe { libc::getservbyname(name.as_ptr(), proto.as_ptr()) };
    // SAFETY: the result is NULL or leads to a servent that stays as it is while we hold the lock.
    let port = unsafe { entry.as_ref() }.map(|entry| ntohs(entry.s_port as u16));
    call.returns(port.map(i32::from).ok_or(Errno::ENOENT)).map(|port| port as u16)
}

static GETSERVBYPORT: Page = Page {
    name: "getservbyport",
    prototype: "struct servent *getservbyport(int port, const char *proto)",
    parameters: &["port", "proto"],
    returns: Returns::Number,
    is_library: true,
    gist: "from a port to its service's name",
    result: "A structure with the service's names, or NULL without an errno; our wrapper returns ENOENT then.",
    trap: "Pass the port in network order: htons first. The name comes from a file on this machine, whatever program listens there.",
    errnos: "ENOENT",
    man: "getservbyport(3)",
    posix: "getservbyport",
    lab: "forgot-htons",
    lessons: &[&Lesson {
        when: |call| call.succeeded(),
        says: |_| "a name for this port in /etc/services; another service may listen there".into(),
        see: See::Word("getservbyport"),
    }],
    ..Page::blank()
};

impl Function {
    /// `struct servent *getservbyport(int port, const char *proto)`
    pub const GETSERVBYPORT: Self = Self::on(&GETSERVBYPORT);
}

/// `struct servent *getservbyport(int port, const char *proto);` the name of the service that has this port, which is given
/// in the machine's byte order.
///
/// (C wants it in network order, and returns a pointer to a structure that the next call overwrites: the wrapper copies the
/// name while it keeps the other wrappers of this kind waiting. The trace shows the structure's port and name.)
///
/// # Errors
/// `ENOENT` where C returns NULL: no service has this port. (Refused: a protocol with a zero byte.)
///
/// References: [`getservbyport(3)`](https://man7.org/linux/man-pages/man3/getservbyport.3.html);
/// POSIX [`getservbyport`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/getservbyport.html).
pub fn getservbyport(port: u16, proto: &str) -> Result<String> {
    let call = enter(Function::GETSERVBYPORT, || {
        [Arg::Word(format!("htons({port})").into()), Arg::str(Some(proto))]
    });
    let Ok(proto) = CString::new(proto) else {
        return call.refuse::<i32>(Errno::ENOENT).map(|_| String::new());
    };
    let _guard = one_at_a_time();
    // SAFETY: `proto` ends with a zero byte; the structure of the answer is ours while we hold the lock.
    let entry = unsafe { libc::getservbyport(htons(port).into(), proto.as_ptr()) };
    // SAFETY: the result is NULL or leads to a servent that stays as it is while we hold the lock.
    let entry = unsafe { entry.as_ref() };
    // SAFETY: a servent's name is a string that stays as it is while we hold the lock.
    let name = entry.map(|entry| unsafe { copied(entry.s_name) }).ok_or(Errno::ENOENT);
    let shown =
        name.as_ref().map(|name| Note::Text(format!("\"{}\"", name.escape_default()).into()));
    call.returns_noting(name.as_ref().map(|_| i32::from(port)).map_err(|errno| *errno), |_| {
        shown.unwrap_or_default()
    })?;
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_a_port_and_back() {
        // Not every machine has the file.
        if let Ok(port) = getservbyname("ssh", "tcp") {
            assert_eq!(getservbyport(port, "tcp").as_deref(), Ok("ssh"));
        }
        assert_eq!(getservbyport(1, "no such protocol"), Err(Errno::ENOENT));
    }
}
