//! The texts about a word.

use std::borrow::Cow;

use crate::trace::Page;

/// A word and the texts about it. Every text is a sentence or two; empty texts are not shown.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name in C.
    pub name: &'static str,
    /// A short description, for names that have none in [`crate::names`].
    pub gist: &'static str,
    /// What it means for a socket.
    pub means: &'static str,
    /// Of a call: what the result means.
    pub result: &'static str,
    /// What surprises, if it is a call.
    pub trap: &'static str,
    /// Where a program meets it.
    pub when: &'static str,
    /// What to do.
    pub advice: &'static str,
    /// How systems differ, according to a manual page or a source.
    pub systems: &'static str,
    /// Of a call: the errors to expect, by name, separated by blanks.
    pub errnos: &'static str,
    /// Of a call: its manual page.
    pub man: &'static str,
    /// Of a call: its name in POSIX.
    pub posix: &'static str,
    /// The lab about it.
    pub lab: &'static str,
}

impl Entry {
    /// An empty entry.
    pub(super) const fn named(name: &'static str) -> Self {
        Self {
            name,
            gist: "",
            means: "",
            result: "",
            trap: "",
            when: "",
            advice: "",
            systems: "",
            errnos: "",
            man: "",
            posix: "",
            lab: "",
        }
    }

    /// The entry of a call, from its page.
    pub(super) const fn of_call(page: &Page) -> Self {
        Self {
            gist: page.gist,
            result: page.result,
            trap: page.trap,
            errnos: page.errnos,
            systems: page.systems,
            man: page.man,
            posix: page.posix,
            lab: page.lab,
            ..Self::named(page.name)
        }
    }

    /// Whether it is a C function.
    pub const fn is_call(&self) -> bool {
        !self.man.is_empty()
    }
}

/// Entries of one kind.
#[derive(Debug)]
pub struct WordGroup {
    /// The heading in a list.
    pub title: &'static str,
    /// The kind of each entry: "an errno".
    pub noun: &'static str,
    /// The entries.
    pub entries: Cow<'static, [Entry]>,
}
