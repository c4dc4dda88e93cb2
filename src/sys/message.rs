//! `sendmsg` and `recvmsg`: several buffers in one call, and descriptors that travel with the bytes.
//!
//! A descriptor is passed as a *control message* beside the bytes (`SCM_RIGHTS`, Unix-domain sockets only): the
//! receiver gets a number of its own for the same open file. In C the control data is built with macros in a buffer
//! whose alignment and length are easily wrong; here a message has a list of descriptors.

use std::borrow::Cow;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use libc::c_int;

use super::count;
use super::fd::Fd;
use super::sockaddr::RawAddress;
use crate::addr::Address;
use crate::names::{CONTROL_HEADER_LEN, Errno, Level, MsgFlags, Result, SOL_SOCKET};
use crate::trace::arg::{self, Arg};
use crate::trace::call::enter;
use crate::trace::function::Function;
use crate::values::{ControlMessage, FdNumber};

/// How many descriptors a message can carry here: Linux's `SCM_MAX_FD`. The BSDs would take more.
pub const MAX_PASSED: usize = 253;

/// Room for one control message: its header and [`MAX_PASSED`] descriptors.
const CONTROL_ROOM: usize = 1152;

/// Control data must be aligned as its header is.
#[repr(C, align(8))]
struct Control {
    bytes: [u8; CONTROL_ROOM],
}

impl Control {
    const fn new() -> Self {
        Self { bytes: [0; CONTROL_ROOM] }
    }
}

/// What [`recvmsg`] received.
#[derive(Debug)]
pub struct Received {
    /// How many bytes, over all buffers.
    pub len: usize,
    /// Who sent it, where that is told.
    pub from: Option<Address>,
    /// The descriptors that came with it, ours now.
    pub fds: Vec<Fd>,
    /// What else came beside the bytes, because an option asked for it: who sent it (`SO_PASSCRED`), when it arrived
    /// (`SO_TIMESTAMP`), its TTL (`IP_RECVTTL`), what became of an earlier one (`IP_RECVERR`).
    pub control: Vec<ControlMessage>,
    /// `MSG_TRUNC` for a datagram that was cut, `MSG_CTRUNC` for descriptors that did not fit and are lost.
    pub flags: MsgFlags,
}

impl crate::trace::call::Returned for Received {
    fn as_c(&self) -> i64 {
        self.len as i64
    }
}

/// `ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags);` sends the bytes of several buffers as one, and
/// descriptors with them. A message with descriptors needs at least one byte on a stream.
///
/// # Errors
/// As [`send`](super::send), and
///
/// | errno | when |
/// |---|---|
/// | `EINVAL` | (refused) more than [`MAX_PASSED`] descriptors |
/// | `EMSGSIZE` | more buffers than the system takes |
/// | `ETOOMANYREFS` | too many descriptors are on their way (Linux) |
/// | `ENAMETOOLONG` | (refused) the path does not fit into `sun_path` |
///
/// References: `sendmsg(2)`, `cmsg(3)`, `unix(7)`; POSIX `sendmsg`.
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
    let mut iov: Vec<_> = buffers
        .iter()
        .map(|buf| libc::iovec { iov_base: buf.as_ptr().cast_mut().cast(), iov_len: buf.len() })
        .collect();
    let mut control = Control::new();
    let read = to.zip(name.as_ref()).map(|(to, raw)| raw.as_read(to));
    let mut header = header(name.as_mut(), &mut iov);
    if !fds.is_empty() {
        put_fds(&mut header, &mut control, fds);
    }
    let call = enter(Function::Sendmsg, || {
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
    let call = enter(Function::Sendmsg, || {
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

/// `ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags);` receives into several buffers, with who sent it and
/// descriptors that came along. There is room for control data of `max_fds` descriptors, whatever it is that comes;
/// the room is whole words (`CMSG_SPACE`), so where an odd number was wanted one more descriptor may come.
///
/// With `MSG_ERRQUEUE` it takes an error that `IP_RECVERR` asked for: the bytes are those that were sent, the address
/// is the one they were sent to, and a control message says what went wrong and who told.
///
/// The trace shows control messages as strace does: those of the socket level and of IPv4 with their structure, those
/// of IPv6 by the number of their type alone.
///
/// # Errors
/// As [`recv`](super::recv), and `EMSGSIZE` for more buffers than the system takes. A descriptor for which this
/// process has no number left is lost, with `MSG_CTRUNC`.
///
/// References: `recvmsg(2)`, `cmsg(3)`, `unix(7)`; POSIX `recvmsg`.
pub fn recvmsg(
    sockfd: impl AsFd,
    buffers: &mut [&mut [u8]],
    max_fds: usize,
    flags: MsgFlags,
) -> Result<Received> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::Recvmsg, || [sockfd.into()]);
    let mut iov: Vec<_> = buffers
        .iter_mut()
        .map(|buf| libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() })
        .collect();
    let mut name = RawAddress::room();
    let mut control = Control::new();
    let mut header = header(Some(&mut name), &mut iov);
    let room = control_space(max_fds.min(MAX_PASSED));
    if max_fds > 0 {
        header.msg_control = control.bytes.as_mut_ptr().cast();
        header.msg_controllen = room as _;
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

/// What each buffer received of `len` bytes.
fn spread<'a>(buffers: &'a [&mut [u8]], len: usize) -> Vec<(arg::Bytes<'a>, usize)> {
    let mut rest = len;
    let filled = buffers.iter().map(|buf| {
        let part = rest.min(buf.len());
        rest -= part;
        (buf[..part].into(), buf.len())
    });
    filled.collect()
}

fn header(name: Option<&mut RawAddress>, iov: &mut [libc::iovec]) -> libc::msghdr {
    // SAFETY: msghdr is plain data, and zeros are "nothing of anything".
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    if let Some(name) = name {
        header.msg_namelen = name.len();
        header.msg_name = name.as_mut_ptr().cast();
    }
    header.msg_iov = iov.as_mut_ptr();
    header.msg_iovlen = iov.len() as _;
    header
}

/// `CMSG_SPACE`: how long control data with this many descriptors is.
fn control_space(fds: usize) -> usize {
    // SAFETY: arithmetic only.
    unsafe { libc::CMSG_SPACE((fds * size_of::<RawFd>()) as u32) as usize }
}

fn put_fds(header: &mut libc::msghdr, control: &mut Control, fds: &[BorrowedFd<'_>]) {
    let data_len = size_of_val(fds) as u32;
    header.msg_control = control.bytes.as_mut_ptr().cast();
    header.msg_controllen = control_space(fds.len()) as _;
    // SAFETY: the header's control data has room for at least one message.
    let first = unsafe { libc::CMSG_FIRSTHDR(std::ptr::from_ref(header)) };
    // SAFETY: arithmetic only.
    let cmsg_len = unsafe { libc::CMSG_LEN(data_len) };
    // SAFETY: `first` is aligned and lies in `control`, which is zeroed: a valid header.
    let message = unsafe { &mut *first };
    message.cmsg_level = libc::SOL_SOCKET;
    message.cmsg_type = libc::SCM_RIGHTS;
    message.cmsg_len = cmsg_len as _;
    // SAFETY: arithmetic only, within `control`.
    let mut data = unsafe { libc::CMSG_DATA(first) }.cast::<c_int>();
    for fd in fds {
        // SAFETY: `control_space` counted this descriptor, so there is room; it need not be aligned.
        unsafe { data.write_unaligned(fd.as_raw_fd()) };
        // SAFETY: the next place is within the room or just behind it.
        data = unsafe { data.add(1) };
    }
}

/// Takes the descriptors into ownership and copies everything else.
fn take_control(header: &libc::msghdr) -> (Vec<Fd>, Vec<ControlMessage>) {
    let (mut fds, mut others) = (Vec::new(), Vec::new());
    let end = header.msg_control as usize + header.msg_controllen as usize;
    // SAFETY: the kernel has filled the control data, as long as msg_controllen says.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: `next` is NULL or leads to a control message that the kernel wrote.
    while let Some(message) = unsafe { next.as_ref() } {
        let len = (message.cmsg_len as usize).saturating_sub(CONTROL_HEADER_LEN);
        // SAFETY: arithmetic only, within the control data.
        let data = unsafe { libc::CMSG_DATA(next) };
        // Of a message that was cut, the BSDs and macOS tell the length that it had.
        let len = len.min(end.saturating_sub(data as usize));
        // SAFETY: `len` bytes of data are within what the kernel wrote, and they stay as they are while this is borrowed.
        let data = unsafe { std::slice::from_raw_parts(data, len) };
        if (message.cmsg_level, message.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            let numbers = data
                .chunks_exact(size_of::<c_int>())
                .flat_map(<[u8; 4]>::try_from)
                .map(c_int::from_ne_bytes);
            // SAFETY: the kernel has just made these descriptors for us.
            fds.extend(numbers.map(|raw| unsafe { Fd::own(raw) }));
        } else {
            let level = Level::from_bits(message.cmsg_level);
            others.push(ControlMessage { level, kind: message.cmsg_type, data: data.to_vec() });
        }
        // SAFETY: `header` and `next` are the kernel's, as above.
        next = unsafe { libc::CMSG_NXTHDR(header, next) };
    }
    (fds, others)
}

/// All control messages for the trace: Linux writes the descriptors after what it tells of the sender.
fn all_control(received: &Received) -> Vec<ControlMessage> {
    let passed = (!received.fds.is_empty()).then(|| rights(received.fds.iter().map(FdNumber::of)));
    received.control.iter().cloned().chain(passed).collect()
}

/// Descriptors as a control message.
fn rights(numbers: impl Iterator<Item = FdNumber>) -> ControlMessage {
    let data = numbers.flat_map(|number| number.get().to_ne_bytes()).collect();
    ControlMessage { level: SOL_SOCKET, kind: libc::SCM_RIGHTS, data }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{AF_UNIX, MSG_CTRUNC, MSG_TRUNC, Protocol, SOCK_DGRAM, SOCK_STREAM};
    use crate::sys::{pipe, read, socketpair, write};

    #[test]
    fn a_descriptor_travels_with_the_bytes() {
        let [a, b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        let [out, into] = pipe().unwrap();
        let sent = sendmsg(&a, None, &[b"he", b"llo"], &[into.as_fd()], MsgFlags::NONE);
        assert_eq!(sent, Ok(5));
        let (mut first, mut second) = ([0; 3], [0; 10]);
        let received = recvmsg(&b, &mut [&mut first, &mut second], 4, MsgFlags::NONE).unwrap();
        assert_eq!((received.len, &first, &second[..2]), (5, b"hel", &b"lo"[..]));
        drop(into);
        let [passed] = &received.fds[..] else { panic!("{received:?}") };
        write(passed, b"through the passed one").unwrap();
        let mut buf = [0; 64];
        assert_eq!(read(&out, &mut buf).map(|n| &buf[..n]), Ok(&b"through the passed one"[..]));
    }

    #[test]
    fn what_does_not_fit_is_said_to_be_lost() {
        let [a, b] = socketpair(AF_UNIX, SOCK_DGRAM, Protocol::default()).unwrap();
        sendmsg(&a, None, &[b"hello"], &[a.as_fd()], MsgFlags::NONE).unwrap();
        let mut buf = [0; 2];
        let received = recvmsg(&b, &mut [&mut buf], 0, MsgFlags::NONE).unwrap();
        assert_eq!((received.len, received.fds.len()), (2, 0));
        assert!(received.flags.contains(MSG_TRUNC | MSG_CTRUNC), "{:?}", received.flags);
    }

    #[test]
    fn where_there_is_room_for_one_descriptor_a_second_fits() {
        let [a, b] = socketpair(AF_UNIX, SOCK_DGRAM, Protocol::default()).unwrap();
        sendmsg(&a, None, &[b"x"], &[a.as_fd(), b.as_fd()], MsgFlags::NONE).unwrap();
        let received = recvmsg(&b, &mut [&mut [0]], 1, MsgFlags::NONE).unwrap();
        let room = (control_space(1) - control_space(0)) / size_of::<RawFd>();
        assert_eq!(received.fds.len(), room.min(2));
    }

    #[test]
    fn a_control_message_that_was_cut_is_read_as_far_as_it_goes() {
        let [a, b] = pipe().unwrap();
        let (mut iov, mut control) = ([], Control::new());
        let mut header = header(None, &mut iov);
        put_fds(&mut header, &mut control, &[a.as_fd(), b.as_fd()]);
        // SAFETY: the header's control data has room for a message.
        let first = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
        // SAFETY: `put_fds` wrote it into `control`, which nobody else looks at.
        let first = unsafe { &mut *first };
        // Not SCM_RIGHTS: these two have their owners.
        (first.cmsg_type, first.cmsg_len) = (-1, 1_000_000);
        // SAFETY: arithmetic only.
        header.msg_controllen = unsafe { libc::CMSG_LEN(5) } as _;
        let (fds, others) = take_control(&header);
        assert_eq!((fds.len(), others.len(), others[0].data.len()), (0, 1, 5));
    }

    #[test]
    fn data_begins_where_c_has_it() {
        // SAFETY: arithmetic only.
        assert_eq!(CONTROL_HEADER_LEN, unsafe { libc::CMSG_LEN(0) } as usize);
    }

    #[test]
    fn there_is_room_for_one_more_than_the_system_passes() {
        assert!(control_space(MAX_PASSED + 1) <= CONTROL_ROOM);
    }
}
