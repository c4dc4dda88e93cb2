//! Each C function has one page, with every fact about it. The pages are beside the wrappers, in [`crate::sys`]; code
//! that needs a fact about a call asks the page instead of keeping a list of calls.

use std::fmt;

use super::lesson::Lesson;

/// The facts about a C function that has a wrapper.
#[derive(Debug)]
pub struct Page {
    /// Its name in C.
    pub name: &'static str,
    /// Its prototype in C.
    pub prototype: &'static str,
    /// The names of its parameters.
    pub parameters: &'static [&'static str],
    /// The parameters through which the function answers: they have no value before it returns, nor if it fails.
    pub fills: &'static [&'static str],
    /// The parameters that distinguish one such call from another where there is no room for all of them; empty if all
    /// are needed.
    pub short: &'static [&'static str],
    /// When the function may put its caller to sleep.
    pub waits: Waits,
    /// What a successful call does.
    pub effect: Effect,
    /// What the returned number is.
    pub returns: Returns,
    /// Whether it is a function of the C library that makes calls of its own, or none at all: its line stands for
    /// everything that it does inside, and is marked `(library)`.
    pub is_library: bool,
    /// Whether this system has the function, with these arguments.
    pub is_here: bool,
    /// Names under which Linux, and so strace, may have the call, if they are not that of C.
    pub kernel: &'static [&'static str],
    /// The name of the function that this one extends by an argument: a rule about that function applies to this one
    /// too.
    pub extends: Option<&'static str>,
    /// What the function does, in a few words.
    pub gist: &'static str,
    /// What its result means.
    pub result: &'static str,
    /// What surprises its users.
    pub trap: &'static str,
    /// The errors to expect, by name, separated by blanks.
    pub errnos: &'static str,
    /// How systems differ, according to a manual page or a source.
    pub systems: &'static str,
    /// Its manual page.
    pub man: &'static str,
    /// Its name in POSIX, if it has one there.
    pub posix: &'static str,
    /// The lab about it, if there is one.
    pub lab: &'static str,
    /// The sentences about a call and its outcome.
    pub lessons: &'static [&'static Lesson],
}

/// Calls that belong together, for a list.
#[derive(Debug)]
pub struct Chapter {
    /// The heading.
    pub title: &'static str,
    /// What each call is: "a call".
    pub noun: &'static str,
    /// The calls.
    pub calls: &'static [Function],
}

/// When a call may put its caller to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// It returns at once. (`close` with `SO_LINGER` may wait; then its line appears as a whole when it returns.)
    Never,
    /// As long as its descriptor is not ready, unless the descriptor is non-blocking.
    OnDescriptor,
    /// Until something happens: waiting is its purpose.
    Always,
}

/// What a successful call does to descriptors and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// Makes a socket; the result is its descriptor.
    MakesSocket,
    /// Makes two sockets, each the other's peer.
    MakesPair,
    /// Makes a pipe: a descriptor to read from and one to write to.
    MakesPipe,
    /// Gives the socket an address.
    Binds,
    /// Turns the socket into a listener.
    Listens,
    /// Makes a socket for a client of a listener; the result is its descriptor.
    Accepts,
    /// Gives the socket a peer.
    Connects,
    /// Ends one direction of the connection, or both.
    ShutsDown,
    /// Closes the descriptor.
    Closes,
    /// Closes every descriptor of a range, or marks each with `FD_CLOEXEC`.
    ClosesRange,
    /// Makes another descriptor of the same open file; the result is its number.
    Copies,
    /// Returns the socket's own address.
    TellsName,
    /// Returns the peer's address.
    TellsPeer,
    /// Sends bytes through the descriptor.
    Sends,
    /// Receives bytes from the descriptor; `MSG_PEEK` leaves them there.
    Receives,
    /// Receives bytes from the first descriptor and sends them through the second.
    Splices,
    /// Sets an option of the socket.
    SetsOption,
    /// Returns an option of the socket.
    TellsOption,
    /// Does what its command or request says: returns or sets flags, or copies the descriptor.
    Commands,
    /// Returns which members of three sets are ready.
    Selects,
    /// Returns which rows are ready.
    Polls,
    /// Looks up names and addresses; a failure is a code of the resolver, not an errno.
    Resolves,
}

/// What the number is that a successful call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// 0, which only says that the call did not fail.
    Status,
    /// A descriptor that the call has made.
    Descriptor,
    /// How many bytes were moved.
    Bytes,
    /// How many messages were moved; the bytes of each are in the arguments.
    Messages,
    /// Something else.
    Number,
}

impl Page {
    /// The page of a system call that does not wait and touches no descriptor.
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
            kernel: &[],
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

    /// Whether the function waits for many descriptors at a time.
    pub const fn waits_for_many(&self) -> bool {
        matches!(self.effect, Effect::Selects | Effect::Polls)
    }

    /// Whether the function takes sockets only, and no other file: C calls the parameter `sockfd` then.
    pub fn is_for_sockets(&self) -> bool {
        self.parameters.first() == Some(&"sockfd")
    }

    /// Whether each call has the address of a peer: where its datagram goes to, or came from.
    pub fn is_for_datagrams(&self) -> bool {
        self.parameters.iter().any(|name| matches!(*name, "dest_addr" | "src_addr"))
    }

    /// Whether strace may show a call of the function under this name.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.kernel.contains(&name)
    }

    /// Whether the function takes one length, which a rule can make smaller.
    pub fn has_length(&self) -> bool {
        self.parameters.iter().any(|name| matches!(*name, "len" | "count"))
    }

    /// The parameters that distinguish a call from others. Those that a failed call would have filled in are left out.
    pub fn telling(&self, failed: bool) -> impl Iterator<Item = &'static str> {
        let all = if self.short.is_empty() { self.parameters } else { self.short };
        let says_nothing = move |name: &&str| failed && self.fills.contains(name);
        all.iter().copied().filter(move |name| !says_nothing(name))
    }
}

/// A C function that has a wrapper: a handle to its page.
#[derive(Clone, Copy)]
pub struct Function(&'static Page);

impl Function {
    /// The function of this page.
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

    /// What a successful call does.
    pub const fn effect(self) -> Effect {
        self.0.effect
    }

    /// Every wrapped function, in the order of reading.
    pub fn all() -> impl Iterator<Item = Self> {
        crate::sys::CHAPTERS.iter().flat_map(|chapter| chapter.calls).copied()
    }

    /// The function with this name, if it is wrapped.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|function| function.name() == name)
    }

    /// Whether both do similar work: a rule that never matched one may have been meant for the other.
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
