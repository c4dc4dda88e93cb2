//! `writev` gives the bytes of several buffers to any kind of descriptor.

use std::os::fd::{AsFd, AsRawFd};

use super::count;
use super::message::{lent, most};
use crate::names::Result;
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::figures::{bytes, counted};
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};

static WRITEV: Page = Page {
    name: "writev",
    prototype: "ssize_t writev(int fd, const struct iovec *iov, int iovcnt)",
    parameters: &["fd", "iov", "iovcnt"],
    short: &["fd", "iov"],
    waits: Waits::OnDescriptor,
    effect: Effect::Sends,
    returns: Returns::Bytes,
    gist: "writes the bytes of several buffers to any descriptor",
    result: "How many bytes were taken, over all the buffers together: perhaps fewer than they have.",
    trap: "A short write may end inside a buffer: continue there. No flags, so no MSG_NOSIGNAL: a closed peer raises \
        SIGPIPE.",
    errnos: "EAGAIN EINTR EPIPE ECONNRESET EINVAL EBADF ENOSPC EFBIG EIO",
    systems: "Linux takes 1,024 buffers at most, as do OpenBSD and macOS by their headers; FreeBSD and NetBSD were not checked. POSIX promises 16.",
    man: "writev(2)",
    posix: "writev",
    lessons: &[
        &Lesson {
            when: |call| call.returned() > 0,
            says: |call| {
                let buffers = counted(call.number(), "buffer");
                format!("{} of {buffers}, in one call", bytes(call.returned()))
            },
            see: See::Word("writev"),
        },
        &super::recv::INTERRUPTED,
        &super::send::BROKEN_PIPE,
        &super::send::RESET_BEFORE_SENDING,
    ],
    ..Page::blank()
};

impl Function {
    /// `ssize_t writev(int fd, const struct iovec *iov, int iovcnt)`
    pub const WRITEV: Self = Self::on(&WRITEV);
}

/// `ssize_t writev(int fd, const struct iovec *iov, int iovcnt);` is [`write`](super::write()) from several buffers, as
/// if their bytes were in one: a header and a body are sent together, and TCP need not send a small segment for the
/// header alone.
///
/// # Errors
/// All errors of [`write`](super::write()):
///
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | the send buffer is full (non-blocking, or `SO_SNDTIMEO`) |
/// | `EINTR` | a signal came before any byte was taken |
/// | `EPIPE` | the connection can no longer be used for sending; also `SIGPIPE` |
/// | `EBADF` | the descriptor is not open for writing |
/// | `EINVAL` | more buffers than the system takes (`IOV_MAX`: 1,024 on Linux) |
///
/// References: [`writev(2)`](https://man7.org/linux/man-pages/man2/writev.2.html);
/// POSIX [`writev`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/writev.html).
pub fn writev(fd: impl AsFd, iov: &[&[u8]]) -> Result<usize> {
    let fd = fd.as_fd();
    let call = enter(Function::WRITEV, || {
        let buffers = iov.iter().map(|buf| ((*buf).into(), buf.len())).collect();
        [fd.into(), Arg::Buffers(buffers), iov.len().into()]
    });
    let raw = lent(iov);
    let result = call.make(|| {
        // SAFETY: each entry of `raw` leads to a buffer of `iov` and has its length; the kernel only reads them.
        count(unsafe { libc::writev(fd.as_raw_fd(), raw.as_ptr(), most(raw.len())) })
    });
    call.returns(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{AF_UNIX, Errno, Protocol, SOCK_STREAM};
    use crate::sys::{readv, socketpair};

    #[test]
    fn several_buffers_are_one_stream_of_bytes() {
        let [a, b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        assert_eq!(writev(&a, &[b"he", b"", b"llo"]), Ok(5));
        let (mut first, mut second) = ([0; 3], [0; 10]);
        assert_eq!(readv(&b, &mut [&mut first, &mut second]), Ok(5));
        assert_eq!((&first, &second[..2]), (b"hel", &b"lo"[..]));
    }

    #[test]
    fn there_is_a_limit_on_buffers() {
        let [a, _b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        assert_eq!(writev(&a, &[&b"x"[..]; 1025]), Err(Errno::EINVAL));
    }
}
