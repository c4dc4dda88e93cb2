//! The words of `explain`: a page for each group.

use std::fmt::Write;

use super::frame::Place;
use super::links::{anchor, link, of_group, of_lab_in, of_word};
use super::{Book, BookPage};
use crate::explain::has_lab;
use crate::explain::words::{Article, GROUPS, WordGroup};
use crate::ladder::html::escaped;

/// All pages.
pub(super) fn pages(book: &Book) -> impl Iterator<Item = BookPage> {
    GROUPS.iter().map(|group| page(book, group))
}

fn page(book: &Book, group: &WordGroup) -> BookPage {
    let place = Place { path: of_group(group), title: group.title.to_string() };
    let mut body = format!("<h1>{}</h1>\n", escaped(group.title));
    for entry in &*group.entries {
        article(&mut body, book, &place.path, &Article::new(entry, has_lab));
    }
    BookPage { place, body, ladder: None }
}

fn article(body: &mut String, book: &Book, path: &str, article: &Article) {
    let name = escaped(article.name);
    let _ = writeln!(
        body,
        "<article id=\"{}\">\n<h2><code>{name}</code></h2>\n<p>{}</p>\n<p class=\"faint\"><code>{}</code></p>\n<dl>",
        anchor(article.name),
        escaped(article.gist),
        escaped(&article.what_it_is())
    );
    for (label, text) in article.paragraphs().iter().filter(|(_, text)| !text.is_empty()) {
        let text = match *label {
            "errnos" => {
                let links = text.split(", ").map(|name| match of_word(name) {
                    Some(to) => format!("<a href=\"{}\">{}</a>", link(path, &to), escaped(name)),
                    None => escaped(name),
                });
                links.collect::<Vec<_>>().join(", ")
            }
            "lab:" => match of_lab_in(book, text) {
                Some(to) => format!("<a href=\"{}\">{}</a>", link(path, &to), escaped(text)),
                None => format!("<code>baresock lab {}</code>", escaped(text)),
            },
            _ => escaped(text),
        };
        let label = label.trim_end_matches(':');
        let _ = writeln!(body, "<dt>{label}</dt><dd>{text}</dd>");
    }
    body.push_str("</dl>\n</article>\n");
}
