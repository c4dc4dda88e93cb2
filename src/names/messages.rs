//! The constants of `send` and `recv`, and of `poll`.

use super::constants;

constants! {
    /// How one `send` or `recv` differs from the ordinary, and what `recvmsg` says of the message.
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
        // <sys/socket.h> of macOS has it since macOS 11 (xnu-7195); a kernel older than that ignores the bit, and
        // SO_NOSIGPIPE is the means there.
        MSG_NOSIGNAL, "EPIPE without SIGPIPE when the peer is gone";
        #[cfg(linux)] MSG_MORE, "more follows: keep a partial packet back";
        #[cfg(not(apple))] MSG_WAITFORONE, "of recvmmsg: wait for the first message alone";
        #[cfg(not(apple))] MSG_CMSG_CLOEXEC, "descriptors that arrive get FD_CLOEXEC";
    }
}

constants! {
    /// What `poll` is asked about and what it answers.
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
    /// What a control message of the level SOL_SOCKET carries.
    one ControlKind, "SCM_???" {
        SCM_RIGHTS, "descriptors";
        #[cfg(linux)] SCM_CREDENTIALS, "the sender's process, user and group";
        SCM_TIMESTAMP, "when it arrived";
    }
}

/// How much of a control message stands before its data: `CMSG_LEN(0)`, the header and what aligns the data.
pub(crate) const CONTROL_HEADER_LEN: usize =
    size_of::<libc::cmsghdr>().next_multiple_of(CONTROL_ALIGNMENT);
#[cfg(apple)]
const CONTROL_ALIGNMENT: usize = size_of::<u32>();
#[cfg(not(apple))]
const CONTROL_ALIGNMENT: usize = size_of::<libc::c_long>();
