//! Addresses as C has them: buffers whose size the caller states, and functions that accept more, or keep less, than
//! one expects.

use std::ffi::{CStr, CString, c_char};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;

use libc::{c_int, in_addr, socklen_t};

use super::Wild;
use crate::addr::Address;
use crate::names::Result;
use crate::sys::fd::Fd;
use crate::sys::sockaddr::RawAddress;
use crate::sys::{AsFd, number, status};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::page::Function;

/// `int accept(int sockfd, struct sockaddr *addr, socklen_t *addrlen);` with room for `room` bytes of the peer's address.
/// Returns the new socket, and the length that the system reports. The wrapper has room for every address.
///
/// # Errors
/// As [`accept`](crate::sys::accept()).
///
/// References: [`accept(2)`](https://man7.org/linux/man-pages/man2/accept.2.html);
/// POSIX [`accept`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/accept.html).
pub fn accept_with_room(_: Wild, sockfd: impl AsFd, room: u8) -> Result<(Fd, i32)> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::ACCEPT, || [sockfd.into()]);
    let mut peer = room_of(room);
    let given = peer.len();
    let result = call.make(|| {
        // SAFETY: the kernel writes at most as many bytes as the length says, and `peer` has room for no fewer.
        number(unsafe { libc::accept(sockfd.as_raw_fd(), peer.as_mut_ptr(), peer.len_mut()) })
    });
    let returned = peer.len();
    let shown = cut(&mut peer, given);
    // SAFETY: the kernel has just made this descriptor for us.
    let result = result.map(|raw| (unsafe { Fd::own(raw) }, returned as i32));
    call.rest(|| written(result.is_ok(), &peer, &shown, (given, returned))).returns(result)
}

/// `int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen);` and the length that the kernel reports,
/// which the safe wrapper does not return.
///
/// # Errors
/// As [`getsockname`](crate::sys::getsockname()).
///
/// References: [`getsockname(2)`](https://man7.org/linux/man-pages/man2/getsockname.2.html);
/// POSIX [`getsockname`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/getsockname.html).
pub fn length_of_sockname(_: Wild, sockfd: impl AsFd) -> Result<i32> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::GETSOCKNAME, || [sockfd.into()]);
    let mut name = RawAddress::room();
    let given = name.len();
    let result = call.make(|| {
        // SAFETY: `name` has as much room as its length says; the kernel changes both.
        status(unsafe { libc::getsockname(sockfd.as_raw_fd(), name.as_mut_ptr(), name.len_mut()) })
    });
    let returned = name.len();
    let shown = name.shown();
    call.rest(|| written(result.is_ok(), &name, &shown, (given, returned))).returns(result)?;
    Ok(returned as i32)
}

/// A buffer whose stated size is smaller than its real size.
fn room_of(bytes: u8) -> RawAddress {
    let mut raw = RawAddress::room();
    *raw.len_mut() = raw.len().min(bytes.into());
    raw
}

/// As much of an address as fitted.
fn cut(raw: &mut RawAddress, room: socklen_t) -> Address {
    *raw.len_mut() = raw.len().min(room);
    raw.shown()
}

fn written<'a>(
    is_written: bool,
    raw: &RawAddress,
    shown: &'a Address,
    (given, returned): (socklen_t, socklen_t),
) -> [Arg<'a>; 2] {
    let address =
        if is_written { Arg::address(shown) } else { Arg::Pointer(raw.as_ptr() as usize) };
    [address, Arg::Length { given: given.into(), returned: returned.into() }]
}

/// `int inet_aton(const char *cp, struct in_addr *inp);` an IPv4 address from any text that was ever accepted as one;
/// `None` where C returns 0. It makes no system call, so it is not in the trace.
///
/// # Errors
/// None; C has no errno for it.
///
/// References: [`inet_aton(3)`](https://man7.org/linux/man-pages/man3/inet_aton.3.html);
/// not in POSIX, which has `inet_addr` and its forms of numbers.
pub fn inet_aton(_: Wild, cp: &str) -> Option<Ipv4Addr> {
    let cp = CString::new(cp).ok()?;
    let mut inp = in_addr { s_addr: 0 };
    // SAFETY: `cp` ends with a zero byte, and `inp` is ours to be written.
    let taken = unsafe { inet_aton_in_libc(cp.as_ptr(), &raw mut inp) };
    (taken != 0).then(|| Ipv4Addr::from(inp.s_addr.to_ne_bytes()))
}

/// `char *inet_ntoa(struct in_addr in);` called for two addresses in turn: the text at the first pointer after the
/// second call. It makes no system call, so it is not in the trace.
///
/// # Errors
/// None.
///
/// References: [`inet_ntoa(3)`](https://man7.org/linux/man-pages/man3/inet_ntoa.3.html);
/// POSIX [`inet_ntoa`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/inet_ntoa.html).
pub fn inet_ntoa_of_first(_: Wild, first: Ipv4Addr, second: Ipv4Addr) -> String {
    let to_c = |ip: Ipv4Addr| in_addr { s_addr: u32::from_ne_bytes(ip.octets()) };
    // SAFETY: takes a value, and returns a pointer to a text in a buffer that lives as long as this thread.
    let kept = unsafe { inet_ntoa_in_libc(to_c(first)) };
    // SAFETY: as above; it writes over that buffer, which is not borrowed.
    unsafe { inet_ntoa_in_libc(to_c(second)) };
    // SAFETY: the buffer is still there and holds a text with a zero byte at its end.
    unsafe { CStr::from_ptr(kept) }.to_string_lossy().into_owned()
}

// The libc crate leaves these two out.
unsafe extern "C" {
    #[link_name = "inet_aton"]
    fn inet_aton_in_libc(cp: *const c_char, inp: *mut in_addr) -> c_int;
    #[link_name = "inet_ntoa"]
    fn inet_ntoa_in_libc(address: in_addr) -> *const c_char;
}
