//! Numbers as strace writes them.

/// A number without a sign, and what follows its digits.
pub(super) fn digits(text: &str) -> Option<(u64, &str)> {
    let len = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(len);
    let value = match len {
        0 => return None,
        // So many cannot be too great.
        1..20 => digits.bytes().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')),
        _ => digits.parse().ok()?,
    };
    Some((value, rest))
}

/// A number in decimal or hexadecimal, perhaps with a minus, and the text after it. A number above 2^63 is the negative
/// number that it is in C.
pub(super) fn number(text: &str) -> Option<(i64, &str)> {
    let (positive, is_negative) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (value, rest) = match positive.strip_prefix("0x") {
        Some(hexadecimal) => {
            let len = hexadecimal.bytes().take_while(u8::is_ascii_hexdigit).count();
            (u64::from_str_radix(&hexadecimal[..len], 16).ok()?, &hexadecimal[len..])
        }
        None => digits(positive)?,
    };
    let value = value.cast_signed();
    Some((if is_negative { value.wrapping_neg() } else { value }, rest))
}
