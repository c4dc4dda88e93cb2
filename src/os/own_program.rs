//! The file of this program, which starts itself again: a lab, or a server that is measured, needs a process of its own.

use std::io;
use std::path::PathBuf;

/// The file of this program, to be started: also if the file was replaced since, as by an installation or `cargo build`. On
/// Linux what starts is what runs now, not the newer program: the two could disagree on what they tell each other.
///
/// # Errors
/// The system does not say which file it is.
pub fn own_program() -> io::Result<PathBuf> {
    /// The process that opens this finds its own program, whatever has become of its name. A child has the program of its
    /// parent until it has started another.
    const RUNNING: &str = "/proc/self/exe";
    let path = std::env::current_exe()?;
    let is_gone = !path.exists() && PathBuf::from(RUNNING).exists();
    Ok(if is_gone { RUNNING.into() } else { path })
}
