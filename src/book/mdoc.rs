//! A manual page, from the language of its source (mdoc) to HTML.
//!
//! `mandoc -T html` does this, but it is not on every machine where a book is made, and a book must not depend on it. These
//! pages use about forty macros, which are few enough to read here; a test finds one that is not known. (The
//! program's own help is not enough: it describes the options, and the manual also the output, the trace and the limits.)

mod inline;

use std::fmt::Write;

use super::links::plain;
use crate::ladder::html::escaped;
use inline::{InlineText, MdocWord, tokens, unescaped};

#[derive(Debug, Default)]
pub(super) struct ManualPage {
    /// `baresock(1)`
    pub(super) name: String,
    /// What it is about, in a line.
    pub(super) gist: String,
    pub(super) html: String,
    /// Its headings: in words, and as addresses.
    pub(super) headings: Vec<(String, String)>,
    /// Macros that are not known here.
    pub(super) unknown: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OpenList {
    Tags,
    Bullets,
    Numbers,
    Table,
}

/// The page, as far as it has been read.
struct Reader<'a> {
    page: ManualPage,
    /// The page's own name, for `.Nm` without an argument.
    own_name: String,
    link: &'a dyn Fn(&str, &str) -> Option<String>,
    text: InlineText,
    lists: Vec<OpenList>,
    is_literal: bool,
    is_synopsis: bool,
}

/// Reads a page. `link` says where another page of the manual is, if it is in the book.
pub(super) fn read(source: &str, link: &dyn Fn(&str, &str) -> Option<String>) -> ManualPage {
    let mut reader = Reader {
        page: ManualPage::default(),
        own_name: String::new(),
        link,
        text: InlineText::default(),
        lists: Vec::new(),
        is_literal: false,
        is_synopsis: false,
    };
    for line in source.lines() {
        reader.line(line);
    }
    reader.end_paragraph();
    reader.page
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        let command = line.strip_prefix('.').filter(|_| !line.starts_with("..."));
        match command {
            Some("Ed") => {
                self.is_literal = false;
                self.page.html.push_str("</pre>\n");
            }
            _ if self.is_literal => {
                let _ = writeln!(self.page.html, "{}", escaped(&unescaped(line)));
            }
            Some(command) if command.starts_with("\\\"") => {}
            Some(command) => {
                let words = tokens(command);
                if let Some((first, arguments)) = words.split_first() {
                    self.command(&first.text, arguments, &words);
                }
            }
            None => self.text.add_line(&escaped(&unescaped(line))),
        }
    }

    fn command(&mut self, name: &str, arguments: &[MdocWord], whole: &[MdocWord]) {
        let in_words = || {
            let words: Vec<_> = arguments.iter().map(|word| unescaped(&word.text)).collect();
            words.join(" ")
        };
        match name {
            "Dd" | "Os" => {}
            "Dt" => {
                let name = arguments.first().map(|name| name.text.to_lowercase());
                let section = arguments.get(1).map_or("", |section| section.text.as_str());
                self.page.name = format!("{}({section})", name.unwrap_or_default());
            }
            "Sh" | "Ss" => self.heading(name, &in_words()),
            "Nd" => {
                self.page.gist = in_words();
                self.text.add_line(&format!("- {}", escaped(&in_words())));
            }
            "Pp" => self.end_paragraph(),
            "br" => self.text.open("<br>"),
            "Bl" => self.open_list(arguments),
            "It" => self.item(arguments),
            "El" => self.close_list(),
            "Bd" => {
                self.end_paragraph();
                self.page.html.push_str("<pre>\n");
                self.is_literal = true;
            }
            "Dl" => {
                self.end_paragraph();
                let line = self.inline(arguments);
                let _ = writeln!(self.page.html, "<pre>{line}</pre>");
            }
            "Po" => self.text.open("("),
            "Pc" => {
                let rest = self.inline(arguments);
                self.text.close(&format!("){rest}"));
            }
            "In" | "Ft" | "Fo" | "Fc" => self.prototype(name, &escaped(&in_words())),
            "Fa" if self.is_synopsis => {
                self.text.add_argument(&format!("<var>{}</var>", escaped(&in_words())));
            }
            "Nm" if self.is_synopsis || self.own_name.is_empty() => {
                self.end_paragraph();
                if let Some(name) = arguments.first() {
                    self.own_name.clone_from(&name.text);
                }
                let name = format!("<code>{}</code>", escaped(&self.own_name));
                self.text.add_line(&name);
            }
            _ if inline::is_macro(name) => {
                let text = self.inline(whole);
                self.text.add_line(&text);
                if name == "Fn" && self.is_synopsis {
                    self.end_paragraph();
                }
            }
            _ => self.page.unknown.push(name.to_string()),
        }
    }

    /// A part of a prototype, on lines of its own.
    fn prototype(&mut self, name: &str, words: &str) {
        match name {
            "In" => {
                self.end_paragraph();
                self.text.add_line(&format!("<code>#include &lt;{words}&gt;</code>"));
                self.end_paragraph();
            }
            "Ft" => {
                self.end_paragraph();
                self.text.add_line(&format!("<code>{words}</code>"));
            }
            "Fo" => self.text.open(&format!("<code>{words}(</code>")),
            _ => {
                self.text.close("<code>)</code>");
                self.end_paragraph();
            }
        }
    }

    fn inline(&self, words: &[MdocWord]) -> String {
        inline::html(words, &self.own_name, self.link)
    }

    fn heading(&mut self, kind: &str, title: &str) {
        self.end_paragraph();
        self.is_synopsis = title == "SYNOPSIS";
        let level = if kind == "Sh" { "h2" } else { "h3" };
        let mut id = plain(title);
        while self.page.headings.iter().any(|(_, known)| *known == id) {
            id.push('-');
        }
        let _ = writeln!(self.page.html, "<{level} id=\"{id}\">{}</{level}>", escaped(title));
        self.page.headings.push((title.to_string(), id));
    }

    fn open_list(&mut self, arguments: &[MdocWord]) {
        self.end_paragraph();
        let kind = arguments.first().map_or("", |kind| kind.text.as_str());
        let (list, tag) = match kind {
            "-bullet" => (OpenList::Bullets, "<ul>"),
            "-enum" => (OpenList::Numbers, "<ol>"),
            "-column" => (OpenList::Table, "<div class=\"wide\"><table>"),
            _ => (OpenList::Tags, "<dl>"),
        };
        self.lists.push(list);
        let _ = writeln!(self.page.html, "{tag}");
    }

    fn item(&mut self, arguments: &[MdocWord]) {
        self.end_item();
        match self.lists.last() {
            Some(OpenList::Tags) => {
                let term = self.inline(arguments);
                let _ = write!(self.page.html, "<dt>{term}</dt><dd>");
            }
            Some(OpenList::Table) => self.row(arguments),
            Some(OpenList::Bullets | OpenList::Numbers) => self.page.html.push_str("<li>"),
            None => self.page.unknown.push("It".to_string()),
        }
    }

    /// A row of a table. If each of its cells is emphasised, it is the head.
    fn row(&mut self, arguments: &[MdocWord]) {
        let cells: Vec<_> = arguments.split(|word| word.is("Ta")).collect();
        let is_head = |cell: &&[MdocWord]| {
            cell.first().is_none_or(|word| word.is("Em") || word.text.is_empty())
        };
        let tag = if cells.iter().all(is_head) { "th" } else { "td" };
        self.page.html.push_str("<tr>");
        for cell in cells {
            let text = self.inline(cell);
            let _ = write!(self.page.html, "<{tag}>{text}</{tag}>");
        }
        self.page.html.push_str("</tr>\n");
    }

    /// Ends the item that is open in the innermost list, if there is one.
    fn end_item(&mut self) {
        self.end_paragraph();
        let begin = self.lists.last().map(|list| match list {
            OpenList::Tags => ["<dl>\n", "</dd>\n"],
            OpenList::Bullets => ["<ul>\n", "</li>\n"],
            OpenList::Numbers => ["<ol>\n", "</li>\n"],
            OpenList::Table => ["", ""],
        });
        if let Some([begin, end]) = begin
            && !self.page.html.ends_with(begin)
        {
            self.page.html.push_str(end);
        }
    }

    fn close_list(&mut self) {
        self.end_item();
        let tag = match self.lists.pop() {
            Some(OpenList::Tags) => "</dl>",
            Some(OpenList::Bullets) => "</ul>",
            Some(OpenList::Numbers) => "</ol>",
            Some(OpenList::Table) => "</table></div>",
            None => return self.page.unknown.push("El".to_string()),
        };
        let _ = writeln!(self.page.html, "{tag}");
    }

    fn end_paragraph(&mut self) {
        let text = self.text.take();
        if !text.is_empty() {
            let class = if self.is_synopsis { " class=\"synopsis\"" } else { "" };
            let _ = writeln!(self.page.html, "<p{class}>{text}</p>");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(source: &str) -> String {
        let page = read(source, &|name, section| {
            (name == "baresock").then(|| format!("{name}.{section}.html"))
        });
        assert_eq!(page.unknown, [""; 0], "{source}");
        page.html
    }

    #[test]
    fn words_get_their_marks_and_punctuation_stays_with_them() {
        for (source, expected) in [
            (".Nm x\n.Nm\nis small.", "<p><code>x</code> <code>x</code> is small.</p>\n"),
            (".Fl -json | -csv", "<p><code>--json</code> | <code>--csv</code></p>\n"),
            (".Op Fl -html Ar file", "<p>[<code>--html</code> <var>file</var>]</p>\n"),
            (".Xr poll 2 ,\nthen", "<p>poll(2), then</p>\n"),
            (".Xr baresock 1 .", "<p><a href=\"baresock.1.html\">baresock(1)</a>.</p>\n"),
            (".Pq see Sx FILES :", "<p>(see <a href=\"#files\">FILES</a>):</p>\n"),
            (".Fn send\nand \\(dqx\\en\\(dq", "<p><code>send()</code> and &quot;x\\n&quot;</p>\n"),
            (
                ".Ar host Ns Li \\&: Ns Ar port",
                "<p><var>host</var><code>:</code><var>port</var></p>\n",
            ),
            (".Po\n.Dq a ,\n.Dq b\n.Pc .", "<p>(“a”, “b”).</p>\n"),
            (".Dl a <b>", "<pre>a &lt;b&gt;</pre>\n"),
            (".Fx 13\nand\n.Nx ,", "<p>FreeBSD 13 and NetBSD,</p>\n"),
        ] {
            let source = format!(".Nm x\n.Pp\n{source}");
            let source = source
                .strip_prefix(".Nm x\n.Pp\n.Nm")
                .map_or(source.clone(), |rest| format!(".Nm{rest}"));
            let found = html(&source);
            assert_eq!(found.trim_start_matches("<p><code>x</code></p>\n"), expected, "{source}");
        }
    }

    #[test]
    fn lists_and_tables_are_closed() {
        let source = ".Bl -tag\n.It Fl -a\nfirst\n.Bl -bullet\n.It\none\n.It\ntwo\n.El\n.It Fl -b\nlast\n.El";
        assert_eq!(
            html(source),
            "<dl>\n<dt><code>--a</code></dt><dd><p>first</p>\n<ul>\n<li><p>one</p>\n</li>\n<li><p>two</p>\n</li>\n</ul>\n\
             </dd>\n<dt><code>--b</code></dt><dd><p>last</p>\n</dd>\n</dl>\n"
        );
        let source = ".Bl -column a b\n.It \"\" Ta Em x\n.It one two Ta Dv NULL\n.El";
        assert_eq!(
            html(source),
            "<div class=\"wide\"><table>\n<tr><th></th><th><em>x</em></th></tr>\n\
             <tr><td>one two</td><td><code>NULL</code></td></tr>\n</table></div>\n"
        );
    }

    #[test]
    fn what_is_not_known_is_told() {
        assert_eq!(read(".Zz a", &|_, _| None).unknown, ["Zz"]);
    }
}
