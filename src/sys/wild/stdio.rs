//! C's stdio over a socket: a `FILE`, which reads ahead into a buffer that only stdio sees.
//!
//! libc decides which calls it makes inside (`read`, `fstat`, `fcntl`). They run on a thread of their own, so that they
//! do not appear between the calls of the lab.

use std::ffi::{CStr, c_int};
use std::os::fd::{IntoRawFd, OwnedFd};
use std::ptr::NonNull;
use std::thread;

use super::Wild;
use crate::names::{Errno, Result};
use crate::sys::fd::Fd;

/// `FILE *`, open for reading. When it goes out of scope, it is closed together with its descriptor.
#[derive(Debug)]
pub struct StdioFile(NonNull<libc::FILE>);

// SAFETY: every function of stdio locks the FILE that it is given, and any thread may call it (POSIX flockfile). There is
// one `StdioFile` for each FILE, and all its functions but the last want it exclusively.
unsafe impl Send for StdioFile {}

/// The longest line, with its zero byte.
const ROOM: usize = 128;

impl StdioFile {
    /// `FILE *fdopen(int fd, const char *mode);` makes a stream from a descriptor, which the stream owns from now on.
    ///
    /// # Errors
    /// `EMFILE`, `ENOMEM`: the C library cannot make one more.
    ///
    /// References: [`fdopen(3)`](https://man7.org/linux/man-pages/man3/fdopen.3.html);
    /// POSIX [`fdopen`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fdopen.html).
    pub fn fdopen(_: Wild, fd: Fd) -> Result<Self> {
        on_a_thread(move || {
            let raw = OwnedFd::from(fd).into_raw_fd();
            // SAFETY: `raw` is open and has no other owner; the mode is a C string. Both are only read.
            let file = unsafe { libc::fdopen(raw, c"r".as_ptr()) };
            NonNull::new(file).map(Self).ok_or_else(|| {
                let errno = Errno::last();
                // SAFETY: it failed, so `raw` is still open, and ours alone.
                drop(unsafe { Fd::own(raw) });
                errno
            })
        })
    }

    /// `char *fgets(char *s, int size, FILE *stream);` the next line with its newline; `None` where C returns NULL: at
    /// end of file, or after an error.
    ///
    /// # Errors
    /// None; in C, `feof` and `ferror` distinguish the end from an error.
    ///
    /// References: [`fgets(3)`](https://man7.org/linux/man-pages/man3/fgets.3.html);
    /// POSIX [`fgets`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fgets.html).
    pub fn fgets(&mut self) -> Option<String> {
        on_a_thread(|| self.line())
    }

    fn line(&mut self) -> Option<String> {
        let mut buf = [0_u8; ROOM];
        // SAFETY: fgets writes at most `ROOM` bytes to `buf`, a zero byte included; the FILE is open as long as `self` is.
        let line = unsafe { libc::fgets(buf.as_mut_ptr().cast(), ROOM as c_int, self.0.as_ptr()) };
        let line = (!line.is_null()).then(|| CStr::from_bytes_until_nul(&buf).ok()).flatten()?;
        Some(line.to_string_lossy().into_owned())
    }

    fn close(&mut self) {
        // SAFETY: the FILE is open, and this is its end: `drop` alone calls this.
        unsafe { libc::fclose(self.0.as_ptr()) };
    }
}

impl Drop for StdioFile {
    fn drop(&mut self) {
        on_a_thread(|| self.close());
    }
}

/// The result of `call`, made on an untraced thread.
fn on_a_thread<T: Send>(what: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(what).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{AF_UNIX, MsgFlags, Protocol, SOCK_STREAM};
    use crate::sys::{send, socketpair};

    #[test]
    fn lines_come_one_by_one_and_then_the_end() {
        let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        send(&theirs, b"one\ntwo", MsgFlags::NONE).unwrap();
        drop(theirs);
        let mut stream = StdioFile::fdopen(Wild(()), ours).unwrap();
        assert_eq!(stream.fgets().as_deref(), Some("one\n"));
        assert_eq!(stream.fgets().as_deref(), Some("two"));
        assert_eq!(stream.fgets(), None);
    }
}
