//! The content of a line, after process and time.

use super::answer::{RawCall, split_answer};
use super::number::{digits, number};

/// The content of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineBody<'a> {
    /// A call, from its name to its result.
    Call(RawCall<'a>),
    /// The first half of a call: another process wrote a line before the call returned.
    Begun(&'a str),
    /// The second half of a call.
    Resumed {
        /// The function's name, which the first half contains too.
        name: &'a str,
        /// The text from where the first half stopped.
        rest: &'a str,
    },
    /// A signal arrived: its name, and whether it stopped the process.
    Signal {
        /// `SIGPIPE`; for `--- stopped by SIGSTOP ---` the signal that stopped it.
        name: &'a str,
        /// Whether the process was stopped, instead of receiving the signal.
        stopped: bool,
    },
    /// A process ended.
    Ended(ProcessExit<'a>),
    /// strace starts to follow a process.
    Attached(u32),
    /// strace stops following a process.
    Detached(u32),
    /// Text of strace, or of the person who posted the log, that is not a call: a dump of bytes, a stack, a fence.
    Remark,
    /// A line of one of our JSON traces.
    Json,
    /// A call begins here and does not end: the line was wrapped, or the log was cut.
    Open {
        /// From the beginning of the call.
        text: &'a str,
        /// In the middle of the line, strace says that it starts to follow this process.
        attached: Option<u32>,
    },
    /// None of these.
    Text,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessExit<'a> {
    /// `exit` with this status.
    Exited(i32),
    /// A signal killed it.
    Killed(&'a str),
    /// Another thread of the process called `execve`, and this one was replaced.
    Superseded,
}

impl<'a> LineBody<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        match text.as_bytes().first() {
            Some(b'a'..=b'z' | b'_' | b'?') => Self::call(text),
            Some(b'<') => Self::resumed(text).unwrap_or(Self::Text),
            Some(b'-') if text.starts_with("--- ") => Self::signal(text).unwrap_or(Self::Text),
            Some(b'+') if text.starts_with("+++ ") => Self::ended(text).unwrap_or(Self::Text),
            Some(b'{') if text.starts_with("{\"schema\"") => Self::Json,
            // The report that `read --json` puts at the end.
            Some(b'{') if text.starts_with("{\"report\"") => Self::Remark,
            _ => Self::said(text),
        }
    }

    fn call(text: &'a str) -> Self {
        let name_len = text
            .bytes()
            .take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_')
            .count();
        let is_unknown = text.starts_with("???(");
        let name_len = if is_unknown { 3 } else { name_len };
        let (name, rest) = text.split_at(name_len);
        let Some(inside) = rest.strip_prefix('(') else { return Self::said(text) };
        // One of our traces contains functions of libc whose names occur within arguments of strace's.
        let is_inside = || INSIDE_ARGUMENTS.contains(&name) && !text.ends_with(" (library)");
        if name_len == 0 || is_inside() {
            return Self::Text;
        }
        if inside.ends_with("...>")
            && let Some(begun) = ["<unfinished ...>", "<detached ...>"]
                .iter()
                .find_map(|mark| text.strip_suffix(mark))
        {
            return Self::Begun(begun);
        }
        match split_answer(inside) {
            Some((arguments, answer, took_ns)) => {
                Self::Call(RawCall { name, arguments, answer, took_ns })
            }
            None => Self::open(text),
        }
    }

    fn open(text: &'a str) -> Self {
        let attached = split_said(text).and_then(|(text, said)| match said {
            Self::Attached(pid) => Some(Self::Open { text, attached: Some(pid) }),
            _ => None,
        });
        attached.unwrap_or(Self::Open { text, attached: None })
    }

    fn resumed(text: &'a str) -> Option<Self> {
        if text.starts_with("<detached ...>") {
            return Some(Self::Remark);
        }
        let (name, rest) = text.strip_prefix("<... ")?.split_once('>')?;
        let name = name.strip_suffix(" resumed")?;
        let is_name =
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_?".contains(&byte));
        (is_name && !name.is_empty()).then_some(Self::Resumed { name, rest })
    }

    fn signal(text: &'a str) -> Option<Self> {
        let inside = text.strip_prefix("--- ")?;
        let (inside, stopped) = match inside.strip_prefix("stopped by ") {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        let name = inside.split(' ').next()?;
        name.starts_with("SIG").then_some(Self::Signal { name, stopped })
    }

    fn ended(text: &'a str) -> Option<Self> {
        let inside = text.strip_prefix("+++ ")?;
        if let Some(status) = inside.strip_prefix("exited with ") {
            return Some(Self::Ended(ProcessExit::Exited(number(status)?.0 as i32)));
        }
        if let Some(signal) = inside.strip_prefix("killed by ") {
            return Some(Self::Ended(ProcessExit::Killed(signal.split(' ').next()?)));
        }
        inside.starts_with("superseded by execve").then_some(Self::Ended(ProcessExit::Superseded))
    }

    /// What strace says about itself and about processes, in its present and older words.
    fn said(text: &'a str) -> Self {
        if let Some(("", said)) = split_said(text) {
            return said;
        }
        let is_remark = text.starts_with("strace: ")
            || text.starts_with("baresock: ")
            || text.starts_with("[ Process PID=")
            || text.starts_with("| ")
            // A code location (`-k`): `/lib/libc.so.6(send+0x1d) [0x10ab0d]`.
            || (text.ends_with(']') && text.contains(" [0x"))
            || text.starts_with("```")
            || text.starts_with("~~~");
        if is_remark { Self::Remark } else { Self::Text }
    }
}

/// What strace says about a process at the end of a text, and the text before it. An older strace leaves out its name.
fn split_said(text: &str) -> Option<(&str, LineBody<'_>)> {
    let at = text.rfind("Process ")?;
    let (pid, did) = digits(&text[at + "Process ".len()..])?;
    let pid = u32::try_from(pid).ok()?;
    let body = match did.trim_ascii_start() {
        did if did.starts_with("attached") => LineBody::Attached(pid),
        did if did.starts_with("detached") => LineBody::Detached(pid),
        did if did.starts_with("suspended") || did.starts_with("resumed") => LineBody::Remark,
        _ => return None,
    };
    let before = match text[..at].strip_suffix("strace: ") {
        // It uses the name by which it was called, perhaps with a path.
        Some(before) => {
            let is_of_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
            let len = before.bytes().rev().take_while(is_of_path).count();
            let path = before[before.len() - len..].find('/');
            &before[..path.map_or(before.len(), |path| before.len() - len + path)]
        }
        None => &text[..at],
    };
    Some((before, body))
}

/// Words that look like the name of a call when a wrapped line continues within arguments.
pub(super) const INSIDE_ARGUMENTS: &[&str] = &[
    "htons",
    "htonl",
    "ntohs",
    "ntohl",
    "inet_addr",
    "inet_pton",
    "if_nametoindex",
    "makedev",
    "msg_name",
    "msg_iov",
    "msg_control",
];
