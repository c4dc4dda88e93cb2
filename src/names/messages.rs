//! The constants of `send` and `recv`, and of `poll`.

use super::constants;

constants! {
    /// The flags of one `send` or `recv`, and those that `recvmsg` returns about a message.
    flags MsgFlags, "MSG_???" {
        MSG_OOB, "the urgent byte, outside the stream";
        MSG_PEEK, "look at the bytes and leave them there";
        MSG_DONTROUTE, "only to hosts on the same network";
        MSG_CTRUNC, "control data did not fit and was cut";
        MSG_TRUNC, "the datagram did not fit and was cut";
        MSG_DONTWAIT, "give EAGAIN instead of waiting, this once";
        MSG_EOR, "a record ends here";
        MSG_WAITALL, "wait for the whole length, not for any bytes";
        #[cfg(linux)] MSG_ERRQUEUE, "receive from the queue of errors";
        // In <sys/socket.h> of macOS since version 11 (xnu-7195); an older kernel ignores the bit, and SO_NOSIGPIPE is
        // used instead.
        MSG_NOSIGNAL, "EPIPE without SIGPIPE when the peer is gone";
        #[cfg(linux)] MSG_MORE, "more follows: keep a partial packet back";
        #[cfg(not(apple))] MSG_WAITFORONE, "of recvmmsg: wait for the first message alone";
        #[cfg(not(apple))] MSG_CMSG_CLOEXEC, "descriptors that arrive get FD_CLOEXEC";
    }
}

/// Whether `send` heeds `MSG_DONTWAIT` on a blocking socket. On macOS (read in xnu 15.4, uipc_socket.c: sosendcheck) and
/// NetBSD (ran 10.99.12) it does not, and waits for room; `recv` heeds the flag everywhere.
pub const SEND_HEEDS_MSG_DONTWAIT: bool = cfg!(not(any(apple, netbsd)));

constants! {
    /// The events that `poll` is asked about and returns.
    flags PollEvents, "POLL???" {
        POLLIN, "there is something to read, or the end of it";
        POLLPRI, "something urgent is there";
        POLLOUT, "there is room to send";
        POLLERR, "an error waits to be read with SO_ERROR (answer only)";
        POLLHUP, "both halves are closed (answer only)";
        POLLNVAL, "no such descriptor is open (answer only)";
        POLLRDNORM, "POLLIN under another name";
        POLLRDBAND, "data of a priority band can be read";
        POLLWRNORM, "POLLOUT under another name";
        POLLWRBAND, "data of a priority band can be sent";
        // In FreeBSD's <sys/poll.h> since 2021.
        #[cfg(any(linux, freebsd))] POLLRDHUP, "the peer has finished sending";
    }
}

constants! {
    /// The content of a control message at the level SOL_SOCKET.
    one ControlKind, "SCM_???" {
        SCM_RIGHTS, "descriptors";
        #[cfg(linux)] SCM_CREDENTIALS, "the sender's process, user and group";
        SCM_TIMESTAMP, "when it arrived";
    }
}

/// How many bytes of a control message stand before its data: `CMSG_LEN(0)`, the header and its padding.
pub(crate) const CONTROL_HEADER_LEN: usize =
    size_of::<libc::cmsghdr>().next_multiple_of(CONTROL_ALIGNMENT);
#[cfg(apple)]
const CONTROL_ALIGNMENT: usize = size_of::<u32>();
#[cfg(not(apple))]
const CONTROL_ALIGNMENT: usize = size_of::<libc::c_long>();
