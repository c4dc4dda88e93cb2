//! The first page: what the book is, the questions that people ask, and all its pages.

use std::fmt::Write;

use super::frame::Place;
use super::links::{of_group, of_lab, of_lab_in};
use super::{Book, BookPage, LabRecord, Sheets, manual, sheets};
use crate::explain::words::GROUPS;
use crate::labs::run::LabEvent;
use crate::labs::why::QUESTIONS;
use crate::labs::{GROUPS as LAB_GROUPS, LabGroup};
use crate::ladder::html::escaped;

/// The first page.
pub(super) fn page(book: &Book) -> BookPage {
    let place = Place { path: "index.html".into(), title: "Contents".into() };
    let mut body = format!(
        "<h1>How sockets behave</h1>\n<p class=\"lead\">Each lab asks a question, lets you predict, and shows the calls \
         that answer it, as this machine made them.</p>\n<p class=\"faint\">{}</p>\n\
         <p id=\"progress\" role=\"status\"></p>\n",
        escaped(&book.made)
    );
    if let Some(why) = &book.no_packets {
        let _ = writeln!(body, "<p class=\"notice\">Packets are not shown: {}</p>", escaped(why));
    }
    questions(&mut body, book);
    body.push_str("<h2 id=\"labs\">Labs</h2>\n");
    for group in LAB_GROUPS {
        labs(&mut body, book, group);
    }
    body.push_str("<h2 id=\"words\">Words</h2>\n<ul class=\"columns\">\n");
    for group in &*GROUPS {
        let to = of_group(group);
        let title = escaped(group.title);
        let many = group.entries.len();
        let _ = writeln!(
            body,
            "<li><a href=\"{to}\">{title}</a> <span class=\"faint\">{many}</span></li>"
        );
    }
    body.push_str("</ul>\n<h2 id=\"manual\">The manual</h2>\n<ul>\n");
    for place in manual::places() {
        link_in_list(&mut body, &place);
    }
    body.push_str("</ul>\n");
    if book.sheets == Sheets::With {
        body.push_str("<h2 id=\"worksheets\">Worksheets</h2>\n<p>Without answers, to print.</p>\n<ul class=\"columns\">\n");
        for place in sheets::places(book) {
            link_in_list(&mut body, &place);
        }
        body.push_str("</ul>\n");
    }
    BookPage { place, body, ladder: None }
}

fn link_in_list(body: &mut String, place: &Place) {
    let title = escaped(&place.title);
    let _ = writeln!(body, "<li><a href=\"{}\">{title}</a></li>", place.path);
}

/// The questions that people ask most, as far as the book answers them.
fn questions(body: &mut String, book: &Book) {
    let mut rows = String::new();
    for (question, labs) in QUESTIONS {
        let labs = labs.iter().filter_map(|name| Some((name, of_lab_in(book, name)?)));
        let links: Vec<_> =
            labs.map(|(name, to)| format!("<a href=\"{to}\">{}</a>", escaped(name))).collect();
        if !links.is_empty() {
            let _ = writeln!(rows, "<li>{} {}</li>", escaped(question), links.join(", "));
        }
    }
    if !rows.is_empty() {
        let _ = writeln!(
            body,
            "<details><summary>Questions that people ask most</summary>\n<ol>\n{rows}</ol></details>"
        );
    }
}

fn labs(body: &mut String, book: &Book, group: &LabGroup) {
    let records: Vec<&LabRecord> = book
        .labs
        .iter()
        .filter(|record| group.labs.iter().any(|lab| lab.name == record.lab.name))
        .collect();
    if records.is_empty() {
        return;
    }
    let _ = writeln!(body, "<h3>{}</h3>\n<ul class=\"labs\">", escaped(group.title));
    for record in records {
        let lab = record.lab;
        let verdict = record.verdict();
        let is_question = |event: &&LabEvent| matches!(event, LabEvent::Predicted { .. });
        let asks = record.events.iter().filter(is_question).count();
        let note = match verdict.word() {
            "as predicted" => String::new(),
            word => format!(" <span class=\"notice\">{word} here</span>"),
        };
        let to = of_lab(lab.name);
        let name = escaped(lab.name);
        let question = escaped(lab.question);
        let _ = writeln!(
            body,
            "<li data-lab=\"{name}\" data-asks=\"{asks}\"><a href=\"{to}\">{name}</a>{note} \
             <span class=\"done\"></span><br>{question} <span class=\"faint\">{}&#160;min</span></li>",
            lab.minutes
        );
    }
    body.push_str("</ul>\n");
}
