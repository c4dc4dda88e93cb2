//! The arguments of a call, read by the parameter that each belongs to.

use serde_json::{Map, Value as Json};

use super::values::*;
use crate::names::*;
use crate::trace::arg::{Arg, Value};
use crate::values::{Linger, PeerCredentials};

/// The arguments of one call, each of which may decide how another one is read.
pub(super) struct Given<'a> {
    pub(super) call: &'a str,
    pub(super) all: &'a Map<String, Json>,
}

impl Given<'_> {
    /// The argument for this parameter. A value that does not fit becomes text.
    pub(super) fn arg(&self, name: &str, json: &Json) -> Arg<'static> {
        self.typed(name, json).unwrap_or_else(|| untyped(json))
    }

    fn typed(&self, name: &str, json: &Json) -> Option<Arg<'static>> {
        if let Some(pointer) = pointer(json)
            && !matches!(name, "node" | "service" | "host" | "serv" | "name" | "proto" | "ifname")
        {
            return Some(Arg::Pointer(pointer));
        }
        self.number_or_name(name, json).or_else(|| self.structure(name, json)).or_else(|| {
            let kind = self.kind(name)?;
            let value =
                if kind.family.flags { bits(kind, json).into() } else { one_of(kind, json)? };
            Some(Arg::Named(Named { value, ..kind }))
        })
    }

    fn number_or_name(&self, name: &str, json: &Json) -> Option<Arg<'static>> {
        Some(match (name, self.call, json) {
            ("sockfd" | "fd" | "oldfd" | "newfd" | "out_fd" | "in_fd" | "fd_in" | "fd_out", ..) => {
                Arg::Fd(number(json)?)
            }
            ("sv" | "pipefd", _, Json::Array(pair)) => match &pair[..] {
                [first, second] => Arg::Fds([number(first)?, number(second)?]),
                _ => return None,
            },
            ("type", "socket" | "socketpair", _) => Arg::Type(socket_type(json)?),
            ("protocol", "socket", _) => {
                let domain =
                    Domain::from_bits(self.one("domain", Domain::default().named())? as i32);
                let protocol = one_of(Protocol::default().named(), json)?;
                Arg::Protocol(domain, Protocol::from_bits(protocol as i32))
            }
            ("buf", ..) => Arg::Bytes(bytes(json)?),
            ("addr" | "dest_addr" | "src_addr", _, Json::String(_) | Json::Object(_)) => {
                Arg::Address(std::borrow::Cow::Owned(address(json)?))
            }
            ("node" | "service" | "host" | "serv" | "name" | "proto" | "ifname", ..) => {
                Arg::Str(json.as_str().map(|text| text.to_string().into()))
            }
            ("optname", ..) => {
                let level = Level::from_bits(self.one("level", Level::default().named())? as i32);
                Arg::OptionName(level, option(level, json)?)
            }
            ("optval", ..) => Arg::Value(self.value(json)?),
            ("request", ..) => Arg::Request(request(json)?),
            ("arg", "ioctl", _) => Arg::Value(Value::Int(json.as_i64()?.try_into().ok()?)),
            ("arg", "fcntl", Json::Array(_)) if self.all.get("cmd")? == "F_SETFL" => {
                Arg::OpenFlags(open_flags(json))
            }
            _ => return None,
        })
    }

    /// Times, sets, and C's structures; NULL where none of these is possible.
    fn structure(&self, name: &str, json: &Json) -> Option<Arg<'static>> {
        Some(match (name, self.call, json) {
            ("readfds" | "writefds" | "exceptfds", ..) => Arg::set(set(json)),
            ("fds", ..) => Arg::rows(rows_of(json)),
            ("timeout", "select", _) => Arg::TimeVal(timeval(json)),
            ("timeout" | "tmo_p", _, Json::Object(_) | Json::Null) => Arg::TimeSpec(timespec(json)),
            ("timeout", ..) => Arg::Millis(json.as_i64()?.try_into().ok()?),
            ("sigmask" | "set" | "oldset", ..) => Arg::Mask(signals(json)),
            ("act" | "oldact", ..) => Arg::Action(action(json).map(Box::new)),
            ("msg", _, Json::Object(object)) if object.len() == 1 => {
                let name_len = object.get("msg_namelen")?.as_u64()?.try_into().ok()?;
                Arg::Unanswered { name_len }
            }
            ("msgvec", ..) => Arg::Messages(messages(json)?),
            ("iov", ..) => match buffers(json) {
                Some(buffers) => Arg::Buffers(buffers),
                None => Arg::Room(room(json)?),
            },
            ("msg", ..) => Arg::Message(Box::new(message(json)?)),
            ("hints", ..) => Arg::Hints(hints(json).map(Box::new)),
            ("res", _, Json::Array(_)) => Arg::Found(found(json)?.into()),
            ("offset" | "off_in" | "off_out", _, Json::Object(_)) => {
                let (given, returned) = changed(json)?;
                Arg::Offset { given, returned }
            }
            (.., Json::Object(object)) if object.contains_key("given") => {
                let (given, returned) = changed(json)?;
                Arg::Length { given, returned: returned? }
            }
            (_, _, Json::Null) => Arg::Pointer(0),
            _ => return None,
        })
    }

    /// The constants that a parameter takes.
    fn kind(&self, name: &str) -> Option<Named> {
        Some(match (name, self.call) {
            ("domain", _) | ("type", "gethostbyaddr") => Domain::default().named(),
            ("level", _) => Level::default().named(),
            ("how", "shutdown") => ShutdownHow::default().named(),
            ("cmd", _) => FcntlCommand::default().named(),
            ("arg", "fcntl") if self.all.get("cmd")? == "F_SETFD" => FdFlags::NONE.named(),
            ("signum" | "sig", _) => Signal::default().named(),
            ("flags", "accept4") => SocketFlags::NONE.named(),
            ("flags", "getnameinfo") => NameInfoFlags::NONE.named(),
            ("flags", "splice") => SpliceFlags::NONE.named(),
            ("flags", "close_range") => CloseRangeFlags::NONE.named(),
            ("flags", _) => MsgFlags::NONE.named(),
            _ => return None,
        })
    }

    fn one(&self, name: &str, kind: Named) -> Option<i64> {
        one_of(kind, self.all.get(name)?)
    }

    /// The value of a socket option.
    fn value(&self, json: &Json) -> Option<Value<'static>> {
        let is_error = self.call == "getsockopt"
            && self.all.get("optname").is_some_and(|option| option == "SO_ERROR");
        let field = |name| json.get(name).and_then(Json::as_i64);
        let int = |name| field(name).and_then(|number| i32::try_from(number).ok());
        Some(match json {
            Json::String(name) => Value::Error(errno_of(name)?.number()),
            Json::Number(number) if is_error => Value::Error(number.as_i64()?.try_into().ok()?),
            Json::Number(number) => Value::Int(number.as_i64()?.try_into().ok()?),
            _ if json.get("byte").is_some() => Value::Byte(field("byte")?.try_into().ok()?),
            _ if json.get("text").is_some() => Value::Bytes(bytes(json)?),
            _ if json.get("tv_sec").is_some() => Value::TimeVal(timeval(json)?),
            _ if json.get("pid").is_some() => {
                let id = |name| field(name).and_then(|number| u32::try_from(number).ok());
                Value::Credentials(PeerCredentials {
                    pid: int("pid")?,
                    uid: id("uid")?,
                    gid: id("gid")?,
                })
            }
            _ => Value::Linger(Linger { l_onoff: int("l_onoff")?, l_linger: int("l_linger")? }),
        })
    }
}

/// An argument of an unknown parameter: its JSON form decides its kind.
pub(super) fn untyped(json: &Json) -> Arg<'static> {
    match json {
        Json::Null => Arg::Pointer(0),
        Json::Number(number) => Arg::Int(number.as_i64().unwrap_or(i64::MAX)),
        Json::String(text) => Arg::Word(printable(text).into()),
        Json::Object(object) => match (object.get("fd").and_then(number), object.get("written")) {
            (Some(fd), _) => Arg::Fd(fd),
            (_, Some(Json::String(text))) => Arg::Text(printable(text).into()),
            _ => bytes(json)
                .map_or_else(|| Arg::Text(printable(&json.to_string()).into()), Arg::Bytes),
        },
        _ => Arg::Text(printable(&json.to_string()).into()),
    }
}
