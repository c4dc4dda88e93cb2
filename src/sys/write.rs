//! `write` gives bytes to any kind of descriptor.

use std::os::fd::{AsFd, AsRawFd};

use super::count;
use crate::names::{Errno, Result};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::facts::Facts;
use crate::trace::figures::{bytes, grouped};
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};

static WRITE: Page = Page {
    name: "write",
    prototype: "ssize_t write(int fd, const void *buf, size_t count)",
    parameters: &["fd", "buf", "count"],
    short: &["fd", "buf"],
    waits: Waits::OnDescriptor,
    effect: Effect::Sends,
    returns: Returns::Bytes,
    gist: "writes bytes to any descriptor",
    result: "How many were taken. Pipes and sockets may take fewer than offered.",
    trap: "No flags, so no MSG_NOSIGNAL: a closed peer raises SIGPIPE.",
    errnos: "EAGAIN EINTR EPIPE ECONNRESET ENOSPC EFBIG EIO EBADF",
    man: "write(2)",
    posix: "write",
    lab: "sigpipe-or-not",
    lessons: &[
        &super::recv::INTERRUPTED,
        &super::send::BROKEN_PIPE,
        &super::send::RESET_BEFORE_SENDING,
        &Lesson {
            when: |call| call.returned() > 0 && call.returned() == call.number(),
            says: |call| format!("{} taken; arrival is not reported", bytes(call.returned())),
            see: See::Lab("send-is-a-copy"),
        },
        &Lesson {
            when: Facts::is_short,
            says: |call| {
                let taken = grouped(call.returned());
                let given = bytes(call.number());
                format!("took {taken} of {given}: there is no more room")
            },
            see: See::Lab("partial-send"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EAGAIN),
            says: |call| format!("took none of {}: there is no room", bytes(call.number())),
            see: See::Lab("partial-send"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `ssize_t write(int fd, const void *buf, size_t count)`
    pub const WRITE: Self = Self::on(&WRITE);
}

/// `ssize_t write(int fd, const void *buf, size_t count);` is [`send`](super::send()) without flags, for any kind of
/// descriptor; so `MSG_NOSIGNAL` is not possible.
///
/// # Errors
/// As [`send`](super::send()), and
///
/// | errno | when |
/// |---|---|
/// | `ENOSPC` | the disk is full |
/// | `EFBIG` | the file would be too large |
/// | `EIO` | the device failed |
/// | `EBADF` | the descriptor is not open for writing |
///
/// References: [`write(2)`](https://man7.org/linux/man-pages/man2/write.2.html);
/// POSIX [`write`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/write.html).
pub fn write(fd: impl AsFd, buf: &[u8]) -> Result<usize> {
    let fd = fd.as_fd();
    let call = enter(Function::WRITE, || [fd.into(), Arg::bytes(buf), buf.len().into()]);
    let result = call.make(|| {
        let len = call.length(buf.len());
        // SAFETY: the kernel reads `len` bytes, at most all, of `buf`, which lives through the call.
        count(unsafe { libc::write(fd.as_raw_fd(), buf.as_ptr().cast(), len) })
    });
    call.returns(result)
}
