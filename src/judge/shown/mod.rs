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
pub use text::text;

use super::verdict::Judged;
use crate::trace::wrapping::paragraph;

/// A remark on a case that failed in some runs only.
fn flakiness(judged: &Judged) -> Option<String> {
    judged
        .is_flaky()
        .then(|| format!("flaky: it failed in {} of {} runs", judged.failed_runs, judged.runs))
}

/// Wraps prose at a width; each line but the first is indented.
fn filled(text: &str, indent: usize, width: usize) -> String {
    let lines: Vec<_> = text.lines().map(|line| paragraph(line, width, indent, indent)).collect();
    lines.join(&format!("\n{:indent$}", ""))
}
