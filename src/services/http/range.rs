//! Which part of a file a request wants: `Range: bytes=…` (RFC 9110, section 14).

/// The wanted part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The whole file.
    Whole,
    /// The bytes from the first position on, up to and excluding the second.
    Part(u64, u64),
    /// A part that the file does not have.
    Nothing,
}

/// What a range means for a file of this length. A range that is not understood, or a list of several, means the whole
/// file: ignoring a range is always allowed.
pub(super) fn wanted(range: &str, len: u64) -> Wanted {
    let Some((unit, list)) = range.split_once('=') else { return Wanted::Whole };
    let Some((first, last)) = list.trim_ascii().split_once('-') else { return Wanted::Whole };
    if !unit.trim_ascii().eq_ignore_ascii_case("bytes") {
        return Wanted::Whole;
    }
    match (position(first), position(last)) {
        (Position::Number(first), Position::Number(last)) if first > last => Wanted::Whole,
        (Position::Number(first), _) if first >= len => match position(last) {
            Position::Other => Wanted::Whole,
            _ => Wanted::Nothing,
        },
        (Position::Number(first), Position::Number(last)) => {
            Wanted::Part(first, last.saturating_add(1).min(len))
        }
        (Position::Number(first), Position::None) => Wanted::Part(first, len),
        (Position::None, Position::Number(0)) => Wanted::Nothing,
        // The last bytes of an empty file are none, which no Content-Range can express.
        (Position::None, Position::Number(_)) if len == 0 => Wanted::Whole,
        (Position::None, Position::Number(count)) => Wanted::Part(len - count.min(len), len),
        _ => Wanted::Whole,
    }
}

enum Position {
    None,
    Number(u64),
    Other,
}

/// A number too large for us is larger than any file.
fn position(text: &str) -> Position {
    match text {
        "" => Position::None,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Position::Number(digits.parse().unwrap_or(u64::MAX))
        }
        _ => Position::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_of_ranges() {
        for (range, len, expected) in [
            ("bytes=0-0", 10, Wanted::Part(0, 1)),
            ("bytes=2-4", 10, Wanted::Part(2, 5)),
            ("bytes=2-", 10, Wanted::Part(2, 10)),
            ("bytes=-3", 10, Wanted::Part(7, 10)),
            ("bytes=-30", 10, Wanted::Part(0, 10)),
            ("bytes=9-99", 10, Wanted::Part(9, 10)),
            ("bytes=0-9", 10, Wanted::Part(0, 10)),
            ("Bytes = 0-1", 10, Wanted::Part(0, 2)),
            ("bytes=0-18446744073709551615", 10, Wanted::Part(0, 10)),
            ("bytes=0-99999999999999999999", 10, Wanted::Part(0, 10)),
            ("bytes=10-", 10, Wanted::Nothing),
            ("bytes=10-20", 10, Wanted::Nothing),
            ("bytes=99999999999999999999-", 10, Wanted::Nothing),
            ("bytes=-0", 10, Wanted::Nothing),
            ("bytes=0-", 0, Wanted::Nothing),
            ("bytes=0-0", 0, Wanted::Nothing),
            ("bytes=-1", 0, Wanted::Whole),
            ("bytes=4-2", 10, Wanted::Whole),
            ("bytes=14-12", 10, Wanted::Whole),
            ("bytes=0-1,3-4", 10, Wanted::Whole),
            ("bytes=10-1,3", 10, Wanted::Whole),
            ("bytes=-", 10, Wanted::Whole),
            ("bytes=", 10, Wanted::Whole),
            ("bytes", 10, Wanted::Whole),
            ("", 10, Wanted::Whole),
            ("lines=1-2", 10, Wanted::Whole),
            ("bytes=a-b", 10, Wanted::Whole),
            ("bytes=+1-2", 10, Wanted::Whole),
            ("bytes=--1", 10, Wanted::Whole),
            ("bytes=0x1-2", 10, Wanted::Whole),
        ] {
            assert_eq!(wanted(range, len), expected, "{range} of {len}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_inside_and_not_empty(range in "bytes=[0-9]{0,21}-[0-9]{0,21}", len: u64) {
            if let Wanted::Part(from, until) = wanted(&range, len) {
                prop_assert!(from < until && until <= len);
            }
        }
    }
}
