//! Which descriptors this process has open.

use std::fs;

/// Their numbers, in order; empty where the system does not tell. (FreeBSD without fdescfs shows three at most, and on
/// OpenBSD the directory lists numbers whether they are open or not: fd(4).)
pub fn open_descriptors() -> Vec<i32> {
    let entries = fs::read_dir("/dev/fd").into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut numbers: Vec<i32> = names.filter_map(|name| name.parse().ok()).collect();
    // The directory itself is open while it is read. Usually it has the highest number, but not always, so the numbers
    // are checked afterwards.
    numbers.retain(|number| fs::symlink_metadata(format!("/dev/fd/{number}")).is_ok());
    numbers.sort_unstable();
    numbers
}
