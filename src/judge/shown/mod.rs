//! The report, written as text, as Markdown, as JSON, and for CI systems as JUnit's XML.

mod json;
mod junit;
mod listing;
mod markdown;
mod table;
mod text;

pub use json::json;
pub use junit::junit;
pub use listing::listing;
pub use markdown::markdown;
pub use table::{ClassRow, csv, row_of, table};
pub use text::{Looks, text};

use super::verdict::Judged;

/// A remark on a case that failed in some runs only.
fn flakiness(judged: &Judged) -> Option<String> {
    judged
        .is_flaky()
        .then(|| format!("flaky: it failed in {} of {} runs", judged.failed_runs, judged.runs))
}

/// Wraps prose at a width; each line but the first is indented.
fn filled(text: &str, indent: usize, width: usize) -> String {
    let mut out = String::new();
    for (at, line) in text.lines().enumerate() {
        if at > 0 {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
        }
        let mut used = indent;
        for (at, word) in line.split(' ').enumerate() {
            let len = word.chars().count();
            if at > 0 && used + 1 + len > width {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                used = indent;
            } else if at > 0 {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += len;
        }
    }
    out
}
