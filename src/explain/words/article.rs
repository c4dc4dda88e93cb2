//! An entry as an article: the texts about a word, with its value on this system.

use std::fmt::Write;

use anstyle::Style;
use serde::Serialize;

use super::entry::{Entry, WordGroup};
use super::known::known;
use super::table::GROUPS;
use crate::names::Errno;
use crate::os::output::Colors;
use crate::trace::Function;
use crate::trace::wrapping::paragraph;

/// The column where texts begin, after their labels; and where they continue if there is little room.
const INDENT: usize = 10;
const LITTLE_INDENT: usize = 4;
/// Fewer columns count as little room.
const ROOM: usize = 50;
const NAME: Style = Style::new().bold();
const LABEL: Style = anstyle::AnsiColor::Cyan.on_default();

/// A word with its explanation. Empty and unknown fields are neither shown nor written.
#[derive(Clone, Debug, Serialize)]
pub struct Article {
    /// The name in C.
    pub name: &'static str,
    /// What it is: "an errno".
    pub kind: &'static str,
    /// A short description.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub gist: &'static str,
    /// Its value on this system, if it has one here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// The text of the system's `strerror`, if it is an errno.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strerror: Option<String>,
    /// The prototype, if it is a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prototype: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    result: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    means: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    when: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    trap: &'static str,
    #[serde(skip_serializing_if = "str::is_empty", rename = "do")]
    advice: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errnos: Vec<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    systems: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lab: Option<&'static str>,
}

/// An article's line in a list.
#[derive(Serialize)]
struct ArticleLine {
    name: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    gist: &'static str,
}

impl Article {
    /// The article of an entry. `has_lab` says whether the program has a lab with a name: the article mentions no other
    /// labs.
    pub fn new(entry: &Entry, has_lab: impl Fn(&str) -> bool) -> Self {
        let here = known(entry.name);
        let strerror = here.filter(|here| here.is_errno);
        let references = match (entry.is_call(), entry.posix) {
            (false, _) => Vec::new(),
            (true, "") => vec![entry.man.to_string(), "not in POSIX".to_string()],
            (true, posix) => vec![entry.man.to_string(), format!("POSIX {posix}")],
        };
        Self {
            name: entry.name,
            kind: group_of(entry.name).map_or("", |group| group.noun),
            gist: here.map_or(entry.gist, |here| here.gist),
            value: here.map(|here| here.value),
            strerror: strerror.map(|here| Errno::from_number(here.value as i32).text()),
            prototype: Function::from_name(entry.name).map(|function| function.page().prototype),
            result: entry.result,
            means: entry.means,
            when: entry.when,
            trap: entry.trap,
            advice: entry.advice,
            errnos: entry.errnos.split_whitespace().collect(),
            systems: entry.systems,
            references,
            lab: Some(entry.lab).filter(|lab| has_lab(lab)),
        }
    }

    /// The article as one JSON object.
    ///
    /// # Errors
    /// None is known: texts and numbers can always be written.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Name, kind and short description as one JSON object: a line of a list.
    ///
    /// # Errors
    /// As [`Article::json`].
    pub fn summary(&self) -> serde_json::Result<String> {
        let summary = ArticleLine { name: self.name, kind: self.kind, gist: self.gist };
        serde_json::to_string(&summary)
    }

    /// The article as text of this width.
    pub fn text(&self, colors: Colors, columns: usize) -> String {
        let indent = if columns < ROOM { LITTLE_INDENT } else { INDENT };
        let mut out = String::new();
        out.push_str(&colors.paint(NAME, self.name));
        let gist = if self.gist.is_empty() { String::new() } else { format!(": {}", self.gist) };
        push_line(&mut out, &paragraph(&gist, columns, self.name.len(), 2));
        let what = format!("  {}", self.what_it_is());
        push_line(&mut out, &paragraph(&what, columns, 0, indent.min(6)));
        for (label, text) in self.paragraphs().iter().filter(|(_, text)| !text.is_empty()) {
            out.push_str("  ");
            out.push_str(&colors.paint(LABEL, label));
            // If texts continue below their labels, there are no columns.
            let beside = if indent == INDENT { INDENT - 2 - label.len() } else { 1 };
            out.push_str(&" ".repeat(beside));
            push_line(&mut out, &paragraph(text, columns, 2 + label.len() + beside, indent));
        }
        out
    }

    /// Its texts, each with the label in front of it; some are empty.
    pub fn paragraphs(&self) -> [(&'static str, String); 9] {
        [
            ("result", self.result.to_string()),
            ("means", self.means.to_string()),
            ("when", self.when.to_string()),
            ("trap", self.trap.to_string()),
            ("do", self.advice.to_string()),
            ("errnos", self.errnos.join(", ")),
            ("systems", self.systems.to_string()),
            ("see", self.references.join("; ")),
            ("lab:", self.lab.unwrap_or_default().to_string()),
        ]
    }

    /// A call's prototype; for anything else, its kind and its value.
    pub fn what_it_is(&self) -> String {
        match (self.prototype, self.value, &self.strerror) {
            (Some(prototype), ..) => format!("{prototype};"),
            (_, Some(value), Some(text)) => {
                format!("{}, {value} on this system ({text})", self.kind)
            }
            (_, Some(value), None) => {
                format!("{}, {} on this system", self.kind, shown(self.kind, value))
            }
            (_, None, _) if self.gist.is_empty() => {
                format!("{}, not known on this system", self.kind)
            }
            (_, None, _) => self.kind.to_string(),
        }
    }
}

/// Flags in hexadecimal, all other numbers in decimal.
fn shown(kind: &str, value: i64) -> String {
    let bits = ["flag", "event", "request"].iter().any(|word| kind.contains(word));
    if bits { format!("{:#x}", value as u32) } else { value.to_string() }
}

fn group_of(name: &str) -> Option<&'static WordGroup> {
    GROUPS.iter().find(|group| group.entries.iter().any(|entry| entry.name == name))
}

fn push_line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

/// Every word with a short description, by kind, one line each.
pub fn list(colors: Colors) -> String {
    let mut out = String::new();
    for (number, group) in GROUPS.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        out.push_str(&colors.paint(NAME, group.title));
        out.push('\n');
        let widest = group.entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
        for entry in &*group.entries {
            let article = Article::new(entry, |_| false);
            let gist =
                if article.gist.is_empty() { "not known on this system" } else { article.gist };
            out.push_str("  ");
            out.push_str(&colors.paint(LABEL, entry.name));
            let gap = " ".repeat(widest - entry.name.len() + 2);
            let _ = writeln!(out, "{gap}{gist}");
        }
    }
    out
}
