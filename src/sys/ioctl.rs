//! `ioctl` makes requests for which there is no function of their own.

use std::os::fd::{AsFd, AsRawFd};

use libc::c_int;

use super::number;
use crate::names::{IoctlRequest, Result};
use crate::trace::arg::{Arg, Value};
use crate::trace::call::enter;
use crate::trace::page::{Effect, Function, Page};

static IOCTL: Page = Page {
    name: "ioctl",
    prototype: "int ioctl(int fd, unsigned long request, ...)",
    parameters: &["fd", "request", "arg"],
    effect: Effect::Commands,
    gist: "requests without a call of their own",
    result: "0; the answer is where the argument points to.",
    trap: "The request determines the type of the argument, and no compiler checks it. Our wrappers allow only requests with an int.",
    errnos: "ENOTTY EINVAL EBADF",
    man: "ioctl(2)",
    ..Page::blank()
};

impl Function {
    /// `int ioctl(int fd, unsigned long request, ...)`
    pub const IOCTL: Self = Self::on(&IOCTL);
}

/// `int ioctl(int fd, unsigned long request, int *argument);` the requests of sockets, all of which read or
/// write one `int`: `FIONREAD`, `FIONBIO`, `FIOASYNC`, `TIOCOUTQ`, `SIOCATMARK`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOTTY` | this kind of descriptor does not understand the request |
/// | `EINVAL` | this socket does not support it in its state: `FIONREAD` on a listener |
///
/// References: [`ioctl(2)`](https://man7.org/linux/man-pages/man2/ioctl.2.html),
/// [`tcp(7)`](https://man7.org/linux/man-pages/man7/tcp.7.html),
/// [`sockatmark(3)`](https://man7.org/linux/man-pages/man3/sockatmark.3.html);
/// POSIX has only [`sockatmark`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/sockatmark.html).
pub fn ioctl(fd: impl AsFd, request: IoctlRequest, argument: &mut c_int) -> Result<c_int> {
    let fd = fd.as_fd();
    let pointer: *mut c_int = argument;
    let call = enter(Function::IOCTL, || [Arg::Fd(fd.into()), Arg::Request(request)]);
    let result = call.make(|| {
        // SAFETY: every `IoctlRequest` takes a pointer to one int, and `pointer` is exclusively ours.
        number(unsafe { libc::ioctl(fd.as_raw_fd(), request.bits() as _, pointer) })
    });
    let shown = Arg::Value(Value::Int(*argument));
    call.rest(|| [if result.is_ok() { shown } else { Arg::Pointer(pointer as usize) }])
        .returns(result)
}
