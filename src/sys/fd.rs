//! Ownership of descriptors: the owner holds an [`Fd`], and closes it once.

use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use super::close::close_raw;
use crate::trace::call::Returned;
use crate::values::FdNumber;

/// An owned descriptor: when it goes out of scope it is closed, once, and the trace shows the close.
///
/// To see what `close` returns, call [`close`](super::close()).
#[derive(Debug)]
pub struct Fd(ManuallyDrop<OwnedFd>);

impl Fd {
    /// Takes a descriptor that the kernel has just given to this process.
    ///
    /// # Safety
    /// `raw` is open, and has no other owner.
    pub(super) unsafe fn own(raw: RawFd) -> Self {
        // SAFETY: the caller says that `raw` is open and has no other owner.
        Self(ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(raw) }))
    }

    /// Its number, to look at.
    pub fn number(&self) -> FdNumber {
        FdNumber::of(self)
    }

    /// Gives up the descriptor without closing it.
    pub(super) fn into_raw(self) -> RawFd {
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
        // SAFETY: `fd` is forgotten, so neither its `Drop` nor any other code uses the inner value
        // again.
        unsafe { ManuallyDrop::take(&mut fd.0) }
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: this runs once, and `self.0` is not used after it.
        let owned = unsafe { ManuallyDrop::take(&mut self.0) };
        // There is no caller left to handle an error.
        let _ = close_raw(owned.into_raw_fd());
    }
}

impl Returned for Fd {
    fn as_c(&self) -> i64 {
        self.number().get().into()
    }
}
