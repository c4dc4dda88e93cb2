//! `readv` receives bytes from any kind of descriptor into several buffers.

use std::os::fd::{AsFd, AsRawFd};

use super::count;
use super::message::{most, room, spread};
use crate::names::Result;
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::figures::{bytes, counted};
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};

static READV: Page = Page {
    name: "readv",
    prototype: "ssize_t readv(int fd, const struct iovec *iov, int iovcnt)",
    parameters: &["fd", "iov", "iovcnt"],
    fills: &["iov"],
    short: &["fd", "iov"],
    waits: Waits::OnDescriptor,
    effect: Effect::Receives,
    returns: Returns::Bytes,
    gist: "takes bytes from any descriptor into several buffers",
    result: "How many bytes, over all the buffers, which are filled one after the other. 0 is the end of a file or stream.",
    trap: "A short count may end inside a buffer: count yourself which buffers are full and how far the next one is.",
    errnos: "EAGAIN EINTR EINVAL EBADF ECONNRESET EISDIR EIO",
    systems: "The limit on buffers, IOV_MAX, is 1,024 on Linux, and on OpenBSD and macOS by their headers; those of FreeBSD and NetBSD were not checked. POSIX promises 16.",
    man: "readv(2)",
    posix: "readv",
    lessons: &[
        &Lesson {
            when: |call| call.returned() > 0,
            says: |call| {
                let buffers = counted(call.number(), "buffer");
                format!("{} into {buffers}, one after the other", bytes(call.returned()))
            },
            see: See::Word("readv"),
        },
        &Lesson {
            when: |call| call.result() == Some(0) && call.number() > 0 && call.is_stream(),
            says: |_| "0 is the end of file: no more bytes will arrive".into(),
            see: See::Lab("half-close"),
        },
        &super::recv::INTERRUPTED,
        &super::recv::RESET,
    ],
    ..Page::blank()
};

impl Function {
    /// `ssize_t readv(int fd, const struct iovec *iov, int iovcnt)`
    pub const READV: Self = Self::on(&READV);
}

/// `ssize_t readv(int fd, const struct iovec *iov, int iovcnt);` is [`read`](super::read()) into several buffers: when
/// the first is full, the bytes go on in the second. So a header and a body reach separate buffers with one call.
///
/// # Errors
/// All errors of [`read`](super::read()):
///
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | no byte has arrived (non-blocking, or `SO_RCVTIMEO`) |
/// | `EINTR` | a signal came before any byte did |
/// | `ECONNRESET` | the peer reset the connection |
/// | `ENOTCONN` | the socket is not connected |
/// | `EBADF` | the descriptor is not open for reading |
/// | `EINVAL` | more buffers than the system takes (`IOV_MAX`: 1,024 on Linux) |
///
/// References: [`readv(2)`](https://man7.org/linux/man-pages/man2/readv.2.html);
/// POSIX [`readv`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/readv.html).
pub fn readv(fd: impl AsFd, iov: &mut [&mut [u8]]) -> Result<usize> {
    let fd = fd.as_fd();
    let call = enter(Function::READV, || [fd.into()]);
    let raw = room(iov);
    let result = call.make(|| {
        // SAFETY: each entry of `raw` leads to a buffer of `iov` and has its length; they are exclusively ours.
        count(unsafe { libc::readv(fd.as_raw_fd(), raw.as_ptr(), most(raw.len())) })
    });
    let call = call.rest(|| {
        let filled = match result {
            Ok(received) => Arg::Buffers(spread(iov, received)),
            Err(_) => {
                Arg::Room(raw.iter().map(|buf| (buf.iov_base as usize, buf.iov_len)).collect())
            }
        };
        [filled, iov.len().into()]
    });
    call.returns(result)
}
