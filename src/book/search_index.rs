//! What the search looks through: a script with one array, which a browser loads from a file as well as from a server.

use serde::Serialize;

use super::frame::{PageFrame, Place};
use super::links::{anchor, of_group, of_lab};
use super::manual::MANUAL;
use super::{Book, BookFile, BookPage};
use crate::explain::words::aliases::ALIASES;
use crate::explain::words::said::SAID;
use crate::explain::words::{Article, GROUPS, WordGroup};
use crate::labs::why::QUESTIONS;
use crate::ladder::html::json_in_html;

/// The search itself.
pub(super) const SCRIPT: &str = include_str!("search.js");

/// One thing to find. The names of its fields are short, for there are many.
#[derive(Debug, Serialize)]
struct SearchEntry {
    /// Title.
    t: String,
    /// What it is: "an errno", "lab".
    k: String,
    /// Where it is.
    u: String,
    /// A sentence, which is shown.
    g: String,
    /// Other words for it, texts of errors, questions.
    a: Vec<String>,
}

/// The page with the results.
pub(super) fn page(made: &str) -> BookFile {
    let body = "<h1>Search</h1>\n\
        <p>A name (<code>EAGAIN</code>), an idea (<code>half-close</code>), a number (<code>104</code>), or a whole message: \
        <code>bind: Address already in use</code>.</p>\n\
        <form role=\"search\" id=\"search\"><input type=\"search\" name=\"q\" aria-label=\"Search for\"> \
        <button>Search</button></form>\n\
        <p id=\"found\" role=\"status\"></p>\n<ol id=\"results\"></ol>\n\
        <noscript><p>The search needs JavaScript; the <a href=\"index.html\">contents</a> have links to everything.</p></noscript>";
    let place = Place { path: "search.html".into(), title: "Search".into() };
    let page = BookPage { place, body: body.into(), ladder: None };
    let content = PageFrame { before: None, next: None, made }.around(&page);
    BookFile { path: page.place.path, content }
}

/// The array.
pub(super) fn index(book: &Book) -> BookFile {
    let mut entries: Vec<SearchEntry> = GROUPS.iter().flat_map(words).collect();
    entries.extend(book.labs.iter().map(|record| {
        let lab = record.lab;
        let asked = QUESTIONS.iter().filter(|(_, labs)| labs.contains(&lab.name));
        let mut also: Vec<String> = asked.map(|(question, _)| (*question).to_string()).collect();
        also.extend(lab.words.iter().map(|word| (*word).to_string()));
        also.extend([lab.claim.to_string(), lab.explanation.to_string()]);
        SearchEntry {
            t: lab.name.into(),
            k: "lab".into(),
            u: of_lab(lab.name),
            g: lab.question.into(),
            a: also,
        }
    }));
    for (path, page) in &*MANUAL {
        entries.extend(page.headings.iter().map(|(title, id)| SearchEntry {
            t: title.clone(),
            k: page.name.clone(),
            u: format!("{path}#{id}"),
            g: page.gist.clone(),
            a: Vec::new(),
        }));
    }
    let entries = serde_json::to_string(&entries).unwrap_or_default();
    let content = format!("'use strict';\nconst INDEX = {};\n", json_in_html(&entries));
    BookFile { path: "index.js".into(), content }
}

fn words(group: &WordGroup) -> Vec<SearchEntry> {
    let entry = |entry: &crate::explain::words::Entry| {
        let article = Article::new(entry, |_| false);
        let others = ALIASES.iter().chain(SAID).filter(|(_, names)| names.contains(&entry.name));
        let mut also: Vec<String> = others.map(|(text, _)| (*text).to_string()).collect();
        also.extend(article.strerror.clone());
        // Its number is what a program prints that does not print the text.
        also.extend(article.strerror.and(article.value).map(|value| value.to_string()));
        also.extend([entry.means, entry.trap, entry.result].map(str::to_string));
        also.retain(|text| !text.is_empty());
        SearchEntry {
            t: entry.name.into(),
            k: group.noun.into(),
            u: format!("{}#{}", of_group(group), anchor(entry.name)),
            g: article.gist.into(),
            a: also,
        }
    };
    group.entries.iter().map(entry).collect()
}
