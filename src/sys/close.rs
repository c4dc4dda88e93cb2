//! `close` closes a descriptor.

use std::os::fd::RawFd;

use super::{Fd, status};
use crate::names::Result;
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::descriptors::DescriptorKind;
use crate::trace::facts::Facts;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page};
use crate::values::FdNumber;

static CLOSE: Page = Page {
    name: "close",
    prototype: "int close(int fd)",
    parameters: &["fd"],
    effect: Effect::Closes,
    gist: "closes a file descriptor",
    result: "0. The connection ends only if this was its last descriptor; the kernel still sends unsent bytes.",
    trap: "Unread bytes turn the FIN into a reset, and the peer may lose your last answer. Never repeat it after \
        EINTR: the number may belong to another connection by then.",
    errnos: "EBADF EINTR EIO",
    systems: "After EINTR the descriptor is closed on Linux and FreeBSD. According to POSIX (2024) it is still open \
        then, and EINPROGRESS means that it is closed. With unread bytes the BSDs send a FIN, and a reset only when \
        more bytes arrive.",
    man: "close(2)",
    posix: "close",
    lab: "rst-on-unread",
    lessons: &[
        &Lesson {
            when: |call| closes(call, DescriptorKind::Listener),
            says: |_| "no new clients from now on; open connections continue".into(),
            see: See::Lab("close-is-refcount"),
        },
        &Lesson {
            when: |call| call.succeeded() && call.known.copies > 0,
            says: |call| {
                format!(
                    "{} is free again; the file it referred to closes with its last copy",
                    call.fd
                )
            },
            see: See::Lab("close-is-refcount"),
        },
        &Lesson {
            when: |call| closes(call, DescriptorKind::Connection) && call.known.broken,
            says: |call| {
                format!("the connection was already over; the number {} is free again", call.fd)
            },
            see: See::Lab("drop-closes"),
        },
        &Lesson {
            when: |call| {
                let known = &call.known;
                closes(call, DescriptorKind::Connection) && known.abrupt && !known.broken
            },
            says: |_| "SO_LINGER with 0: unsent bytes are lost, and the peer gets a reset".into(),
            see: See::Lab("linger-zero"),
        },
        &Lesson {
            when: |call| {
                let known = &call.known;
                closes(call, DescriptorKind::Connection)
                    && known.peer_finished
                    && !known.broken
                    && !known.abrupt
            },
            says: |_| "both sides have finished; in TCP the first to close keeps TIME_WAIT".into(),
            see: See::Lab("time-wait-bind"),
        },
        &Lesson {
            when: |call| {
                let known = &call.known;
                closes(call, DescriptorKind::Connection)
                    && !known.peer_finished
                    && !known.broken
                    && !known.abrupt
            },
            says: |_| "the peer will read 0, or get a reset if we left bytes unread".into(),
            see: See::Lab("rst-on-unread"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `int close(int fd)`
    pub const CLOSE: Self = Self::on(&CLOSE);
}

/// Whether the call closes the last descriptor of a file of this kind, as far as copies were seen.
fn closes(call: &Facts, kind: DescriptorKind) -> bool {
    call.succeeded() && call.known.kind == kind && call.known.copies == 0
}

/// `int close(int fd);` closes a descriptor: its number is free for the next file.
///
/// Closing the last descriptor of a TCP socket sends the unsent bytes, then a FIN; if received bytes were never read,
/// the peer gets a reset instead. `close` does not wait for the peer (but see `SO_LINGER`).
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EIO` | bytes written earlier could not be stored (files) |
/// | `EINTR` | a signal came while `SO_LINGER` waited (FreeBSD, macOS); the descriptor is closed nevertheless |
/// | `EAGAIN` | the time of `SO_LINGER` was over before everything was sent (FreeBSD, NetBSD) |
///
/// (`EBADF`, which a second close returns in C, cannot happen here: closing consumes the owner.)
///
/// Systems differ: with unread bytes, the BSDs still send a FIN, and a reset only when more bytes arrive. On Linux,
/// `close` of a socket reports neither a signal nor the end of the linger time.
///
/// References: [`close(2)`](https://man7.org/linux/man-pages/man2/close.2.html);
/// POSIX [`close`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/close.html).
pub fn close(fd: Fd) -> Result<()> {
    close_raw(fd.into_raw())
}

pub(super) fn close_raw(raw: RawFd) -> Result<()> {
    let call = enter(Function::CLOSE, || [Arg::Fd(FdNumber::new(raw))]);
    let result = call.make(|| {
        // SAFETY: both callers took `raw` out of its only owner, so no borrow of it exists.
        status(unsafe { libc::close(raw) })
    });
    call.returns(result)
}
