//! Strings as strace writes them: quoted, escaped, and cut.
//!
//! Whatever the bytes are, the result is printable ASCII within quotes. So a hostile peer can neither close the string,
//! nor forge a line, nor send an escape sequence to the terminal.

use super::line::LineBuffer;

/// Appends `bytes` quoted; after `limit` bytes they are cut, and `...` follows.
pub(crate) fn quote(out: &mut LineBuffer, bytes: &[u8], limit: usize) {
    out.push(b'"');
    escape(out, &bytes[..bytes.len().min(limit)]);
    out.push(b'"');
    if bytes.len() > limit {
        out.push_str("...");
    }
}

/// Appends `bytes` escaped, without quotes.
pub(crate) fn escape(out: &mut LineBuffer, bytes: &[u8]) {
    append(out, bytes, &IN_TEXT);
}

/// The same inside a JSON string: each backslash and quote gets one more backslash.
pub(crate) fn escape_in_json(out: &mut LineBuffer, bytes: &[u8]) {
    append(out, bytes, &IN_JSON);
}

/// How many bytes are escaped at a time.
const PIECE: usize = 32;

fn append(out: &mut LineBuffer, bytes: &[u8], [before_others, before_digit]: &Table) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let piece = &rest[..rest.len().min(PIECE)];
        // The piece, the byte after it, and blanks up to a length that the compiler knows. Neither question has an early
        // exit. So the compiler can put each question for many bytes in one instruction.
        let mut padded = [b' '; PIECE + 1];
        let with_next = &rest[..rest.len().min(PIECE + 1)];
        padded[..with_next.len()].copy_from_slice(with_next);
        let is_plain = padded[..PIECE].iter().fold(true, |plain, byte| plain & is_plain(*byte));
        let pairs = padded[..PIECE].iter().zip(&padded[1..]);
        let has_digit = pairs.fold(false, |has, (byte, next)| has | is_before_digit(*byte, *next));
        if is_plain {
            out.push_ascii(piece);
        } else if has_digit {
            write_escaped(out, piece, |at, byte| match is_octal_digit(padded[at + 1]) {
                true => before_digit[byte],
                false => before_others[byte],
            });
        } else {
            write_escaped(out, piece, |_, byte| before_others[byte]);
        }
        rest = &rest[piece.len()..];
    }
}

/// Writes each byte of a piece in the form that `form` finds by the byte's place and value.
#[inline]
fn write_escaped(out: &mut LineBuffer, piece: &[u8], form: impl Fn(usize, usize) -> EscapedByte) {
    out.append_with::<{ SPACE + ROOM }>(|room| {
        let mut len = 0;
        for (at, byte) in piece.iter().enumerate() {
            let written = form(at, usize::from(*byte));
            // `len % SPACE` is `len` itself, and spares a bounds check.
            room[len % SPACE..][..ROOM].copy_from_slice(&written.to_le_bytes());
            len += (written >> LEN) as usize;
        }
        len
    });
}

/// Whether this byte, if it is escaped in octal, needs all three digits, because the next one could be taken for a fourth.
const fn is_before_digit(byte: u8, next: u8) -> bool {
    (byte < b' ') & is_octal_digit(next)
}

const fn is_octal_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'7')
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

/// How each byte is written: before other bytes, and before an octal digit.
type Table = [[EscapedByte; 256]; 2];

static IN_TEXT: Table = table(b"\\", b"\"");
static IN_JSON: Table = table(b"\\\\", b"\\\"");

/// How one byte is written: its characters from the lowest byte on, and their number in the highest. (Copying eight
/// bytes is as fast as copying one, and the next byte's characters overwrite the surplus.)
type EscapedByte = u64;
const ROOM: usize = size_of::<EscapedByte>();
const LEN: u32 = EscapedByte::BITS - 8;

/// The longest form of a piece: two backslashes and three digits for each byte.
const SPACE: usize = (PIECE * 5).next_power_of_two();

const fn table(backslash: &[u8], quote: &[u8]) -> Table {
    let mut table = [[0; 256]; 2];
    let mut number = 0;
    while number < 256 {
        let byte = number as u8;
        // As few octal digits as possible, but all three where the next byte could be taken for one.
        let mut before_digit = 0;
        while before_digit < 2 {
            table[before_digit][number] = match byte {
                b'"' => escaped_byte(backslash, quote),
                b'\\' => escaped_byte(backslash, backslash),
                b'\n' => escaped_byte(backslash, b"n"),
                b'\t' => escaped_byte(backslash, b"t"),
                b'\r' => escaped_byte(backslash, b"r"),
                0x0b => escaped_byte(backslash, b"v"),
                0x0c => escaped_byte(backslash, b"f"),
                b' '..=b'~' => escaped_byte(&[byte], b""),
                0..8 if before_digit == 0 => escaped_byte(backslash, &[octal(byte)]),
                8..64 if before_digit == 0 => {
                    escaped_byte(backslash, &[octal(byte >> 3), octal(byte)])
                }
                _ => escaped_byte(backslash, &[octal(byte >> 6), octal(byte >> 3), octal(byte)]),
            };
            before_digit += 1;
        }
        number += 1;
    }
    table
}

const fn escaped_byte(first: &[u8], then: &[u8]) -> EscapedByte {
    let mut written = ((first.len() + then.len()) as u64) << LEN;
    let mut at = 0;
    while at < first.len() + then.len() {
        let byte = if at < first.len() { first[at] } else { then[at - first.len()] };
        written |= (byte as u64) << (8 * at);
        at += 1;
    }
    written
}

/// The octal digit of the lowest three bits.
const fn octal(bits: u8) -> u8 {
    b'0' + (bits & 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(bytes: &[u8], limit: usize) -> String {
        let mut out = LineBuffer::new();
        quote(&mut out, bytes, limit);
        out.into()
    }

    #[test]
    fn what_is_not_printable_is_escaped() {
        assert_eq!(quoted(b"hello\n", 32), r#""hello\n""#);
        assert_eq!(quoted(b"\"\\\t\r\x0b\x0c", 32), r#""\"\\\t\r\v\f""#);
        assert_eq!(quoted(b"\x001\x01z\xff\x1b[2J", 32), r#""\0001\1z\377\33[2J""#);
        // 8 and 9 are not octal digits.
        assert_eq!(quoted(b"\x017\x018\x1b9V", 32), r#""\0017\18\339V""#);
    }

    #[test]
    fn octal_digits_are_as_few_as_will_do() {
        for byte in 0..=255u8 {
            if matches!(byte, b' '..=b'~' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r') {
                continue;
            }
            let (few, all) = (quoted(&[byte, b'8'], 32), quoted(&[byte, b'7'], 32));
            assert_eq!(few, format!("\"\\{byte:o}8\""));
            assert_eq!(all, format!("\"\\{byte:03o}7\""));
        }
    }

    /// A string of many pieces, in which each byte stands before each other byte.
    #[test]
    fn every_byte_is_escaped_alike_wherever_it_stands() {
        let bytes: Vec<u8> =
            (0..=255u8).flat_map(|one| (0..=255u8).flat_map(move |other| [one, other])).collect();
        let escaped = |bytes: &[u8]| {
            let mut out = LineBuffer::new();
            escape(&mut out, bytes);
            String::from(out)
        };
        let whole = escaped(&bytes);
        let mut by_bytes = String::new();
        for (at, byte) in bytes.iter().enumerate() {
            let with_next = &bytes[at..bytes.len().min(at + 2)];
            let two = escaped(with_next);
            let next = escaped(&with_next[1..]);
            // The next byte is not cut off here: none follows it.
            let alone = two.strip_suffix(&next[..]);
            by_bytes.push_str(alone.unwrap_or_else(|| panic!("{byte:#x} in {two:?}")));
        }
        assert!(whole == by_bytes, "the pieces differ");
        let mut json = LineBuffer::new();
        escape_in_json(&mut json, &bytes);
        assert!(json.as_str() == whole.replace('\\', "\\\\").replace('"', "\\\""), "JSON differs");
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
