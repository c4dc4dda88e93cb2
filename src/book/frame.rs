//! What all pages of a book have in common: the head, the way back and the search, the pages before and after.

use super::BookPage;
use super::links::link;
use crate::ladder::html::{STEP, escaped};

/// How the pages look.
pub(super) const STYLE: &str = include_str!("book.css");
/// The predictions, and the answers that the browser keeps.
pub(super) const SCRIPT: &str = include_str!("book.js");

/// Scripts and styles come from the book's own files: what a page itself contains is never run, and has no style.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'";

/// A page's address and its title.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) title: String,
}

/// What surrounds a page.
#[derive(Debug)]
pub(super) struct PageFrame<'a> {
    pub(super) before: Option<&'a Place>,
    pub(super) next: Option<&'a Place>,
    pub(super) made: &'a str,
}

impl PageFrame<'_> {
    /// The whole page.
    pub(super) fn around(&self, page: &BookPage) -> String {
        let path = &page.place.path;
        let title = escaped(&page.place.title);
        let to = |of: &str| link(path, of);
        let mut scripts = vec!["book.js"];
        if page.ladder.is_some() {
            scripts.push("ladder.js");
        }
        if path == "search.html" {
            scripts.extend(["index.js", "search.js"]);
        }
        let styles = ["ladder.css", "book.css"]
            .map(|file| format!("<link rel=\"stylesheet\" href=\"{}\">\n", to(file)))
            .concat();
        let scripts: String = scripts
            .iter()
            .map(|file| format!("<script src=\"{}\"></script>\n", to(file)))
            .collect();
        let (class, step) = match &page.ladder {
            Some(data) => (
                " class=\"with-step\"",
                format!(
                    "<aside class=\"step\" aria-label=\"The chosen call\">\
                     <button id=\"close-step\" type=\"button\">close</button>\n{STEP}</aside>\n{data}\n"
                ),
            ),
            None => ("", String::new()),
        };
        let around = self.neighbours(path);
        let contents = to("index.html");
        let search = to("search.html");
        let made = escaped(self.made);
        let body = &page.body;
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} - baresock</title>\n{styles}</head>\n\
             <body{class}>\n<a class=\"skip\" href=\"#text\">To the text</a>\n\
             <header class=\"top\"><a href=\"{contents}\">baresock: the book</a>\
             <form role=\"search\" action=\"{search}\"><label>Search <input type=\"search\" name=\"q\"></label></form></header>\n\
             <main id=\"text\">\n{body}\n{around}</main>\n{step}<footer>{made}</footer>\n{scripts}</body>\n</html>\n"
        )
    }

    fn neighbours(&self, path: &str) -> String {
        let one = |place: Option<&Place>, rel: &str, words: [&str; 2]| {
            let Some(place) = place else { return "<span></span>".to_string() };
            let href = link(path, &place.path);
            let title = escaped(&place.title);
            let [before, behind] = words;
            format!("<a rel=\"{rel}\" href=\"{href}\">{before}{title}{behind}</a>")
        };
        let before = one(self.before, "prev", ["← ", ""]);
        let next = one(self.next, "next", ["", " →"]);
        match (self.before, self.next) {
            (None, None) => String::new(),
            _ => format!("<nav class=\"around\" aria-label=\"Pages\">{before}{next}</nav>\n"),
        }
    }
}
