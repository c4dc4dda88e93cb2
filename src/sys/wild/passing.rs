//! More descriptors in a message than it can carry.

use super::Wild;
use crate::names::{MsgFlags, Result};
use crate::sys::sendmsg::send_message;
use crate::sys::{AsFd, BorrowedFd};

/// One more than Linux takes (`SCM_MAX_FD`).
const TOO_MANY: usize = 254;

/// `ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags);` with a descriptor 254 times, one more than Linux
/// takes. The safe wrapper refuses this on Linux.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINVAL` | more descriptors than the system takes (Linux) |
///
/// References: [`sendmsg(2)`](https://man7.org/linux/man-pages/man2/sendmsg.2.html),
/// [`unix(7)`](https://man7.org/linux/man-pages/man7/unix.7.html);
/// POSIX [`sendmsg`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/sendmsg.html).
pub fn sendmsg_with_one_too_many(
    _: Wild,
    sockfd: impl AsFd,
    buf: &[u8],
    fd: BorrowedFd<'_>,
) -> Result<usize> {
    send_message(sockfd.as_fd(), None, &[buf], &[fd; TOO_MANY], MsgFlags::NONE)
}
