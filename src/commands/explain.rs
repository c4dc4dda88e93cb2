//! `baresock explain`: what a word means.

use std::io;

use baresock::cli::{Common, Explain};
use baresock::explain::has_lab;
use baresock::explain::words::{Article, Entry, GROUPS, find, list, near};

use super::failure::Failure;
use super::messages::print;
use super::tracing::use_color;

/// As in "connection reset by peer".
const MOST_WORDS_OF_AN_IDEA: usize = 4;

/// Explains the words that are known, and then fails if one is not.
pub(crate) fn run(asked: &Explain, common: &Common) -> Result<(), Failure> {
    let color = use_color(common.color, &io::stdout());
    if asked.list && !asked.json {
        return print(list(color).as_bytes());
    }
    let (entries, unknown) = match asked.list {
        true => (GROUPS.iter().flat_map(|group| &*group.entries).collect(), Vec::new()),
        false => look_up(&asked.words),
    };
    let pages: Vec<_> = entries.into_iter().map(|entry| Article::new(entry, has_lab)).collect();
    let mut out = String::new();
    for (number, page) in pages.iter().enumerate() {
        match asked.json {
            true => {
                let object = if asked.list { page.summary() } else { page.json() };
                out.push_str(&object.map_err(Failure::new)?);
                out.push('\n');
            }
            false => {
                out.push_str(if number > 0 { "\n" } else { "" });
                out.push_str(&page.text(color));
            }
        }
    }
    print(out.as_bytes())?;
    match unknown.first() {
        Some(word) => Err(not_found(word)),
        None => Ok(()),
    }
}

/// The entries of all the words, and the words that have none. Several words may be one idea: `half close`.
fn look_up(words: &[String]) -> (Vec<&'static Entry>, Vec<&str>) {
    let mut entries: Vec<&'static Entry> = Vec::new();
    let mut unknown = Vec::new();
    let mut rest = words;
    while let Some(first) = rest.first() {
        let longest_first = (1..=rest.len().min(MOST_WORDS_OF_AN_IDEA)).rev();
        let mut found = longest_first.map(|count| (count, find(&rest[..count].join(" "))));
        let (count, found) = found.find(|(_, found)| !found.is_empty()).unwrap_or_default();
        if found.is_empty() {
            unknown.push(first.as_str());
        }
        rest = &rest[count.max(1)..];
        for entry in found {
            if !entries.iter().any(|known| known.name == entry.name) {
                entries.push(entry);
            }
        }
    }
    (entries, unknown)
}

fn not_found(word: &str) -> Failure {
    let shown = word.escape_debug();
    match &near(word)[..] {
        [] => Failure::new(format_args!(
            "explain {shown}: there is no such word here; 'baresock explain --list' has them all"
        )),
        near => Failure::new(format_args!(
            "explain {shown}: there is no such word here; did you mean {}?",
            near.join(" or ")
        )),
    }
}
