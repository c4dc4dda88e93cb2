//! `sendmmsg` sends several messages in one call.

// Its page exists on every system.
#![cfg_attr(not(has_mmsg), allow(unused_imports))]

use std::borrow::Cow;
use std::os::fd::{AsFd, AsRawFd};

use super::message::{header, lent};
use super::number;
use super::sockaddr::RawAddress;
use crate::addr::Address;
use crate::names::{MsgFlags, Result};
use crate::trace::arg::{self, Arg};
use crate::trace::call::enter;
use crate::trace::figures::{counted, grouped};
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page, Returns, Waits};

static SENDMMSG: Page = Page {
    name: "sendmmsg",
    prototype: "int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags)",
    parameters: &["sockfd", "msgvec", "vlen", "flags"],
    fills: &["msgvec"],
    short: &["sockfd", "vlen"],
    waits: Waits::OnDescriptor,
    effect: Effect::Sends,
    returns: Returns::Messages,
    is_here: cfg!(has_mmsg),
    gist: "sends several messages in one call",
    result: "How many messages were taken, from the first on; msg_len has the bytes of each.",
    trap: "If the second message fails the result is 1, and the errno is lost unless you send that message again. It saves calls, not \
        packets: each message is a datagram of its own.",
    errnos: "EAGAIN EINTR EDESTADDRREQ EMSGSIZE ECONNREFUSED ENOTSOCK ENAMETOOLONG",
    systems: "Linux (since 3.0), NetBSD, OpenBSD, and FreeBSD, where the C library makes it of sendmsg (lib/libc/gen, read). Not on macOS.",
    man: "sendmmsg(2)",
    lessons: &[
        &Lesson {
            when: |call| call.returned() > 0 && call.returned() == call.number(),
            says: |call| {
                format!(
                    "{} left with one call, as separate datagrams",
                    counted(call.returned(), "message")
                )
            },
            see: See::Word("sendmmsg"),
        },
        &Lesson {
            when: |call| call.returned() > 0 && call.returned() < call.number(),
            says: |call| {
                let taken = grouped(call.returned());
                let given = counted(call.number(), "message");
                format!("took {taken} of {given}: send the next to learn why")
            },
            see: See::Word("sendmmsg"),
        },
        &super::recv::INTERRUPTED,
    ],
    ..Page::blank()
};

impl Function {
    /// `int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags)`
    pub const SENDMMSG: Self = Self::on(&SENDMMSG);
}

/// One message for [`sendmmsg`].
#[cfg(has_mmsg)]
#[derive(Clone, Copy, Debug)]
pub struct OutgoingMessage<'a> {
    /// The destination; `None` on a connected socket.
    pub to: Option<&'a Address>,
    /// The message's bytes.
    pub buf: &'a [u8],
}

/// `int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags);` is [`sendmsg`](super::sendmsg())
/// for several messages: returns how many bytes the kernel took of each message that it took, from the first on. After
/// a short result, send the next message again to see its error.
///
/// Here each message has one buffer and no control data; `sendmsg` has both.
///
/// # Errors
/// Errors of the first message only, all those of [`sendmsg`](super::sendmsg()):
///
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | the send buffer, or on Unix-domain sockets the peer's queue, is full (non-blocking, or `SO_SNDTIMEO`) |
/// | `EINTR` | a signal came before any message was taken |
/// | `EDESTADDRREQ` | the socket has no peer, and no address is given |
/// | `EMSGSIZE` | the message is too long |
/// | `ECONNREFUSED` | no socket had the port of an earlier datagram |
/// | `EOPNOTSUPP` | this kind of socket does not support the flag |
/// | `ENOTSOCK` | the descriptor is not a socket |
/// | `ENAMETOOLONG` | (refused) a path does not fit into `sun_path` |
///
/// Systems differ: Linux, NetBSD and OpenBSD have the call. On FreeBSD the C library calls `sendmsg` for each
/// message. macOS has none. Linux sends at most 1,024 messages (`UIO_MAXIOV`) in a call and says so by its result.
///
/// References: [`sendmmsg(2)`](https://man7.org/linux/man-pages/man2/sendmmsg.2.html);
/// not in POSIX.
#[cfg(has_mmsg)]
pub fn sendmmsg(
    sockfd: impl AsFd,
    msgvec: &[OutgoingMessage<'_>],
    flags: MsgFlags,
) -> Result<Vec<usize>> {
    let sockfd = sockfd.as_fd();
    let names: Result<Vec<_>> =
        msgvec.iter().map(|message| message.to.map(RawAddress::encode).transpose()).collect();
    let call = enter(Function::SENDMMSG, || [sockfd.into()]);
    let (mut names, refused) = match names {
        Ok(names) => (names, None),
        Err(errno) => (Vec::new(), Some(errno)),
    };
    let mut buffers: Vec<_> = msgvec.iter().map(|message| lent(&[message.buf])).collect();
    let mut raw: Vec<_> = names
        .iter_mut()
        .zip(&mut buffers)
        .map(|(name, iov)| libc::mmsghdr { msg_hdr: header(name.as_mut(), iov), msg_len: 0 })
        .collect();
    let result = match refused {
        Some(errno) => Err(errno),
        None => call.make(|| {
            let (messages, vlen) = (raw.as_mut_ptr(), raw.len());
            // SAFETY: `messages` leads to `vlen` headers, exclusively ours, whose pointers lead to `names` and `buffers`,
            // which live through the call; the kernel writes the lengths in the headers only.
            let sent = unsafe {
                libc::sendmmsg(sockfd.as_raw_fd(), messages, vlen as _, flags.bits() as _)
            };
            number(sent as _).map(|sent| sent as usize)
        }),
    };
    let call = call.refused_if(refused.is_some()).rest(|| {
        let sent = *result.as_ref().unwrap_or(&0);
        let shown = msgvec.iter().enumerate().map(|(at, message)| {
            let header = raw.get(at).map(|raw| &raw.msg_hdr);
            let name_len = header.map_or(0, |header| header.msg_namelen);
            let message = arg::Message {
                name: message.to.map(Cow::Borrowed).ok_or(0),
                name_len: (name_len, name_len),
                buffers: vec![(message.buf.into(), message.buf.len())],
                control: Vec::new(),
                control_len: 0,
                flags: MsgFlags::NONE,
            };
            (message, raw.get(at).filter(|_| at < sent).map(|raw| raw.msg_len as _))
        });
        [Arg::Messages(shown.collect()), msgvec.len().into(), flags.named().into()]
    });
    let sent = call.returns(result)?;
    Ok(raw[..sent].iter().map(|message| message.msg_len as usize).collect())
}
