//! The served directory: finds what is at a path. (The files are opened with `std::fs`: they are not the subject, and
//! not in the trace.)

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::status::Status;
use crate::names::{Errno, O_NONBLOCK};

/// The root, with all symbolic links resolved.
#[derive(Debug)]
pub(super) struct Root(PathBuf);

#[derive(Debug)]
pub(super) enum FoundPath {
    Directory(PathBuf),
    /// A regular file that may be read.
    File(File, Metadata),
}

/// One line of a directory's page.
#[derive(Debug)]
pub(super) struct DirectoryEntry {
    pub(super) name: OsString,
    pub(super) metadata: Metadata,
}

/// The entries of a directory that can be requested.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) entries: Vec<DirectoryEntry>,
    /// Whether there are more than the limit.
    pub(super) there_is_more: bool,
}

/// A directory may have a million entries, and all clients wait while it is read.
const MOST_ENTRIES: usize = 10_000;

impl Root {
    /// # Errors
    /// The path does not exist, or is not a directory.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(path)?;
        fs::read_dir(&root)?;
        Ok(Self(root))
    }

    /// The path of a file, its links not yet resolved.
    pub(super) fn path(&self, relative: &Path) -> PathBuf {
        self.0.join(relative)
    }

    /// Finds what is at a path. A link that leads out of the root is treated as missing.
    ///
    /// (Between the check and the open, another process might change a link. A user who may write into the root decides
    /// anyway what is served from it.)
    pub(super) fn find(&self, relative: &Path) -> Result<FoundPath, Status> {
        let path = self.inside(&self.path(relative)).map_err(|error| status_of(&error))?;
        let metadata = fs::symlink_metadata(&path).map_err(|error| status_of(&error))?;
        if metadata.is_dir() {
            return Ok(FoundPath::Directory(path));
        }
        // Opening a pipe would wait for its other end, and opening a device may do anything.
        if !metadata.is_file() {
            return Err(Status::Forbidden);
        }
        let file = open(&path).map_err(|error| status_of(&error))?;
        let opened = file.metadata().map_err(|error| status_of(&error))?;
        // The file may have been replaced in the meantime.
        if (opened.dev(), opened.ino()) != (metadata.dev(), metadata.ino()) {
            return Err(Status::NotFound);
        }
        Ok(FoundPath::File(file, opened))
    }

    /// The entries of a directory that can be requested: files, directories, and links to such inside the root.
    pub(super) fn list(&self, directory: &Path) -> Result<Entries, Status> {
        let mut found = Entries::default();
        for entry in fs::read_dir(directory).map_err(|error| status_of(&error))? {
            let entry = entry.map_err(|error| status_of(&error))?;
            if found.entries.len() == MOST_ENTRIES {
                found.there_is_more = true;
                break;
            }
            // Entries that are gone by now, or may not be looked at, are not listed.
            if let Ok(metadata) = self.look(&entry)
                && (metadata.is_file() || metadata.is_dir())
            {
                found.entries.push(DirectoryEntry { name: entry.file_name(), metadata });
            }
        }
        Ok(found)
    }

    fn look(&self, entry: &fs::DirEntry) -> io::Result<Metadata> {
        if entry.file_type()?.is_symlink() {
            return fs::symlink_metadata(self.inside(&entry.path())?);
        }
        entry.metadata()
    }

    /// The path with all links resolved, if it is inside the root.
    fn inside(&self, path: &Path) -> io::Result<PathBuf> {
        let path = fs::canonicalize(path)?;
        if path.starts_with(&self.0) { Ok(path) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

/// Opens for reading, without waiting, whatever the file is.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(O_NONBLOCK.bits()).open(path)
}

fn status_of(error: &io::Error) -> Status {
    match error.raw_os_error().map(Errno::from_number) {
        None if error.kind() == io::ErrorKind::NotFound => Status::NotFound,
        Some(
            Errno::ENOENT | Errno::ENOTDIR | Errno::ENAMETOOLONG | Errno::ELOOP | Errno::EINVAL,
        ) => Status::NotFound,
        Some(Errno::EACCES | Errno::EPERM) => Status::Forbidden,
        Some(Errno::EMFILE | Errno::ENFILE) => Status::ServiceUnavailable,
        _ => Status::InternalServerError,
    }
}
