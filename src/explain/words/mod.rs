//! `explain`: an entry for every name that the trace can show.
//!
//! [`GROUPS`] is the table. [`find`] finds the entries for the words that a student types, through the aliases in
//! [`aliases`] and the texts that other systems and languages print for an error ([`said`]); [`find_in_message`] those
//! for a pasted message; [`search()`] those for any words. [`Article`] is an entry with its value on this system, as
//! text for a terminal or as JSON.

pub mod aliases;
mod article;
mod entry;
mod known;
mod lookup;
mod message;
pub mod said;
mod search;
mod table;

pub use article::{Article, list};
pub use entry::{Entry, WordGroup};
pub use known::{KnownName, known};
pub use lookup::{find, near, other_errno};
pub use message::find_in_message;
pub use search::search;
pub use table::GROUPS;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::names::Errno;
    use crate::os::output::Colors;
    use crate::trace::Function;
    use crate::trace::lesson::See;

    fn entries() -> impl Iterator<Item = &'static Entry> {
        GROUPS.iter().flat_map(|group| &*group.entries)
    }

    fn texts(entry: &Entry) -> impl Iterator<Item = &'static str> {
        [entry.means, entry.result, entry.trap, entry.when, entry.advice, entry.systems]
            .into_iter()
            .filter(|text| !text.is_empty())
    }

    #[test]
    fn no_name_that_the_trace_can_print_is_without_an_entry() {
        let constants = known::constants().map(|constant| constant.name);
        let functions = Function::all().map(Function::name);
        let in_a_trace = ["SIG_DFL", "SIG_IGN", "SIG_SETMASK", "O_RDONLY", "NULL", "htons"];
        for name in constants.chain(functions).chain(in_a_trace) {
            let found = find(name);
            assert_eq!(found.iter().map(|entry| entry.name).collect::<Vec<_>>(), [name]);
        }
    }

    /// Fields are written by hand, `sin_port=`; in the sources no other `=` directly follows a word.
    #[test]
    fn nor_is_a_field_or_a_mark() {
        let sources = [
            include_str!("../../trace/arg.rs"),
            include_str!("../../trace/notation.rs"),
            include_str!("../../trace/structures.rs"),
            include_str!("../../trace/text.rs"),
        ];
        let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut fields = BTreeSet::new();
        for source in sources {
            let source = source.split("#[cfg(test)]").next().unwrap();
            for (at, _) in source.match_indices('=') {
                let before = &source[..at];
                let field = &before[before.trim_end_matches(is_of_word).len()..];
                if !field.is_empty() {
                    fields.insert(field);
                }
            }
        }
        assert!(fields.len() > 40, "{fields:?}");
        let marks =
            ["refused", "libc", "INJECTED", "library", "unfinished", "resumed", "Timeout", "left"];
        let marks = marks.into_iter().chain(["in", "out", "except", "flags"]);
        let states = ["unread", "unacknowledged", "waiting"];
        for word in fields.into_iter().chain(marks).chain(states).chain([
            "sin6_addr",
            "inet_pton",
            "offender",
        ]) {
            let found: Vec<_> = find(word).iter().map(|entry| entry.name).collect();
            // A student who asks for "refused" probably means a connection.
            let expected = if word == "refused" { vec!["ECONNREFUSED", word] } else { vec![word] };
            assert_eq!(found, expected);
        }
    }

    /// The tables of `names` leave out constants that this system lacks, but the entries are for
    /// all systems.
    #[test]
    fn nor_is_a_name_of_another_system() {
        let mut names = BTreeSet::new();
        for source in [
            include_str!("../../names/errno.rs"),
            include_str!("../../names/files.rs"),
            include_str!("../../names/messages.rs"),
            include_str!("../../names/options.rs"),
            include_str!("../../names/resolver.rs"),
            include_str!("../../names/signals.rs"),
            include_str!("../../names/sockets.rs"),
            include_str!("../../names/tcp.rs"),
        ] {
            let lines = source.lines().filter(|line| line.trim_end().ends_with("\";"));
            names.extend(lines.filter_map(|line| {
                let behind_condition = line.rsplit(")] ").next()?.trim_start();
                let name = behind_condition.split([',', ':', ' ']).next()?;
                name.starts_with(|c: char| c.is_ascii_uppercase()).then_some(name)
            }));
        }
        for expected in ["SO_NOSIGPIPE", "TCP_KEEPALIVE", "ENOTSUP", "EAGAIN", "SO_LINGER_SEC"] {
            assert!(names.contains(expected), "{expected} is not seen in {names:?}");
        }
        for name in names {
            assert!(!find(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_call_is_a_function_that_is_wrapped() {
        for entry in entries() {
            let wrapped = Function::from_name(entry.name).is_some();
            assert_eq!(entry.is_call(), wrapped, "{}", entry.name);
            for errno in entry.errnos.split_whitespace() {
                assert!(!find(errno).is_empty(), "{} expects {errno}", entry.name);
            }
        }
    }

    #[test]
    fn an_entry_says_more_than_its_gist() {
        for entry in entries() {
            let name = entry.name;
            let page = Article::new(entry, |_| false);
            for text in texts(entry) {
                assert!(text.ends_with(['.', '?', '"']), "{name}: {text}");
                let same = text.trim_end_matches('.').eq_ignore_ascii_case(page.gist);
                assert!(!same, "{name} repeats its gist");
            }
            let has = |text: &str| !text.is_empty();
            match entry.is_call() {
                true => assert!(has(page.gist) && has(entry.result) && has(entry.trap), "{name}"),
                false => {
                    assert!(has(entry.means) && has(entry.when) && has(entry.advice), "{name}");
                    assert!(has(page.gist) || known(name).is_none(), "{name}");
                    assert!(entry.gist.is_empty() || known(name).is_none(), "{name} has two");
                }
            }
        }
    }

    #[test]
    fn no_two_entries_share_a_name_or_a_text() {
        let mut seen = BTreeSet::new();
        for entry in entries() {
            assert!(seen.insert(entry.name.to_string()), "{}", entry.name);
            // "Linux only." may stand in many.
            for text in texts(entry).filter(|text| *text != entry.systems) {
                assert!(seen.insert(text.to_lowercase()), "{}: {text}", entry.name);
            }
        }
    }

    #[test]
    fn lines_fit_a_terminal_of_80_columns() {
        let pages = entries().map(|entry| Article::new(entry, |_| true).text(Colors::Plain, 80));
        for text in pages.chain([list(Colors::Plain)]) {
            for line in text.lines() {
                assert!(line.is_ascii() && line.len() <= 80, "{line}");
                assert!(!line.ends_with(' '), "{line:?}");
            }
        }
        let listed = list(Colors::Plain);
        let words = listed.lines().filter(|line| line.starts_with("  "));
        assert_eq!(words.count(), entries().count(), "a line for each");
    }

    #[test]
    fn colour_changes_no_letter() {
        for entry in entries() {
            let page = Article::new(entry, |_| false);
            let mut coloured = page.text(Colors::Colored, 80);
            assert!(coloured.contains('\u{1b}'));
            while let Some(at) = coloured.find('\u{1b}') {
                let end = at + coloured[at..].find('m').unwrap();
                coloured.replace_range(at..=end, "");
            }
            assert_eq!(coloured, page.text(Colors::Plain, 80));
        }
    }

    #[test]
    fn a_lab_is_mentioned_if_the_program_has_it() {
        let entry = find("EAGAIN")[0];
        let with = Article::new(entry, |name| name == entry.lab);
        assert!(
            with.text(Colors::Plain, 80).contains(&format!("  lab:    {}\n", entry.lab)),
            "{}",
            with.text(Colors::Plain, 80)
        );
        let without = Article::new(entry, |_| false);
        assert!(!without.text(Colors::Plain, 80).contains(entry.lab));
        assert!(!without.json().unwrap().contains(entry.lab));
    }

    #[test]
    fn a_page_tells_the_number_on_this_system() {
        let page = Article::new(find("eagain")[0], |_| false);
        assert_eq!(page.value, Some(Errno::EAGAIN.number().into()));
        assert!(page.text(Colors::Plain, 80).contains(&Errno::EAGAIN.text()));
        let json: serde_json::Value = serde_json::from_str(&page.json().unwrap()).unwrap();
        assert_eq!(json["name"], "EAGAIN");
        assert_eq!(json["value"], Errno::EAGAIN.number());
    }

    #[test]
    fn the_words_that_lessons_lead_to_are_explained() {
        for lesson in Function::all().flat_map(|call| call.page().lessons) {
            if let See::Word(word) = lesson.see {
                assert!(!find(word).is_empty(), "{word}");
            }
        }
    }
}
