//! A file for a result that takes long: it is opened first, so that a wrong path is reported before the work is done.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::failure::Failure;

/// An open file whose earlier contents stay until there is a result.
#[derive(Debug)]
pub(crate) struct ResultFile {
    file: File,
    shown: String,
}

impl ResultFile {
    /// Opens the file, or creates it.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string().escape_debug().to_string();
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(false).open(path);
        let file = opened.map_err(|error| Failure::from_std(&shown, &error))?;
        Ok(Self { file, shown })
    }

    /// Replaces the contents.
    pub(crate) fn write(mut self, contents: &[u8]) -> Result<(), Failure> {
        let written = self.empty().and_then(|()| self.file.write_all(contents));
        written.map_err(|error| self.failure(&error))
    }

    /// The same file, without its earlier contents, to be written bit by bit.
    pub(crate) fn emptied(&self) -> Result<File, Failure> {
        let emptied = self.empty().and_then(|()| self.file.try_clone());
        emptied.map_err(|error| self.failure(&error))
    }

    /// It could not be written.
    pub(crate) fn failure(&self, error: &io::Error) -> Failure {
        Failure::from_std(&self.shown, error)
    }

    fn empty(&self) -> io::Result<()> {
        // A pipe or a terminal has nothing to be replaced.
        let is_regular = self.file.metadata().is_ok_and(|data| data.is_file());
        if is_regular { self.file.set_len(0) } else { Ok(()) }
    }
}
