//! The directory of a book. It is written beside its place and gets its name when it is complete, so that a run that is
//! interrupted leaves the place as it was.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use baresock::book::BookFile;

use super::shown;
use crate::commands::failure::Failure;
use crate::commands::lab::ScratchDirectory;

/// The file by which an earlier book is recognized: it lists the book's files, which a new book replaces.
const MARKER: &str = "baresock-book.txt";

/// Where a book will be.
pub(super) struct BookDirectory {
    /// Its place.
    target: PathBuf,
    /// Where it is written.
    scratch: ScratchDirectory,
}

impl BookDirectory {
    /// Checks the place, and makes a directory beside it.
    ///
    /// # Errors
    /// The place is a file, or a directory with files that are not those of an earlier book; or no directory can be made
    /// beside it.
    pub(super) fn prepare(directory: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::from_std(told(directory), &error);
        let target = match fs::canonicalize(directory) {
            // What a symbolic link leads to is replaced, not the link.
            Ok(existing) => {
                refuse_what_is_not_a_book(&existing, directory)?;
                refuse_the_working_directory(&existing, directory)?;
                existing
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if fs::symlink_metadata(directory).is_ok() {
                    return Err(Failure::new(format_args!(
                        "{}: this symbolic link leads nowhere",
                        told(directory)
                    )));
                }
                std::path::absolute(directory).map_err(failed)?
            }
            Err(error) => return Err(failed(error)),
        };
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            let hint = "a book needs a directory of its own";
            return Err(Failure::new(format_args!("{}: {hint}", told(directory))));
        };
        let name = format!(".{}.{}", name.to_string_lossy(), std::process::id());
        let scratch = ScratchDirectory::at(&parent.join(name))
            .map_err(|error| failed(error).adding("the book is written beside its place first"))?;
        Ok(Self { target, scratch })
    }

    /// Writes the files, and then gives the directory its name.
    pub(super) fn publish(self, files: &[BookFile]) -> Result<(), Failure> {
        let path = self.scratch.path();
        let mut list = format!(
            "A book of baresock {}. `baresock book` replaces these files:\n{MARKER}\n",
            env!("CARGO_PKG_VERSION")
        );
        for file in files {
            let place = path.join(&file.path);
            let written = place
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::write(&place, &file.content));
            written.map_err(|error| Failure::from_std(shown(&place), &error))?;
            list.push_str(&format!("{}\n", file.path));
        }
        let marker = path.join(MARKER);
        fs::write(&marker, list).map_err(|error| Failure::from_std(shown(&marker), &error))?;
        let failed = |error: io::Error| Failure::from_std(told(&self.target), &error);
        self.scratch.replace(&self.target).map_err(failed)
    }
}

fn told(directory: &Path) -> String {
    format!("book {}", shown(directory))
}

/// An existing place must be an empty directory, or one with the files of an earlier book and no others: what a reader has
/// added would be lost.
fn refuse_what_is_not_a_book(place: &Path, directory: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::from_std(told(directory), &error);
    let found = files_in(place).map_err(failed)?;
    if found.is_empty() {
        return Ok(());
    }
    let list = fs::read_to_string(place.join(MARKER)).unwrap_or_default();
    let listed: BTreeSet<&Path> = list.lines().skip(1).map(Path::new).collect();
    if listed.is_empty() {
        return Err(Failure::new(format_args!(
            "{}: this directory has files that `baresock book` did not write; name a new or an empty directory",
            told(directory)
        )));
    }
    match found.iter().find(|file| !listed.contains(&***file)) {
        None => Ok(()),
        Some(other) => Err(Failure::new(format_args!(
            "{}: {} is not a file of the earlier book there, and would be lost; move it away, or name another directory",
            told(directory),
            shown(other)
        ))),
    }
}

/// The directory is replaced as a whole: a shell that works in it would be left in one without a name.
fn refuse_the_working_directory(place: &Path, directory: &Path) -> Result<(), Failure> {
    match std::env::current_dir() {
        Ok(here) if here.starts_with(place) => Err(Failure::new(format_args!(
            "{}: this is the working directory, and it would be replaced; run the command from another directory",
            told(directory)
        ))),
        _ => Ok(()),
    }
}

/// Everything in a directory that is not a directory, by its path below it; and directories that are empty.
fn files_in(place: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(below) = waiting.pop() {
        let mut is_empty = true;
        for entry in fs::read_dir(place.join(&below))? {
            let entry = entry?;
            is_empty = false;
            let path = below.join(entry.file_name());
            match entry.file_type()?.is_dir() {
                true => waiting.push(path),
                false => found.push(path),
            }
        }
        if is_empty && below != Path::new("") {
            found.push(below);
        }
    }
    Ok(found)
}
