//! Worksheets: each lab without its answers, to print, and one page with all answers.

use std::fmt::Write;

use super::frame::Place;
use super::{Book, BookPage, LabRecord};
use crate::labs::run::LabEvent;
use crate::labs::show::{EventWriter, Form};
use crate::ladder::html::escaped;

/// The key's address.
const KEY: &str = "worksheets/key.html";
/// The writer breaks no lines of Markdown; this is for what it does break.
const COLUMNS: usize = 100;

/// Where they are.
pub(super) fn places(book: &Book) -> impl Iterator<Item = Place> {
    let sheets = book.labs.iter().map(|record| {
        let name = record.lab.name;
        Place { path: format!("worksheets/{name}.html"), title: format!("Worksheet: {name}") }
    });
    sheets.chain([Place { path: KEY.into(), title: "The key to the worksheets".into() }])
}

pub(super) fn pages(book: &Book) -> impl Iterator<Item = BookPage> {
    let bodies = book.labs.iter().map(sheet).chain([key(book)]);
    places(book).zip(bodies).map(|(place, body)| BookPage { place, body, ladder: None })
}

fn sheet(record: &LabRecord) -> String {
    let mut writer = EventWriter::new(Form::Worksheet, COLUMNS);
    let mut markdown = writer.head(record.lab);
    for event in &record.events {
        markdown.push_str(&writer.event(event));
    }
    markdown.push_str(&writer.tail(record.lab, &record.verdict()));
    html_of(&markdown)
}

/// The Markdown of a worksheet: headings, paragraphs, and blocks of code.
fn html_of(markdown: &str) -> String {
    let mut out = String::new();
    let mut is_code = false;
    for line in markdown.lines() {
        let text = escaped(line);
        if line == "```" {
            out.push_str(if is_code { "</pre>\n" } else { "<pre>" });
            is_code = !is_code;
        } else if is_code {
            let _ = writeln!(out, "{text}");
        } else if let Some(title) = text.strip_prefix("## ") {
            let _ = writeln!(out, "<h2>{title}</h2>");
        } else if let Some(title) = text.strip_prefix("# ") {
            let _ = writeln!(out, "<h1>{title}</h1>");
        } else if let Some(strong) =
            text.strip_prefix("**").and_then(|text| text.strip_suffix("**"))
        {
            let _ = writeln!(out, "<p class=\"lead\">{strong}</p>");
        } else if !text.is_empty() {
            let _ = writeln!(out, "<p>{text}</p>");
        }
    }
    if is_code {
        out.push_str("</pre>\n");
    }
    out
}

fn key(book: &Book) -> String {
    let mut out =
        "<h1>The key to the worksheets</h1>\n<p>What this machine answered.</p>\n".to_string();
    for LabRecord { lab, events, .. } in &book.labs {
        let _ = writeln!(out, "<h2>{}</h2>\n<ol>", escaped(lab.name));
        for event in events {
            let _ = match event {
                LabEvent::Predicted { asks, .. } => write!(out, "<li>{}", escaped(asks)),
                LabEvent::Observed { observed, .. } => {
                    writeln!(out, " <b>{}</b></li>", escaped(observed))
                }
                _ => continue,
            };
        }
        let _ = writeln!(out, "</ol>\n<p>{}</p>", escaped(lab.claim));
    }
    out
}
