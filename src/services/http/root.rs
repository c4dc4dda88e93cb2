//! The directory that is served: what a place in it is. (The files that are served are opened with `std::fs`: they are
//! not the subject, and not in the trace.)

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::status::Status;
use crate::names::{Errno, O_NONBLOCK};

/// The root, with every symbolic link followed.
#[derive(Debug)]
pub(super) struct Root(PathBuf);

/// What stands at a place.
#[derive(Debug)]
pub(super) enum FoundPath {
    /// A directory, at this path.
    Directory(PathBuf),
    /// A regular file that may be read.
    File(File, Metadata),
}

/// One line of a directory.
#[derive(Debug)]
pub(super) struct DirectoryEntry {
    pub(super) name: OsString,
    pub(super) metadata: Metadata,
}

/// What of a directory can be asked for.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) entries: Vec<DirectoryEntry>,
    /// Whether there were more than is reasonable.
    pub(super) there_is_more: bool,
}

/// A directory may have a million files; while it is read, all clients wait.
const MOST_ENTRIES: usize = 10_000;

impl Root {
    /// # Errors
    /// It is not there, or no directory.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(path)?;
        fs::read_dir(&root)?;
        Ok(Self(root))
    }

    /// Where a place is, with its links not yet followed.
    pub(super) fn path(&self, relative: &Path) -> PathBuf {
        self.0.join(relative)
    }

    /// What stands at a place. A link that leads out of the root leads nowhere.
    ///
    /// (Between the check and the open another process might change a link. A user who may write into the root
    /// decides anyway what is served from it.)
    pub(super) fn find(&self, relative: &Path) -> Result<FoundPath, Status> {
        let path = self.inside(&self.path(relative)).map_err(|error| status_of(&error))?;
        let metadata = fs::symlink_metadata(&path).map_err(|error| status_of(&error))?;
        if metadata.is_dir() {
            return Ok(FoundPath::Directory(path));
        }
        // To open a pipe would wait for its other end; to open a device may do anything.
        if !metadata.is_file() {
            return Err(Status::Forbidden);
        }
        let file = open(&path).map_err(|error| status_of(&error))?;
        let opened = file.metadata().map_err(|error| status_of(&error))?;
        // It may have been exchanged in the meantime.
        if (opened.dev(), opened.ino()) != (metadata.dev(), metadata.ino()) {
            return Err(Status::NotFound);
        }
        Ok(FoundPath::File(file, opened))
    }

    /// What of a directory can be asked for: files, directories, and links to such inside the root.
    pub(super) fn list(&self, directory: &Path) -> Result<Entries, Status> {
        let mut found = Entries::default();
        for entry in fs::read_dir(directory).map_err(|error| status_of(&error))? {
            let entry = entry.map_err(|error| status_of(&error))?;
            if found.entries.len() == MOST_ENTRIES {
                found.there_is_more = true;
                break;
            }
            // What is gone by now, or cannot be looked at, is not listed.
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

    /// The path with every link followed, if it is inside the root.
    fn inside(&self, path: &Path) -> io::Result<PathBuf> {
        let path = fs::canonicalize(path)?;
        if path.starts_with(&self.0) { Ok(path) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

/// Opens for reading, without waiting whatever it may be.
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
