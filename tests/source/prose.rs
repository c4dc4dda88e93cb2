//! Words that make a sentence hard to read may not come back: each has a ceiling, and what to write instead.
//!
//! A ceiling leaves room for a sentence in which the word is the right one. If a new one is needed, raise the ceiling; if
//! sentences were mended, lower it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A word, how many lines may have it, and what a reader understands at once.
struct Word {
    text: &'static str,
    most: usize,
    instead: &'static str,
}

const fn word(text: &'static str, most: usize, instead: &'static str) -> Word {
    Word { text, most, instead }
}

/// Counted in the source, the tests, the manuals and the pages, in comments, texts and names alike.
const WORDS: &[Word] = &[
    word("nobody", 60, "no client, no peer, no process; or \"not yet checked\""),
    word("somebody", 10, "a client, a peer, another process"),
    word("anybody", 9, "any client, any process"),
    word("everybody", 8, "all clients, every client"),
    word("whoever", 3, "the caller, the reader, a program that"),
    word("whom", 3, "the peer that, the client that"),
    word("for ever", 2, "forever; or \"without a time limit\""),
    word("anew", 5, "again; or \"a new …\""),
    word("owed", 116, "unsent, pending, still to be sent"),
    word("manieth", 0, "every Nth"),
    word("wherefrom", 2, "from where; the source"),
];

#[test]
fn hard_words_do_not_spread() {
    let mut report = String::new();
    let pages = pages();
    for word in WORDS {
        let found: Vec<_> =
            pages.iter().flat_map(|(path, text)| lines_with(path, text, word.text)).collect();
        if found.len() > word.most {
            let (text, instead, many, most) = (word.text, word.instead, found.len(), word.most);
            let _ = writeln!(report, "\"{text}\" is in {many} lines, of at most {most}:");
            let _ = writeln!(report, "  {}\n  write: {instead}\n", found.join("\n  "));
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// `path:line: text` for each line that has the word, whatever its case.
fn lines_with(path: &str, text: &str, word: &str) -> Vec<String> {
    let lines = text.lines().enumerate();
    let with_word = lines.filter(|(_, line)| has(&line.to_lowercase(), word));
    with_word.map(|(at, line)| format!("{path}:{}: {}", at + 1, line.trim())).collect()
}

/// Whether the word stands there as a whole; in a name like `nobody_waits` it does.
fn has(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(char::is_alphanumeric)
            && !line[at + word.len()..].starts_with(char::is_alphanumeric)
    })
}

/// Every page that is written by hand, with its path.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting: Vec<PathBuf> =
        ["src", "tests", "man", "README.md", "CONTRIBUTING.md", "build.rs"]
            .map(|top| root.join(top))
            .into();
    let mut pages = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("it can be listed");
            waiting.extend(entries.map(|entry| entry.expect("it can be read").path()));
        } else if path
            .extension()
            .is_some_and(|end| ["rs", "md", "1", "7"].iter().any(|of| end == *of))
        {
            let name = path.strip_prefix(root).expect("it is below").display().to_string();
            // This file names the words.
            if name != "tests/source/prose.rs" {
                pages.push((name, fs::read_to_string(&path).expect("it can be read")));
            }
        }
    }
    pages.sort();
    assert!(pages.len() > 100, "{} pages", pages.len());
    pages
}

#[test]
fn a_hard_word_is_found_with_its_line() {
    let text = "fine\n    // Nobody, and\nfn nobody_waits() {}\nnobodys\nfor\never for ever";
    let found = lines_with("a.rs", text, "nobody");
    assert_eq!(found, ["a.rs:2: // Nobody, and", "a.rs:3: fn nobody_waits() {}"]);
    assert_eq!(lines_with("a.rs", text, "for ever"), ["a.rs:6: ever for ever"]);
}
