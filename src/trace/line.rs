//! The line that is being written: text of which most pieces are a few bytes long.

use std::fmt;

/// A line of text that grows. A `String` would check each digit and each escaped byte again, to be sure that they are
/// text; here the pieces are ASCII by their making, and only a reader who wants a `&str` pays for the check, once.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer {
    /// UTF-8.
    bytes: Vec<u8>,
}

impl LineBuffer {
    /// An empty line.
    pub(crate) const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Empties the line; its memory stays, for the next line.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// The line as bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The line as text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    /// Appends text.
    #[inline]
    pub(crate) fn push_str(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends text of ASCII.
    #[inline]
    pub(super) fn push_ascii(&mut self, text: &[u8]) {
        debug_assert!(text.is_ascii(), "{text:?} has more than ASCII");
        self.bytes.extend_from_slice(text);
    }

    /// Appends a character of ASCII.
    #[inline]
    pub(crate) fn push(&mut self, character: u8) {
        debug_assert!(character.is_ascii(), "{character:#x} is half a character");
        self.bytes.push(character);
    }

    /// Takes the last character, which is ASCII, away again.
    pub(crate) fn pop(&mut self) {
        self.bytes.pop();
    }

    /// Appends ASCII that is made in place: `write` gets room at the end of the line, and returns how many bytes of it
    /// it has used.
    #[inline]
    pub(super) fn append_with<const ROOM: usize>(
        &mut self,
        write: impl FnOnce(&mut [u8; ROOM]) -> usize,
    ) {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(&[0; ROOM]);
        let used = self.bytes.last_chunk_mut().map_or(0, write);
        self.bytes.truncate(before + used);
        debug_assert!(self.bytes[before..].is_ascii());
    }

    /// Appends a number in decimal.
    #[inline]
    pub(crate) fn decimal(&mut self, number: i64) {
        match number {
            0..10 => self.push(b'0' + number as u8),
            10..100 => self.bytes.extend_from_slice(&PAIRS[number as usize]),
            _ => self.long_decimal(number),
        }
    }

    fn long_decimal(&mut self, number: i64) {
        if number < 0 {
            self.push(b'-');
        }
        let magnitude = number.unsigned_abs();
        let above = magnitude / EIGHT_DIGITS;
        let digits = digits_of((magnitude % EIGHT_DIGITS) as u32);
        if above > 0 {
            self.decimal(above as i64);
            return self.bytes.extend_from_slice(&digits);
        }
        // The zeros in front are moved out of the eight bytes, instead of copying a number of bytes that the compiler does
        // not know.
        let not_zero = u64::from_be_bytes(digits) ^ u64::from_be_bytes([b'0'; 8]);
        let zeros = not_zero.leading_zeros() / 8 % 8;
        self.append_with::<8>(|room| {
            *room = (u64::from_be_bytes(digits) << (8 * zeros)).to_be_bytes();
            8 - zeros as usize
        });
    }
}

/// The eight digits of a number below [`EIGHT_DIGITS`], two at a time: a division takes longer than everything else here.
fn digits_of(number: u32) -> [u8; 8] {
    let mut digits = [0; 8];
    let mut rest = number;
    for two in digits.rchunks_exact_mut(2) {
        two.copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    digits
}

const EIGHT_DIGITS: u64 = 100_000_000;

/// `00` to `99`.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

impl fmt::Write for LineBuffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

impl AsRef<[u8]> for LineBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<LineBuffer> for String {
    fn from(line: LineBuffer) -> Self {
        Self::from_utf8(line.bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_digits() {
        let powers = (0..19).map(|exponent| 10_i64.pow(exponent));
        let near = powers.flat_map(|power| [power - 1, power, power + 1, -power]);
        for number in near.chain([7, 101, 65536, i64::MAX, i64::MIN]) {
            let mut line = LineBuffer::new();
            line.decimal(number);
            assert_eq!(line.as_str(), number.to_string());
        }
    }

    #[test]
    fn pieces_follow_each_other() {
        let mut line = LineBuffer::new();
        line.push_str("größer: ");
        line.decimal(-12);
        line.push(b'!');
        line.append_with::<8>(|room| {
            room[..2].copy_from_slice(b"no");
            1
        });
        assert_eq!(line.as_str(), "größer: -12!n");
        line.pop();
        assert_eq!(String::from(line), "größer: -12!");
    }
}
