//! What a packet socket (`AF_PACKET`, Linux) needs besides the ordinary calls: a filter that runs in the kernel, the time
//! of each packet, and how many packets found no room. These options take structures of their own, or concern packets only.

use std::os::fd::AsRawFd;

use libc::{c_int, socklen_t};

use super::{AsFd, status};
use crate::names::{Errno, Result};

/// One instruction of a classic BPF program: `struct sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterStep {
    /// What it does: `BPF_LD | BPF_W | BPF_ABS`.
    pub code: u16,
    /// How many instructions it skips if its comparison holds.
    pub jump_if_true: u8,
    /// How many it skips otherwise.
    pub jump_if_false: u8,
    /// Its operand.
    pub operand: u32,
}

/// `int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen);` with `SO_ATTACH_FILTER`
/// gives a socket a program that decides, in the kernel, how many bytes of each packet the socket keeps: 0 drops the
/// packet. The kernel checks the program first: it has no loops, and ends.
///
/// # Errors
/// `EINVAL`: the kernel refuses the program. `ENOMEM`: no memory.
///
/// References: [`packet(7)`](https://man7.org/linux/man-pages/man7/packet.7.html),
/// [`socket(7)`](https://man7.org/linux/man-pages/man7/socket.7.html); not in POSIX.
pub fn attach_filter(sockfd: impl AsFd, program: &[FilterStep]) -> Result<()> {
    let step = |step: &FilterStep| libc::sock_filter {
        code: step.code,
        jt: step.jump_if_true,
        jf: step.jump_if_false,
        k: step.operand,
    };
    let mut steps: Vec<libc::sock_filter> = program.iter().map(step).collect();
    let len = u16::try_from(steps.len()).map_err(|_| Errno::EINVAL)?;
    let program = libc::sock_fprog { len, filter: steps.as_mut_ptr() };
    let value = std::ptr::from_ref(&program).cast();
    let size = size_of_val(&program) as socklen_t;
    // SAFETY: the kernel reads `size` bytes, which is the size of `program`, and the `len` instructions that it points to:
    // `steps` has as many, and both live through the call.
    status(unsafe {
        libc::setsockopt(
            sockfd.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            value,
            size,
        )
    })
}

/// `int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen);` with `SO_TIMESTAMPNS` lets
/// each packet come with a control message that has its time, in nanoseconds since 1970.
///
/// # Errors
/// As [`setsockopt`](super::setsockopt()).
///
/// References: [`socket(7)`](https://man7.org/linux/man-pages/man7/socket.7.html); not in POSIX.
pub fn stamp_packets(sockfd: impl AsFd) -> Result<()> {
    let on: c_int = 1;
    let value = std::ptr::from_ref(&on).cast();
    let size = size_of_val(&on) as socklen_t;
    // SAFETY: the kernel reads `size` bytes, which is the size of `on`.
    status(unsafe {
        libc::setsockopt(
            sockfd.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            value,
            size,
        )
    })
}

/// `int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen);` with `PACKET_STATISTICS` says how
/// many packets found no room in the socket's receive buffer since this was last asked.
///
/// # Errors
/// As [`getsockopt`](super::getsockopt()).
///
/// References: [`packet(7)`](https://man7.org/linux/man-pages/man7/packet.7.html); not in POSIX.
pub fn dropped_packets(sockfd: impl AsFd) -> Result<u32> {
    // How many arrived, and how many of these were dropped: `struct tpacket_stats`.
    let mut counts = [0u32; 2];
    let mut size = size_of_val(&counts) as socklen_t;
    let value = counts.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `size` bytes to `counts`, which has that many.
    status(unsafe {
        libc::getsockopt(
            sockfd.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            value,
            &raw mut size,
        )
    })?;
    Ok(counts[1])
}

/// `cmsg_type` of the control message that [`stamp_packets`] asks for.
pub const SCM_TIMESTAMPNS: c_int = libc::SCM_TIMESTAMPNS;
