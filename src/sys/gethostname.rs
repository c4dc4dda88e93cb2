//! `gethostname` returns the name of this machine.

use super::c_string::text_of;
use super::status;
use crate::names::Result;
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::page::{Function, Page};

static GETHOSTNAME: Page = Page {
    name: "gethostname",
    prototype: "int gethostname(char *name, size_t len)",
    parameters: &["name", "len"],
    fills: &["name"],
    is_library: true,
    gist: "the name of this machine",
    result: "0; the name in the buffer.",
    trap: "The address that the name resolves to decides which machines can reach a server bound to it: often only \
        loopback.",
    errnos: "ENAMETOOLONG",
    man: "gethostname(2)",
    posix: "gethostname",
    lab: "wildcard-vs-loopback",
    ..Page::blank()
};

impl Function {
    /// `int gethostname(char *name, size_t len)`
    pub const GETHOSTNAME: Self = Self::on(&GETHOSTNAME);
}

/// `int gethostname(char *name, size_t len);` the name of this machine. It is not necessarily a name by which others
/// can reach the machine.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENAMETOOLONG` | the name does not fit (glibc) |
///
/// References: [`gethostname(2)`](https://man7.org/linux/man-pages/man2/gethostname.2.html);
/// POSIX [`gethostname`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/gethostname.html).
pub fn gethostname() -> Result<String> {
    let call = enter(Function::GETHOSTNAME, || []);
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
