//! `sendmsg` sends from several buffers at once, and descriptors with the bytes.

use std::borrow::Cow;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use super::count;
use super::message::{Control, MAX_PASSED, header, lent, put_fds, rights};
use super::sockaddr::RawAddress;
use crate::addr::Address;
use crate::names::{Errno, MsgFlags, Result};
use crate::trace::arg::{self, Arg};
use crate::trace::call::enter;
use crate::trace::page::{Effect, Function, Page, Returns, Waits};
use crate::values::FdNumber;

static SENDMSG: Page = Page {
    name: "sendmsg",
    prototype: "ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags)",
    parameters: &["sockfd", "msg", "flags"],
    waits: Waits::OnDescriptor,
    effect: Effect::Sends,
    returns: Returns::Bytes,
    gist: "sends from several buffers, with control data",
    result: "Bytes taken over all the buffers together.",
    trap: "It may stop in the middle of a buffer. Descriptors travel with the first byte: repeat only the bytes.",
    errnos: "EAGAIN EPIPE ECONNRESET EINVAL EMSGSIZE ETOOMANYREFS ENAMETOOLONG",
    man: "sendmsg(2)",
    posix: "sendmsg",
    lab: "fd-passing",
    ..Page::blank()
};

impl Function {
    /// `ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags)`
    pub const SENDMSG: Self = Self::on(&SENDMSG);
}

/// `ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags);` sends the bytes of several buffers as one
/// message, and descriptors with them. On a stream, a message with descriptors needs at least one byte.
///
/// # Errors
/// As [`send`](super::send()), and
///
/// | errno | when |
/// |---|---|
/// | `EINVAL` | (refused) more than [`MAX_PASSED`] descriptors |
/// | `EMSGSIZE` | more buffers than the system takes |
/// | `ETOOMANYREFS` | too many passed descriptors are not received yet (Linux) |
/// | `ENAMETOOLONG` | (refused) the path does not fit into `sun_path` |
///
/// References: [`sendmsg(2)`](https://man7.org/linux/man-pages/man2/sendmsg.2.html),
/// [`cmsg(3)`](https://man7.org/linux/man-pages/man3/cmsg.3.html),
/// [`unix(7)`](https://man7.org/linux/man-pages/man7/unix.7.html);
/// POSIX [`sendmsg`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/sendmsg.html).
pub fn sendmsg(
    sockfd: impl AsFd,
    to: Option<&Address>,
    buffers: &[&[u8]],
    fds: &[BorrowedFd<'_>],
    flags: MsgFlags,
) -> Result<usize> {
    let sockfd = sockfd.as_fd();
    if fds.len() > MAX_PASSED {
        return refuse(sockfd, buffers, flags, Errno::EINVAL);
    }
    send_message(sockfd, to, buffers, fds, flags)
}

/// [`sendmsg`] for as many descriptors as the control data has room for, which is some more than the system takes.
pub(super) fn send_message(
    sockfd: BorrowedFd<'_>,
    to: Option<&Address>,
    buffers: &[&[u8]],
    fds: &[BorrowedFd<'_>],
    flags: MsgFlags,
) -> Result<usize> {
    let mut name = match to.map(RawAddress::encode).transpose() {
        Ok(name) => name,
        Err(errno) => return refuse(sockfd, buffers, flags, errno),
    };
    let mut iov = lent(buffers);
    let mut control = Control::new();
    let read = to.zip(name.as_ref()).map(|(to, raw)| raw.as_read(to));
    let mut header = header(name.as_mut(), &mut iov);
    if !fds.is_empty() {
        put_fds(&mut header, &mut control, fds);
    }
    let call = enter(Function::SENDMSG, || {
        let message = arg::Message {
            name: read.as_deref().map(Cow::Borrowed).ok_or(0),
            name_len: (header.msg_namelen, header.msg_namelen),
            buffers: buffers.iter().map(|buf| ((*buf).into(), buf.len())).collect(),
            control: if fds.is_empty() {
                Vec::new()
            } else {
                vec![rights(fds.iter().map(|fd| FdNumber::from(*fd)))]
            },
            control_len: header.msg_controllen as usize,
            flags: MsgFlags::NONE,
        };
        [sockfd.into(), Arg::Message(Box::new(message)), flags.named().into()]
    });
    let result = call.make(|| {
        // SAFETY: the header's pointers lead to `name`, `iov` with its buffers, and `control`, all of which live
        // through the call with the lengths given; sendmsg only reads them.
        count(unsafe { libc::sendmsg(sockfd.as_raw_fd(), &raw const header, flags.bits()) })
    });
    call.returns(result)
}

fn refuse(
    sockfd: BorrowedFd<'_>,
    buffers: &[&[u8]],
    flags: MsgFlags,
    errno: Errno,
) -> Result<usize> {
    let call = enter(Function::SENDMSG, || {
        let message = arg::Message {
            name: Err(0),
            name_len: (0, 0),
            buffers: buffers.iter().map(|buf| ((*buf).into(), buf.len())).collect(),
            control: Vec::new(),
            control_len: 0,
            flags: MsgFlags::NONE,
        };
        [sockfd.into(), Arg::Message(Box::new(message)), flags.named().into()]
    });
    call.refuse(errno)
}
