//! `fcntl` does what its command says: it reads or sets flags, or copies a descriptor. Each command has a wrapper of
//! its own.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use libc::c_int;

use super::{Fd, number};
use crate::names::{
    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_GETOWN, F_SETFD, F_SETFL, F_SETOWN,
};
use crate::names::{FcntlCommand, FdFlags, OpenFlags, Result};
use crate::trace::arg::{Arg, Note};
use crate::trace::call::enter;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns};

static FCNTL: Page = Page {
    name: "fcntl",
    prototype: "int fcntl(int fd, int cmd, ...)",
    parameters: &["fd", "cmd", "arg"],
    effect: Effect::Commands,
    returns: Returns::Number,
    kernel: &["fcntl64"],
    gist: "flags, owners and duplicates of a descriptor",
    result: "Depends on the command: flags, a new number, or 0.",
    trap: "F_SETFL replaces all flags, for every process that shares the open file.",
    errnos: "EBADF EINVAL EMFILE EPERM ESRCH",
    man: "fcntl(2)",
    posix: "fcntl",
    lab: "nonblock-is-shared",
    lessons: &[
        &Lesson {
            when: |call| call.succeeded() && call.says("F_GETFL"),
            says: |_| "reads the flags, because F_SETFL sets all of them".into(),
            see: See::Lab("nonblock-is-shared"),
        },
        &Lesson {
            when: |call| call.succeeded() && call.makes_nonblocking(),
            says: |call| {
                format!("non-blocking: calls on {} give EAGAIN instead of waiting", call.fd)
            },
            see: See::Lab("blocking-or-eagain"),
        },
        &Lesson {
            when: |call| call.succeeded() && call.says("FD_CLOEXEC"),
            says: |call| format!("exec will close {}: other programs do not inherit it", call.fd),
            see: See::Lab("close-is-refcount"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `int fcntl(int fd, int cmd, ...)`
    pub const FCNTL: Self = Self::on(&FCNTL);
}

/// `int fcntl(int fd, F_GETFL);` returns the open file's status flags: its access mode, and flags such as `O_NONBLOCK`.
///
/// # Errors
/// None for a descriptor that is open.
///
/// References: [`fcntl(2)`](https://man7.org/linux/man-pages/man2/fcntl.2.html);
/// POSIX [`fcntl`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html).
#[doc(alias = "fcntl")]
pub fn fcntl_getfl(fd: impl AsFd) -> Result<OpenFlags> {
    let noting = |bits: &c_int| Note::OpenFlags(OpenFlags::from_bits(*bits));
    fcntl(fd.as_fd(), F_GETFL, None, noting).map(OpenFlags::from_bits)
}

/// `int fcntl(int fd, F_SETFL, int flags);` sets *all* the status flags: read them first and change one,
/// or the others are cleared. They belong to the open file, so duplicates and children see the change.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EPERM` | the call would clear `O_APPEND` of an append-only file |
///
/// References: [`fcntl(2)`](https://man7.org/linux/man-pages/man2/fcntl.2.html);
/// POSIX [`fcntl`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html).
#[doc(alias = "fcntl")]
pub fn fcntl_setfl(fd: impl AsFd, flags: OpenFlags) -> Result<()> {
    fcntl(fd.as_fd(), F_SETFL, Some((flags.bits(), Arg::OpenFlags(flags))), |_| Note::None)
        .map(drop)
}

/// `int fcntl(int fd, F_GETFD);` returns the descriptor's own flags.
///
/// # Errors
/// None for a descriptor that is open.
///
/// References: [`fcntl(2)`](https://man7.org/linux/man-pages/man2/fcntl.2.html);
/// POSIX [`fcntl`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html).
#[doc(alias = "fcntl")]
pub fn fcntl_getfd(fd: impl AsFd) -> Result<FdFlags> {
    let noting = |bits: &c_int| Note::FdFlags(FdFlags::from_bits(*bits));
    fcntl(fd.as_fd(), F_GETFD, None, noting).map(FdFlags::from_bits)
}

/// `int fcntl(int fd, F_SETFD, int flags);` sets the descriptor's own flags: `FD_CLOEXEC` or nothing.
///
/// # Errors
/// None for a descriptor that is open.
///
/// References: [`fcntl(2)`](https://man7.org/linux/man-pages/man2/fcntl.2.html);
/// POSIX [`fcntl`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html).
#[doc(alias = "fcntl")]
pub fn fcntl_setfd(fd: impl AsFd, flags: FdFlags) -> Result<()> {
    fcntl(fd.as_fd(), F_SETFD, Some((flags.bits(), Arg::Named(flags.named()))), |_| Note::None)
        .map(drop)
}

/// `int fcntl(int fd, F_GETOWN);` returns which process (or, negative, which group) gets `SIGIO` and `SIGURG`.
///
/// # Errors
/// None for a socket.
///
/// References: [`fcntl(2)`](https://man7.org/linux/man-pages/man2/fcntl.2.html);
/// POSIX [`fcntl`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html).
#[doc(alias = "fcntl")]
pub fn fcntl_getown(fd: impl AsFd) -> Result<i32> {
    fcntl(fd.as_fd(), F_GETOWN, None, |_| Note::None)
}

/// `int fcntl(int fd, F_SETOWN, int pid);` sets the process that gets `SIGIO` and `SIGURG`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ESRCH` | there is no such process or group |
///
/// References: [`fcntl(2)`](https://man7.org/linux/man-pages/man2/fcntl.2.html);
/// POSIX [`fcntl`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html).
#[doc(alias = "fcntl")]
pub fn fcntl_setown(fd: impl AsFd, pid: i32) -> Result<()> {
    fcntl(fd.as_fd(), F_SETOWN, Some((pid, pid.into())), |_| Note::None).map(drop)
}

/// `int fcntl(int fd, F_DUPFD, int lowest);` like [`dup`](super::dup()), with a number not below `lowest`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINVAL` | `lowest` is negative or not below the limit on descriptors |
/// | `EMFILE` | this process has no descriptor left from `lowest` on |
///
/// References: [`fcntl(2)`](https://man7.org/linux/man-pages/man2/fcntl.2.html);
/// POSIX [`fcntl`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html).
#[doc(alias = "fcntl")]
pub fn fcntl_dupfd(fd: impl AsFd, lowest: c_int) -> Result<Fd> {
    dup_from(fd.as_fd(), F_DUPFD, lowest)
}

/// `int fcntl(int fd, F_DUPFD_CLOEXEC, int lowest);` like [`fcntl_dupfd`], with `FD_CLOEXEC` set: `exec` closes the
/// copy.
///
/// # Errors
/// As [`fcntl_dupfd`].
///
/// References: [`fcntl(2)`](https://man7.org/linux/man-pages/man2/fcntl.2.html);
/// POSIX [`fcntl`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html).
#[doc(alias = "fcntl")]
pub fn fcntl_dupfd_cloexec(fd: impl AsFd, lowest: c_int) -> Result<Fd> {
    dup_from(fd.as_fd(), F_DUPFD_CLOEXEC, lowest)
}

fn dup_from(fd: BorrowedFd<'_>, command: FcntlCommand, lowest: c_int) -> Result<Fd> {
    let raw = fcntl(fd, command, Some((lowest, lowest.into())), |_| Note::None)?;
    // SAFETY: the kernel has just made `raw` for us.
    Ok(unsafe { Fd::own(raw) })
}

/// The commands above, which take no third argument or an `int`.
fn fcntl(
    fd: BorrowedFd<'_>,
    command: FcntlCommand,
    argument: Option<(c_int, Arg<'static>)>,
    noting: impl Fn(&c_int) -> Note<'static>,
) -> Result<c_int> {
    let raw = fd.as_raw_fd();
    let value = argument.as_ref().map(|(value, _)| *value);
    let call = enter(Function::FCNTL, || [Arg::Fd(fd.into()), command.named().into()]);
    let result = call.make(|| {
        number(match value {
            // SAFETY: the callers pass commands that take no third argument; nothing is a pointer.
            None => unsafe { libc::fcntl(raw, command.bits()) },
            // SAFETY: the callers pass commands whose third argument is an int; nothing is a pointer.
            Some(value) => unsafe { libc::fcntl(raw, command.bits(), value) },
        })
    });
    let call = match argument {
        None => call,
        Some((_, shown)) => call.rest(|| [shown]),
    };
    call.returns_noting(result, noting)
}
