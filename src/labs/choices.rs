//! What an answer means: whether its words cover the observation.
//!
//! A choice is a value as observed (`EAGAIN`, `0 ms`), or a range written like an expectation: `30 to 2000 ms`, `at
//! least 450 ms`, `less than 30 ms`. So even a time that varies has exactly one right choice.

use std::ops::RangeInclusive;

/// Whether these words, of a choice or of an expectation, cover the observation.
pub fn speaks_of(words: &str, observed: &str) -> bool {
    let is_in_range = || {
        let ((range, unit), (number, observed)) = (range(words)?, number(observed)?);
        // A bare number as an answer has the unit of the observation.
        Some(range.contains(&number) && (observed.is_empty() || observed == unit))
    };
    words.eq_ignore_ascii_case(observed) || is_in_range() == Some(true)
}

/// Whether an answer is right: it is the choice that covers the observation, or a value that this choice covers too. If
/// no choice covers the observation, the expectation decides in the same way; if nothing is expected because this was
/// never checked here, only the observed value itself is right.
pub fn is_right(answer: &str, choices: &[String], expected: &str, observed: &str) -> bool {
    let right = choices.iter().map(String::as_str).find(|choice| speaks_of(choice, observed));
    let right = right.or_else(|| Some(expected).filter(|expected| speaks_of(expected, observed)));
    let is_it = |words: &str| words.eq_ignore_ascii_case(answer);
    is_it(observed) || right.is_some_and(|right| is_it(right) || speaks_of(right, answer))
}

/// The range that words describe, and its unit; none if they describe no range.
fn range(words: &str) -> Option<(RangeInclusive<i64>, &str)> {
    if let Some(least) = words.strip_prefix("at least ") {
        let (least, unit) = number(least)?;
        return Some((least..=i64::MAX, unit));
    }
    if let Some(more) = words.strip_prefix("less than ") {
        let (more, unit) = number(more)?;
        return Some((i64::MIN..=more - 1, unit));
    }
    let (least, most) = words.split_once(" to ")?;
    let (most, unit) = number(most)?;
    Some((least.parse().ok()?..=most, unit))
}

/// The number that words begin with, and its unit: 1501 and "ms" of "1501 ms".
pub(super) fn number(words: &str) -> Option<(i64, &str)> {
    let end = words.find(|c: char| c != '-' && !c.is_ascii_digit()).unwrap_or(words.len());
    Some((words[..end].parse().ok()?, words[end..].trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::Expected;

    #[test]
    fn words_are_values_or_ranges() {
        assert!(speaks_of("EAGAIN", "eagain"));
        assert!(!speaks_of("EAGAIN", "EAGAIN (nothing)"));
        assert!(speaks_of("30 to 2000 ms", "44 ms"));
        assert!(speaks_of("30 to 2000 ms", "2000 ms"));
        assert!(!speaks_of("30 to 2000 ms", "2001 ms"));
        assert!(!speaks_of("30 to 2000 ms", "44 %"));
        assert!(!speaks_of("30 to 2000 ms", "EINVAL"));
        assert!(speaks_of("at least 450 ms", "454 ms"));
        assert!(!speaks_of("at least 450 ms", "449 ms"));
        assert!(speaks_of("less than 30 ms", "0 ms"));
        assert!(!speaks_of("less than 30 ms", "30 ms"));
        assert!(speaks_of("5 to 95 %", "5 to 95 %"));
        assert!(!speaks_of("not checked here", "0"));
    }

    #[test]
    fn an_expectation_means_what_it_is_written_as() {
        let expected = [
            Expected::Is("0"),
            Expected::Between(0, 29, "ms"),
            Expected::Between(1, 19, ""),
            Expected::AtLeast(30, "ms"),
        ];
        for one in expected {
            let words = one.to_string();
            for observed in ["0", "0 ms", "29 ms", "30 ms", "19", "20", "EPIPE"] {
                // In these cases the unit of an observation is clear.
                let is_of_it = words.contains("ms") == observed.contains("ms");
                let agrees = one.agrees(observed) == Some(true);
                assert!(!is_of_it || speaks_of(&words, observed) == agrees, "{words}: {observed}");
            }
        }
    }

    #[test]
    fn an_answer_is_a_choice_or_a_value_that_it_speaks_of() {
        let choices = ["less than 30 ms".to_string(), "30 to 2000 ms".to_string()];
        let is_right = |answer| is_right(answer, &choices, "30 to 2000 ms", "44 ms");
        for answer in ["44 ms", "30 to 2000 ms", "40", "40 ms"] {
            assert!(is_right(answer), "{answer}");
        }
        for answer in ["less than 30 ms", "29", "40 s", "EAGAIN", "2001 ms"] {
            assert!(!is_right(answer), "{answer}");
        }
        assert!(super::is_right("1", &[], "1 to 19", "9"));
        assert!(!super::is_right("1", &[], "not checked here", "9"));
        // An unexpected answer is right if it was observed.
        assert!(super::is_right("2001", &choices, "30 to 2000 ms", "2001"));
    }
}
