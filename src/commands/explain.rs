//! `baresock explain`: the meaning of a word.

use std::io;

use baresock::cli::{Common, ExplainArgs};
use baresock::explain::has_lab;
use baresock::explain::words::{
    Article, Entry, GROUPS, find, find_in_message, list, near, other_errno, search,
};

use super::columns::{columns_of_prose, fitted_to_output};
use super::failure::Failure;
use super::messages::print;
use super::tracing::colors_of;

/// The most words of one idea, as in "connection reset by peer".
const MOST_WORDS_OF_AN_IDEA: usize = 4;

/// Explains the known words, and then fails if one is unknown.
pub(crate) fn run(asked: &ExplainArgs, common: &Common) -> Result<(), Failure> {
    let colors = colors_of(common.color, &io::stdout());
    if asked.list && !asked.json {
        return print(fitted_to_output(list(colors)).as_bytes());
    }
    let answer = match asked.list {
        true => FoundWords::of(GROUPS.iter().flat_map(|group| &*group.entries).collect()),
        false => look_up(&asked.words),
    };
    let pages = answer.entries.into_iter().map(|entry| Article::new(entry, has_lab));
    let mut out = fitted_to_output(answer.before);
    for (number, page) in pages.enumerate() {
        let is_short = asked.list || answer.is_list;
        match (asked.json, is_short) {
            (true, true) => out.push_str(&page.summary().map_err(Failure::new)?),
            (true, false) => out.push_str(&page.json().map_err(Failure::new)?),
            (false, true) => {
                out.push_str(&fitted_to_output(format!("  {:<22}{}\n", page.name, page.gist)));
                continue;
            }
            (false, false) => {
                out.push_str(if number > 0 { "\n" } else { "" });
                out.push_str(&page.text(colors, columns_of_prose()));
                continue;
            }
        }
        out.push('\n');
    }
    print(if asked.json { json_alone(&out) } else { &out }.as_bytes())?;
    match answer.unknown.first() {
        Some(word) => Err(not_found(word)),
        None => Ok(()),
    }
}

/// The JSON alone: the sentence before the pages is for people only.
fn json_alone(out: &str) -> &str {
    out.find('{').map_or("", |at| &out[at..])
}

/// The result of looking up the words.
#[derive(Default)]
struct FoundWords {
    /// A sentence to print before the pages.
    before: String,
    entries: Vec<&'static Entry>,
    /// Entries mention the word, but none is about it: they are listed.
    is_list: bool,
    /// Words without an entry.
    unknown: Vec<String>,
}

impl FoundWords {
    fn of(entries: Vec<&'static Entry>) -> Self {
        Self { entries, ..Self::default() }
    }
}

/// All words together may be one text, or a pasted message; or each is a word, or several are one idea (`half close`).
/// Anything else is searched for in all pages.
fn look_up(words: &[String]) -> FoundWords {
    let phrase = words.join(" ");
    let whole = find(&phrase);
    if !whole.is_empty() {
        let other = other_errno(&phrase).map(|(errno, number)| {
            format!("{errno}: {number} on this system; no socket call is known to return it.\n\n")
        });
        return FoundWords { before: other.unwrap_or_default(), ..FoundWords::of(whole) };
    }
    let in_message = find_in_message(&phrase);
    if phrase.contains([':', '(', '=', '[']) && !in_message.is_empty() {
        return FoundWords::of(in_message);
    }
    let (entries, unknown) = word_by_word(words);
    match (unknown.is_empty(), entries.is_empty()) {
        (true, _) => return FoundWords::of(entries),
        (false, true) if !in_message.is_empty() => return FoundWords::of(in_message),
        _ => {}
    }
    // A word that occurs on a page is not a typing error.
    let is_slip = |word: &&String| !near(word).is_empty() && search(word).is_empty();
    let found =
        if unknown.iter().any(|word| is_slip(&word)) { Vec::new() } else { search(&phrase) };
    if found.is_empty() {
        return FoundWords { unknown, ..FoundWords::of(entries) };
    }
    let before = format!(
        "No page is about '{}'. These pages mention it, the best first:\n",
        phrase.escape_debug()
    );
    FoundWords { before, is_list: true, ..FoundWords::of(found) }
}

/// The entries of all the words, and the words without an entry.
fn word_by_word(words: &[String]) -> (Vec<&'static Entry>, Vec<String>) {
    let mut entries: Vec<&'static Entry> = Vec::new();
    let mut unknown = Vec::new();
    let mut rest = words;
    while let Some(first) = rest.first() {
        let longest_first = (1..=rest.len().min(MOST_WORDS_OF_AN_IDEA)).rev();
        let mut found = longest_first.map(|count| (count, find(&rest[..count].join(" "))));
        let (count, found) = found.find(|(_, found)| !found.is_empty()).unwrap_or_default();
        if found.is_empty() {
            unknown.push(first.clone());
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
            "explain {shown}: unknown word; 'baresock explain --list' lists all words"
        )),
        near => Failure::new(format_args!(
            "explain {shown}: unknown word; did you mean {}?",
            near.join(" or ")
        )),
    }
}
