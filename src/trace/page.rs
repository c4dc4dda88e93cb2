//! A C function has one page, with every fact about it. The pages themselves are beside the wrappers, in
//! [`crate::sys`]; code that needs a fact about a call asks its page instead of keeping a list of calls.

use std::fmt;

use super::lesson::Lesson;

/// All that is true of a function of C that a wrapper calls.
#[derive(Debug)]
pub struct Page {
    /// Its name in C.
    pub name: &'static str,
    /// Its prototype in C.
    pub prototype: &'static str,
    /// The names of its parameters.
    pub parameters: &'static [&'static str],
    /// Those of them through which it answers: they say nothing before it returns, nor if it fails.
    pub fills: &'static [&'static str],
    /// Those that tell one such call from another where there is no room for all; none where all are needed.
    pub short: &'static [&'static str],
    /// When it may put its caller to sleep.
    pub waits: Waits,
    /// What it does when it succeeds.
    pub effect: Effect,
    /// What the number is that it returns.
    pub returns: Returns,
    /// Whether it is a function of the C library that makes calls of its own, or none at all: its line stands for
    /// whatever it does inside, and is marked `(library)`.
    pub is_library: bool,
    /// Whether this system has it, with these arguments.
    pub is_here: bool,
    /// The name of the function that it is with one more argument: a rule about that one is about this one, too.
    pub extends: Option<&'static str>,
    /// What it does, in a few words.
    pub gist: &'static str,
    /// What its result means.
    pub result: &'static str,
    /// What surprises.
    pub trap: &'static str,
    /// The errors to expect, by name, with blanks between.
    pub errnos: &'static str,
    /// How systems differ, according to a manual page or a source.
    pub systems: &'static str,
    /// Its manual page.
    pub man: &'static str,
    /// Its name in POSIX, if it has one there.
    pub posix: &'static str,
    /// The lab that shows it, if one does.
    pub lab: &'static str,
    /// What is said of a call and its outcome.
    pub lessons: &'static [&'static Lesson],
}

/// Calls that belong together, in a list.
#[derive(Debug)]
pub struct Chapter {
    /// The heading.
    pub title: &'static str,
    /// What each of them is: "a call".
    pub noun: &'static str,
    /// The calls.
    pub calls: &'static [Function],
}

/// When a call may put its caller to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// It returns at once. (`close` with `SO_LINGER` may not; its line comes as a whole when it does.)
    Never,
    /// As long as its descriptor is not ready, unless that is non-blocking.
    OnDescriptor,
    /// Until something happens: waiting is its work.
    Always,
}

/// What a call that succeeds does to descriptors and to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Neither is touched.
    None,
    /// A socket is made; the result is its descriptor.
    MakesSocket,
    /// Two sockets are made, each the other's peer.
    MakesPair,
    /// A pipe is made: a descriptor to read from and one to write to.
    MakesPipe,
    /// The socket gets a name.
    Binds,
    /// The socket becomes a listener.
    Listens,
    /// A listener makes a socket for a peer; the result is its descriptor.
    Accepts,
    /// The socket gets a peer.
    Connects,
    /// A direction of the connection ends, or both.
    ShutsDown,
    /// The descriptor is given back.
    Closes,
    /// The result is another descriptor of the same open file.
    Copies,
    /// The socket's own name is told.
    TellsName,
    /// The peer's name is told.
    TellsPeer,
    /// Bytes leave through the descriptor.
    Sends,
    /// Bytes come in through the descriptor, unless `MSG_PEEK` leaves them where they are.
    Receives,
    /// An option of the socket is set.
    SetsOption,
    /// An option of the socket is told.
    TellsOption,
    /// What its command or request says: flags are told or set, a copy is made.
    Commands,
    /// The members of three sets that are ready are told.
    Selects,
    /// The rows that are ready are told.
    Polls,
    /// Names and addresses are looked up; a failure is a code of the resolver's, no errno.
    Resolves,
}

/// What the number is that a call returns when it succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// 0, which says no more than that it did not fail.
    Status,
    /// A descriptor that the call has made.
    Descriptor,
    /// How many bytes were moved.
    Bytes,
    /// How many messages were moved; the bytes of each stand in its argument.
    Messages,
    /// Something else.
    Number,
}

impl Page {
    /// The page of a function of the kernel that does not wait and touches no descriptor.
    pub const fn blank() -> Self {
        Self {
            name: "",
            prototype: "",
            parameters: &[],
            fills: &[],
            short: &[],
            waits: Waits::Never,
            effect: Effect::None,
            returns: Returns::Status,
            is_library: false,
            is_here: true,
            extends: None,
            gist: "",
            result: "",
            trap: "",
            errnos: "",
            systems: "",
            man: "",
            posix: "",
            lab: "",
            lessons: &[],
        }
    }

    /// Whether it waits for many descriptors at a time.
    pub const fn waits_for_many(&self) -> bool {
        matches!(self.effect, Effect::Selects | Effect::Polls)
    }

    /// Whether it is given one length, which a rule can make smaller.
    pub fn has_length(&self) -> bool {
        self.parameters.iter().any(|name| matches!(*name, "len" | "count"))
    }

    /// The parameters that tell a call from others like it. What it would have filled in says nothing if it failed.
    pub fn telling(&self, failed: bool) -> impl Iterator<Item = &'static str> {
        let all = if self.short.is_empty() { self.parameters } else { self.short };
        let says_nothing = move |name: &&str| failed && self.fills.contains(name);
        all.iter().copied().filter(move |name| !says_nothing(name))
    }
}

/// A function of C that a wrapper calls: a handle to its page.
#[derive(Clone, Copy)]
pub struct Function(&'static Page);

impl Function {
    /// The function that this page is about.
    pub const fn on(page: &'static Page) -> Self {
        Self(page)
    }

    /// Its page.
    pub const fn page(self) -> &'static Page {
        self.0
    }

    /// Its name in C.
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// What it does when it succeeds.
    pub const fn effect(self) -> Effect {
        self.0.effect
    }

    /// Every function that is wrapped, in the order of reading.
    pub fn all() -> impl Iterator<Item = Self> {
        crate::sys::CHAPTERS.iter().flat_map(|chapter| chapter.calls).copied()
    }

    /// The function of this name, if it is wrapped.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|function| function.name() == name)
    }

    /// Whether both do similar work: a rule that never matched one may have meant the other.
    pub fn is_like(self, other: Self) -> bool {
        let does_the_same = self.effect() == other.effect();
        match self.effect() {
            Effect::None | Effect::Commands | Effect::Resolves => false,
            Effect::Selects | Effect::Polls => other.0.waits_for_many(),
            _ => does_the_same,
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Function {}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
