//! `dup` and `dup2` make a second descriptor of the same open file.

use std::os::fd::{AsFd, AsRawFd};

use super::{Fd, number};
use crate::names::Result;
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::page::{Effect, Function, Page, Returns};

static DUP: Page = Page {
    name: "dup",
    prototype: "int dup(int oldfd)",
    parameters: &["oldfd"],
    effect: Effect::Copies,
    returns: Returns::Descriptor,
    gist: "a second number for the same open file",
    result: "The lowest free number.",
    trap: "Both share O_NONBLOCK and the position. The peer gets the end of file only after both are closed.",
    errnos: "EBADF EMFILE",
    man: "dup(2)",
    posix: "dup",
    lab: "close-is-refcount",
    ..Page::blank()
};

impl Function {
    /// `int dup(int oldfd)`
    pub const DUP: Self = Self::on(&DUP);
}

/// `int dup(int oldfd);` makes a second descriptor of the same open file, with the lowest free number.
///
/// Both share the position and the status flags (`O_NONBLOCK`!), but the new one has no `FD_CLOEXEC`. A TCP connection
/// ends when the *last* of its descriptors is closed.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EMFILE` | this process has no descriptor left |
///
/// References: [`dup(2)`](https://man7.org/linux/man-pages/man2/dup.2.html);
/// POSIX [`dup`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/dup.html).
pub fn dup(oldfd: impl AsFd) -> Result<Fd> {
    let oldfd = oldfd.as_fd();
    let call = enter(Function::DUP, || [Arg::Fd(oldfd.into())]);
    let result = call.make(|| {
        // SAFETY: takes no pointers; `oldfd` is borrowed and so open.
        let raw = number(unsafe { libc::dup(oldfd.as_raw_fd()) })?;
        // SAFETY: the kernel has just made `raw` for us.
        Ok(unsafe { Fd::own(raw) })
    });
    call.returns(result)
}

static DUP2: Page = Page {
    name: "dup2",
    prototype: "int dup2(int oldfd, int newfd)",
    parameters: &["oldfd", "newfd"],
    effect: Effect::Copies,
    returns: Returns::Descriptor,
    kernel: &["dup3"],
    gist: "a second number of your choice for the same open file",
    result: "newfd, which it closes first if it was open.",
    trap: "That close is silent: its error is lost. With two equal numbers nothing changes, not even FD_CLOEXEC.",
    errnos: "EBADF EBUSY EINTR",
    man: "dup2(2)",
    posix: "dup2",
    lab: "fdsetsize-overflow",
    ..Page::blank()
};

impl Function {
    /// `int dup2(int oldfd, int newfd)`
    pub const DUP2: Self = Self::on(&DUP2);
}

/// `int dup2(int oldfd, int newfd);` makes `newfd` another descriptor of `oldfd`'s open file. If `newfd` was open it is
/// closed first, and errors of that close are not reported.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EBUSY` | another thread is opening that number (Linux) |
/// | `EINTR` | a signal came while the old file was being closed |
///
/// References: [`dup2(2)`](https://man7.org/linux/man-pages/man2/dup2.2.html);
/// POSIX [`dup2`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/dup2.html).
pub fn dup2(oldfd: impl AsFd, newfd: &mut Fd) -> Result<()> {
    let (oldfd, newfd) = (oldfd.as_fd(), newfd.as_fd());
    let call = enter(Function::DUP2, || [Arg::Fd(oldfd.into()), Arg::Fd(newfd.into())]);
    let result = call.make(|| {
        // SAFETY: takes no pointers; `newfd` is exclusively ours, so replacing its file affects no other
        // owner.
        number(unsafe { libc::dup2(oldfd.as_raw_fd(), newfd.as_raw_fd()) })
    });
    call.returns(result).map(drop)
}
