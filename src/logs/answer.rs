//! A call with its result, taken apart.

use super::line::fraction;
use super::number::{digits, number};

/// A call as strace writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawCall<'a> {
    /// The name of the system call, or of the function in one of our own traces.
    pub name: &'a str,
    /// The text between the parentheses.
    pub arguments: &'a str,
    /// The text after the equals sign.
    pub answer: CallResult<'a>,
    /// How long it took, in nanoseconds (`-T`).
    pub took_ns: Option<u64>,
}

/// The result of a call, and what strace adds to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallResult<'a> {
    /// The number; `None` for `?`, which strace writes if a call has not returned, or will be restarted.
    pub value: Option<i64>,
    /// The error's name, `EAGAIN`, or its number if it has none; `ERESTARTSYS` for an interrupted call.
    pub error: Option<&'a str>,
    /// The rest, such as `(in [3])` or `(Timeout)`, with the description of a new descriptor: `<TCP:[…]>`.
    pub rest: &'a str,
}

/// Arguments, result and duration, from the text after a call's opening parenthesis; `None` if the result does not end
/// here.
pub(super) fn split_answer(inside: &str) -> Option<(&str, CallResult<'_>, Option<u64>)> {
    split_beginning(inside).filter(|(_, answer, _)| answer.is_whole())
}

/// The same, even if the result is cut.
pub(super) fn split_beginning(inside: &str) -> Option<(&str, CallResult<'_>, Option<u64>)> {
    let (whole, took_ns) = match inside.as_bytes().last() {
        Some(b'>') => split_duration(inside),
        _ => (inside, None),
    };
    let mut end = whole.len();
    // From the end: sent bytes may look like a result, but a result never contains another one.
    while let Some(at) = memchr::memrchr(b'=', &whole.as_bytes()[..end]) {
        end = at;
        let Some(before) = whole[..at].strip_suffix(' ') else { continue };
        let Some(arguments) = before.trim_ascii_end().strip_suffix(')') else { continue };
        if let Some(answer) = whole[at + 1..].strip_prefix(' ').and_then(CallResult::parse) {
            return Some((arguments, answer, took_ns));
        }
    }
    None
}

/// ` <0.000012>` at the end of a line.
fn split_duration(text: &str) -> (&str, Option<u64>) {
    let took = text.strip_suffix('>').and_then(|text| {
        let open = memchr::memrchr(b'<', text.as_bytes())?;
        let (seconds, rest) = digits(&text[open + 1..])?;
        let (part, rest) = fraction(rest.strip_prefix('.')?)?;
        let took_ns = seconds.checked_mul(1_000_000_000)?.checked_add(part)?;
        rest.is_empty().then(|| (text[..open].trim_ascii_end(), Some(took_ns)))
    });
    took.unwrap_or((text, None))
}

impl<'a> CallResult<'a> {
    /// Whether every parenthesis that is opened after the number is closed.
    fn is_whole(&self) -> bool {
        let bytes = self.rest.as_bytes();
        bytes.is_empty() || {
            let count = |sought: u8| memchr::memchr_iter(sought, bytes).count();
            count(b'(') <= count(b')')
        }
    }

    fn parse(text: &'a str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('?') {
            let rest = rest.trim_ascii_start();
            let error = rest.split(' ').next().filter(|word| is_error(word));
            let is_answer = rest.is_empty() || error.is_some() || rest.starts_with(['<', '(']);
            return is_answer.then_some(Self { value: None, error, rest });
        }
        let (value, rest) = number(text)?;
        let is_end = rest.is_empty() || rest.starts_with([' ', '<']);
        if !is_end {
            return None;
        }
        let rest = rest.trim_ascii_start();
        let error = match value {
            -1 => rest.split(' ').next().filter(|word| is_error(word)).or_else(|| number_of(rest)),
            _ => None,
        };
        Some(Self { value: Some(value), error, rest })
    }
}

/// The number of an error for which strace has no name: `(errno 530)`.
fn number_of(rest: &str) -> Option<&str> {
    let number = rest.strip_prefix("(errno ")?.strip_suffix(')')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(number)
}

fn is_error(word: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    word.len() > 1 && word.starts_with('E') && word.bytes().all(is_part)
}
