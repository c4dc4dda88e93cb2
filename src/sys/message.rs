//! `sendmsg` and `recvmsg`: several buffers in one call, and descriptors that travel with the bytes.
//!
//! A descriptor is passed as a *control message* beside the bytes (`SCM_RIGHTS`, Unix-domain sockets only): the
//! receiver gets a number of its own for the same open file. In C the control data is built with macros in a buffer
//! whose alignment and length are easily wrong; here a message has a list of descriptors.

use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use libc::c_int;

use super::Fd;
use super::sockaddr::RawAddress;
use crate::names::{CONTROL_HEADER_LEN, Level, SOL_SOCKET};
use crate::trace::arg::Bytes;
use crate::values::{ControlMessage, FdNumber};

/// How many descriptors a message can carry here: Linux's `SCM_MAX_FD`, and one more on macOS (read in xnu 15.4,
/// uipc_syscalls.c: sockargs). FreeBSD and NetBSD would also take 254.
pub const MAX_PASSED: usize = if cfg!(apple) { 254 } else { 253 };

/// Room for one control message: its header and [`MAX_PASSED`] descriptors.
pub(super) const CONTROL_ROOM: usize = 1152;

/// Control data must be aligned like its header.
#[repr(C, align(8))]
pub(super) struct Control {
    pub(super) bytes: [u8; CONTROL_ROOM],
}

impl Control {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; CONTROL_ROOM] }
    }
}

pub(super) fn header(name: Option<&mut RawAddress>, iov: &mut [libc::iovec]) -> libc::msghdr {
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

/// Buffers to read from, as C expects them.
pub(super) fn lent(buffers: &[&[u8]]) -> Vec<libc::iovec> {
    let lent =
        |buf: &&[u8]| libc::iovec { iov_base: buf.as_ptr().cast_mut().cast(), iov_len: buf.len() };
    buffers.iter().map(lent).collect()
}

/// Buffers to write to, as C expects them.
pub(super) fn room(buffers: &mut [&mut [u8]]) -> Vec<libc::iovec> {
    let room =
        |buf: &mut &mut [u8]| libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() };
    buffers.iter_mut().map(room).collect()
}

/// A number of buffers as C takes it: a number too large for an `int` is more than any system takes.
pub(super) fn most(buffers: usize) -> c_int {
    c_int::try_from(buffers).unwrap_or(c_int::MAX)
}

/// The bytes that each buffer received, `len` bytes in all.
pub(super) fn spread<'a>(buffers: &'a [&mut [u8]], len: usize) -> Vec<(Bytes<'a>, usize)> {
    let mut rest = len;
    let filled = buffers.iter().map(|buf| {
        let part = rest.min(buf.len());
        rest -= part;
        (buf[..part].into(), buf.len())
    });
    filled.collect()
}

/// `CMSG_SPACE`: the length of control data with this many descriptors.
pub(super) fn control_space(fds: usize) -> usize {
    // SAFETY: arithmetic only.
    unsafe { libc::CMSG_SPACE((fds * size_of::<RawFd>()) as u32) as usize }
}

pub(super) fn put_fds(header: &mut libc::msghdr, control: &mut Control, fds: &[BorrowedFd<'_>]) {
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

/// Takes ownership of the descriptors, and copies everything else.
pub(super) fn take_control(header: &libc::msghdr) -> (Vec<Fd>, Vec<ControlMessage>) {
    let mut fds = Vec::new();
    let mut others = Vec::new();
    let end = header.msg_control as usize + header.msg_controllen as usize;
    // SAFETY: the kernel has filled the control data, as long as msg_controllen says.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: `next` is NULL or leads to a control message that the kernel wrote.
    while let Some(message) = unsafe { next.as_ref() } {
        let len = (message.cmsg_len as usize).saturating_sub(CONTROL_HEADER_LEN);
        // SAFETY: arithmetic only, within the control data.
        let data = unsafe { libc::CMSG_DATA(next) };
        // For a truncated message, the BSDs and macOS report the original length.
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

/// Descriptors as a control message.
pub(super) fn rights(numbers: impl Iterator<Item = FdNumber>) -> ControlMessage {
    let data = numbers.flat_map(|number| number.get().to_ne_bytes()).collect();
    ControlMessage { level: SOL_SOCKET, kind: libc::SCM_RIGHTS, data }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    use crate::names::{
        AF_UNIX, MSG_CTRUNC, MSG_TRUNC, MsgFlags, Protocol, SOCK_DGRAM, SOCK_STREAM,
    };
    use crate::sys::{pipe, read, recvmsg, sendmsg, socketpair, write};

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
        let mut iov = [];
        let mut control = Control::new();
        let mut header = header(None, &mut iov);
        put_fds(&mut header, &mut control, &[a.as_fd(), b.as_fd()]);
        // SAFETY: the header's control data has room for a message.
        let first = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
        // SAFETY: `put_fds` wrote it into `control`, which no other code reads.
        let first = unsafe { &mut *first };
        // Not SCM_RIGHTS: these two descriptors have owners already.
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

    /// A datagram's time of arrival is such data.
    #[test]
    fn a_time_is_as_long_as_in_c() {
        assert_eq!(crate::values::TimeVal::C_LEN, size_of::<libc::timeval>());
    }

    #[test]
    fn there_is_room_for_one_more_than_the_system_passes() {
        assert!(control_space(MAX_PASSED + 1) <= CONTROL_ROOM);
    }
}
