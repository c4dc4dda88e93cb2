//! `splice` moves bytes between a pipe and another descriptor without copying them into this process.

// Its page is there on every system.
#![cfg_attr(not(linux), allow(unused_imports))]

use std::os::fd::{AsFd, AsRawFd};

use crate::names::{Errno, Result, SpliceFlags};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::figures::{bytes, grouped};
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};

static SPLICE: Page = Page {
    name: "splice",
    prototype: "ssize_t splice(int fd_in, off_t *off_in, int fd_out, off_t *off_out, size_t len, unsigned int flags)",
    parameters: &["fd_in", "off_in", "fd_out", "off_out", "len", "flags"],
    short: &["fd_in", "fd_out", "len"],
    waits: Waits::OnDescriptor,
    effect: Effect::Splices,
    returns: Returns::Bytes,
    is_here: cfg!(linux),
    gist: "moves bytes between a pipe and another descriptor",
    result: "How many were moved, perhaps fewer than asked for. 0: the end of file, or the mark of an urgent byte.",
    trap: "On a TCP socket it stops at the mark of an urgent byte: 0 if the socket is blocking or the peer has finished, \
        EAGAIN otherwise, although bytes lie behind the mark. Let recv decide: it gives the bytes, or 0 at the end of file.",
    errnos: "EAGAIN EINTR EINVAL ESPIPE EBADF EPIPE ENOTCONN ECONNRESET ENOMEM",
    systems: "Linux only, since 2.6.17.",
    man: "splice(2)",
    lab: "urgent-byte-stops-splice",
    lessons: &[
        &super::recv::INTERRUPTED,
        &super::recv::RESET,
        &Lesson {
            when: |call| call.returned() > 0,
            says: |call| {
                let moved = bytes(call.returned());
                let asked = grouped(call.number());
                format!("{moved} of up to {asked}, which never entered this process")
            },
            see: See::Word("splice"),
        },
        &Lesson {
            when: |call| call.result() == Some(0) && call.number() > 0,
            says: |_| {
                "0: the end of file, or on TCP the mark of an urgent byte; recv tells which".into()
            },
            see: See::Lab("urgent-byte-stops-splice"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EAGAIN),
            says: |_| {
                "nothing to move, or no room for it, or on TCP the mark of an urgent byte is next"
                    .into()
            },
            see: See::Lab("urgent-byte-stops-splice"),
        },
        &Lesson {
            when: |call| call.failed(Errno::EINVAL),
            says: |_| "not possible: one of the two descriptors must be a pipe".into(),
            see: See::Word("splice"),
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
    /// `ssize_t splice(int fd_in, off_t *off_in, int fd_out, off_t *off_out, size_t len, unsigned int flags)`
    pub const SPLICE: Self = Self::on(&SPLICE);
}

/// `ssize_t splice(int fd_in, off_t *off_in, int fd_out, off_t *off_out, size_t len, unsigned int flags);` moves bytes from one
/// descriptor to another without copying them into this process. One of the two is a pipe.
///
/// An offset is for a file: the bytes are taken from there or written there, the offset moves behind them, and the file's own
/// position stays. (The offset has 64 bits, as in C with `_FILE_OFFSET_BITS=64`.) The trace shows the offset before the call,
/// as strace does.
///
/// [`SPLICE_F_NONBLOCK`](crate::names::SPLICE_F_NONBLOCK) is about the pipe. Whether the call waits for a socket, the
/// socket's `O_NONBLOCK` decides.
///
/// 0 is the end of file. On a TCP socket the call also returns 0 at the mark of an urgent byte, if the socket is blocking or
/// the peer has finished sending; otherwise it fails with `EAGAIN` there. `recv` gives the bytes behind the mark.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | nothing is there, or there is no room (non-blocking, `SPLICE_F_NONBLOCK`, or `SO_RCVTIMEO`); or the mark of an urgent byte is next |
/// | `EINTR` | a signal came before any byte was moved |
/// | `EINVAL` | neither is a pipe, or both are the same one; or an offset is negative, or for a socket; or the file appends (`O_APPEND`), or cannot be spliced |
/// | `ESPIPE` | an offset for the pipe |
/// | `EBADF` | `fd_in` is not open for reading, or `fd_out` not for writing |
/// | `EPIPE` | the pipe has no reader, or the connection can no longer be sent on; also `SIGPIPE` |
/// | `ENOTCONN` | the socket is not connected |
/// | `ECONNRESET` | the peer reset the connection |
/// | `ENOMEM` | no memory |
///
/// Systems differ: only Linux has the call; it is not in POSIX.
///
/// References: [`splice(2)`](https://man7.org/linux/man-pages/man2/splice.2.html).
#[cfg(linux)]
pub fn splice(
    fd_in: impl AsFd,
    off_in: Option<&mut i64>,
    fd_out: impl AsFd,
    off_out: Option<&mut i64>,
    len: usize,
    flags: SpliceFlags,
) -> Result<usize> {
    let (fd_in, fd_out) = (fd_in.as_fd(), fd_out.as_fd());
    let call = enter(Function::SPLICE, || {
        let (from, to) = (offset(off_in.as_deref()), offset(off_out.as_deref()));
        [fd_in.into(), from, fd_out.into(), to, len.into(), flags.named().into()]
    });
    let result = call.make(|| {
        let from = off_in.map_or(std::ptr::null_mut(), std::ptr::from_mut);
        let to = off_out.map_or(std::ptr::null_mut(), std::ptr::from_mut);
        let (fd_in, fd_out) = (fd_in.as_raw_fd(), fd_out.as_raw_fd());
        // SAFETY: `from` and `to` are NULL or each lead to a number that is exclusively ours.
        super::count(unsafe { libc::splice(fd_in, from, fd_out, to, len, flags.bits() as _) })
    });
    call.returns(result)
}

/// A place in a file, as it was given.
#[cfg(linux)]
fn offset(given: Option<&i64>) -> Arg<'static> {
    given.map_or(Arg::Pointer(0), |given| Arg::Offset { given: *given, returned: None })
}
