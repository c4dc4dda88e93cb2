//! `sockatmark` returns whether the urgent mark is next.

use std::os::fd::{AsFd, AsRawFd};

use super::number;
use crate::names::Result;
use crate::trace::call::enter;
use crate::trace::page::{Function, Page, Returns};

static SOCKATMARK: Page = Page {
    name: "sockatmark",
    prototype: "int sockatmark(int sockfd)",
    parameters: &["sockfd"],
    returns: Returns::Number,
    kernel: &["ioctl"],
    gist: "whether the urgent mark is next",
    result: "1 at the mark, 0 elsewhere.",
    trap: "recv never reads across the mark, so ask after each recv.",
    errnos: "ENOTTY EBADF",
    man: "sockatmark(3)",
    posix: "sockatmark",
    lab: "oob-one-byte",
    ..Page::blank()
};

impl Function {
    /// `int sockatmark(int sockfd)`
    pub const SOCKATMARK: Self = Self::on(&SOCKATMARK);
}

/// `int sockatmark(int sockfd);` whether the next byte to be received is the one after the urgent mark. `recv` never
/// reads across the mark, so a program that checks before each `recv` finds it.
///
/// On Linux, libc calls `ioctl` with `SIOCATMARK`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOTTY` | the descriptor is not a socket, or its socket has no urgent mark (UDP); POSIX names the first case |
///
/// References: [`sockatmark(3)`](https://man7.org/linux/man-pages/man3/sockatmark.3.html);
/// POSIX [`sockatmark`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/sockatmark.html).
pub fn sockatmark(sockfd: impl AsFd) -> Result<bool> {
    // The libc crate leaves it out.
    unsafe extern "C" {
        fn sockatmark(sockfd: libc::c_int) -> libc::c_int;
    }
    let sockfd = sockfd.as_fd();
    let call = enter(Function::SOCKATMARK, || [sockfd.into()]);
    let result = call.make(|| {
        // SAFETY: the prototype is POSIX's; it takes no pointers.
        number(unsafe { sockatmark(sockfd.as_raw_fd()) }).map(|answer| answer != 0)
    });
    call.returns(result)
}
