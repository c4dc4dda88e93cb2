//! The wrappers: one safe function for each function of C, with its name, the order of its arguments and
//! the meaning of its result. This is the only place with `unsafe`.
//!
//! A wrapper does what the C function does and nothing else: it does not retry after `EINTR`, adds no flag, and decides
//! nothing. Results that C writes through a pointer are returned, or written to an argument in plain sight. Each
//! wrapper reports its call to [`crate::trace`].
//!
//! Types guarantee here what C leaves to the programmer's care:
//!
//! - a descriptor is *owned* ([`Fd`], closed once) or *borrowed* ([`BorrowedFd`], alive while in use);
//! - a buffer is a slice, which knows its length;
//! - an address is an [`Address`], an option's value has the option's type;
//! - `errno` comes with the failure ([`Errno`]) instead of in a variable that the next call overwrites.
//!
//! Each call has one file, named after it (close relatives share one). The file has the call's page
//! ([`Page`](crate::trace::Page)): all facts about the call, for the tracer, for `--inject`, for explanations and
//! drawings. [`CHAPTERS`] lists the pages in the order of reading.
//!
//! The other files: `fd` owns descriptors, `sockaddr` and `with_address` convert addresses to C's form, `message`,
//! `option`, `fd_set`, `signal`, `netdb` and `c_string` are shared by several calls, `inet` reads and writes addresses
//! as text; `state` queries a socket's state for the trace, and [`wild`] is misuse on purpose, for labs only.
#![doc = include_str!("python.md")]

mod accept;
mod bind;
mod c_string;
mod close;
mod close_range;
mod connect;
mod dup;
mod fcntl;
mod fd;
mod fd_set;
mod getaddrinfo;
mod gethostbyname;
mod gethostname;
mod getnameinfo;
mod getprotobyname;
mod getservbyname;
mod getsockname;
mod getsockopt;
mod if_nameindex;
mod inet;
mod ioctl;
mod kill;
mod listen;
mod message;
mod netdb;
mod option;
#[cfg(linux)]
pub mod packet;
mod pipe;
mod poll;
mod ppoll;
mod pselect;
mod read;
mod readv;
mod recv;
mod recvmmsg;
mod recvmsg;
mod select;
mod send;
mod sendfile;
mod sendmmsg;
mod sendmsg;
mod setsockopt;
mod shutdown;
mod sigaction;
mod signal;
mod sigprocmask;
mod sockaddr;
mod sockatmark;
mod socket;
mod socketpair;
mod splice;
mod state;
pub mod wild;
mod with_address;
mod write;
mod writev;

pub use std::os::fd::{AsFd, BorrowedFd};

pub use crate::addr::{Address, UnixName};
pub use crate::names::*;
pub use crate::values::*;
pub use accept::*;
pub use bind::*;
pub use close::*;
#[cfg(has_close_range)]
pub use close_range::*;
pub use connect::*;
pub use dup::*;
pub use fcntl::*;
pub use fd::*;
pub use fd_set::*;
pub use getaddrinfo::*;
pub use gethostbyname::*;
pub use gethostname::*;
pub use getnameinfo::*;
pub use getprotobyname::*;
pub use getservbyname::*;
pub use getsockname::*;
pub use getsockopt::*;
pub use if_nameindex::*;
pub use inet::*;
pub use ioctl::*;
pub use kill::*;
pub use listen::*;
pub use message::MAX_PASSED;
pub use option::*;
pub use pipe::*;
pub use poll::*;
#[cfg(has_ppoll)]
pub use ppoll::*;
pub use pselect::*;
pub use read::*;
pub use readv::*;
pub use recv::*;
#[cfg(has_mmsg)]
pub use recvmmsg::*;
pub use recvmsg::*;
pub use select::*;
pub use send::*;
#[cfg(has_sendfile)]
pub use sendfile::*;
#[cfg(has_mmsg)]
pub use sendmmsg::*;
pub use sendmsg::*;
pub use setsockopt::*;
pub use shutdown::*;
pub use sigaction::*;
pub use signal::*;
pub use sigprocmask::*;
pub use sockaddr::{SUN_PATH_LEN, sockaddr_bytes};
pub use sockatmark::*;
pub use socket::*;
pub use socketpair::*;
#[cfg(linux)]
pub use splice::*;
pub use state::{retransmissions, socket_state};
pub use write::*;
pub use writev::*;

use libc::{c_int, ssize_t};

use crate::trace::page::{Chapter, Function};

/// C's -1, with errno, as an error; any other number as it is. It must run directly after the call, because any other
/// call may change errno.
#[inline]
fn number(returned: c_int) -> Result<c_int> {
    if returned == -1 { Err(Errno::last()) } else { Ok(returned) }
}

/// The same for functions that return 0.
#[inline]
fn status(returned: c_int) -> Result<()> {
    number(returned).map(drop)
}

/// The same for functions that return a count of bytes.
#[inline]
fn count(returned: ssize_t) -> Result<usize> {
    usize::try_from(returned).map_err(|_| Errno::last())
}

/// Every function that is wrapped, in the order of reading.
pub const CHAPTERS: &[Chapter] = &[
    Chapter {
        title: "Calls: making, naming, ending",
        noun: "a call",
        calls: &[
            Function::SOCKET,
            Function::SOCKETPAIR,
            Function::BIND,
            Function::LISTEN,
            Function::ACCEPT,
            Function::ACCEPT4,
            Function::CONNECT,
            Function::SHUTDOWN,
            Function::CLOSE,
            Function::CLOSE_RANGE,
            Function::DUP,
            Function::DUP2,
            Function::PIPE,
            Function::GETSOCKNAME,
            Function::GETPEERNAME,
        ],
    },
    Chapter {
        title: "Calls: moving bytes",
        noun: "a call",
        calls: &[
            Function::SEND,
            Function::RECV,
            Function::SENDTO,
            Function::RECVFROM,
            Function::SENDMSG,
            Function::RECVMSG,
            Function::SENDMMSG,
            Function::RECVMMSG,
            Function::READ,
            Function::WRITE,
            Function::READV,
            Function::WRITEV,
            Function::SENDFILE,
            Function::SPLICE,
        ],
    },
    Chapter {
        title: "Calls: setting and asking",
        noun: "a call",
        calls: &[
            Function::SETSOCKOPT,
            Function::GETSOCKOPT,
            Function::FCNTL,
            Function::IOCTL,
            Function::SOCKATMARK,
        ],
    },
    Chapter {
        title: "Calls: waiting and signals",
        noun: "a call",
        calls: &[
            Function::SELECT,
            Function::PSELECT,
            Function::POLL,
            Function::PPOLL,
            Function::SIGACTION,
            Function::SIGPROCMASK,
            Function::KILL,
        ],
    },
    Chapter {
        title: "Calls of the library",
        noun: "a function of the C library",
        calls: &[
            Function::GETADDRINFO,
            Function::GETNAMEINFO,
            Function::GETHOSTBYNAME,
            Function::GETHOSTBYADDR,
            Function::GETHOSTNAME,
            Function::GETSERVBYNAME,
            Function::GETSERVBYPORT,
            Function::GETPROTOBYNAME,
            Function::IF_NAMEINDEX,
            Function::IF_NAMETOINDEX,
            Function::IF_INDEXTONAME,
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_the_prototype() {
        for function in Function::all() {
            let before_arguments = function.page().prototype.split('(').next().unwrap();
            assert_eq!(before_arguments.rsplit([' ', '*']).next(), Some(function.name()));
            assert_eq!(Function::from_name(function.name()), Some(function));
        }
    }

    #[test]
    fn parameters_are_those_of_the_prototype() {
        for page in Function::all().map(Function::page) {
            let inside =
                &page.prototype[page.prototype.find('(').unwrap() + 1..page.prototype.len() - 1];
            let names: Vec<_> = inside
                .split(", ")
                .filter(|parameter| *parameter != "void")
                .map(|parameter| {
                    parameter.rsplit([' ', '*']).next().unwrap().trim_end_matches("[2]")
                })
                .map(|name| if name == "..." { "arg" } else { name })
                .collect();
            assert_eq!(names, page.parameters, "{}", page.prototype);
            assert!(
                page.fills.iter().chain(page.short).all(|name| names.contains(name)),
                "{names:?}"
            );
        }
    }
}
