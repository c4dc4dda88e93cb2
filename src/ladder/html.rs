//! The ladder as one page that a person steps through. It loads nothing, and can be read without scripts: then it is
//! the calls with what each of them sent.
//!
//! The page contains bytes from hostile peers. They get into the page in two ways only: as text of an element, through
//! [`escaped`], and as JSON in a script element of a non-executable type, through `json_in_html`; the page's own script
//! turns the JSON into text and never into markup.

use std::fmt::Write;

use super::Ladder;
use super::page_data::data;
use super::rows::{lines, list};
use crate::services::append_printable;

/// The page, with marks where content is inserted.
const TEMPLATE: &str = include_str!("page.html");
/// How a ladder looks, on this page and on others.
pub const STYLE: &str = include_str!("ladder.css");
/// The script that draws the arrows and steps through a ladder.
pub const SCRIPT: &str = include_str!("ladder.js");
/// Where the script shows the step that is chosen.
pub const STEP: &str = include_str!("step.html");

/// What stands between the calls on a page.
#[derive(Clone, Debug)]
pub struct LadderNote {
    /// It follows every call that counts up to this time, in nanoseconds of the calls' clock.
    pub after_ns: u64,
    /// What it is.
    pub kind: LadderNoteKind,
    /// Its text.
    pub text: String,
}

/// What a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LadderNoteKind {
    /// The headline of a chapter.
    Chapter,
    /// A sentence.
    Said,
    /// A question, or the answer to it.
    Asked,
}

/// The page of a ladder, with its title and what stands between the calls.
pub fn page(ladder: &Ladder, title: &str, notes: &[LadderNote]) -> String {
    let title = escaped(title);
    let parts = [
        ("title", title.clone()),
        ("style", STYLE.to_string()),
        ("title", title),
        ("clocks", escaped(&about(ladder))),
        ("ladder", with_notes(ladder, notes)),
        ("step", STEP.to_string()),
        ("data", data_element(ladder)),
        ("script", SCRIPT.to_string()),
    ];
    // In the order of the marks, each once: inserted content is not searched for marks.
    let mut page = String::new();
    let mut rest = TEMPLATE;
    for (mark, text) in parts {
        let Some((before, behind)) = rest.split_once(&format!("<!--{mark}-->")) else { continue };
        page.push_str(before);
        page.push_str(&text);
        rest = behind;
    }
    page + rest
}

/// How the order and the times are to be read.
fn about(ladder: &Ladder) -> String {
    let times = "a time is when the call returned, of a call that sends or connects when it began";
    format!("{}; {times}", ladder.about_the_order())
}

fn with_notes(ladder: &Ladder, notes: &[LadderNote]) -> String {
    let mut inside = String::new();
    let mut next = 0;
    for note in notes {
        let place = ladder.place_after(note.after_ns).max(next);
        inside.push_str(&list(ladder, next..place));
        next = place;
        let text = escaped(&note.text);
        let _ = match note.kind {
            LadderNoteKind::Chapter => {
                writeln!(inside, "<div class=\"chapter\"><h2>{text}</h2></div>")
            }
            LadderNoteKind::Said => writeln!(inside, "<p class=\"said\">{text}</p>"),
            LadderNoteKind::Asked => writeln!(inside, "<p class=\"said asked\">{text}</p>"),
        };
    }
    inside.push_str(&list(ladder, next..ladder.len()));
    element(ladder, &inside)
}

/// The element of a ladder, around what it shows: its lists, and what stands between them.
pub fn element(ladder: &Ladder, inside: &str) -> String {
    let mut classes = "ladder".to_string();
    for (is_empty, class) in ladder.empty_columns() {
        if is_empty {
            let _ = write!(classes, " {class}");
        }
    }
    let [client, server] = ladder.heads().map(|head| escaped(&head));
    format!(
        "<div class=\"{classes}\">\n<div class=\"heads\"><span class=\"time\">time</span>\
         <span class=\"client\">{client}</span><span class=\"server\">{server}</span></div>\n{inside}{}</div>\n",
        lines()
    )
}

/// The element with the data for the script.
pub fn data_element(ladder: &Ladder) -> String {
    let data = json_in_html(&data(ladder));
    format!("<script type=\"application/json\" id=\"data\">{data}</script>")
}

/// The calls of these steps as a list; see [`element`].
pub fn calls(ladder: &Ladder, steps: std::ops::Range<usize>) -> String {
    list(ladder, steps)
}

impl Ladder {
    /// How many calls it has.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it has no call.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many of its calls count up to this time.
    pub fn place_after(&self, time_ns: u64) -> usize {
        self.steps.iter().take_while(|step| step.call.moment_ns() <= time_ns).count()
    }
}

/// Text of an element or of an attribute.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    append_printable(&mut shown, text.as_bytes());
    let mut out = String::with_capacity(shown.len());
    for c in shown.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// JSON that can neither end its element nor begin another one, and without the two line separators that JavaScript
/// does not allow in strings. All of these can only occur in strings.
pub fn json_in_html(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
