//! Where the pages of a book are, and how they refer to each other.

use super::Book;
use crate::explain::words::{GROUPS, WordGroup, find};

/// From one page to another: relative, so that the book can be anywhere.
pub(super) fn link(from: &str, to: &str) -> String {
    "../".repeat(from.matches('/').count()) + to
}

/// The page of a lab.
pub(super) fn of_lab(name: &str) -> String {
    format!("labs/{name}.html")
}

/// The page of a lab, if the book has that lab.
pub(super) fn of_lab_in(book: &Book, name: &str) -> Option<String> {
    book.labs.iter().any(|record| record.lab.name == name).then(|| of_lab(name))
}

/// The page of a group of words.
pub(super) fn of_group(group: &WordGroup) -> String {
    format!("words/{}.html", plain(group.title))
}

/// The place of a word, which may be written in any way that `explain` understands.
pub(super) fn of_word(word: &str) -> Option<String> {
    let name = find(word).first()?.name;
    let group = GROUPS.iter().find(|group| group.entries.iter().any(|entry| entry.name == name))?;
    Some(format!("{}#{}", of_group(group), anchor(name)))
}

/// A name as it can stand in an address. Names that differ only in case stay different.
pub(super) fn anchor(name: &str) -> String {
    let escaped = name.chars().map(|c| match c {
        c if c.is_ascii_alphanumeric() || "_-.".contains(c) => c.to_string(),
        c => format!("_{:x}", u32::from(c)),
    });
    escaped.collect()
}

/// A heading as it can stand in an address.
pub(super) fn plain(heading: &str) -> String {
    let words = heading.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}
