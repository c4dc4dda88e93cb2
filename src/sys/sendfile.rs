//! `sendfile` sends bytes of a file without copying them into this process.

// Its page exists on every system.
#![cfg_attr(not(has_sendfile), allow(unused_imports))]

use std::os::fd::{AsFd, AsRawFd};

use crate::names::{Errno, Result};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::figures::{bytes, grouped};
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};

static SENDFILE: Page = Page {
    name: "sendfile",
    prototype: "ssize_t sendfile(int out_fd, int in_fd, off_t *offset, size_t count)",
    parameters: &["out_fd", "in_fd", "offset", "count"],
    short: &["out_fd", "in_fd", "count"],
    waits: Waits::OnDescriptor,
    effect: Effect::Sends,
    returns: Returns::Bytes,
    is_here: cfg!(has_sendfile),
    kernel: &["sendfile64"],
    gist: "sends bytes of a file without reading them first",
    result: "How many were taken, perhaps fewer than asked for. 0: the file has no byte at this offset.",
    trap: "If the file becomes shorter in the meantime, it returns 0, again and again. No flags, so no MSG_NOSIGNAL: a \
        closed peer raises SIGPIPE. Bytes that change before they have arrived may arrive changed.",
    errnos: "EAGAIN EINTR EPIPE EDESTADDRREQ EINVAL ESPIPE EBADF EOVERFLOW EIO ENOMEM",
    systems: "This is Linux's function. FreeBSD and macOS have another one with the same name: the file comes first, \
        with other arguments, a header and a trailer. OpenBSD and NetBSD have none.",
    man: "sendfile(2)",
    lessons: &[
        &super::recv::INTERRUPTED,
        &Lesson {
            when: |call| call.returned() > 0 && call.returned() == call.number(),
            says: |call| {
                format!("{} of a file, which never entered this process", bytes(call.returned()))
            },
            see: See::Word("sendfile"),
        },
        &Lesson {
            when: |call| call.returned() > 0 && call.is_short(),
            says: |call| {
                let taken = grouped(call.returned());
                let given = bytes(call.number());
                format!("took {taken} of {given}: no more room, or no more file")
            },
            see: See::Word("sendfile"),
        },
        &Lesson {
            when: |call| call.result() == Some(0) && call.number() > 0,
            says: |_| "0: the file ends here; another call returns 0 again".into(),
            see: See::Word("sendfile"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EAGAIN),
            says: |call| format!("took none of {}: the send buffer is full", bytes(call.number())),
            see: See::Word("EAGAIN"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EINVAL) || call.failed(Errno::ENOSYS),
            says: |_| "not possible from this file: read, then send".into(),
            see: See::Word("sendfile"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EPIPE),
            says: |_| "sending is no longer possible; SIGPIPE was raised too".into(),
            see: See::Word("SIGPIPE"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `ssize_t sendfile(int out_fd, int in_fd, off_t *offset, size_t count)`
    pub const SENDFILE: Self = Self::on(&SENDFILE);
}

/// `ssize_t sendfile(int out_fd, int in_fd, off_t *offset, size_t count);` sends bytes of a file without copying them
/// into this process: perhaps fewer than asked for, and 0 at the end of the file.
///
/// With an `offset`, the bytes are taken from there, the offset moves behind them, and the file's own position stays;
/// without one, the file's position moves. (The offset has 64 bits, as in C with `_FILE_OFFSET_BITS=64`.)
///
/// The kernel sends the file's own pages: bytes that are changed before the peer's kernel has them may arrive changed.
/// The call has no flags, so `MSG_NOSIGNAL` is not possible.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | the send buffer is full (non-blocking, or `SO_SNDTIMEO`) |
/// | `EINTR` | a signal came before any byte was taken |
/// | `EPIPE` | the connection can no longer be used for sending, or is not connected; also `SIGPIPE` |
/// | `EDESTADDRREQ` | a datagram socket without a peer |
/// | `EINVAL` | `in_fd` cannot be used in this way: it is a socket, a directory, or one of some files of `/proc`; or the offset is negative; or `out_fd` appends (`O_APPEND`) |
/// | `ESPIPE` | an offset is given, and `in_fd` has no position: a pipe |
/// | `EBADF` | `in_fd` is not open for reading, or `out_fd` not for writing |
/// | `EOVERFLOW` | the offset and `count` are beyond the end of any file |
/// | `EIO` | the file could not be read |
/// | `ENOMEM` | no memory |
///
/// Systems differ: this is the function of Linux. The functions of this name on FreeBSD and macOS take the file first
/// and other arguments, and are not wrapped; NetBSD and OpenBSD have none. POSIX does not have it.
///
/// References: [`sendfile(2)`](https://man7.org/linux/man-pages/man2/sendfile.2.html).
#[cfg(has_sendfile)]
pub fn sendfile(
    out_fd: impl AsFd,
    in_fd: impl AsFd,
    mut offset: Option<&mut i64>,
    count: usize,
) -> Result<usize> {
    let (out_fd, in_fd) = (out_fd.as_fd(), in_fd.as_fd());
    let call = enter(Function::SENDFILE, || [out_fd.into(), in_fd.into()]);
    let given = offset.as_deref().copied();
    let offset_ptr = offset.as_deref_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
    let result = call.make(|| {
        let len = call.length(count);
        let in_raw = in_fd.as_raw_fd();
        // SAFETY: `offset_ptr` is NULL or leads to a number that is exclusively ours.
        super::count(unsafe { libc::sendfile64(out_fd.as_raw_fd(), in_raw, offset_ptr, len) })
    });
    let sent_any = result.is_ok_and(|sent| sent > 0);
    let shown = match given {
        None => Arg::Pointer(0),
        Some(given) => Arg::Offset { given, returned: offset.map(|at| *at).filter(|_| sent_any) },
    };
    call.rest(|| [shown, count.into()]).returns(result)
}
