//! The facts that a sentence about a call may use: its numbers and names, never the bytes that it moved.

use std::fmt;

use super::arg::{Arg, Note, SignalHandler, Value};
use super::descriptors::{DescriptorKind, OpenFile};
use super::figures;
use super::{Event, Function, Outcome};
use crate::names::{Errno, Named, O_NONBLOCK, OpenFlags, PollEvents, SOCK_STREAM, option_name};
use crate::values::{FdNumber, Linger, TimeVal};

/// The members of a set, in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// How many members.
    pub count: usize,
    first: i32,
}

impl Members {
    fn of(set: &[FdNumber]) -> Self {
        Self { count: set.len(), first: set.first().map_or(-1, |number| number.get()) }
    }
}

impl fmt::Display for Members {
    /// The number of the only member, or how many members there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => write!(f, "{}", self.first),
            count => f.write_str(&figures::counted(count as i64, "descriptor")),
        }
    }
}

/// One call without its bytes, so that nothing sent by a peer can get into a sentence.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The function.
    pub function: Function,
    /// The result.
    pub outcome: Outcome,
    /// The descriptor of the call, if it has one.
    pub fd: i32,
    /// What that descriptor was before the call.
    pub known: OpenFile,
    /// The two descriptors of `pipe` and `socketpair`.
    pub pair: Option<[i32; 2]>,
    /// The port of the call's address.
    pub port: Option<u16>,
    /// The longest wait; `None` means forever.
    pub timeout: Option<TimeVal>,
    /// The rest of that time, as the system reported it.
    pub left: Option<TimeVal>,
    /// The descriptors in the sets of `select`: for reading, for writing, and for urgent data.
    pub asked: [Members; 3],
    /// The sets after `select`.
    pub found: [Members; 3],
    /// The rows that `poll` answered.
    pub answered: Vec<(FdNumber, PollEvents)>,
    /// The value of an option.
    pub value: Option<i64>,
    /// The value of `SO_LINGER`.
    pub linger: Option<Linger>,
    ints: Vec<i64>,
    names: Vec<Named>,
    /// Names that have no number in the tables here.
    words: Vec<String>,
    option: Option<&'static str>,
    open_flags: Option<OpenFlags>,
    handled: bool,
    datagram: bool,
}

impl Facts {
    /// The facts of a call of this function, whose descriptor was known to be this.
    pub fn of(function: Function, event: &Event<'_>, known: OpenFile) -> Self {
        let mut facts = Self {
            function,
            outcome: event.outcome,
            fd: event.fd().map_or(-1, FdNumber::get),
            known,
            pair: None,
            port: None,
            timeout: None,
            left: None,
            asked: [Members::default(); 3],
            found: [Members::default(); 3],
            answered: Vec::new(),
            value: None,
            linger: None,
            ints: Vec::new(),
            names: Vec::new(),
            words: Vec::new(),
            option: None,
            open_flags: None,
            handled: false,
            datagram: false,
        };
        facts.add(event);
        facts
    }

    /// Adds the facts in the arguments of this call and behind its result.
    pub(crate) fn add(&mut self, event: &Event<'_>) {
        self.take(&event.args);
        match &event.note {
            Note::Select { sets, left } => {
                self.found =
                    sets.each_ref().map(|set| Members::of(set.as_deref().unwrap_or_default()));
                self.left = *left;
            }
            Note::Poll(rows) => {
                self.answered = rows.iter().map(|row| (row.fd, row.revents)).collect();
            }
            _ => {}
        }
    }

    fn take(&mut self, args: &[Arg<'_>]) {
        let mut sets = 0;
        for arg in args {
            match arg {
                Arg::Int(number) => self.ints.push(*number),
                Arg::Named(name) => self.names.push(*name),
                Arg::Word(word) => self.words.push(word.to_string()),
                Arg::Fds(pair) => self.pair = Some(pair.map(FdNumber::get)),
                Arg::Type(kind) => self.datagram = kind.without_flags() != SOCK_STREAM,
                Arg::OpenFlags(flags) => self.open_flags = Some(*flags),
                Arg::OptionName(level, number) => self.option = option_name(*level, *number),
                Arg::Value(Value::Int(number) | Value::Error(number)) => {
                    self.value = Some(i64::from(*number));
                }
                Arg::Value(Value::Linger(linger)) => self.linger = Some(*linger),
                Arg::Address(address) => self.port = address.port(),
                Arg::Set(members) => {
                    if let Some(asked) = self.asked.get_mut(sets) {
                        *asked = Members::of(members.as_deref().unwrap_or_default());
                    }
                    sets += 1;
                }
                Arg::TimeVal(time) => self.timeout = *time,
                Arg::Millis(timeout_ms) if *timeout_ms >= 0 => {
                    let ms = i64::from(*timeout_ms);
                    let (tv_sec, tv_usec) = (ms / 1_000, ms % 1_000 * 1_000);
                    self.timeout = Some(TimeVal { tv_sec, tv_usec });
                }
                Arg::Action(Some(action)) => {
                    self.handled = matches!(action.handler, SignalHandler::Function(_));
                }
                _ => {}
            }
        }
    }

    /// The number that the call returned, unless it failed.
    pub const fn result(&self) -> Option<i64> {
        match self.outcome {
            Outcome::Value(value) => Some(value),
            _ => None,
        }
    }

    /// The number that the call returned; 0 if it failed.
    pub fn returned(&self) -> i64 {
        self.result().unwrap_or(0)
    }

    /// Whether the call succeeded.
    pub const fn succeeded(&self) -> bool {
        self.result().is_some()
    }

    /// Whether the call failed with this errno.
    pub fn failed(&self, errno: Errno) -> bool {
        self.outcome == Outcome::Error(errno)
    }

    /// The first number that is not a descriptor: a length, a count, a backlog, `nfds`.
    pub fn number(&self) -> i64 {
        self.ints.first().copied().unwrap_or(0)
    }

    /// Whether the call moved fewer bytes than asked for.
    pub fn is_short(&self) -> bool {
        self.succeeded() && self.returned() < self.number()
    }

    /// Whether the call is about a stream, as far as is known. Datagrams keep their boundaries, so sentences about
    /// streams do not hold for them.
    pub fn is_stream(&self) -> bool {
        self.known.kind != DescriptorKind::Datagram
    }

    /// Whether the call returned 0 although there was room for more. (A datagram may be empty, which is not end of
    /// file.)
    pub fn is_the_end(&self) -> bool {
        self.is_stream() && self.result() == Some(0) && self.number() > 0
    }

    /// Whether an earlier datagram was refused. For a refused stream, `recv` and `send` report the same errno, but
    /// there is no earlier datagram.
    pub fn is_refused_datagram(&self) -> bool {
        let is_for_datagrams = self.function.page().is_for_datagrams();
        self.failed(Errno::ECONNREFUSED) && (is_for_datagrams || !self.is_stream())
    }

    /// Whether a constant with this name is among the arguments, alone or in flags.
    pub fn says(&self, name: &str) -> bool {
        self.all_names().any(|names| names.split('|').any(|one| one == name))
    }

    /// The name of the constant that begins with this prefix: which signal, which half.
    pub fn named(&self, prefix: &str) -> String {
        self.all_names().find(|name| name.starts_with(prefix)).unwrap_or_default()
    }

    fn all_names(&self) -> impl Iterator<Item = String> {
        self.names.iter().map(ToString::to_string).chain(self.words.iter().cloned())
    }

    /// The socket option that the call is about.
    pub const fn option_name(&self) -> Option<&'static str> {
        self.option
    }

    /// Whether the call is about this option.
    pub fn option_is(&self, name: &str) -> bool {
        self.option == Some(name)
    }

    /// Whether the call makes its descriptor non-blocking.
    pub fn makes_nonblocking(&self) -> bool {
        self.open_flags.is_some_and(|flags| flags.contains(O_NONBLOCK))
    }

    /// Whether the call sets a function as a signal handler.
    pub const fn sets_handler(&self) -> bool {
        self.handled
    }

    /// Whether the call is about a datagram socket.
    pub const fn is_datagram(&self) -> bool {
        self.datagram
    }

    /// How many bits were set for `select`, in all three sets.
    pub fn bits_asked(&self) -> usize {
        self.asked.iter().map(|set| set.count).sum()
    }

    /// How many of them are left after it.
    pub fn bits_left(&self) -> usize {
        self.found.iter().map(|set| set.count).sum()
    }

    /// The first row whose answer has one of these bits.
    pub fn row_with(&self, bits: PollEvents) -> Option<i32> {
        let row = self.answered.iter().find(|(_, revents)| revents.intersects(bits))?;
        Some(row.0.get())
    }

    /// The longest wait, in words.
    pub(crate) fn patience(&self) -> String {
        figures::seconds(self.timeout.unwrap_or_default())
    }

    /// The rest of that time, in words.
    pub(crate) fn patience_left(&self) -> String {
        figures::seconds(self.left.unwrap_or_default())
    }
}
