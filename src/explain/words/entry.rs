//! What is said of a word.

use std::borrow::Cow;

use crate::trace::Page;

/// A word and what is said of it. Every text is a sentence or two; an empty one is not shown.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name in C.
    pub name: &'static str,
    /// A few words, for names that have none in [`crate::names`].
    pub gist: &'static str,
    /// What it means for a socket.
    pub means: &'static str,
    /// Of a call: what the result means.
    pub result: &'static str,
    /// Of a call: what surprises.
    pub trap: &'static str,
    /// When one meets it.
    pub when: &'static str,
    /// What to do.
    pub advice: &'static str,
    /// How systems differ, as far as a manual page or a source says.
    pub systems: &'static str,
    /// Of a call: the errors to expect, by name, with blanks between.
    pub errnos: &'static str,
    /// Of a call: its manual page.
    pub man: &'static str,
    /// Of a call: its name in POSIX.
    pub posix: &'static str,
    /// The lab that shows it.
    pub lab: &'static str,
}

impl Entry {
    /// An entry that says nothing yet.
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

    /// What its page says of a call.
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

    /// Whether it is a function of C.
    pub const fn is_call(&self) -> bool {
        !self.man.is_empty()
    }
}

/// Entries of one kind.
#[derive(Debug)]
pub struct WordGroup {
    /// The heading in a list.
    pub title: &'static str,
    /// What each of them is: "an errno".
    pub noun: &'static str,
    /// The entries.
    pub entries: Cow<'static, [Entry]>,
}
