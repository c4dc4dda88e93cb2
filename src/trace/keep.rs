//! An event that is kept borrows nothing: its data is copied, or as much of it as is shown.

use std::borrow::Cow;

use super::arg::{Arg, Bytes, Message, Note, Value, ValueLimits};
use super::event::{Args, Callee, Event};

impl Event<'_> {
    /// A copy that borrows nothing, with no more bytes than the limits allow.
    pub fn kept(&self, limits: ValueLimits) -> Event<'static> {
        let mut kept = self.clone();
        kept.args.iter_mut().for_each(|arg| arg.cut(limits));
        kept.into_owned()
    }

    /// The same event, borrowing nothing.
    pub fn into_owned(self) -> Event<'static> {
        Event {
            callee: self.callee.into_owned(),
            args: self.args.into_owned(),
            note: self.note.into_owned(),
            outcome: self.outcome,
            mark: self.mark,
            seq: self.seq,
            begin_ns: self.begin_ns,
            end_ns: self.end_ns,
            pid: self.pid,
            tid: self.tid,
            clock: self.clock,
            connection: self.connection,
            states: self.states,
        }
    }
}

impl Callee<'_> {
    fn into_owned(self) -> Callee<'static> {
        match self {
            Self::Known(function) => Callee::Known(function),
            Self::Other(name) => Callee::Other(Cow::Owned(name.into_owned())),
        }
    }
}

impl Args<'_> {
    fn into_owned(self) -> Args<'static> {
        Args(self.0.into_iter().map(Arg::into_owned).collect())
    }
}

impl Bytes<'_> {
    /// Keeps the first `limit` bytes.
    fn truncate(&mut self, limit: usize) {
        self.is_cut |= self.shown.len() > limit;
        match &mut self.shown {
            Cow::Borrowed(bytes) => *bytes = &bytes[..bytes.len().min(limit)],
            Cow::Owned(bytes) => bytes.truncate(limit),
        }
    }

    fn into_owned(self) -> Bytes<'static> {
        Bytes { shown: Cow::Owned(self.shown.into_owned()), is_cut: self.is_cut }
    }
}

impl Message<'_> {
    fn into_owned(self) -> Message<'static> {
        Message {
            name: self.name.map(own),
            name_len: self.name_len,
            buffers: owned(self.buffers),
            control: self.control,
            control_len: self.control_len,
            flags: self.flags,
        }
    }
}

impl Arg<'_> {
    /// Keeps no more bytes than the limits allow.
    pub(super) fn cut(&mut self, limits: ValueLimits) {
        match self {
            Self::Bytes(bytes) | Self::Value(Value::Bytes(bytes)) => bytes.truncate(limits.bytes),
            Self::Message(message) => {
                let buffers = message.buffers.iter_mut();
                buffers.for_each(|(bytes, _)| bytes.truncate(limits.bytes));
            }
            Self::Messages(messages) => {
                let buffers = messages.iter_mut().flat_map(|(message, _)| &mut message.buffers);
                buffers.for_each(|(bytes, _)| bytes.truncate(limits.bytes));
            }
            Self::Buffers(buffers) => {
                buffers.iter_mut().for_each(|(bytes, _)| bytes.truncate(limits.bytes));
            }
            _ => {}
        }
    }

    /// The same argument, borrowing nothing.
    pub fn into_owned(self) -> Arg<'static> {
        match self {
            Self::Word(word) => Arg::Word(own(word)),
            Self::Bytes(bytes) => Arg::Bytes(bytes.into_owned()),
            Self::Str(text) => Arg::Str(text.map(own)),
            Self::Address(address) => Arg::Address(own(address)),
            Self::Value(value) => Arg::Value(value.into_owned()),
            Self::Set(members) => Arg::Set(members.map(own)),
            Self::Rows(rows) => Arg::Rows(own(rows)),
            Self::Message(message) => Arg::Message(Box::new(message.into_owned())),
            Self::Messages(messages) => {
                let messages = messages.into_iter();
                Arg::Messages(messages.map(|(message, len)| (message.into_owned(), len)).collect())
            }
            Self::Buffers(buffers) => Arg::Buffers(owned(buffers)),
            Self::Room(room) => Arg::Room(room),
            Self::Found(found) => Arg::Found(own(found)),
            Self::Text(text) => Arg::Text(own(text)),
            Self::Fd(fd) => Arg::Fd(fd),
            Self::Fds(pair) => Arg::Fds(pair),
            Self::Int(number) => Arg::Int(number),
            Self::Millis(timeout_ms) => Arg::Millis(timeout_ms),
            Self::Named(named) => Arg::Named(named),
            Self::Type(kind) => Arg::Type(kind),
            Self::Protocol(domain, protocol) => Arg::Protocol(domain, protocol),
            Self::OpenFlags(flags) => Arg::OpenFlags(flags),
            Self::Request(request) => Arg::Request(request),
            Self::Pointer(address) => Arg::Pointer(address),
            Self::Length { given, returned } => Arg::Length { given, returned },
            Self::Offset { given, returned } => Arg::Offset { given, returned },
            Self::OptionName(level, number) => Arg::OptionName(level, number),
            Self::TimeVal(time) => Arg::TimeVal(time),
            Self::TimeSpec(time) => Arg::TimeSpec(time),
            Self::Mask(signals) => Arg::Mask(signals),
            Self::Action(action) => Arg::Action(action),
            Self::Unanswered { name_len } => Arg::Unanswered { name_len },
            Self::Hints(hints) => Arg::Hints(hints),
        }
    }
}

impl Value<'_> {
    fn into_owned(self) -> Value<'static> {
        match self {
            Self::Bytes(bytes) => Value::Bytes(bytes.into_owned()),
            Self::Int(number) => Value::Int(number),
            Self::Byte(byte) => Value::Byte(byte),
            Self::Error(number) => Value::Error(number),
            Self::Linger(linger) => Value::Linger(linger),
            Self::TimeVal(time) => Value::TimeVal(time),
            Self::Credentials(credentials) => Value::Credentials(credentials),
        }
    }
}

impl Note<'_> {
    /// The same note, borrowing nothing.
    pub fn into_owned(self) -> Note<'static> {
        match self {
            Self::None => Note::None,
            Self::OpenFlags(flags) => Note::OpenFlags(flags),
            Self::FdFlags(flags) => Note::FdFlags(flags),
            Self::Select { sets, left } => {
                Note::Select { sets: sets.map(|set| set.map(own)), left }
            }
            Self::Poll(rows) => Note::Poll(own(rows)),
            Self::Code(code, text) => Note::Code(code, own(text)),
            Self::Text(text) => Note::Text(own(text)),
        }
    }
}

fn owned(buffers: Vec<(Bytes<'_>, usize)>) -> Vec<(Bytes<'static>, usize)> {
    buffers.into_iter().map(|(bytes, len)| (bytes.into_owned(), len)).collect()
}

fn own<T: ToOwned + ?Sized>(lent: Cow<'_, T>) -> Cow<'static, T> {
    Cow::Owned(lent.into_owned())
}
