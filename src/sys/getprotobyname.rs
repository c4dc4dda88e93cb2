//! `getprotobyname` looks up the number of a protocol.

use std::ffi::CString;

use super::netdb::one_at_a_time;
use crate::names::{Errno, Protocol, Result};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Function, Page, Returns};

static GETPROTOBYNAME: Page = Page {
    name: "getprotobyname",
    prototype: "struct protoent *getprotobyname(const char *name)",
    parameters: &["name"],
    returns: Returns::Number,
    is_library: true,
    gist: "from a protocol's name to its number",
    result: "A structure with the number, or NULL without an errno; our wrapper returns ENOENT then.",
    trap: "It reads /etc/protocols, which a small system may lack: IPPROTO_TCP and the other constants always exist.",
    errnos: "ENOENT",
    man: "getprotobyname(3)",
    posix: "getprotobyname",
    lessons: &[
        &Lesson {
            when: |call| call.succeeded(),
            says: |call| format!("protocol {}: the third argument of socket", call.returned()),
            see: See::Word("getprotobyname"),
        },
        &Lesson {
            when: |call| call.failed(Errno::ENOENT),
            says: |_| "not in /etc/protocols, or there is no such file here".into(),
            see: See::Word("getprotobyname"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `struct protoent *getprotobyname(const char *name)`
    pub const GETPROTOBYNAME: Self = Self::on(&GETPROTOBYNAME);
}

/// `struct protoent *getprotobyname(const char *name);` the number of a protocol, the third argument of
/// [`socket`](super::socket()).
///
/// (C returns a pointer to a structure that the next call overwrites: the wrapper copies the number while it keeps the other
/// wrappers of this kind waiting.)
///
/// # Errors
/// `ENOENT` where C returns NULL: there is no such protocol. (Refused: a name with a zero byte.)
///
/// References: [`getprotobyname(3)`](https://man7.org/linux/man-pages/man3/getprotobyname.3.html);
/// POSIX [`getprotobyname`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/getprotobyname.html).
pub fn getprotobyname(name: &str) -> Result<Protocol> {
    let call = enter(Function::GETPROTOBYNAME, || [Arg::str(Some(name))]);
    let Ok(name) = CString::new(name) else {
        return call.refuse::<i32>(Errno::ENOENT).map(Protocol::from_bits);
    };
    let _guard = one_at_a_time();
    // SAFETY: `name` ends with a zero byte; the structure of the answer is ours while we hold the lock.
    let entry = unsafe { libc::getprotobyname(name.as_ptr()) };
    // SAFETY: the result is NULL or leads to a protoent that stays as it is while we hold the lock.
    let number = unsafe { entry.as_ref() }.map(|entry| entry.p_proto).ok_or(Errno::ENOENT);
    call.returns(number).map(Protocol::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::IPPROTO_TCP;

    #[test]
    fn a_protocol_has_the_number_of_its_constant() {
        // Not every machine has the file.
        assert!(matches!(getprotobyname("tcp"), Ok(IPPROTO_TCP) | Err(Errno::ENOENT)));
        assert_eq!(getprotobyname("no such protocol"), Err(Errno::ENOENT));
        assert_eq!(getprotobyname("t\0cp"), Err(Errno::ENOENT));
    }
}
