//! `recvmmsg` receives several messages in one call.

// Its page exists on every system.
#![cfg_attr(not(has_mmsg), allow(unused_imports))]

use std::borrow::Cow;
use std::os::fd::{AsFd, AsRawFd};

use super::message::{header, room};
use super::number;
use super::select::c_timespec;
use super::sockaddr::RawAddress;
use crate::addr::Address;
use crate::names::{MsgFlags, Result};
use crate::trace::arg::{self, Arg, Note};
use crate::trace::call::enter;
use crate::trace::figures::{counted, grouped};
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};
use crate::values::TimeSpec;

static RECVMMSG: Page = Page {
    name: "recvmmsg",
    prototype: "int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, struct timespec *timeout)",
    parameters: &["sockfd", "msgvec", "vlen", "flags", "timeout"],
    fills: &["msgvec"],
    short: &["sockfd", "vlen"],
    waits: Waits::OnDescriptor,
    effect: Effect::Receives,
    returns: Returns::Messages,
    is_here: cfg!(has_mmsg),
    kernel: &["recvmmsg_time64"],
    gist: "receives several messages in one call",
    result: "How many messages; for each, msg_len has its bytes, and msg_flags says what was truncated.",
    trap: "On a blocking socket it waits until all vlen have arrived; with MSG_WAITFORONE only for the first. The \
        kernel checks the timeout only after a message has arrived, so without a message the timeout does not end the \
        wait.",
    errnos: "EAGAIN EINTR ECONNREFUSED ENOTSOCK EINVAL",
    systems: "Linux (since 2.6.33), NetBSD, OpenBSD, and FreeBSD, where the C library makes it of recvmsg (lib/libc/gen, read). Not on macOS.",
    man: "recvmmsg(2)",
    lessons: &[
        &Lesson {
            when: |call| call.returned() > 0 && call.returned() == call.number(),
            says: |call| {
                format!(
                    "{}, all that there was room for: more may wait",
                    counted(call.returned(), "message")
                )
            },
            see: See::Word("recvmmsg"),
        },
        &Lesson {
            when: |call| call.returned() > 0 && call.returned() < call.number(),
            says: |call| {
                let came = grouped(call.returned());
                let room = counted(call.number(), "message");
                format!("{came} of {room} arrived: the queue is empty")
            },
            see: See::Word("recvmmsg"),
        },
        &super::recv::INTERRUPTED,
    ],
    ..Page::blank()
};

impl Function {
    /// `int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, struct timespec *timeout)`
    pub const RECVMMSG: Self = Self::on(&RECVMMSG);
}

/// Room for one message of [`recvmmsg`], and the message received into it.
#[cfg(has_mmsg)]
#[derive(Debug)]
pub struct IncomingMessage<'a> {
    /// Where the message's bytes are written.
    pub buf: &'a mut [u8],
    /// How many bytes were received.
    pub len: usize,
    /// The sender's address, if the kernel reports it.
    pub from: Option<Address>,
    /// `MSG_TRUNC` for a truncated message.
    pub flags: MsgFlags,
}

#[cfg(has_mmsg)]
impl<'a> IncomingMessage<'a> {
    /// Room for one message.
    pub const fn new(buf: &'a mut [u8]) -> Self {
        Self { buf, len: 0, from: None, flags: MsgFlags::NONE }
    }
}

/// `int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, struct timespec *timeout);` is
/// [`recvmsg`](super::recvmsg()) for several messages: returns how many were received, from the first place in `msgvec`
/// on.
///
/// On a blocking socket it waits until all places are filled; with `MSG_WAITFORONE` until one is, with `MSG_DONTWAIT`
/// not at all. The timeout does not help: the kernel checks it only when a message has arrived (recvmmsg(2), BUGS).
/// Linux rewrites the timeout to the time left.
///
/// Here each message has one buffer and no room for control data; `recvmsg` has both.
///
/// # Errors
/// All errors of [`recv`](super::recv()), if no message was received. An error after the first message is reported by
/// the next call.
///
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | no message has arrived (non-blocking, `MSG_DONTWAIT`, or `SO_RCVTIMEO`) |
/// | `EINTR` | a signal came before any message did |
/// | `ECONNREFUSED` | no socket had the port of an earlier datagram |
/// | `ENOTSOCK` | the descriptor is not a socket |
/// | `EINVAL` | the timeout is out of range |
/// | `EOVERFLOW` | (refused) the timeout does not fit in C's fields, which have 32 bits in a 32-bit program |
///
/// Systems differ: Linux, NetBSD and OpenBSD have the call. On FreeBSD the C library calls `recvmsg` for each
/// message, and the timeout limits the wait for the first one only (lib/libc/gen/recvmmsg.c, read). macOS has none.
///
/// References: [`recvmmsg(2)`](https://man7.org/linux/man-pages/man2/recvmmsg.2.html);
/// not in POSIX.
#[cfg(has_mmsg)]
pub fn recvmmsg(
    sockfd: impl AsFd,
    msgvec: &mut [IncomingMessage<'_>],
    flags: MsgFlags,
    timeout: Option<&mut TimeSpec>,
) -> Result<usize> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::RECVMMSG, || [sockfd.into()]);
    let given = timeout.as_deref().copied();
    let mut time = match given.map(c_timespec).transpose() {
        Ok(time) => time,
        Err(errno) => return call.refuse(errno),
    };
    let time_ptr = time.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
    let mut names: Vec<_> = msgvec.iter().map(|_| RawAddress::room()).collect();
    let mut buffers: Vec<_> =
        msgvec.iter_mut().map(|message| room(&mut [&mut *message.buf])).collect();
    let mut raw: Vec<_> = names
        .iter_mut()
        .zip(&mut buffers)
        .map(|(name, iov)| libc::mmsghdr { msg_hdr: header(Some(name), iov), msg_len: 0 })
        .collect();
    let result = call.make(|| {
        let (messages, vlen) = (raw.as_mut_ptr(), raw.len());
        // SAFETY: `messages` leads to `vlen` headers whose pointers lead to `names` and to the buffers of `msgvec`, all
        // exclusively ours with the lengths given; `time_ptr` is NULL or leads to `time`.
        let came = unsafe {
            libc::recvmmsg(sockfd.as_raw_fd(), messages, vlen as _, flags.bits() as _, time_ptr)
        };
        number(came as _).map(|came| came as usize)
    });
    if let (Some(timeout), Some(left)) = (timeout, time) {
        *timeout = TimeSpec { tv_sec: left.tv_sec as _, tv_nsec: left.tv_nsec as _ };
    }
    let came = *result.as_ref().unwrap_or(&0);
    for ((message, raw), name) in msgvec.iter_mut().zip(&raw).zip(&mut names).take(came) {
        *name.len_mut() = raw.msg_hdr.msg_namelen;
        message.len = raw.msg_len as usize;
        message.from = name.decode();
        message.flags = MsgFlags::from_bits(raw.msg_hdr.msg_flags);
    }
    let call = call.rest(|| {
        let shown = msgvec.iter().zip(&raw).zip(&names).take(came).map(|((message, raw), name)| {
            let filled = &message.buf[..message.len.min(message.buf.len())];
            let shown = arg::Message {
                name: message.from.as_ref().map(Cow::Borrowed).ok_or(name.as_ptr() as usize),
                name_len: (RawAddress::room().len(), raw.msg_hdr.msg_namelen),
                buffers: vec![(filled.into(), message.buf.len())],
                control: Vec::new(),
                control_len: 0,
                flags: message.flags,
            };
            (shown, Some(raw.msg_len as _))
        });
        let messages = match result {
            Ok(_) => Arg::Messages(shown.collect()),
            Err(_) => Arg::Pointer(raw.as_ptr() as usize),
        };
        [messages, msgvec.len().into(), flags.named().into(), Arg::TimeSpec(given)]
    });
    call.returns_noting(result, |came| match (*came, time) {
        (0, _) => Note::Text("Timeout".into()),
        (_, Some(left)) if cfg!(linux) => {
            let left = format!("left {{tv_sec={}, tv_nsec={}}}", left.tv_sec, left.tv_nsec);
            Note::Text(left.into())
        }
        _ => Note::None,
    })
}
