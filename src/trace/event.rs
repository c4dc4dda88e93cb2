//! A call is a value: one [`Event`], whichever program made the call and wherever the event comes from.
//!
//! A wrapper of [`crate::sys`] makes an event for its call, and lends it the arguments. A line of a JSON trace is an
//! event, and so is a line in a log of strace. Text, JSON, lessons, drawings, the ladder and the labs' own protocol are
//! functions of events, and the history of descriptors is learnt from events ([`super::descriptors`]).
//!
//! ```
//! # use baresock_core as baresock;
//! use baresock::trace::event::{Callee, Event, Outcome};
//! use baresock::trace::{Arg, Function};
//! use baresock::values::FdNumber;
//!
//! // From a log: none of its bytes are copied.
//! let line = "recv(0, \"hello\", 512, 0) = 5";
//! let stdin = FdNumber::of(&std::io::stdin());
//! let mut event = Event::new(Callee::of("recv"));
//! event.args.extend([Arg::Fd(stdin), Arg::bytes(&line.as_bytes()[9..14])]);
//! event.outcome = Outcome::Value(5);
//! assert_eq!(event.function(), Some(Function::RECV));
//!
//! // Keep it after the line is gone.
//! let kept: Event<'static> = event.into_owned();
//! assert_eq!(kept.fd(), Some(stdin));
//! ```

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::arg::{Arg, Note};
use super::page::{Effect, Function};
use crate::addr::Address;
use crate::names::Errno;
use crate::values::{FdNumber, SocketState};

/// One call: its arguments, its result, and its times.
///
/// Before the call has returned, `args` ends before the first argument that the call fills in, and `outcome` is
/// [`Outcome::Unknown`].
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// The function that was called.
    pub callee: Callee<'a>,
    /// The arguments, in the order of the prototype; those that the call filled in have the value after the call.
    pub args: Args<'a>,
    /// The result.
    pub outcome: Outcome,
    /// What the call reported besides its result.
    pub note: Note<'a>,
    /// Whether the kernel saw the call as it is shown, and if not, why.
    pub mark: Mark,
    /// The number of the call within its tracer or its log, from 0.
    pub seq: u64,
    /// When the call began, in nanoseconds of `clock`; 0 if unknown.
    pub begin_ns: u64,
    /// When the call returned.
    pub end_ns: u64,
    /// The process that made the call.
    pub pid: u32,
    /// The thread that made the call, by the system's number where it has one.
    pub tid: u64,
    /// The clock of `begin_ns` and `end_ns`. The times of two events can be compared if this is equal.
    pub clock: Option<Arc<str>>,
    /// The connection of the call's descriptor, if it has one, as it was before this call.
    pub connection: Option<Connection>,
    /// The state of the socket before and after the call, if it was queried (`--state`).
    pub states: States,
}

impl<'a> Event<'a> {
    /// A call of this function that has not returned, with no other data yet.
    #[inline]
    pub const fn new(callee: Callee<'a>) -> Self {
        Self {
            callee,
            args: Args::new(),
            outcome: Outcome::Unknown,
            note: Note::None,
            mark: Mark::None,
            seq: 0,
            begin_ns: 0,
            end_ns: 0,
            pid: 0,
            tid: 0,
            clock: None,
            connection: None,
            states: States { before: None, after: None },
        }
    }

    /// The function, if it has a wrapper in [`crate::sys`].
    pub const fn function(&self) -> Option<Function> {
        match self.callee {
            Callee::Known(function) => Some(function),
            Callee::Other(_) => None,
        }
    }

    /// The moment that decides a call's place among others: a sending call counts when it begins, because its bytes may
    /// arrive before it returns; any other call counts when it returns, because only then it has a result.
    pub fn moment_ns(&self) -> u64 {
        match self.callee.effect() {
            Effect::Sends | Effect::Connects | Effect::ShutsDown => self.begin_ns,
            // A copy may close the file that had its number.
            Effect::Closes | Effect::ClosesRange | Effect::Copies => self.begin_ns,
            _ => self.end_ns,
        }
    }

    /// The descriptor that the call is about: its first argument, if that is a descriptor.
    pub fn fd(&self) -> Option<FdNumber> {
        match self.args.first() {
            Some(Arg::Fd(fd)) => Some(*fd),
            _ => None,
        }
    }

    /// The argument for the parameter with this name.
    pub fn arg(&self, parameter: &str) -> Option<&Arg<'a>> {
        let at = self.callee.parameters().iter().position(|name| *name == parameter)?;
        self.args.get(at)
    }

    /// The number that the call returned, unless it failed.
    pub const fn value(&self) -> Option<i64> {
        match self.outcome {
            Outcome::Value(value) => Some(value),
            Outcome::Error(_) | Outcome::Unknown => None,
        }
    }

    /// How many bytes the call moved when it returned `value`. If the result counts messages, each message has its own
    /// number of bytes. None if the value is negative: a log that was cut may have a -1 without its error.
    pub fn bytes_moved(&self, value: i64) -> Option<u64> {
        match self.args.iter().find_map(|arg| match arg {
            Arg::Messages(messages) => Some(messages),
            _ => None,
        }) {
            Some(messages) => {
                Some(messages.iter().filter_map(|(_, len)| *len).map(u64::from).sum())
            }
            None => u64::try_from(value).ok(),
        }
    }

    /// The errno that the call failed with.
    pub const fn errno(&self) -> Option<Errno> {
        match self.outcome {
            Outcome::Error(errno) => Some(errno),
            Outcome::Value(_) | Outcome::Unknown => None,
        }
    }
}

/// Which function was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callee<'a> {
    /// A function that has a wrapper in [`crate::sys`]: `recv`.
    Known(Function),
    /// Any other function, by its name: `epoll_wait`. It is printable.
    Other(Cow<'a, str>),
}

impl<'a> Callee<'a> {
    /// The function with this name.
    pub fn of(name: &'a str) -> Self {
        Function::from_name(name).map_or(Self::Other(Cow::Borrowed(name)), Self::Known)
    }

    /// Its name in C.
    pub fn name(&self) -> &str {
        match self {
            Self::Known(function) => function.name(),
            Self::Other(name) => name,
        }
    }

    /// The names of its parameters; empty for a function without a wrapper.
    pub const fn parameters(&self) -> &'static [&'static str] {
        match self {
            Self::Known(function) => function.page().parameters,
            Self::Other(_) => &[],
        }
    }

    /// What the function does to descriptors and bytes. (A few functions without a wrapper have the effect of one with
    /// a wrapper.)
    pub fn effect(&self) -> Effect {
        match self {
            Self::Known(function) => function.effect(),
            Self::Other(name) => match &**name {
                "dup3" => Effect::Copies,
                "pipe2" => Effect::MakesPipe,
                _ => Effect::None,
            },
        }
    }
}

impl From<Function> for Callee<'_> {
    fn from(function: Function) -> Self {
        Self::Known(function)
    }
}

impl fmt::Display for Callee<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The arguments of one call. No call of C has more than [`Args::MOST`].
#[derive(Clone, Default, PartialEq)]
pub struct Args<'a>(pub(super) Vec<Arg<'a>>);

impl Args<'_> {
    /// The most arguments of a call.
    pub const MOST: usize = 8;
}

impl<'a> Args<'a> {
    /// No arguments yet.
    #[inline]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends an argument. (A ninth would be left out; no call has nine.)
    pub fn push(&mut self, arg: Arg<'a>) {
        if self.0.len() < Self::MOST {
            self.append([arg]);
        }
    }

    /// Appends the arguments of a wrapper, which are never too many.
    #[inline]
    pub(super) fn append<const N: usize>(&mut self, args: [Arg<'a>; N]) {
        if self.0.capacity() == 0 {
            // Room once, also for the later arguments.
            self.0 = Vec::with_capacity(Self::MOST);
        }
        self.0.extend(args);
    }
}

impl<'a> Deref for Args<'a> {
    type Target = [Arg<'a>];
    fn deref(&self) -> &[Arg<'a>] {
        &self.0
    }
}

impl<'a> DerefMut for Args<'a> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a> Extend<Arg<'a>> for Args<'a> {
    fn extend<I: IntoIterator<Item = Arg<'a>>>(&mut self, args: I) {
        args.into_iter().for_each(|arg| self.push(arg));
    }
}

impl fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The result of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// C's return value.
    Value(i64),
    /// -1, and errno.
    Error(Errno),
    /// The call has not returned yet, or the log does not contain its result.
    #[default]
    Unknown,
}

/// Whether the kernel saw the call as it is shown, and if not, why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// The call was made.
    #[default]
    None,
    /// A wrapper refused to make the call.
    Refused,
    /// libc refused the call, or changed its arguments, before the kernel saw it.
    Libc,
    /// A rule of `--inject` changed the call or its result.
    Injected,
}

/// A connection, as far as the calls seen so far have shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its number within the tracer, from 1. The numbers of descriptors are reused, this one is not.
    pub id: u64,
    /// The address of this end.
    pub local: Option<Address>,
    /// The address of the other end.
    pub peer: Option<Address>,
    /// Bytes received so far.
    pub bytes_in: u64,
    /// Bytes sent so far.
    pub bytes_out: u64,
}

/// The state of a TCP socket before a call and after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States {
    /// Before.
    pub before: Option<SocketState>,
    /// After; none after `close`.
    pub after: Option<SocketState>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_have_their_names() {
        let mut event = Event::new(Function::LISTEN.into());
        event.args.extend([Arg::Fd(FdNumber::new(5)), Arg::Int(128)]);
        assert_eq!(event.fd(), Some(FdNumber::new(5)));
        assert_eq!(event.arg("backlog"), Some(&Arg::Int(128)));
        assert_eq!((event.arg("how"), event.args.len()), (None, 2));
    }

    #[test]
    fn an_event_that_is_kept_is_the_same() {
        let bytes = b"hello".to_vec();
        let mut event = Event::new(Callee::of("epoll_wait"));
        event.args.extend([Arg::Bytes(bytes[..].into()), Arg::Text("[{...}]".into())]);
        let kept = event.clone().into_owned();
        assert_eq!(kept, event);
        assert_eq!((kept.function(), kept.callee.name()), (None, "epoll_wait"));
    }
}
