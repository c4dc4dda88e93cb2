//! Which descriptors this process has open.

use std::fs;

/// Their numbers, sorted; nothing where the system does not tell. (FreeBSD without fdescfs shows three at most, and on
/// OpenBSD the directory has its entries whether they are open or not: fd(4).)
pub fn open_descriptors() -> Vec<i32> {
    let entries = fs::read_dir("/dev/fd").into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut numbers: Vec<i32> = names.filter_map(|name| name.parse().ok()).collect();
    // The directory itself is open while it is read: among others it has the highest free number as a rule, but not
    // surely, so it is found by asking again.
    numbers.retain(|number| fs::symlink_metadata(format!("/dev/fd/{number}")).is_ok());
    numbers.sort_unstable();
    numbers
}
