//! The arguments of a call, split at their commas.

use std::ops::Index;

/// How many arguments are distinguished; no system call has more than six, and `clone` is written with seven.
const MOST: usize = 8;

/// The arguments of a call, as written. A missing argument is empty.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a> {
    parts: [&'a str; MOST],
    count: usize,
}

impl<'a> Arguments<'a> {
    /// Splits the text between a call's parentheses.
    pub fn divide(text: &'a str) -> Self {
        let mut arguments = Self { parts: [""; MOST], count: 0 };
        let mut rest = text;
        while arguments.count < MOST - 1 {
            let Some(comma) = top_level_comma(rest) else { break };
            arguments.push(&rest[..comma]);
            rest = &rest[comma + 1..];
        }
        if arguments.count > 0 || !rest.trim_ascii().is_empty() {
            arguments.push(rest);
        }
        arguments
    }

    fn push(&mut self, part: &'a str) {
        self.parts[self.count] = without_name(part.trim_ascii());
        self.count += 1;
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The arguments in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> {
        self.parts[..self.count].iter().copied()
    }
}

impl<'a> Index<usize> for Arguments<'a> {
    type Output = &'a str;

    fn index(&self, at: usize) -> &&'a str {
        self.parts.get(at).unwrap_or(&"")
    }
}

/// With `-N`, strace writes the name before each argument: `domain=AF_INET`.
fn without_name(part: &str) -> &str {
    if !part.starts_with(|first: char| first.is_ascii_lowercase()) {
        return part;
    }
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    match part.split_once('=') {
        Some((name, value)) if name.bytes().all(is_part) => value,
        _ => part,
    }
}

/// The items of an array or the fields of a structure, `[1 2]` or `{a=1, b=2}`, without the brackets.
pub fn items(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(inside(text)).filter(|text| !text.is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        let (item, after) = match top_level_comma(text) {
            Some(comma) => (&text[..comma], Some(&text[comma + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(item.trim_ascii())
    })
}

/// The text between brackets or braces, or the text itself if there are none.
pub fn inside(text: &str) -> &str {
    let text = text.trim_ascii();
    let inside = match text.as_bytes() {
        [b'[', .., b']'] | [b'{', .., b'}'] => &text[1..text.len() - 1],
        _ => text,
    };
    inside.trim_ascii()
}

/// The value of a field: in `{tv_sec=1, tv_usec=0}`, that of `tv_sec` is `1`. An older strace writes `msg_iov(1)=…`,
/// with the number of items.
pub fn field<'a>(structure: &'a str, name: &str) -> Option<&'a str> {
    items(structure).find_map(|item| {
        let rest = item.strip_prefix(name)?;
        let rest = match rest.strip_prefix('(') {
            Some(counted) => counted.split_once(')')?.1,
            None => rest,
        };
        rest.strip_prefix('=')
    })
}

/// Whether every closing bracket in this text was opened in it: otherwise the text continues something that began
/// before.
pub fn is_from_its_beginning(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut depth = 0i32;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b'"' => at += string_len(&bytes[at..]).saturating_sub(1),
            _ => {}
        }
        if depth < 0 {
            return false;
        }
        at += 1;
    }
    true
}

/// The first comma outside of every string, parenthesis, bracket, brace and description of a descriptor.
fn top_level_comma(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b',' if depth == 0 => return Some(at),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => at += string_len(&bytes[at..]).saturating_sub(1),
            b'<' => at += description_len(&bytes[at..]).saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The length of a string, with its quotes; a string without an end extends to the end of the text.
pub(super) fn string_len(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// The length of the description that `-y` writes after a descriptor: `<TCP:[…->…]>`, `</dev/null<char 1:3>>`; 0 if
/// there is none. An arrow in it does not end it, and strace escapes the brackets in a path.
pub(super) fn description_len(bytes: &[u8]) -> usize {
    let mut depth = 0usize;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'<' => depth += 1,
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b'>' => depth -= 1,
            b' ' if depth == 1 && at == 1 => return 0,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided(text: &str) -> Vec<&str> {
        Arguments::divide(text).iter().collect()
    }

    #[test]
    fn commas_within_a_value_do_not_divide() {
        assert_eq!(divided(""), [""; 0]);
        assert_eq!(divided("3, \"a, \\\"b\", 5, 0"), ["3", "\"a, \\\"b\"", "5", "0"]);
        assert_eq!(divided("4, {a=1, b=f(2, 3)}, [16]"), ["4", "{a=1, b=f(2, 3)}", "[16]"]);
        assert_eq!(divided("[{fd=3, events=POLLIN}], 1, -1").len(), 3);
        let described = "3<TCP:[127.0.0.1:1->127.0.0.1:2]>, 1</dev/pts/0<char 136:0>>, 5</a,b>";
        assert_eq!(divided(described).len(), 3);
        assert_eq!(divided("1<<3, 2"), ["1<<3", "2"]);
        assert_eq!(divided("domain=AF_INET, {a=1}, f(b=2)"), ["AF_INET", "{a=1}", "f(b=2)"]);
    }

    #[test]
    fn a_value_that_does_not_end_takes_the_rest() {
        for text in ["\"abc, 1", "\"abc\\", "[1, 2", "{a, b", "\"", "<", "(,"] {
            assert_eq!(divided(text), [text], "{text}");
        }
    }

    #[test]
    fn a_field_is_found_by_its_name() {
        let structure = "{tv_sec=1, tv_usec=20}";
        assert_eq!(field(structure, "tv_usec"), Some("20"));
        assert_eq!(field(structure, "tv"), None);
    }
}
