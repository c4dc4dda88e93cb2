//! A pipe through which the kernel moves bytes from one connection to another (`splice`): they are not copied into this
//! process.

use super::ends::Ends;
use crate::names::{Errno, FD_CLOEXEC, Result};
use crate::os::splicing::{AT_ONCE, splice};
use crate::sys::{self, Fd};

/// A pipe, and how many bytes are in it.
#[derive(Debug)]
pub struct SplicePipe {
    read_end: Fd,
    write_end: Fd,
    len: usize,
}

impl SplicePipe {
    /// An empty pipe.
    ///
    /// # Errors
    /// As [`pipe`](crate::sys::pipe()): mostly that no descriptor is left.
    pub fn new() -> Result<Self> {
        let [read_end, write_end] = sys::pipe()?;
        for end in [&read_end, &write_end] {
            sys::fcntl_setfd(end, FD_CLOEXEC)?;
        }
        Ok(Self { read_end, write_end, len: 0 })
    }

    /// How many bytes are in the pipe.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no bytes are in the pipe.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Moves up to `most` bytes that a peer has sent into the pipe; 0 if there are none, or they cannot be moved. Then a
    /// receive decides: only that distinguishes the end of file from the mark of an urgent byte, and has the bytes behind
    /// the mark.
    ///
    /// # Errors
    /// An errno that ends the connection of these ends.
    pub fn fill(&mut self, from: &Ends, most: usize) -> Result<usize> {
        let Ends::Socket(socket) = from else { return Ok(0) };
        match splice(socket, &self.write_end, most, AT_ONCE) {
            // EINVAL: this kind of socket cannot be spliced.
            Err(Errno::EAGAIN | Errno::EINTR | Errno::EINVAL | Errno::ENOSYS) => Ok(0),
            moved => {
                let moved = moved?;
                self.len += moved;
                Ok(moved)
            }
        }
    }

    /// Moves bytes from the pipe to a peer, as many as the kernel takes.
    ///
    /// # Errors
    /// An errno that ends the connection of these ends; `EAGAIN` and `EINTR` do not.
    pub(super) fn drain(&mut self, to: &Ends) -> Result<()> {
        let Ends::Socket(socket) = to else { return Err(Errno::EINVAL) };
        match splice(&self.read_end, socket, self.len, AT_ONCE) {
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(()),
            moved => {
                self.len -= moved?;
                Ok(())
            }
        }
    }
}
