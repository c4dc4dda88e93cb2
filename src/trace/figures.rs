//! Numbers in a form that people can read.

use crate::values::TimeVal;

/// A number with a comma between its thousands: `65,536`.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 byte`, `65,536 bytes`.
pub fn bytes(count: i64) -> String {
    counted(count, "byte")
}

/// `1 descriptor`, `2 descriptors`.
pub fn counted(count: i64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count))
}

/// A time in seconds: `1.5 s`, to the microsecond if need be.
pub fn seconds(time: TimeVal) -> String {
    let fraction = format!("{:06}", time.tv_usec);
    match fraction.trim_end_matches('0') {
        "" => format!("{} s", grouped(time.tv_sec)),
        fraction => format!("{}.{fraction} s", grouped(time.tv_sec)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let shown = [0, 7, 999, 1_000, 65_536, 1_048_576, -1_234].map(grouped);
        assert_eq!(shown, ["0", "7", "999", "1,000", "65,536", "1,048,576", "-1,234"]);
        assert_eq!(grouped(i64::MIN), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!([bytes(0), bytes(1), bytes(2_000)], ["0 bytes", "1 byte", "2,000 bytes"]);
    }

    #[test]
    fn times_have_no_needless_zeros() {
        let shown = |tv_sec, tv_usec| seconds(TimeVal { tv_sec, tv_usec });
        assert_eq!(shown(1, 0), "1 s");
        assert_eq!(shown(0, 250_000), "0.25 s");
        assert_eq!(shown(1_000, 999_996), "1,000.999996 s");
    }
}
