//! The values of socket options.
//!
//! In C an option's value is a `void *` and a length, so a `char` in place of an `int`, or a struct of the wrong size,
//! compiles. Here the option's name determines the type of its value ([`OptionName`](crate::names::OptionName)), and
//! only types that implement [`OptionValue`] are possible. The level stays a separate argument as in C: with the wrong
//! level the call is safe, but means another option (1 is `SO_DEBUG` for the socket and `TCP_NODELAY` for TCP), and the
//! trace shows which.

use libc::c_int;

use crate::trace::arg::Value;
use crate::values::{Linger, PeerCredentials, TimeVal};

/// A type for the value of an option. The kernel copies its bytes, so its C form must be a plain structure.
///
/// The trait is sealed: no other crate can implement it.
pub trait OptionValue: sealed::Convert {}

impl OptionValue for c_int {}

impl OptionValue for u8 {}

impl OptionValue for Linger {}

impl OptionValue for TimeVal {}

impl OptionValue for PeerCredentials {}

mod sealed {
    use super::{Linger, PeerCredentials, TimeVal, Value, c_int};
    use crate::names::Result;
    use crate::sys::select::c_timeval;

    /// The form of a value in C.
    pub trait Convert: Copy {
        /// The C structure: plain data, for which any bytes are a value.
        type C: Copy;
        /// An error if the value does not fit there.
        fn to_c(self) -> Result<Self::C>;
        fn from_c(c: Self::C) -> Self;
        /// The value for the trace.
        fn shown(self) -> Value<'static>;
        /// The value for the trace, if it is an errno.
        fn shown_as_errno(self) -> Value<'static> {
            self.shown()
        }
    }

    impl Convert for c_int {
        type C = c_int;
        fn to_c(self) -> Result<c_int> {
            Ok(self)
        }
        fn from_c(c: c_int) -> Self {
            c
        }
        fn shown(self) -> Value<'static> {
            Value::Int(self)
        }
        fn shown_as_errno(self) -> Value<'static> {
            Value::Error(self)
        }
    }

    impl Convert for u8 {
        type C = u8;
        fn to_c(self) -> Result<u8> {
            Ok(self)
        }
        fn from_c(c: u8) -> Self {
            c
        }
        fn shown(self) -> Value<'static> {
            Value::Byte(self)
        }
    }

    impl Convert for Linger {
        type C = libc::linger;
        fn to_c(self) -> Result<libc::linger> {
            Ok(libc::linger { l_onoff: self.l_onoff, l_linger: self.l_linger })
        }
        fn from_c(c: libc::linger) -> Self {
            Self { l_onoff: c.l_onoff, l_linger: c.l_linger }
        }
        fn shown(self) -> Value<'static> {
            Value::Linger(self)
        }
    }

    impl Convert for TimeVal {
        type C = libc::timeval;
        fn to_c(self) -> Result<libc::timeval> {
            c_timeval(self)
        }
        fn from_c(c: libc::timeval) -> Self {
            Self { tv_sec: c.tv_sec as _, tv_usec: c.tv_usec as _ }
        }
        fn shown(self) -> Value<'static> {
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
        fn to_c(self) -> Result<Credentials> {
            Ok(Credentials { pid: self.pid, uid: self.uid, gid: self.gid })
        }
        fn from_c(c: Credentials) -> Self {
            Self { pid: c.pid, uid: c.uid, gid: c.gid }
        }
        fn shown(self) -> Value<'static> {
            Value::Credentials(self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{AF_INET, Protocol, SO_LINGER, SO_RCVTIMEO, SO_REUSEADDR, SOCK_STREAM};
    use crate::names::{SO_TYPE, SOL_SOCKET, SOL_TCP, TCP_NODELAY};
    use crate::sys::{getsockopt, setsockopt, socket};

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
