//! Values in strace's notation: numbers, names, strings, times, sets and rows.
//!
//! The data that an event borrows (the bytes of strings, the members of sets, the rows of `poll`) is in a [`Room`],
//! which is reused for each call: reading a call allocates nothing.

use super::arguments::{description_len, field, inside, items, string_len};
use super::number::{digits, number};
use crate::names::{Constant, PollEvents, Signal, SocketFlags, SocketType, value_of};
use crate::trace::arg::Bytes;
use crate::values::{FdNumber, PollRow, TimeSpec, TimeVal};

/// Memory for the data that the event of one call borrows.
#[derive(Debug, Default)]
pub struct Store {
    bytes: Vec<u8>,
    fds: Vec<FdNumber>,
    rows: Vec<PollRow>,
}

/// The free part of a [`Store`] while a call is read.
#[derive(Debug)]
pub struct Room<'a> {
    bytes: &'a mut [u8],
    fds: &'a mut [FdNumber],
    rows: &'a mut [PollRow],
}

impl Store {
    /// Room for everything that a text of this length can contain.
    pub fn room(&mut self, len: usize) -> Room<'_> {
        let none = FdNumber::new(-1);
        let row = PollRow { fd: none, events: PollEvents::NONE, revents: PollEvents::NONE };
        // A string is not longer than its text, a member takes a digit and a space, a row `{fd=3}, `.
        if self.bytes.len() < len {
            self.bytes.resize(len, 0);
            self.fds.resize(len / 2 + 1, none);
            self.rows.resize(len / 6 + 1, row);
        }
        Room { bytes: &mut self.bytes, fds: &mut self.fds, rows: &mut self.rows }
    }
}

impl<'a> Room<'a> {
    /// A string: `"GET /\r\n"...`, without its quotes and escapes.
    pub fn string(&mut self, text: &'a str) -> Option<Bytes<'a>> {
        if !text.starts_with('"') {
            return None;
        }
        let len = string_len(text.as_bytes());
        let escaped = text.get(1..len - 1)?;
        let is_cut = match &text[len..] {
            "" => false,
            "..." => true,
            _ => return None,
        };
        if memchr::memchr(b'\\', escaped.as_bytes()).is_none() {
            return Some(Bytes { shown: escaped.as_bytes().into(), is_cut });
        }
        let room = std::mem::take(&mut self.bytes);
        let used = unescape(escaped.as_bytes(), room);
        let (shown, rest) = room.split_at_mut(used);
        self.bytes = rest;
        Some(Bytes { shown: (&*shown).into(), is_cut })
    }

    /// The members of an `fd_set`: `[3 5]`.
    pub fn set(&mut self, text: &str) -> Option<&'a [FdNumber]> {
        let mut rest = text.strip_prefix('[')?.strip_suffix(']')?.trim_ascii();
        let mut count = 0;
        while !rest.is_empty() {
            let (fd, after) = described(rest)?;
            *self.fds.get_mut(count)? = fd;
            count += 1;
            rest = after.trim_ascii_start();
        }
        let (members, left) = std::mem::take(&mut self.fds).split_at_mut(count);
        self.fds = left;
        Some(members)
    }

    /// The rows of `poll`: `[{fd=3, events=POLLIN}]`; those of its answer with `revents`.
    pub fn rows(&mut self, text: &str) -> Option<&'a mut [PollRow]> {
        let mut count = 0;
        for item in items(text) {
            if item == "..." {
                break;
            }
            *self.rows.get_mut(count)? = row(item)?;
            count += 1;
        }
        let (rows, left) = std::mem::take(&mut self.rows).split_at_mut(count);
        self.rows = left;
        Some(rows)
    }
}

/// Writes the bytes of an escaped string, and returns how many there are.
fn unescape(escaped: &[u8], to: &mut [u8]) -> usize {
    let mut from = 0;
    let mut at = 0;
    while let Some(&byte) = escaped.get(from) {
        from += 1;
        let mut value = byte;
        if byte == b'\\' {
            let Some(&kind) = escaped.get(from) else { break };
            from += 1;
            value = match kind {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'v' => 0x0b,
                b'f' => 0x0c,
                b'a' => 0x07,
                b'b' => 0x08,
                b'e' => 0x1b,
                b'x' => {
                    let (value, len) = in_base(&escaped[from..], 16, 2);
                    from += len;
                    value
                }
                b'0'..=b'7' => {
                    let (value, len) = in_base(&escaped[from - 1..], 8, 3);
                    from += len - 1;
                    value
                }
                other => other,
            };
        }
        to[at] = value;
        at += 1;
    }
    at
}

/// A byte in at most `most` digits, and the number of digits.
fn in_base(digits: &[u8], base: u32, most: usize) -> (u8, usize) {
    let digits = digits.iter().take(most).map_while(|digit| char::from(*digit).to_digit(base));
    digits.fold((0, 0), |(value, len), digit| ((value as u32 * base + digit) as u8, len + 1))
}

/// A descriptor, without the description that `-y` writes, and the text after it.
pub fn described(text: &str) -> Option<(FdNumber, &str)> {
    let (value, rest) = number(text)?;
    let rest = match rest.as_bytes() {
        [b'<', ..] => &rest[description_len(rest.as_bytes())..],
        _ => rest,
    };
    Some((FdNumber::new(i32::try_from(value).ok()?), rest))
}

/// A descriptor.
pub fn fd(text: &str) -> Option<FdNumber> {
    let (fd, rest) = described(text)?;
    rest.is_empty().then_some(fd)
}

/// A number, perhaps with its meaning: `0x2 /* AF_INET */`.
pub fn int(text: &str) -> Option<i64> {
    let (value, rest) = number(text)?;
    let is_end = rest.is_empty() || rest.starts_with(" /*") || rest.starts_with('<');
    is_end.then_some(value)
}

/// The value of a constant or of flags, by name.
pub fn named(text: &str, names: &[Constant]) -> Option<i64> {
    match text {
        "0" => Some(0),
        _ => value_of(text, names),
    }
}

/// The type of a socket, with the flags joined to it.
pub fn socket_type(text: &str) -> Option<SocketType> {
    let bits = text.split(" /*").next()?.split('|').try_fold(0, |bits, part| {
        let known = value_of(part, SocketType::CONSTANTS);
        Some(bits | known.or_else(|| value_of(part, SocketFlags::CONSTANTS))?)
    });
    Some(SocketType::from_bits(bits? as i32))
}

fn row(text: &str) -> Option<PollRow> {
    let mut row =
        PollRow { fd: FdNumber::new(-1), events: PollEvents::NONE, revents: PollEvents::NONE };
    for item in items(text) {
        let (name, value) = item.split_once('=')?;
        match name {
            "fd" => row.fd = fd(value)?,
            "events" => row.events = events(value)?,
            "revents" => row.revents = events(value)?,
            _ => return None,
        }
    }
    Some(row)
}

fn events(text: &str) -> Option<PollEvents> {
    Some(PollEvents::from_bits(named(text, PollEvents::CONSTANTS)? as i32))
}

/// `{tv_sec=1, tv_usec=0}`; or a `struct timespec`, whose nanoseconds are cut off, as libc does. An old strace does not
/// name the fields, and the call decides which structure it is.
pub fn timeval(text: &str, call: &str) -> Option<TimeVal> {
    let unnamed = if call.starts_with("pselect6") { "tv_nsec" } else { "tv_usec" };
    let (tv_sec, unit, part) = time(text, unnamed)?;
    let tv_usec = if unit == "tv_nsec" { nanoseconds(part, call) / 1_000 } else { part };
    Some(TimeVal { tv_sec, tv_usec })
}

/// `{tv_sec=1, tv_nsec=0}`.
pub fn timespec(text: &str, call: &str) -> Option<TimeSpec> {
    let (tv_sec, unit, part) = time(text, "tv_nsec")?;
    let is_micro = unit == "tv_usec";
    let tv_nsec = if is_micro { part.checked_mul(1_000)? } else { nanoseconds(part, call) };
    Some(TimeSpec { tv_sec, tv_nsec })
}

/// Nanoseconds as the kernel takes them. A 32-bit program fills 32 of the 64 bits that the field has in a call with a long
/// time, and the kernel looks at these; strace writes also the others, where anything may lie.
fn nanoseconds(written: i64, call: &str) -> i64 {
    if call.ends_with("_time64") { i64::from(written as u32) } else { written }
}

/// Seconds, and the name and value of the fraction; an old strace writes `{1, 0}`, without a name.
fn time<'a>(text: &'a str, unnamed: &'a str) -> Option<(i64, &'a str, i64)> {
    let (seconds, part) = text.strip_prefix('{')?.strip_suffix('}')?.split_once(", ")?;
    let seconds = seconds.strip_prefix("tv_sec=").unwrap_or(seconds);
    let (unit, part) = part.split_once('=').unwrap_or((unnamed, part));
    // A long without its sign.
    let signed = |text: &str| {
        text.parse::<i64>().ok().or_else(|| Some(text.parse::<u64>().ok()?.cast_signed()))
    };
    Some((signed(seconds)?, unit, signed(part)?))
}

/// Milliseconds: an int, which strace may write without its sign.
pub fn millis(text: &str) -> Option<i32> {
    let value = int(text)?;
    i32::try_from(value).ok().or_else(|| Some(u32::try_from(value).ok()?.cast_signed()))
}

/// `[16]`, or `[128 => 16]`; an older strace writes `[128->16]`.
pub fn length(text: &str) -> Option<(i64, i64)> {
    let text = text.strip_prefix('[')?.strip_suffix(']')?;
    let (given, returned) = match text.split_once("=>").or_else(|| text.split_once("->")) {
        Some((given, returned)) => (given.trim_ascii(), returned.trim_ascii()),
        None => (text, text),
    };
    Some((int(given)?, int(returned)?))
}

/// `[INT TERM]`, `~[]`, without the `SIG` of each.
pub fn mask(text: &str) -> Option<Vec<Signal>> {
    let (all_but, inside) = match text.strip_prefix('~') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let inside = inside.strip_prefix('[')?.strip_suffix(']')?;
    let numbers: Vec<_> = inside.split_ascii_whitespace().map(signal).collect::<Option<_>>()?;
    let members = (1..=64).map(Signal::from_bits);
    Some(members.filter(|member| numbers.contains(member) != all_but).collect())
}

/// A signal, by its name with or without `SIG`, or its number.
pub fn signal(name: &str) -> Option<Signal> {
    let name = name.strip_prefix("SIG").unwrap_or(name);
    let known = Signal::CONSTANTS.iter().find(|known| &known.name[3..] == name);
    if let Some(known) = known {
        return Some(Signal::from_bits(known.value as i32));
    }
    let number = match name.strip_prefix("RT_").or_else(|| name.strip_prefix("RTMIN+")) {
        Some(rest) => 32 + i32::try_from(digits(rest)?.0).ok()?,
        None if name == "RTMIN" => 32,
        None => match name.parse() {
            Ok(number) => number,
            Err(_) => OTHER_SIGNALS.iter().find(|(known, _)| *known == name)?.1,
        },
    };
    Some(Signal::from_bits(number))
}

/// The other signals of Linux: they are not a subject of this book and have no name here, but occur in logs.
const OTHER_SIGNALS: &[(&str, i32)] = &[
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("SEGV", 11),
    ("STKFLT", 16),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("PWR", 30),
    ("SYS", 31),
];

/// The fields of `{l_onoff=1, l_linger=0}` or the like, as numbers.
pub fn fields<const N: usize>(text: &str, names: [&str; N]) -> Option<[i64; N]> {
    let mut values = [0; N];
    for (value, name) in values.iter_mut().zip(names) {
        *value = int(field(text, name)?)?;
    }
    Some(values)
}

/// The single number between brackets: `[1]`.
pub fn only(text: &str) -> Option<i64> {
    text.starts_with('[').then(|| int(inside(text)))?
}
