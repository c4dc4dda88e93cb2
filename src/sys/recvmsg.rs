//! `recvmsg` receives into several buffers at once, and the control data beside the bytes.

use std::borrow::Cow;
use std::os::fd::{AsFd, AsRawFd};

use super::message::{
    Control, MAX_PASSED, control_space, header, rights, room, spread, take_control,
};
use super::sockaddr::RawAddress;
use super::{Fd, count};
use crate::addr::Address;
use crate::names::{MsgFlags, Result};
use crate::trace::arg::{self, Arg};
use crate::trace::call::enter;
use crate::trace::page::{Effect, Function, Page, Returns, Waits};
use crate::values::{ControlMessage, FdNumber};

/// The result of [`recvmsg`].
#[derive(Debug)]
pub struct Received {
    /// How many bytes, in all buffers together.
    pub len: usize,
    /// The sender's address, if the kernel reports it.
    pub from: Option<Address>,
    /// The descriptors that were passed, now owned by this process.
    pub fds: Vec<Fd>,
    /// Control data that an option requested: the sender's credentials (`SO_PASSCRED`), the time of arrival
    /// (`SO_TIMESTAMP`), the TTL (`IP_RECVTTL`), the error of an earlier datagram (`IP_RECVERR`).
    pub control: Vec<ControlMessage>,
    /// `MSG_TRUNC` for a truncated datagram; `MSG_CTRUNC` for descriptors that did not fit: the kernel closes them, but
    /// on macOS they stay open in this process, which never learns their numbers.
    pub flags: MsgFlags,
}

impl crate::trace::call::Returned for Received {
    fn as_c(&self) -> i64 {
        self.len as i64
    }
}

static RECVMSG: Page = Page {
    name: "recvmsg",
    prototype: "ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags)",
    parameters: &["sockfd", "msg", "flags"],
    fills: &["msg"],
    waits: Waits::OnDescriptor,
    effect: Effect::Receives,
    returns: Returns::Bytes,
    gist: "receives into several buffers, with control data",
    result: "Bytes received; msg_flags says what was truncated (MSG_TRUNC, MSG_CTRUNC).",
    trap: "Descriptors that arrive are open, wanted or not: close what you do not use, or a peer fills your table.",
    errnos: "EAGAIN EINTR ECONNRESET EMSGSIZE ENOTCONN ENOMEM",
    systems: "Without room in the table of descriptors FreeBSD, OpenBSD and macOS say EMSGSIZE. What has no room in the control \
        data is closed, except on macOS, where it stays open, nameless (read in xnu 15.4).",
    man: "recvmsg(2)",
    posix: "recvmsg",
    lab: "fd-passing",
    ..Page::blank()
};

impl Function {
    /// `ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags)`
    pub const RECVMSG: Self = Self::on(&RECVMSG);
}

/// `ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags);` receives into several buffers, with the sender's
/// address and passed descriptors. There is room for control data of `max_fds` descriptors, of any kind; the room is
/// rounded up to whole words (`CMSG_SPACE`), so with an odd number one more descriptor may arrive.
///
/// With `MSG_ERRQUEUE` it receives an error that `IP_RECVERR` requested: the bytes are those of the datagram that was
/// sent, the address is its destination, and a control message has the error and its source.
///
/// The trace shows control messages as strace does: those of the socket level and of IPv4 with their structure, those
/// of IPv6 only by the number of their type.
///
/// # Errors
/// As [`recv`](super::recv()), and `EMSGSIZE` for more buffers than the system takes. If the process has no number left
/// for a descriptor, the descriptor is lost, with `MSG_CTRUNC`.
///
/// References: [`recvmsg(2)`](https://man7.org/linux/man-pages/man2/recvmsg.2.html),
/// [`cmsg(3)`](https://man7.org/linux/man-pages/man3/cmsg.3.html),
/// [`unix(7)`](https://man7.org/linux/man-pages/man7/unix.7.html);
/// POSIX [`recvmsg`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/recvmsg.html).
pub fn recvmsg(
    sockfd: impl AsFd,
    buffers: &mut [&mut [u8]],
    max_fds: usize,
    flags: MsgFlags,
) -> Result<Received> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::RECVMSG, || [sockfd.into()]);
    let mut iov = room(buffers);
    let mut name = RawAddress::room();
    let mut control = Control::new();
    let mut header = header(Some(&mut name), &mut iov);
    let control_room = control_space(max_fds.min(MAX_PASSED));
    if max_fds > 0 {
        header.msg_control = control.bytes.as_mut_ptr().cast();
        header.msg_controllen = control_room as _;
    }
    let given = header.msg_namelen;
    let result = call.make(|| {
        // SAFETY: the header's pointers lead to `name`, `iov` with its buffers, and `control`, all of which are
        // exclusively ours and have the lengths given.
        count(unsafe { libc::recvmsg(sockfd.as_raw_fd(), &raw mut header, flags.bits()) })
    });
    *name.len_mut() = header.msg_namelen;
    let (fds, control) = if result.is_ok() { take_control(&header) } else { Default::default() };
    let shown = name.decode();
    let result = result.map(|len| Received {
        len,
        from: shown.clone(),
        fds,
        control,
        flags: MsgFlags::from_bits(header.msg_flags),
    });
    let call = call.rest(|| {
        let Ok(received) = &result else {
            return [Arg::Unanswered { name_len: given }, flags.named().into()];
        };
        let message = arg::Message {
            name: shown.as_ref().map(Cow::Borrowed).ok_or(name.as_ptr() as usize),
            name_len: (given, header.msg_namelen),
            buffers: spread(buffers, received.len),
            control: all_control(received),
            control_len: header.msg_controllen as usize,
            flags: received.flags,
        };
        [Arg::Message(Box::new(message)), flags.named().into()]
    });
    call.returns(result)
}

/// All control messages for the trace: Linux writes the descriptors after the data about the sender.
fn all_control(received: &Received) -> Vec<ControlMessage> {
    let passed = (!received.fds.is_empty()).then(|| rights(received.fds.iter().map(FdNumber::of)));
    received.control.iter().cloned().chain(passed).collect()
}
