//! Bare sockets: the BSD socket calls with nothing in the way.

#[cfg(not(unix))]
compile_error!(
    "baresock needs the socket calls of a Unix: Linux, macOS, FreeBSD, OpenBSD or NetBSD"
);

pub mod addr;
pub mod byteorder;
pub mod names;
pub mod os;
pub mod sys;
pub mod trace;
pub mod values;
