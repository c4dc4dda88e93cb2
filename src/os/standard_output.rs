//! Whether this process was started without standard output.

use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use crate::names::O_RDWR;
use crate::sys;

/// Whether standard output was closed at the start (`>&-`). The Rust runtime then opens `/dev/null` in its place before
/// `main`, for reading and writing (read: `sanitize_standard_fds` of std), while a shell opens it for writing only.
pub fn was_closed(stdout: impl AsFd) -> bool {
    let stdout = stdout.as_fd();
    let is_for_both = sys::fcntl_getfl(stdout).is_ok_and(|flags| flags.contains(O_RDWR));
    let copy = || stdout.try_clone_to_owned().map(std::fs::File::from);
    is_for_both
        && copy().and_then(|file| file.metadata()).is_ok_and(|opened| {
            let null = std::fs::metadata("/dev/null");
            opened.file_type().is_char_device()
                && null.is_ok_and(|null| null.rdev() == opened.rdev())
        })
}
