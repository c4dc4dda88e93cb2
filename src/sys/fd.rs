//! Descriptors: who owns one, and the calls that any kind of descriptor has: `close`, `dup`, `dup2`, `pipe`, `fcntl` and
//! `ioctl`. (What moves bytes is in `io`.)

use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use libc::c_int;

use super::{number, status};
use crate::names::{
    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_GETOWN, F_SETFD, F_SETFL, F_SETOWN,
};
use crate::names::{FcntlCommand, FdFlags, IoctlRequest, OpenFlags, Result};
use crate::trace::arg::{Arg, Note, Value};
use crate::trace::call::{Returned, enter};
use crate::trace::function::Function;
use crate::values::FdNumber;

/// A descriptor that one owns: when it goes out of scope it is closed, once, and the trace shows it.
///
/// To look at what `close` returns, call [`close`].
#[derive(Debug)]
pub struct Fd(ManuallyDrop<OwnedFd>);

impl Fd {
    /// Takes a descriptor that the kernel has just given to this process.
    ///
    /// # Safety
    /// `raw` is open, and nobody else owns it.
    pub(super) unsafe fn own(raw: RawFd) -> Self {
        // SAFETY: the caller says that `raw` is open and has no other owner.
        Self(ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(raw) }))
    }

    /// Its number, to look at.
    pub fn number(&self) -> FdNumber {
        FdNumber::of(self)
    }

    /// Gives up the descriptor without closing it.
    fn into_raw(self) -> RawFd {
        OwnedFd::from(self).into_raw_fd()
    }
}

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Fd {
    fn from(owned: OwnedFd) -> Self {
        Self(ManuallyDrop::new(owned))
    }
}

impl From<Fd> for OwnedFd {
    fn from(fd: Fd) -> Self {
        let mut fd = ManuallyDrop::new(fd);
        // SAFETY: `fd` is forgotten, so neither its `Drop` nor anybody else uses the inner value again.
        unsafe { ManuallyDrop::take(&mut fd.0) }
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: this runs once, and `self.0` is not used after it.
        let owned = unsafe { ManuallyDrop::take(&mut self.0) };
        // Nobody is left who could do something about an error.
        let _ = close_raw(owned.into_raw_fd());
    }
}

impl Returned for Fd {
    fn as_c(&self) -> i64 {
        self.number().get().into()
    }
}

/// `int close(int fd);` gives a descriptor back to the system.
///
/// For the last descriptor of a TCP socket this sends what is still unsent, then a FIN; if received bytes
/// were never read, the peer gets a reset instead. `close` does not wait for the peer (but see `SO_LINGER`).
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EIO` | bytes written earlier could not be stored (files) |
/// | `EINTR` | a signal came while `SO_LINGER` waited (FreeBSD, macOS); the descriptor is closed all the same |
/// | `EAGAIN` | the time of `SO_LINGER` was over before everything was sent (FreeBSD) |
///
/// (`EBADF`, which a second close gives in C, cannot happen: closing takes the ownership away.)
///
/// Systems differ: with bytes unread the BSDs send a FIN all the same, and the reset only when more comes. On Linux
/// `close` of a socket reports nothing, neither a signal nor the end of the time.
///
/// References: `close(2)`; POSIX `close`.
pub fn close(fd: Fd) -> Result<()> {
    close_raw(fd.into_raw())
}

fn close_raw(raw: RawFd) -> Result<()> {
    let call = enter(Function::Close, || [Arg::Fd(FdNumber::new(raw))]);
    let result = call.make(|| {
        // SAFETY: both callers took `raw` out of its only owner, so no borrow of it exists.
        status(unsafe { libc::close(raw) })
    });
    call.returns(result)
}

/// `int dup(int oldfd);` a second descriptor for the same open file, the lowest number that is free.
///
/// Both share the position and the status flags (`O_NONBLOCK`!), but the new one is without `FD_CLOEXEC`. A TCP
/// connection ends when the *last* of them is closed.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EMFILE` | this process has no descriptor left |
///
/// References: `dup(2)`; POSIX `dup`.
pub fn dup(oldfd: impl AsFd) -> Result<Fd> {
    let oldfd = oldfd.as_fd();
    let call = enter(Function::Dup, || [Arg::Fd(oldfd.into())]);
    let result = call.make(|| {
        // SAFETY: takes no pointers; `oldfd` is borrowed and so open.
        let raw = number(unsafe { libc::dup(oldfd.as_raw_fd()) })?;
        // SAFETY: the kernel has just made `raw` for us.
        Ok(unsafe { Fd::own(raw) })
    });
    call.returns(result)
}

/// `int dup2(int oldfd, int newfd);` makes `newfd` another descriptor of `oldfd`'s open file; what it was
/// before is closed, without a word about errors of that close.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EBUSY` | another thread is opening that number (Linux) |
/// | `EINTR` | a signal came while the old one was being closed |
///
/// References: `dup2(2)`; POSIX `dup2`.
pub fn dup2(oldfd: impl AsFd, newfd: &mut Fd) -> Result<()> {
    let (oldfd, newfd) = (oldfd.as_fd(), newfd.as_fd());
    let call = enter(Function::Dup2, || [Arg::Fd(oldfd.into()), Arg::Fd(newfd.into())]);
    let result = call.make(|| {
        // SAFETY: takes no pointers; `newfd` is exclusively ours, so replacing its file surprises nobody.
        number(unsafe { libc::dup2(oldfd.as_raw_fd(), newfd.as_raw_fd()) })
    });
    call.returns(result).map(drop)
}

/// How many bytes a pipe takes whole or not at all. One that `poll` calls writable takes that many without waiting.
pub const PIPE_BUF: usize = libc::PIPE_BUF;

/// `int pipe(int pipefd[2]);` bytes written to the second come out of the first.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EMFILE` | this process has no descriptor left |
/// | `ENFILE` | the system has none left |
///
/// References: `pipe(2)`, `pipe(7)`; POSIX `pipe`.
pub fn pipe() -> Result<[Fd; 2]> {
    let call = enter(Function::Pipe, || []);
    let mut raw: [RawFd; 2] = [-1; 2];
    let result = call.make(|| {
        // SAFETY: `raw` has room for the two numbers that the call writes.
        status(unsafe { libc::pipe(raw.as_mut_ptr()) })
    });
    call.rest(|| [pair(raw, result.is_ok())]).returns(result)?;
    // SAFETY: the call succeeded and has just made both descriptors for us.
    Ok(raw.map(|raw| unsafe { Fd::own(raw) }))
}

/// Two descriptors as an argument; where there are none, the array they would have gone to.
pub(super) fn pair(raw: [RawFd; 2], made: bool) -> Arg<'static> {
    if made { Arg::Fds(raw.map(FdNumber::new)) } else { Arg::Pointer(raw.as_ptr() as usize) }
}

/// `int fcntl(int fd, F_GETFL);` the open file's status flags: how it was opened, and `O_NONBLOCK`.
///
/// # Errors
/// None for a descriptor that is open.
///
/// References: `fcntl(2)`; POSIX `fcntl`.
#[doc(alias = "fcntl")]
pub fn fcntl_getfl(fd: impl AsFd) -> Result<OpenFlags> {
    let noting = |bits: &c_int| Note::OpenFlags(OpenFlags::from_bits(*bits));
    fcntl(fd.as_fd(), F_GETFL, None, noting).map(OpenFlags::from_bits)
}

/// `int fcntl(int fd, F_SETFL, int flags);` sets *all* the status flags: read them first and change one,
/// or the others are cleared. They belong to the open file, so duplicates and children see the change.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EPERM` | `O_APPEND` of an append-only file was to be cleared |
///
/// References: `fcntl(2)`; POSIX `fcntl`.
#[doc(alias = "fcntl")]
pub fn fcntl_setfl(fd: impl AsFd, flags: OpenFlags) -> Result<()> {
    fcntl(fd.as_fd(), F_SETFL, Some((flags.bits(), Arg::OpenFlags(flags))), |_| Note::None)
        .map(drop)
}

/// `int fcntl(int fd, F_GETFD);` the descriptor's own flags.
///
/// # Errors
/// None for a descriptor that is open.
///
/// References: `fcntl(2)`; POSIX `fcntl`.
#[doc(alias = "fcntl")]
pub fn fcntl_getfd(fd: impl AsFd) -> Result<FdFlags> {
    let noting = |bits: &c_int| Note::FdFlags(FdFlags::from_bits(*bits));
    fcntl(fd.as_fd(), F_GETFD, None, noting).map(FdFlags::from_bits)
}

/// `int fcntl(int fd, F_SETFD, int flags);` sets the descriptor's own flags: `FD_CLOEXEC` or nothing.
///
/// # Errors
/// None for a descriptor that is open.
///
/// References: `fcntl(2)`; POSIX `fcntl`.
#[doc(alias = "fcntl")]
pub fn fcntl_setfd(fd: impl AsFd, flags: FdFlags) -> Result<()> {
    fcntl(fd.as_fd(), F_SETFD, Some((flags.bits(), Arg::Named(flags.named()))), |_| Note::None)
        .map(drop)
}

/// `int fcntl(int fd, F_GETOWN);` which process (or, negative, which group) gets `SIGIO` and `SIGURG`.
///
/// # Errors
/// None for a socket.
///
/// References: `fcntl(2)`; POSIX `fcntl`.
#[doc(alias = "fcntl")]
pub fn fcntl_getown(fd: impl AsFd) -> Result<i32> {
    fcntl(fd.as_fd(), F_GETOWN, None, |_| Note::None)
}

/// `int fcntl(int fd, F_SETOWN, int pid);` says who gets `SIGIO` and `SIGURG`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ESRCH` | there is no such process or group |
///
/// References: `fcntl(2)`; POSIX `fcntl`.
#[doc(alias = "fcntl")]
pub fn fcntl_setown(fd: impl AsFd, pid: i32) -> Result<()> {
    fcntl(fd.as_fd(), F_SETOWN, Some((pid, pid.into())), |_| Note::None).map(drop)
}

/// `int fcntl(int fd, F_DUPFD, int lowest);` like [`dup`], with a number not below `lowest`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EINVAL` | `lowest` is negative or not below the limit on descriptors |
/// | `EMFILE` | this process has no such descriptor left |
///
/// References: `fcntl(2)`; POSIX `fcntl`.
#[doc(alias = "fcntl")]
pub fn fcntl_dupfd(fd: impl AsFd, lowest: c_int) -> Result<Fd> {
    dup_from(fd.as_fd(), F_DUPFD, lowest)
}

/// `int fcntl(int fd, F_DUPFD_CLOEXEC, int lowest);` the same, closed when another program is run.
///
/// # Errors
/// As [`fcntl_dupfd`].
///
/// References: `fcntl(2)`; POSIX `fcntl`.
#[doc(alias = "fcntl")]
pub fn fcntl_dupfd_cloexec(fd: impl AsFd, lowest: c_int) -> Result<Fd> {
    dup_from(fd.as_fd(), F_DUPFD_CLOEXEC, lowest)
}

fn dup_from(fd: BorrowedFd<'_>, command: FcntlCommand, lowest: c_int) -> Result<Fd> {
    let raw = fcntl(fd, command, Some((lowest, lowest.into())), |_| Note::None)?;
    // SAFETY: the kernel has just made `raw` for us.
    Ok(unsafe { Fd::own(raw) })
}

/// The commands above, which take nothing or an `int`.
fn fcntl(
    fd: BorrowedFd<'_>,
    command: FcntlCommand,
    argument: Option<(c_int, Arg<'static>)>,
    noting: impl Fn(&c_int) -> Note<'static>,
) -> Result<c_int> {
    let raw = fd.as_raw_fd();
    let value = argument.as_ref().map(|(value, _)| *value);
    let call = enter(Function::Fcntl, || [Arg::Fd(fd.into()), command.named().into()]);
    let result = call.make(|| {
        number(match value {
            // SAFETY: the callers pass commands that take no third argument; nothing is a pointer.
            None => unsafe { libc::fcntl(raw, command.bits()) },
            // SAFETY: the callers pass commands whose third argument is an int; nothing is a pointer.
            Some(value) => unsafe { libc::fcntl(raw, command.bits(), value) },
        })
    });
    let call = match argument {
        None => call,
        Some((_, shown)) => call.rest(|| [shown]),
    };
    call.returns_noting(result, noting)
}

/// `int ioctl(int fd, unsigned long request, int *argument);` the requests of sockets, all of which read or
/// write one `int`: `FIONREAD`, `FIONBIO`, `FIOASYNC`, `TIOCOUTQ`, `SIOCATMARK`.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `ENOTTY` | this kind of descriptor does not understand the request |
/// | `EINVAL` | this socket does not, in its state: `FIONREAD` on a listener |
///
/// References: `ioctl(2)`, `tcp(7)`, `sockatmark(3)`; POSIX has only `sockatmark`.
pub fn ioctl(fd: impl AsFd, request: IoctlRequest, argument: &mut c_int) -> Result<c_int> {
    let fd = fd.as_fd();
    let pointer: *mut c_int = argument;
    let call = enter(Function::Ioctl, || [Arg::Fd(fd.into()), Arg::Request(request)]);
    let result = call.make(|| {
        // SAFETY: every `IoctlRequest` takes a pointer to one int, and `pointer` is exclusively ours.
        number(unsafe { libc::ioctl(fd.as_raw_fd(), request.bits() as _, pointer) })
    });
    let shown = Arg::Value(Value::Int(*argument));
    call.rest(|| [if result.is_ok() { shown } else { Arg::Pointer(pointer as usize) }])
        .returns(result)
}
