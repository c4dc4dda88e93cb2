//! Strings as strace writes them: quoted, escaped, and cut.
//!
//! Whatever the bytes, the result is printable ASCII within quotes. So a hostile peer can neither close
//! the string nor forge a line nor send an escape sequence to the terminal.

/// Appends `bytes` quoted; beyond `limit` bytes they are cut and `...` follows.
pub(crate) fn quote(out: &mut String, bytes: &[u8], limit: usize) {
    out.push('"');
    escape(out, &bytes[..bytes.len().min(limit)]);
    out.push('"');
    if bytes.len() > limit {
        out.push_str("...");
    }
}

/// Appends `bytes` escaped, without quotes.
pub(crate) fn escape(out: &mut String, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let plain = rest.iter().position(|byte| !is_plain(*byte)).unwrap_or(rest.len());
        // As one piece: char by char would cost three times as much. Plain bytes are UTF-8.
        out.push_str(std::str::from_utf8(&rest[..plain]).unwrap_or_default());
        if let Some(byte) = rest.get(plain) {
            escape_one(out, *byte, rest.get(plain + 1));
        }
        rest = rest.get(plain + 1..).unwrap_or_default();
    }
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

fn escape_one(out: &mut String, byte: u8, next: Option<&u8>) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b'\t' => out.push_str("\\t"),
        b'\r' => out.push_str("\\r"),
        0x0b => out.push_str("\\v"),
        0x0c => out.push_str("\\f"),
        _ => octal(out, byte, next.is_some_and(|next| matches!(next, b'0'..=b'7'))),
    }
}

/// As few octal digits as will do, but all three before an octal digit, which would be taken for one of them. (By hand: a string
/// may be nothing but these, and formats would take most of the time of its line.)
fn octal(out: &mut String, byte: u8, digit_follows: bool) {
    let digits = [byte >> 6, byte >> 3 & 7, byte & 7].map(|digit| char::from(b'0' + digit));
    let needless = match byte {
        _ if digit_follows => 0,
        0..8 => 2,
        8..64 => 1,
        64.. => 0,
    };
    out.push('\\');
    for digit in &digits[needless..] {
        out.push(*digit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(bytes: &[u8], limit: usize) -> String {
        let mut out = String::new();
        quote(&mut out, bytes, limit);
        out
    }

    #[test]
    fn what_is_not_printable_is_escaped() {
        assert_eq!(quoted(b"hello\n", 32), r#""hello\n""#);
        assert_eq!(quoted(b"\"\\\t\r\x0b\x0c", 32), r#""\"\\\t\r\v\f""#);
        assert_eq!(quoted(b"\x001\x01z\xff\x1b[2J", 32), r#""\0001\1z\377\33[2J""#);
        // 8 and 9 are no octal digits.
        assert_eq!(quoted(b"\x017\x018\x1b9V", 32), r#""\0017\18\339V""#);
    }

    #[test]
    fn octal_digits_are_as_few_as_will_do() {
        for byte in 0..=255u8 {
            let (mut few, mut all) = (String::new(), String::new());
            octal(&mut few, byte, false);
            octal(&mut all, byte, true);
            assert_eq!((few, all), (format!("\\{byte:o}"), format!("\\{byte:03o}")));
        }
    }

    #[test]
    fn a_long_string_is_cut() {
        assert_eq!(quoted(b"abcdef", 3), r#""abc"..."#);
        assert_eq!(quoted(b"abc", 3), r#""abc""#);
        assert_eq!(quoted(b"", 3), r#""""#);
    }

    #[test]
    fn no_byte_leaves_the_quotes() {
        for byte in 0..=255u8 {
            let text = quoted(&[byte, b'x'], 32);
            assert!(text.bytes().all(|printed| (b' '..=b'~').contains(&printed)), "{text}");
            let inner = &text[1..text.len() - 1];
            assert!(!inner.replace("\\\\", "").replace("\\\"", "").contains('"'), "{text}");
        }
    }
}
