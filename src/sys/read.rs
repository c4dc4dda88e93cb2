//! `read` receives bytes from any kind of descriptor.

use std::os::fd::{AsFd, AsRawFd};

use super::count;
use super::recv::filled;
use crate::names::{Errno, Result};
use crate::trace::call::enter;
use crate::trace::facts::Facts;
use crate::trace::figures::bytes;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};

static READ: Page = Page {
    name: "read",
    prototype: "ssize_t read(int fd, void *buf, size_t count)",
    parameters: &["fd", "buf", "count"],
    fills: &["buf"],
    short: &["fd", "buf"],
    waits: Waits::OnDescriptor,
    effect: Effect::Receives,
    returns: Returns::Bytes,
    gist: "takes bytes from any descriptor",
    result: "On a socket like recv without flags; 0 is the end of a file or stream.",
    trap: "With length 0 it leaves a datagram in the queue; recv would remove it (Linux). From a terminal it returns at most one line.",
    errnos: "EAGAIN EINTR EIO EISDIR EBADF ECONNRESET",
    man: "read(2)",
    posix: "read",
    lab: "zero-is-three-things",
    lessons: &[
        &super::recv::AS_MUCH_AS_ASKED,
        &super::recv::RESET,
        &super::recv::INTERRUPTED,
        &Lesson {
            when: |call| call.returned() > 0 && call.returned() < call.number(),
            says: |call| format!("{}: all that had arrived", bytes(call.returned())),
            see: See::Lab("no-message-boundaries"),
        },
        &Lesson {
            when: Facts::is_the_end,
            says: |_| "0 is the end of file: no more bytes will arrive".into(),
            see: See::Lab("half-close"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EAGAIN),
            says: |_| "nothing to read now".into(),
            see: See::Lab("blocking-or-eagain"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `ssize_t read(int fd, void *buf, size_t count)`
    pub const READ: Self = Self::on(&READ);
}

/// `ssize_t read(int fd, void *buf, size_t count);` [`recv`](super::recv()) without flags, for any kind of descriptor.
///
/// # Errors
/// As [`recv`](super::recv()), and
///
/// | errno | when |
/// |---|---|
/// | `EIO` | the terminal is gone, or this process is in its background |
/// | `EISDIR` | the descriptor is a directory |
/// | `EBADF` | the descriptor is not open for reading |
///
/// References: [`read(2)`](https://man7.org/linux/man-pages/man2/read.2.html);
/// POSIX [`read`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/read.html).
pub fn read(fd: impl AsFd, buf: &mut [u8]) -> Result<usize> {
    let fd = fd.as_fd();
    let call = enter(Function::READ, || [fd.into()]);
    let len = buf.len();
    let result = call.make(|| {
        let room = call.length(len);
        // SAFETY: the kernel writes at most `room` bytes to `buf`, which has at least that many.
        count(unsafe { libc::read(fd.as_raw_fd(), buf.as_mut_ptr().cast(), room) })
    });
    call.rest(|| [filled(result, buf), len.into()]).returns(result)
}
