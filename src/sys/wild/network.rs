//! A network that can be cut: a network namespace of this process, without effect on other processes.

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use super::{OWN_NETWORK, Wild};
use crate::names::{Errno, Result};

/// `int unshare(int flags);` with `CLONE_NEWUSER|CLONE_NEWNET` moves this process into a network of its own, which has
/// a loopback interface and nothing else. An ordinary user may do so too, in a user namespace, where the administrator
/// allows it; the process must have one thread.
///
/// # Errors
/// `EPERM` and `ENOSPC`: not allowed here. `ENOSYS`: this system has no namespaces (all but Linux).
///
/// References: [`unshare(2)`](https://man7.org/linux/man-pages/man2/unshare.2.html),
/// [`network_namespaces(7)`](https://man7.org/linux/man-pages/man7/network_namespaces.7.html);
/// not in POSIX.
pub fn own_network(_: Wild) -> Result<()> {
    if take_given_network() {
        return Ok(());
    }
    unshare()?;
    raise_loopback()
}

/// Whether this process was started in a network of its own, by a program that captures packets there (`--packets`). Its
/// loopback interface is then up.
///
/// The variable alone is not believed. In the network of the machine, root would capture the packets of all programs, and a
/// lab could cut them off from each other; so this network must have no interface that is up but loopback.
pub(crate) fn take_given_network() -> bool {
    std::env::var_os(OWN_NETWORK).is_some() && has_only_loopback() && raise_loopback().is_ok()
}

fn has_only_loopback() -> bool {
    // A new network may have interfaces of tunnels, which are down.
    let is_harmless = |flags: InterfaceFlags| {
        flags.contains(InterfaceFlags::IFF_LOOPBACK) || !flags.contains(InterfaceFlags::IFF_UP)
    };
    getifaddrs().is_ok_and(|mut all| all.all(|one| is_harmless(one.flags)))
}

/// `int ioctl(int fd, SIOCSIFFLAGS, struct ifreq *argp);` cuts the network of this process: its loopback interface goes
/// down, and every packet sent is lost silently.
///
/// # Errors
/// As [`own_network`].
///
/// References: [`netdevice(7)`](https://man7.org/linux/man-pages/man7/netdevice.7.html);
/// not in POSIX.
pub fn cut_network(_: Wild) -> Result<()> {
    lower_loopback()
}

#[cfg(linux)]
fn unshare() -> Result<()> {
    // SAFETY: takes no pointers. The process has one thread, so the new namespaces apply to all of it.
    super::super::status(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) })
}

/// Brings the loopback interface of this process's network up.
#[cfg(linux)]
pub(crate) fn raise_loopback() -> Result<()> {
    in_a_thread(|| set_flags_of_loopback((libc::IFF_UP | libc::IFF_RUNNING) as i16))
}

#[cfg(linux)]
fn lower_loopback() -> Result<()> {
    in_a_thread(|| set_flags_of_loopback(0))
}

/// On a thread of its own, so that the calls of this setup do not appear between those of the lab.
#[cfg(linux)]
fn in_a_thread(work: fn() -> Result<()>) -> Result<()> {
    std::thread::spawn(work).join().unwrap_or(Err(Errno::EINVAL))
}

#[cfg(linux)]
fn set_flags_of_loopback(flags: i16) -> Result<()> {
    use std::os::fd::{AsFd, AsRawFd};

    use crate::names::{AF_INET, Protocol, SOCK_DGRAM};

    let any = super::super::socket(AF_INET, SOCK_DGRAM, Protocol::default())?;
    // SAFETY: `ifreq` is made of numbers and bytes; zeros are one.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = flags;
    // SAFETY: the kernel reads `request`, which lives through the call and has the type of this request.
    super::super::status(unsafe {
        libc::ioctl(any.as_fd().as_raw_fd(), libc::SIOCSIFFLAGS as _, &request)
    })
}

#[cfg(not(linux))]
fn unshare() -> Result<()> {
    Err(Errno::ENOSYS)
}

/// Only Linux needs it: there a new network has an interface that is down.
#[cfg(not(linux))]
pub(crate) fn raise_loopback() -> Result<()> {
    Err(Errno::ENOSYS)
}

#[cfg(not(linux))]
fn lower_loopback() -> Result<()> {
    Err(Errno::ENOSYS)
}
