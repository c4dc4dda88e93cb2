//! `inet_pton` and `inet_ntop` convert between an address and its text, without a system call.

use std::ffi::{CString, c_char};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libc::socklen_t;

use super::c_string::text_of;
use crate::names::{AF_INET, AF_INET6, Domain, Errno, Result};

/// `int inet_pton(int af, const char *src, void *dst);` an address from its text; `None` where C returns 0.
///
/// It takes only complete, ordinary forms: not `127.1` and not `0x7f000001`, which `inet_aton` takes. (NetBSD's also
/// takes anything after white space, `127.0.0.1 junk`: ran with the library of 7.99.34.) It makes no system call, so it
/// is not in the trace.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAFNOSUPPORT` | `af` is neither `AF_INET` nor `AF_INET6` |
///
/// References: [`inet_pton(3)`](https://man7.org/linux/man-pages/man3/inet_pton.3.html);
/// POSIX [`inet_pton`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/inet_pton.html).
pub fn inet_pton(af: Domain, src: &str) -> Result<Option<IpAddr>> {
    if !matches!(af, AF_INET | AF_INET6) {
        return Err(Errno::EAFNOSUPPORT);
    }
    let Ok(src) = CString::new(src) else { return Ok(None) };
    let mut dst = [0u8; 16];
    // SAFETY: `src` ends with a zero byte, and `dst` has the 4 or 16 bytes that the family needs.
    let found = unsafe { inet_pton_in_libc(af.bits(), src.as_ptr(), dst.as_mut_ptr().cast()) } == 1;
    let [a, b, c, d, ..] = dst;
    Ok(found.then(|| match af {
        AF_INET => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        _ => IpAddr::V6(Ipv6Addr::from(dst)),
    }))
}

/// `const char *inet_ntop(int af, const void *src, char *dst, socklen_t size);` the text of an address, as the C
/// library writes it. It makes no system call, so it is not in the trace.
///
/// # Errors
/// None that can happen: the family is one of the two, and the buffer is large enough.
///
/// References: [`inet_ntop(3)`](https://man7.org/linux/man-pages/man3/inet_ntop.3.html);
/// POSIX [`inet_ntop`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/inet_ntop.html).
pub fn inet_ntop(src: IpAddr) -> String {
    let (af, bytes) = match src {
        IpAddr::V4(ip) => (AF_INET, ip.octets().to_vec()),
        IpAddr::V6(ip) => (AF_INET6, ip.octets().to_vec()),
    };
    let mut dst = [0u8; 46]; // INET6_ADDRSTRLEN
    let (from, to) = (bytes.as_ptr().cast(), dst.as_mut_ptr().cast());
    // SAFETY: `bytes` has the length that the family needs, and `dst` is as long as its length says.
    unsafe { inet_ntop_in_libc(af.bits(), from, to, dst.len() as socklen_t) };
    text_of(&dst)
}

// The libc crate leaves these two out. POSIX gives their prototypes.
unsafe extern "C" {
    #[link_name = "inet_pton"]
    fn inet_pton_in_libc(
        af: libc::c_int,
        src: *const c_char,
        dst: *mut libc::c_void,
    ) -> libc::c_int;
    #[link_name = "inet_ntop"]
    fn inet_ntop_in_libc(
        af: libc::c_int,
        src: *const libc::c_void,
        dst: *mut c_char,
        size: socklen_t,
    ) -> *const c_char;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inet_pton_takes_ordinary_forms_only() {
        assert_eq!(inet_pton(AF_INET, "127.0.0.1"), Ok(Some(Ipv4Addr::LOCALHOST.into())));
        assert_eq!(inet_pton(AF_INET6, "::1"), Ok(Some(Ipv6Addr::LOCALHOST.into())));
        for text in ["127.1", "2130706433", "010.0.0.1", "127.0.0.1 junk", "a\0b"] {
            assert_eq!(inet_pton(AF_INET, text), Ok(None), "{text:?}");
        }
        assert_eq!(inet_pton(crate::names::AF_UNIX, "x"), Err(Errno::EAFNOSUPPORT));
        assert_eq!(inet_ntop(Ipv6Addr::LOCALHOST.into()), "::1");
    }
}
