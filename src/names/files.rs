//! The constants of `fcntl`, `ioctl`, `splice` and `close_range`: settings and queries of a descriptor, apart from its bytes.

use std::fmt;

use super::{Constant, constants};

constants! {
    /// A file's status flags (`F_GETFL`, `F_SETFL`), shared by all descriptors of one open file.
    flags OpenFlags, "O_???" {
        O_RDWR, "open for reading and writing";
        O_WRONLY, "open for writing only";
        O_APPEND, "every write goes to the end";
        O_NONBLOCK, "give EAGAIN instead of waiting";
        O_SYNC, "a write returns when the medium has it";
        O_ASYNC, "send SIGIO when something is ready";
        // libc has 0 where the kernel sets the bit by itself (64-bit Linux).
        #[cfg(linux)] O_LARGEFILE = LARGE_FILE, "offsets have 64 bits";
    }
}

/// The kernel's value, by processor architecture: arch/*/include/uapi/asm/fcntl.h, and include/uapi/asm-generic/fcntl.h
/// for the rest.
#[cfg(linux)]
const LARGE_FILE: libc::c_int =
    if cfg!(any(target_arch = "aarch64", target_arch = "arm", target_arch = "m68k")) {
        0o400_000
    } else if cfg!(any(target_arch = "powerpc", target_arch = "powerpc64")) {
        0o200_000
    } else if cfg!(any(target_arch = "mips", target_arch = "mips64")) {
        0o20_000
    } else if cfg!(any(target_arch = "sparc", target_arch = "sparc64")) {
        0o1_000_000
    } else {
        0o100_000
    };

/// `O_RDONLY`: open for reading only. Its value is 0, so it is not a flag.
pub const O_RDONLY: OpenFlags = OpenFlags::NONE;

impl OpenFlags {
    /// Whether the access mode is O_RDONLY, which is not a bit.
    pub(crate) fn is_read_only(self) -> bool {
        self.0 & libc::O_ACCMODE == libc::O_RDONLY
    }

    /// The flags with the access mode first, which strace always prints: `O_RDONLY|O_NONBLOCK`.
    pub(crate) fn with_access(self) -> impl fmt::Display {
        OpenFlagsInFull(self)
    }
}

struct OpenFlagsInFull(OpenFlags);

impl fmt::Display for OpenFlagsInFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.bits() & libc::O_ACCMODE == libc::O_RDONLY {
            f.write_str("O_RDONLY")?;
            if self.0 == OpenFlags::NONE {
                return Ok(());
            }
            f.write_str("|")?;
            if self.0.named().has_no_name() {
                return write!(f, "{:#x}", self.0.bits());
            }
        }
        self.0.named().fmt(f)
    }
}

constants! {
    /// A descriptor's own flags (`F_GETFD`, `F_SETFD`), not shared with its duplicates.
    flags FdFlags, "FD_???" {
        FD_CLOEXEC, "close it when this process becomes another program";
    }
}

constants! {
    /// The flags of `splice`. Systems without the call have none.
    flags SpliceFlags, "SPLICE_F_???" {
        #[cfg(linux)] SPLICE_F_MOVE, "move pages rather than copy them";
        #[cfg(linux)] SPLICE_F_NONBLOCK, "do not wait for the pipe";
        #[cfg(linux)] SPLICE_F_MORE, "more follows: keep a partial packet back";
        #[cfg(linux)] SPLICE_F_GIFT, "of vmsplice: give the pages away";
    }
}

constants! {
    /// The flags of `close_range`. Systems without the call have none.
    flags CloseRangeFlags, "CLOSE_RANGE_???" {
        #[cfg(linux)] CLOSE_RANGE_UNSHARE, "first give the calling thread descriptors of its own";
        #[cfg(has_close_range)] CLOSE_RANGE_CLOEXEC, "do not close: set FD_CLOEXEC";
    }
}

constants! {
    /// The command of an `fcntl`.
    one FcntlCommand, "F_???" {
        F_DUPFD, "a second number for the open file, not below a given one";
        F_DUPFD_CLOEXEC, "the same, closed when this process becomes another program";
        F_GETFD, "read the descriptor's own flags";
        F_SETFD, "set the descriptor's own flags";
        F_GETFL, "read the open file's status flags";
        F_SETFL, "set the open file's status flags, all of them";
        F_GETOWN, "the process that gets SIGIO and SIGURG";
        F_SETOWN, "set the process that gets SIGIO and SIGURG";
    }
}

/// The request of an `ioctl`; only requests whose argument is a pointer to an `int`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IoctlRequest(libc::c_ulong);

/// `FIONREAD`: how many bytes can be received at once.
pub const FIONREAD: IoctlRequest = IoctlRequest(libc::FIONREAD as libc::c_ulong);
/// `FIONBIO`: set (1) or clear (0) non-blocking, like `O_NONBLOCK` without reading the flags first.
pub const FIONBIO: IoctlRequest = IoctlRequest(libc::FIONBIO as libc::c_ulong);
/// `FIOASYNC`: set (1) or clear (0) SIGIO on readiness.
pub const FIOASYNC: IoctlRequest = IoctlRequest(libc::FIOASYNC as libc::c_ulong);
/// `TIOCOUTQ`: how many sent bytes the peer's kernel has not yet acknowledged. It was made for terminals, and only
/// Linux answers it for a socket; elsewhere a socket refuses it, on each system with another errno.
pub const TIOCOUTQ: IoctlRequest = IoctlRequest(TIOCOUTQ_VALUE);
/// `FIONWRITE`: what `TIOCOUTQ` returns on Linux (FreeBSD and NetBSD). macOS has `SO_NWRITE` instead, OpenBSD nothing.
#[cfg(any(freebsd, netbsd))]
pub const FIONWRITE: IoctlRequest = IoctlRequest(libc::FIONWRITE as libc::c_ulong);
/// `SIOCATMARK`: whether the next byte to be read is the one after the urgent mark.
pub const SIOCATMARK: IoctlRequest = IoctlRequest(SIOCATMARK_VALUE);

// libc leaves TIOCOUTQ out on NetBSD and OpenBSD: _IOR('t', 115, int) in <sys/ttycom.h> of both.
#[cfg(any(netbsd, openbsd))]
const TIOCOUTQ_VALUE: libc::c_ulong = 0x4004_7473;
#[cfg(not(any(netbsd, openbsd)))]
const TIOCOUTQ_VALUE: libc::c_ulong = libc::TIOCOUTQ as libc::c_ulong;

// libc leaves SIOCATMARK out on several systems. Linux: include/uapi/asm-generic/sockios.h; the BSDs and macOS, and Linux
// on mips: _IOR('s', 7, int) in <sys/sockio.h> and arch/mips/include/uapi/asm/sockios.h.
#[cfg(all(linux, not(any(target_arch = "mips", target_arch = "mips64"))))]
const SIOCATMARK_VALUE: libc::c_ulong = 0x8905;
#[cfg(any(not(linux), target_arch = "mips", target_arch = "mips64"))]
const SIOCATMARK_VALUE: libc::c_ulong = 0x4004_7307;

impl IoctlRequest {
    /// Every request on this system.
    pub const CONSTANTS: &'static [Constant] = &[
        Constant { name: "FIONREAD", value: FIONREAD.0 as i64, gist: "bytes that can be received" },
        Constant { name: "FIONBIO", value: FIONBIO.0 as i64, gist: "set or clear non-blocking" },
        Constant { name: "FIOASYNC", value: FIOASYNC.0 as i64, gist: "set or clear SIGIO" },
        Constant { name: "TIOCOUTQ", value: TIOCOUTQ.0 as i64, gist: "bytes sent, unacknowledged" },
        #[cfg(any(freebsd, netbsd))]
        Constant { name: "FIONWRITE", value: FIONWRITE.0 as i64, gist: "bytes not yet sent" },
        Constant { name: "SIOCATMARK", value: SIOCATMARK.0 as i64, gist: "at the urgent mark?" },
    ];

    /// The request with this value.
    pub(crate) const fn from_bits(bits: libc::c_ulong) -> Self {
        Self(bits)
    }

    /// The value in C. Some systems take an `int` here, so callers cast it with `as _`.
    pub const fn bits(self) -> libc::c_ulong {
        self.0
    }
}

impl fmt::Display for IoctlRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::CONSTANTS.iter().find(|known| known.value == self.0 as i64) {
            Some(known) => f.write_str(known.name),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

impl fmt::Debug for IoctlRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
