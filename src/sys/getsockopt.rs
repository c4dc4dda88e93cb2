//! `getsockopt` reads an option of a socket.

use std::os::fd::{AsFd, AsRawFd};

use libc::socklen_t;

use super::{OptionValue, status};
use crate::names::{Errno, Level, OptionName, Result, SO_ERROR, SOL_SOCKET};
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page};

static GETSOCKOPT: Page = Page {
    name: "getsockopt",
    prototype: "int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen)",
    parameters: &["sockfd", "level", "optname", "optval", "optlen"],
    fills: &["optval", "optlen"],
    short: &["sockfd", "optname", "optval"],
    effect: Effect::TellsOption,
    gist: "reads an option of a socket",
    result: "0; the value and its length through the pointers.",
    trap: "Reading SO_ERROR clears it: a second read gives 0.",
    errnos: "ENOPROTOOPT EINVAL EOPNOTSUPP ENOTSOCK",
    systems: "A flag that is set reads as 1 on Linux, and as its bit on FreeBSD (ran 13.0), OpenBSD and macOS (read): \
        SO_REUSEADDR 4, SO_KEEPALIVE 8, TCP_NODELAY 4. NetBSD gives 1 for those of SOL_SOCKET (ran 10.99.12), and 4 for \
        TCP_NODELAY (read). Ask whether it is 0.",
    man: "getsockopt(2)",
    posix: "getsockopt",
    lab: "nb-connect-refused",
    lessons: &[
        &Lesson {
            when: |call| call.option_is("SO_ERROR") && call.value == Some(0),
            says: |_| {
                "no pending error: if connect has finished, it succeeded (unless the error was read before)".into()
            },
            see: See::Lab("nb-connect-ok"),
        },
        &Lesson {
            when: |call| call.option_is("SO_ERROR") && call.value.is_some_and(|errno| errno != 0),
            says: |call| {
                let errno = Errno::from_number(call.value.unwrap_or(0) as i32);
                format!(
                    "{} was pending; reading it has cleared it",
                    errno.name().unwrap_or("an error")
                )
            },
            see: See::Lab("nb-connect-refused"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen)`
    pub const GETSOCKOPT: Self = Self::on(&GETSOCKOPT);
}

/// `int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen);` reads an option. Reading
/// `SO_ERROR` clears it.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOPROTOOPT` | this level has no such option |
/// | `EINVAL` | the option cannot be read in this state |
/// | `EOPNOTSUPP` | this kind of socket does not have the option |
/// | `ENOTSOCK` | the descriptor is not a socket |
///
/// References: [`getsockopt(2)`](https://man7.org/linux/man-pages/man2/getsockopt.2.html);
/// POSIX [`getsockopt`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/getsockopt.html).
pub fn getsockopt<T: OptionValue>(
    sockfd: impl AsFd,
    level: Level,
    optname: OptionName<T>,
) -> Result<T> {
    let sockfd = sockfd.as_fd();
    let call = enter(Function::GETSOCKOPT, || {
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
            Ok(()) if is_error => Arg::Value(value.shown_as_errno()),
            Ok(()) => Arg::Value(value.shown()),
            Err(_) => Arg::Pointer(&raw const c as usize),
        };
        [shown, Arg::Length { given: size.into(), returned: len.into() }]
    });
    call.returns(result)?;
    Ok(value)
}
