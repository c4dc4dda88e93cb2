//! Numbers as strace writes them.

/// A number without a sign, and what follows its digits.
pub(super) fn digits(text: &str) -> Option<(u64, &str)> {
    let bytes = text.as_bytes();
    let mut value = 0u64;
    let mut len = 0;
    while let Some(digit) = bytes.get(len).filter(|byte| byte.is_ascii_digit()) {
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        len += 1;
    }
    (len > 0).then(|| (value, &text[len..]))
}

/// A number in decimal or in hexadecimal digits, perhaps with a minus, and what follows it. One above 2^63 is taken for the
/// negative number that it is in C.
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
