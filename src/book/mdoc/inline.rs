//! The macros within a line of mdoc: what a word is, and the punctuation around it.

use crate::book::links::plain;
use crate::ladder::html::escaped;

/// A word of a line.
#[derive(Clone, Debug)]
pub(super) struct MdocWord {
    pub(super) text: String,
    /// Whether it stood in quotes, where no word is a macro.
    is_quoted: bool,
}

impl MdocWord {
    /// Whether it is this macro.
    pub(super) fn is(&self, name: &str) -> bool {
        !self.is_quoted && self.text == name
    }

    fn is_macro(&self) -> bool {
        !self.is_quoted && is_macro(&self.text)
    }

    fn closes(&self) -> bool {
        !self.is_quoted && [".", ",", ";", ":", "?", "!", ")", "]"].contains(&&*self.text)
    }

    fn opens(&self) -> bool {
        !self.is_quoted && ["(", "["].contains(&&*self.text)
    }
}

/// The macros that may stand within a line.
const MACROS: &[&str] = &[
    "Ar", "Cm", "Dq", "Dv", "Em", "Er", "Ev", "Fa", "Fl", "Fn", "Fx", "Li", "Nm", "No", "Ns", "Nx",
    "Op", "Ox", "Pa", "Pq", "Ql", "Sx", "Va", "Vt", "Xr",
];

/// Whether this is a macro that may stand within a line.
pub(super) fn is_macro(name: &str) -> bool {
    MACROS.contains(&name)
}

/// The words of a line; what stands in quotes is one.
pub(super) fn tokens(line: &str) -> Vec<MdocWord> {
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (text, is_quoted, behind) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (text, behind) = quoted.split_once('"').unwrap_or((quoted, ""));
                (text, true, behind)
            }
            None => {
                let (text, behind) = rest.split_once(' ').unwrap_or((rest, ""));
                (text, false, behind)
            }
        };
        found.push(MdocWord { text: text.to_string(), is_quoted });
        rest = behind.trim_start();
    }
    found
}

/// The text without the escapes of the language.
pub(super) fn unescaped(text: &str) -> String {
    let escapes = [("\\&", ""), ("\\(dq", "\""), ("\\(mi", "−"), ("\\-", "-"), ("\\e", "\\")];
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match escapes.iter().find(|(escape, _)| rest.starts_with(escape)) {
            Some((escape, text)) => {
                out.push_str(text);
                rest = &rest[escape.len()..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// A paragraph, as far as it has been read.
#[derive(Debug, Default)]
pub(super) struct InlineText {
    html: String,
    /// Whether what follows stands directly behind what is there.
    is_glued: bool,
}

impl InlineText {
    /// Adds a line behind a blank.
    pub(super) fn add_line(&mut self, html: &str) {
        if !self.html.is_empty() && !self.is_glued {
            self.html.push(' ');
        }
        self.html.push_str(html);
        self.is_glued = false;
    }

    /// Adds an opening bracket.
    pub(super) fn open(&mut self, html: &str) {
        self.add_line(html);
        self.is_glued = true;
    }

    /// Adds a closing bracket.
    pub(super) fn close(&mut self, html: &str) {
        self.html.push_str(html);
        self.is_glued = false;
    }

    /// Adds an argument of a function: behind a comma, unless it is the first.
    pub(super) fn add_argument(&mut self, html: &str) {
        if !self.is_glued {
            self.html.push(',');
        }
        self.add_line(html);
    }

    /// The paragraph; another one begins.
    pub(super) fn take(&mut self) -> String {
        self.is_glued = false;
        std::mem::take(&mut self.html)
    }
}

/// A line that is being written.
struct InlineWriter<'a> {
    out: String,
    is_glued: bool,
    own_name: &'a str,
    link: &'a dyn Fn(&str, &str) -> Option<String>,
}

/// The words of a line, each with its mark.
pub(super) fn html(
    words: &[MdocWord],
    own_name: &str,
    link: &dyn Fn(&str, &str) -> Option<String>,
) -> String {
    let mut writer = InlineWriter { out: String::new(), is_glued: true, own_name, link };
    writer.write(words);
    writer.out
}

impl InlineWriter<'_> {
    fn write(&mut self, words: &[MdocWord]) {
        let mut at = 0;
        let mut mark = "No";
        while let Some(word) = words.get(at) {
            at += 1;
            if word.is("Ns") {
                self.is_glued = true;
            } else if ["Op", "Pq", "Dq", "Ql"].iter().any(|enclosing| word.is(enclosing)) {
                return self.enclose(&word.text, &words[at..]);
            } else if word.is_macro() {
                mark = MACROS.iter().find(|name| word.is(name)).copied().unwrap_or("No");
                at += self.write_at_once(mark, &words[at..]);
            } else if word.closes() {
                self.out.push_str(&escaped(&word.text));
                self.is_glued = false;
            } else {
                let more = if ["Fl", "Fn", "Xr"].contains(&mark) || word.opens() || word.text == "|"
                {
                    0
                } else {
                    words[at..].iter().take_while(|word| is_plain(word)).count()
                };
                let all: Vec<_> =
                    words[at - 1..at + more].iter().map(|word| unescaped(&word.text)).collect();
                at += more;
                let is_plain_text = word.opens() || word.text == "|";
                self.put(&marked(if is_plain_text { "No" } else { mark }, &all.join(" ")));
                self.is_glued = word.opens();
            }
        }
    }

    /// Macros that are complete without a word, or with a fixed number of them; returns how many it took.
    fn write_at_once(&mut self, mark: &str, rest: &[MdocWord]) -> usize {
        let has_word = rest.first().is_some_and(|word| !word.is_macro() && !word.closes());
        match mark {
            "Fx" | "Nx" | "Ox" => {
                let system = match mark {
                    "Fx" => "FreeBSD",
                    "Nx" => "NetBSD",
                    _ => "OpenBSD",
                };
                let version = rest.first().filter(|_| has_word);
                let version = version.map_or(String::new(), |version| format!(" {}", version.text));
                self.put(&escaped(&format!("{system}{version}")));
                usize::from(has_word)
            }
            "Nm" if !has_word => {
                self.put(&marked("Cm", self.own_name));
                0
            }
            "Fn" => {
                let arguments = rest.iter().skip(1).take_while(|word| word.is_quoted);
                let arguments: Vec<_> = arguments.map(|word| escaped(&word.text)).collect();
                let name = rest.first().map_or("", |name| name.text.as_str());
                self.put(&format!("<code>{}({})</code>", escaped(name), arguments.join(", ")));
                1 + arguments.len()
            }
            "Xr" => {
                let [name, section] = [0, 1].map(|at| rest.get(at).map_or("", |word| &word.text));
                let shown = escaped(&format!("{name}({section})"));
                match (self.link)(name, section) {
                    Some(to) => self.put(&format!("<a href=\"{}\">{shown}</a>", escaped(&to))),
                    None => self.put(&shown),
                }
                2
            }
            _ => 0,
        }
    }

    /// Brackets or quotes around the rest of the line, without the punctuation at its end.
    fn enclose(&mut self, kind: &str, rest: &[MdocWord]) {
        let [open, close] = match kind {
            "Op" => ["[", "]"],
            "Pq" => ["(", ")"],
            _ => ["“", "”"],
        };
        let behind = rest.iter().rev().take_while(|word| word.closes()).count();
        let (inside, behind) = rest.split_at(rest.len() - behind);
        self.put(open);
        self.is_glued = true;
        self.write(inside);
        self.out.push_str(close);
        behind.iter().for_each(|word| self.out.push_str(&escaped(&word.text)));
        self.is_glued = false;
    }

    fn put(&mut self, html: &str) {
        if !self.is_glued {
            self.out.push(' ');
        }
        self.out.push_str(html);
        self.is_glued = false;
    }
}

/// Whether a word continues the text before it.
fn is_plain(word: &MdocWord) -> bool {
    !word.is_macro() && !word.closes() && !word.opens() && word.text != "|" && !word.is("Ta")
}

/// Text with the mark of its macro.
fn marked(mark: &str, text: &str) -> String {
    let shown = escaped(text);
    match mark {
        "Ar" | "Fa" | "Va" => format!("<var>{shown}</var>"),
        "Em" => format!("<em>{shown}</em>"),
        "Fl" => format!("<code>-{shown}</code>"),
        "Sx" => format!("<a href=\"#{}\">{shown}</a>", plain(text)),
        "Cm" | "Dv" | "Er" | "Ev" | "Li" | "Nm" | "Pa" | "Vt" => format!("<code>{shown}</code>"),
        _ => shown,
    }
}
