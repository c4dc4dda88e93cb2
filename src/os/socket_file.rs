//! The file of a Unix-domain socket: `bind` creates it, and `close` does not remove it.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::accepting::set_nonblocking;
use super::privileges::Account;
use crate::addr::{Address, UnixName};
use crate::names::{AF_UNIX, Errno, Protocol, Result, SocketType};
use crate::sys;

/// A file that this process created by binding a socket.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    identity: FileIdentity,
}

/// What identifies a file, whatever its name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
    /// When it was made, or when it was changed last where the file system keeps only that. A new file may get the inode of
    /// one that is gone: Linux does so as soon as no socket belongs to the old file any more (seen on ext4).
    since: Option<SystemTime>,
}

impl SocketFile {
    /// The file of a socket that was bound to this address; `None` if the address is not a path.
    ///
    /// # Errors
    /// The file is gone already.
    pub fn of(address: &Address) -> io::Result<Option<Self>> {
        let Address::Unix(UnixName::Path(path)) = address else { return Ok(None) };
        let identity = FileIdentity::of(&fs::symlink_metadata(path)?);
        Ok(Some(Self { path: path.clone(), identity }))
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file, unless another server's file has taken its place.
    ///
    /// # Errors
    /// `EACCES`: the directory may not be written, or no longer.
    pub fn remove(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.path) {
            Ok(file) if FileIdentity::of(&file) == self.identity => fs::remove_file(&self.path),
            // The file is gone already, or is not ours.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Makes a user the owner of the file, so that the user may remove it even from a directory like `/tmp`.
    ///
    /// # Errors
    /// `EPERM`: this process has no right to do so.
    pub fn give_to(&self, account: &Account) -> io::Result<()> {
        chown(&self.path, Some(account.uid()), Some(account.gid()))
    }
}

impl FileIdentity {
    fn of(file: &Metadata) -> Self {
        let since = file.created().or_else(|_| file.modified()).ok();
        Self { device: file.dev(), inode: file.ino(), since }
    }
}

/// Sets which users may connect, by the write permissions of the file.
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

/// Whether the file at this address was left behind by a server that ended: connect is refused.
///
/// connect is also refused between another server's `bind` and `listen`: of two servers that start at the same moment,
/// one may remove the other's file. And the BSDs refuse when the queue of a living server is full; its file then looks
/// abandoned. On Linux such a connect has to wait, and here fails with `EAGAIN`.
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
