//! `errno`: why a call failed, by name, by number and in words.

use std::fmt;
use std::io;

use super::Constant;

/// Why a call failed: C's `errno`, copied at once after the call, before anything else can change it.
///
/// Prints as strace does: `EAGAIN (Resource temporarily unavailable)`.
#[doc(alias = "errno")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(i32);

/// The result of a wrapper: C's return value on success, `errno` where C returns -1.
pub type Result<T> = std::result::Result<T, Errno>;

macro_rules! errnos {
    ($( $(#[$condition:meta])* $NAME:ident, $gist:literal; )*) => {
        impl Errno {
            $(
                $(#[$condition])*
                #[doc = concat!("`", stringify!($NAME), "`: ", $gist, ".")]
                pub const $NAME: Self = Self(libc::$NAME);
            )*

            /// Every errno that is in this list and on this system.
            pub const CONSTANTS: &'static [Constant] = &[$(
                $(#[$condition])*
                Constant { name: stringify!($NAME), value: libc::$NAME as i64, gist: $gist },
            )*];
        }
    };
}

errnos! {
    EPERM, "this is not allowed, to anyone but a privileged process";
    ENOENT, "there is no file of that name";
    ESRCH, "there is no such process";
    EINTR, "a signal came before anything was done";
    EIO, "the device failed";
    ENXIO, "there is no such device or address";
    EBADF, "this number is no open descriptor";
    ECHILD, "there is no such child";
    EAGAIN, "nothing can be done now without waiting";
    ENOMEM, "there is not enough memory";
    EACCES, "permission is denied";
    EFAULT, "a pointer leads outside this process's memory";
    EBUSY, "it is in use";
    EEXIST, "it exists already";
    ENODEV, "the device cannot do this";
    ENOTDIR, "a part of the path is no directory";
    EISDIR, "it is a directory";
    EINVAL, "an argument makes no sense here";
    ENFILE, "the whole system has no room for another open file";
    EMFILE, "this process has no descriptor left";
    ENOTTY, "this kind of descriptor does not understand the request";
    EFBIG, "the file would be too large";
    ENOSPC, "the disk is full";
    ESPIPE, "there is no position in a stream";
    EROFS, "the file system is read-only";
    EPIPE, "the reading end is gone";
    EDOM, "a number is out of its domain";
    ERANGE, "a number is out of range";
    EDEADLK, "this would wait forever";
    ENAMETOOLONG, "a name is too long";
    ENOSYS, "this system has no such call";
    ELOOP, "too many symbolic links";
    ENOTSOCK, "this descriptor is no socket";
    EDESTADDRREQ, "no address to send to was given";
    EMSGSIZE, "the message is too long to be sent as one";
    EPROTOTYPE, "the socket is of the wrong type";
    ENOPROTOOPT, "there is no such option, or it cannot be set";
    EPROTONOSUPPORT, "there is no such protocol here";
    ESOCKTNOSUPPORT, "there is no such socket type here";
    EOPNOTSUPP, "this socket cannot do that";
    // On Linux and FreeBSD the same number as EOPNOTSUPP; <sys/errno.h> of the others has two numbers.
    #[cfg(any(apple, netbsd, openbsd))] ENOTSUP, "this is not supported";
    EPFNOSUPPORT, "there is no such protocol family here";
    EAFNOSUPPORT, "there is no such address family here";
    EADDRINUSE, "the address is taken";
    EADDRNOTAVAIL, "the address is not one of this machine's";
    ENETDOWN, "the network is down";
    ENETUNREACH, "there is no way to that network";
    ENETRESET, "the network dropped the connection";
    ECONNABORTED, "the connection was ended before it was taken";
    ECONNRESET, "the peer reset the connection";
    ENOBUFS, "there is no buffer space";
    EISCONN, "the socket is connected already";
    ENOTCONN, "the socket is not connected";
    ESHUTDOWN, "this half is shut down";
    ETOOMANYREFS, "too many descriptors are on their way";
    ETIMEDOUT, "the peer did not answer in time";
    ECONNREFUSED, "no server listens there";
    EHOSTDOWN, "the host is down";
    EHOSTUNREACH, "there is no way to that host";
    EALREADY, "an earlier attempt is still under way";
    EINPROGRESS, "the attempt has begun and goes on";
    ESTALE, "the file is no longer there";
    EOVERFLOW, "a value does not fit";
    EPROTO, "the protocol was broken";
    ECANCELED, "it was cancelled";
}

/// The other errors of Linux. They are not a subject of this book, but occur in logs of programs, which may be read on
/// another system.
macro_rules! others {
    ([$( $NAME:ident )*] of Linux alone: [$( $LINUX:ident )*]) => {
        const OTHERS: &[(&str, i32)] = &[
            $( (stringify!($NAME), libc::$NAME), )*
            $(
                #[cfg(linux)]
                (stringify!($LINUX), libc::$LINUX),
                #[cfg(not(linux))]
                (stringify!($LINUX), ELSEWHERE + Foreign::$LINUX as i32),
            )*
            // Internal to the kernel, but programs get to see it nevertheless.
            ("ENOTSUPP", 524),
        ];

        /// On other systems, an error that only Linux has gets a number here that no error has.
        #[cfg(not(linux))]
        #[allow(clippy::upper_case_acronyms)]
        enum Foreign {
            $( $LINUX, )*
        }
    };
}

/// No system has an error with so high a number.
#[cfg(not(linux))]
const ELSEWHERE: i32 = 1 << 20;

others! {
    [E2BIG ENOEXEC EXDEV EMLINK ETXTBSY ENOTBLK ENOLCK ENOTEMPTY EIDRM ENOMSG EDQUOT EUSERS EREMOTE     EILSEQ
     EBADMSG EOWNERDEAD ENOTRECOVERABLE]
    of Linux alone:
    [ENODATA ENOSR ENOSTR ETIME EMULTIHOP ENOLINK ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT
     EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT EBFONT ENONET ENOPKG EADV ESRMNT ECOMM EDOTDOT ENOTUNIQ EBADFD
     EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC ERESTART ESTRPIPE EUCLEAN ENOTNAM ENAVAIL EISNAM     EREMOTEIO
     ENOMEDIUM EMEDIUMTYPE ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED ERFKILL EHWPOISON]
}

impl Errno {
    /// An error whose name in a log or trace is unknown to this system and this list.
    pub const UNLISTED: Self = Self(i32::MAX);

    /// The errno with this number.
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }

    /// The present value of `errno`. Read it directly after the call that failed.
    #[cold]
    pub(crate) fn last() -> Self {
        Self(io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }

    /// The number, which differs between systems.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Whether the system has a text for it. (Others get "Unknown error 4242".)
    pub fn is_known_here(&self) -> bool {
        let text = self.text();
        !text.ends_with(&self.0.to_string()) && !text.starts_with("No error information")
    }

    /// The name, which is the same on all systems: `EAGAIN`. `None`: only the number is known.
    pub fn name(self) -> Option<&'static str> {
        let own = Self::CONSTANTS.iter().find(|known| known.value == i64::from(self.0));
        let other = || OTHERS.iter().find(|(_, number)| *number == self.0).map(|(name, _)| *name);
        own.map(|known| known.name).or_else(other)
    }

    /// Whether it is one of [`CONSTANTS`](Self::CONSTANTS), and so a subject of this book.
    pub fn is_of_this_book(self) -> bool {
        Self::CONSTANTS.iter().any(|known| known.value == i64::from(self.0))
    }

    /// The errno with this name, if it is in this list.
    pub fn from_name(name: &str) -> Option<Self> {
        let own = Self::CONSTANTS.iter().find(|known| known.name == name);
        let other = || OTHERS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
        own.map(|known| known.value as i32).or_else(other).map(Self)
    }

    /// The text of the system's `strerror`.
    #[doc(alias = "strerror")]
    pub fn text(self) -> String {
        let whole = io::Error::from_raw_os_error(self.0).to_string();
        // std appends " (os error 11)" to the text of strerror.
        match whole.rfind(" (os error") {
            Some(end) => whole[..end].to_string(),
            None => whole,
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.text()),
            None if *self == Self::UNLISTED => f.write_str("an error without a name here"),
            None => write!(f, "errno {} ({})", self.0, self.text()),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Errno {}

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(errno.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errno_prints_as_strace_prints_it() {
        assert_eq!(Errno::EPIPE.to_string(), "EPIPE (Broken pipe)");
        assert_eq!(Errno::from_number(4242).name(), None);
        assert_eq!(Errno::UNLISTED.to_string(), "an error without a name here");
    }

    #[test]
    fn names_lead_to_numbers_and_back() {
        for known in Errno::CONSTANTS {
            let errno = Errno::from_name(known.name).unwrap();
            assert_eq!(errno.name().and_then(Errno::from_name), Some(errno));
        }
        for (name, _) in OTHERS {
            assert_eq!(Errno::from_name(name).and_then(Errno::name), Some(*name));
        }
    }
}
