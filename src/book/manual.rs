//! The pages of the manual.

use std::sync::LazyLock;

use super::BookPage;
use super::frame::Place;
use super::mdoc::{ManualPage, read};

/// Name, section, and source.
const SOURCES: [(&str, &str, &str); 4] = [
    ("baresock", "1", include_str!("../../man/baresock.1")),
    ("baresock-labs", "7", include_str!("../../man/baresock-labs.7")),
    ("baresock-select", "7", include_str!("../../man/baresock-select.7")),
    ("baresock-systems", "7", include_str!("../../man/baresock-systems.7")),
];

/// Every page, with its address.
pub(super) static MANUAL: LazyLock<Vec<(String, ManualPage)>> = LazyLock::new(|| {
    let page = |(name, section, source): (&str, &str, &str)| {
        let page = read(source, &|name, section| {
            let is_it = |of: &&(&str, &str, &str)| (of.0, of.1) == (name, section);
            SOURCES.iter().find(is_it).map(|_| file(name, section))
        });
        (format!("manual/{}", file(name, section)), page)
    };
    SOURCES.map(page).into()
});

fn file(name: &str, section: &str) -> String {
    format!("{name}.{section}.html")
}

/// Where the pages are.
pub(super) fn places() -> impl Iterator<Item = Place> {
    MANUAL.iter().map(|(path, page)| {
        let title = format!("{}: {}", page.name, page.gist);
        Place { path: path.clone(), title }
    })
}

pub(super) fn pages() -> impl Iterator<Item = BookPage> {
    places().zip(&*MANUAL).map(|(place, (_, page))| {
        let title = crate::ladder::html::escaped(&page.name);
        let body = format!("<h1>{title}</h1>\n<div class=\"manual\">\n{}</div>\n", page.html);
        BookPage { place, body, ladder: None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_macro_of_the_manual_is_known() {
        for (path, page) in &*MANUAL {
            assert_eq!(page.unknown, [""; 0], "{path}");
            assert!(page.headings.len() > 4 && !page.gist.is_empty(), "{path}");
            // What would be an escape or a macro that was taken for text.
            for left in ["\\(", "\\&", ">Ns<", " Ns ", " Ta ", "\n."] {
                assert!(!page.html.contains(left), "{left:?} in {path}");
            }
        }
    }
}
