//! One line of a log, taken apart into the parts that the [grammar](super) names: process, time, and the rest.
//! Everything borrows from the line.

#[cfg(test)]
mod tests;

use super::body::LineBody;
use super::number::digits;

/// One line, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// The process or thread, if the line names it.
    pub pid: Option<u32>,
    /// When the call began, if the line says it.
    pub time: Option<Stamp>,
    /// What the line tells.
    pub body: LineBody<'a>,
}

/// The time before a call under the options `-t`, `-tt`, `-ttt` and `-r`, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// Since midnight: `23:59:01.000123`.
    OfDay(u64),
    /// Since 1970: `1700000000.000123`.
    SinceEpoch(u64),
    /// Since the call before began: `0.000123`.
    SincePrevious(u64),
}

impl<'a> LogLine<'a> {
    /// Takes a line apart. The line must be [clean](super::clean).
    pub fn parse(text: &'a str) -> Self {
        let mut line = LogLine { pid: None, time: None, body: LineBody::Text };
        let mut rest = text;
        // Most lines of most logs begin with the call, or with one number and then the call: this loop soon ends.
        loop {
            match rest.as_bytes().first() {
                Some(b'0'..=b'9') => {
                    let Some(after) = line.take_number(rest) else { break };
                    rest = after.trim_ascii_start();
                }
                Some(b'[') => {
                    let Some(after) = line.take_bracket(rest) else { break };
                    rest = after.trim_ascii_start();
                }
                // What follows the time of day with -r.
                Some(b'(') if line.time.is_some() && rest.starts_with("(+") => {
                    let Some((_, after)) = rest.split_once(')') else { break };
                    rest = after.trim_ascii_start();
                }
                _ => break,
            }
        }
        line.body = LineBody::parse(rest);
        if line.body == LineBody::Text {
            let body = if is_of_table(text) { LineBody::Remark } else { LineBody::Text };
            return LogLine { pid: None, time: None, body };
        }
        line
    }

    /// Takes a process or a time at the beginning of a line.
    fn take_number(&mut self, text: &'a str) -> Option<&'a str> {
        let (whole, after) = digits(text)?;
        match after.as_bytes() {
            [b':', ..] if self.time.is_none() => {
                let (nanoseconds, after) = time_of_day(whole, after)?;
                self.time = Some(Stamp::OfDay(nanoseconds));
                Some(after)
            }
            [b'.', ..] if self.time.is_none() => {
                let (fraction, after) = fraction(&after[1..])?;
                let at = whole.checked_mul(1_000_000_000)?.checked_add(fraction)?;
                let is_epoch = whole >= 100_000_000;
                self.time =
                    Some(if is_epoch { Stamp::SinceEpoch(at) } else { Stamp::SincePrevious(at) });
                Some(after)
            }
            // -t and -ttt together: --absolute-timestamps=format:unix,precision:s.
            [b' ', ..] if whole >= 100_000_000 && self.time.is_none() => {
                self.time = Some(Stamp::SinceEpoch(whole.checked_mul(1_000_000_000)?));
                Some(after)
            }
            [b' ' | b'<', ..] if self.pid.is_none() && self.time.is_none() => {
                self.pid = Some(u32::try_from(whole).ok()?);
                without_command(after)
            }
            _ => None,
        }
    }

    /// Takes `[pid 12]`, or what the options -i and -n write: an address, the number of the system call.
    fn take_bracket(&mut self, text: &'a str) -> Option<&'a str> {
        let inside = text[1..].trim_ascii_start();
        if let Some(pid) = inside.strip_prefix("pid ") {
            let (pid, after) = digits(pid.trim_ascii_start())?;
            self.pid = Some(u32::try_from(pid).ok()?);
            return without_command(after)?.strip_prefix(']');
        }
        let end = inside.find(']')?;
        let is_number = inside[..end].bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'?');
        (end > 0 && is_number).then(|| &inside[end + 1..])
    }
}

/// Whether this is a line of the table that strace writes with `-c` and `-C`.
fn is_of_table(text: &str) -> bool {
    if text.starts_with("% time") || text.starts_with("------ ---") {
        return true;
    }
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let mut words = text.split_ascii_whitespace();
    let numbers = words.by_ref().take(3).filter(|word| is_number(word)).count();
    numbers == 3 && text.ends_with(|last: char| last.is_ascii_alphanumeric())
}

/// After the process id, `-Y` writes the command: `12<sh>`.
fn without_command(text: &str) -> Option<&str> {
    match text.strip_prefix('<') {
        Some(command) => command.split_once('>').map(|(_, after)| after),
        None => Some(text),
    }
}

/// `12:34:56`, from the first colon on; perhaps with a fraction.
fn time_of_day(hours: u64, text: &str) -> Option<(u64, &str)> {
    let (minutes, text) = digits(text.strip_prefix(':')?)?;
    let (seconds, text) = digits(text.strip_prefix(':')?)?;
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let whole = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000;
    match text.strip_prefix('.') {
        Some(rest) => fraction(rest).map(|(part, rest)| (whole + part, rest)),
        None => Some((whole, text)),
    }
}

/// The digits after a decimal point, in nanoseconds.
pub(super) fn fraction(text: &str) -> Option<(u64, &str)> {
    let (value, rest) = digits(text)?;
    let places = text.len() - rest.len();
    // strace writes six digits.
    if places == 6 {
        return Some((value * 1_000, rest));
    }
    let scale = 10u64.checked_pow(9u32.checked_sub(u32::try_from(places).ok()?)?)?;
    Some((value.checked_mul(scale)?, rest))
}
