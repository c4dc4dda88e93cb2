//! The file of a Unix-domain socket: `bind` makes it, and `close` leaves it there.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::accepting::set_nonblocking;
use super::privileges::Account;
use crate::addr::{Address, UnixName};
use crate::names::{AF_UNIX, Errno, Protocol, Result, SocketType};
use crate::sys;

/// A file that this process has made by binding a socket.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and inode: what a file is, whatever it is called.
    identity: (u64, u64),
}

impl SocketFile {
    /// The file of a socket that was bound to this address; none if the address is no file's.
    ///
    /// # Errors
    /// It is gone already.
    pub fn of(address: &Address) -> io::Result<Option<Self>> {
        let Address::Unix(UnixName::Path(path)) = address else { return Ok(None) };
        let identity = identity(&fs::symlink_metadata(path)?);
        Ok(Some(Self { path: path.clone(), identity }))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file, unless another has taken its place: that is another server's.
    ///
    /// # Errors
    /// `EACCES`: its directory may not be written, or not any more.
    pub fn remove(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.path) {
            Ok(file) if identity(&file) == self.identity => fs::remove_file(&self.path),
            // It is gone already, or not ours.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Makes a user the owner of the file, so that the user may remove it even from a directory
    /// like `/tmp`.
    ///
    /// # Errors
    /// `EPERM`: this process may not.
    pub fn give_to(&self, account: &Account) -> io::Result<()> {
        chown(&self.path, Some(account.uid()), Some(account.gid()))
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Sets which users may connect: they need write permission for the file.
///
/// # Errors
/// As `chmod(2)`.
pub fn set_mode(address: &Address, mode: u32) -> io::Result<()> {
    match address {
        Address::Unix(UnixName::Path(path)) => {
            fs::set_permissions(path, Permissions::from_mode(mode))
        }
        _ => Ok(()),
    }
}

/// Whether the file at this address is a leftover of a server that did not remove it: connect is refused.
///
/// It is refused also between another server's `bind` and its `listen`: of two servers that start in the same moment, one
/// may take the other's file away. And the BSDs refuse where the queue of a living server is full, whose file is taken for
/// abandoned then; on Linux such a connect has to wait, and here gives `EAGAIN`.
///
/// # Errors
/// As [`sys::socket`](crate::sys::socket()).
pub fn is_abandoned(address: &Address, kind: SocketType) -> Result<bool> {
    let Address::Unix(UnixName::Path(path)) = address else { return Ok(false) };
    if !fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket()) {
        return Ok(false);
    }
    let asking = sys::socket(AF_UNIX, kind, Protocol::default())?;
    set_nonblocking(&asking)?;
    Ok(sys::connect(&asking, address) == Err(Errno::ECONNREFUSED))
}
