//! `setsockopt` and `getsockopt`.
//!
//! In C an option's value is a `void *` and a length, so a `char` for an `int`, or a struct of the wrong size,
//! compiles. Here the option's name carries the type of its value ([`OptionName`]), and only the types that
//! implement [`OptionValue`] exist. The level stays a separate argument as in C: with the wrong one the call
//! is safe, but speaks of another option (1 is `SO_DEBUG` for the socket and `TCP_NODELAY` for TCP), and the
//! trace shows which.

use std::os::fd::{AsFd, AsRawFd};

use libc::{c_int, socklen_t};

use super::status;
use crate::names::{Level, OptionName, Result, SO_ERROR, SOL_SOCKET};
use crate::trace::arg::{Arg, Value};
use crate::trace::call::enter;
use crate::trace::function::Function;
use crate::values::{Linger, PeerCredentials, TimeVal};

/// A value that an option can have. The kernel copies its bytes, so it must be a plain structure of C.
///
/// The list is closed: nobody else can implement it.
pub trait OptionValue: sealed::Convert {}

impl OptionValue for c_int {}
impl OptionValue for u8 {}
impl OptionValue for Linger {}
impl OptionValue for TimeVal {}
impl OptionValue for PeerCredentials {}

mod sealed {
    use super::{Linger, PeerCredentials, TimeVal, Value, c_int};

    /// How a value looks in C.
    pub trait Convert: Copy {
        /// The C structure: plain data, for which any bytes are a value.
        type C: Copy;
        /// To C.
        fn to_c(self) -> Self::C;
        /// From C.
        fn from_c(c: Self::C) -> Self;
        /// For the trace.
        fn shown(self, is_error: bool) -> Value<'static>;
    }

    impl Convert for c_int {
        type C = c_int;
        fn to_c(self) -> c_int {
            self
        }
        fn from_c(c: c_int) -> Self {
            c
        }
        fn shown(self, is_error: bool) -> Value<'static> {
            if is_error { Value::Error(self) } else { Value::Int(self) }
        }
    }

    impl Convert for u8 {
        type C = u8;
        fn to_c(self) -> u8 {
            self
        }
        fn from_c(c: u8) -> Self {
            c
        }
        fn shown(self, _: bool) -> Value<'static> {
            Value::Byte(self)
        }
    }

    impl Convert for Linger {
        type C = libc::linger;
        fn to_c(self) -> libc::linger {
            libc::linger { l_onoff: self.l_onoff, l_linger: self.l_linger }
        }
        fn from_c(c: libc::linger) -> Self {
            Self { l_onoff: c.l_onoff, l_linger: c.l_linger }
        }
        fn shown(self, _: bool) -> Value<'static> {
            Value::Linger(self)
        }
    }

    impl Convert for TimeVal {
        type C = libc::timeval;
        fn to_c(self) -> libc::timeval {
            libc::timeval { tv_sec: self.tv_sec as _, tv_usec: self.tv_usec as _ }
        }
        fn from_c(c: libc::timeval) -> Self {
            Self { tv_sec: c.tv_sec as _, tv_usec: c.tv_usec as _ }
        }
        fn shown(self, _: bool) -> Value<'static> {
            Value::TimeVal(self)
        }
    }

    /// `struct ucred` (Linux), written out because other systems do not have it.
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Credentials {
        pid: c_int,
        uid: u32,
        gid: u32,
    }

    impl Convert for PeerCredentials {
        type C = Credentials;
        fn to_c(self) -> Credentials {
            Credentials { pid: self.pid, uid: self.uid, gid: self.gid }
        }
        fn from_c(c: Credentials) -> Self {
            Self { pid: c.pid, uid: c.uid, gid: c.gid }
        }
        fn shown(self, _: bool) -> Value<'static> {
            Value::Credentials(self)
        }
    }
}

/// `int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen);` sets an option.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOPROTOOPT` | this level has no such option, or it can only be read |
/// | `EINVAL` | the value makes no sense, or comes too late (`IPV6_V6ONLY` after `bind`) |
/// | `EDOM` | a timeout's microseconds are out of range |
/// | `EPERM` | the option is for the privileged (`EACCES` on some systems) |
/// | `EOPNOTSUPP` | this kind of socket does not have it (Unix-domain sockets at the TCP level) |
/// | `EISCONN` | too late: the socket is connected |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// References: `setsockopt(2)`, `socket(7)`, `tcp(7)`, `ip(7)`; POSIX `setsockopt`.
pub fn setsockopt<T: OptionValue>(
    sockfd: impl AsFd,
    level: Level,
    optname: OptionName<T>,
    optval: &T,
) -> Result<()> {
    let sockfd = sockfd.as_fd();
    let c = optval.to_c();
    let len = size_of::<T::C>() as socklen_t;
    let call = enter(Function::Setsockopt, || {
        let name = Arg::OptionName(level, optname.number());
        let value = Arg::Value(optval.shown(false));
        [sockfd.into(), level.named().into(), name, value, Arg::Int(len.into())]
    });
    let result = call.make(|| {
        let value = std::ptr::from_ref(&c).cast();
        // SAFETY: the kernel reads `len` bytes, which is the size of `c`.
        status(unsafe {
            libc::setsockopt(sockfd.as_raw_fd(), level.bits(), optname.number(), value, len)
        })
    });
    call.returns(result)
}

/// `int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen);` reads an option. Reading
/// `SO_ERROR` clears it.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOPROTOOPT` | this level has no such option |
/// | `EINVAL` | it cannot be read in this state |
/// | `EOPNOTSUPP` | this kind of socket does not have it |
/// | `ENOTSOCK` | the descriptor is no socket |
///
/// References: `getsockopt(2)`; POSIX `getsockopt`.
pub fn getsockopt<T: OptionValue>(
    sockfd: impl AsFd,
    level: Level,
    optname: OptionName<T>,
) -> Result<T> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::Getsockopt, || {
        [sockfd.into(), level.named().into(), Arg::OptionName(level, optname.number())]
    });
    let size = size_of::<T::C>() as socklen_t;
    let mut len = size;
    // SAFETY: `C` is plain data (a closed list), so all zeros are a value of it; the kernel may write less.
    let mut c: T::C = unsafe { std::mem::zeroed() };
    let result = call.make(|| {
        let value = std::ptr::from_mut(&mut c).cast();
        // SAFETY: the kernel writes at most `len` bytes, which is the size of `c`.
        status(unsafe {
            libc::getsockopt(
                sockfd.as_raw_fd(),
                level.bits(),
                optname.number(),
                value,
                &raw mut len,
            )
        })
    });
    let value = T::from_c(c);
    let is_error = (level, optname.number()) == (SOL_SOCKET, SO_ERROR.number());
    let call = call.rest(|| {
        let shown = match result {
            Ok(()) => Arg::Value(value.shown(is_error)),
            Err(_) => Arg::Pointer(&raw const c as usize),
        };
        [shown, Arg::Length { given: size.into(), returned: len.into() }]
    });
    call.returns(result)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{AF_INET, Protocol, SO_LINGER, SO_RCVTIMEO, SO_REUSEADDR, SOCK_STREAM};
    use crate::names::{SO_TYPE, SOL_TCP, TCP_NODELAY};
    use crate::sys::socket;

    #[test]
    fn what_was_set_is_read_back() {
        let fd = socket(AF_INET, SOCK_STREAM, Protocol::default()).unwrap();
        setsockopt(&fd, SOL_SOCKET, SO_REUSEADDR, &1).unwrap();
        assert_ne!(getsockopt(&fd, SOL_SOCKET, SO_REUSEADDR), Ok(0));
        let linger = Linger { l_onoff: 1, l_linger: 3 };
        setsockopt(&fd, SOL_SOCKET, SO_LINGER, &linger).unwrap();
        assert_eq!(getsockopt(&fd, SOL_SOCKET, SO_LINGER).map(|value| value.l_linger), Ok(3));
        let time = TimeVal { tv_sec: 2, tv_usec: 0 };
        setsockopt(&fd, SOL_SOCKET, SO_RCVTIMEO, &time).unwrap();
        assert_eq!(getsockopt(&fd, SOL_SOCKET, SO_RCVTIMEO), Ok(time));
        assert_eq!(getsockopt(&fd, SOL_SOCKET, SO_TYPE), Ok(SOCK_STREAM.bits()));
    }

    #[test]
    fn the_level_decides_which_option_is_meant() {
        let fd = socket(AF_INET, SOCK_STREAM, Protocol::default()).unwrap();
        setsockopt(&fd, SOL_TCP, TCP_NODELAY, &1).unwrap();
        assert_ne!(getsockopt(&fd, SOL_TCP, TCP_NODELAY), Ok(0));
    }
}
