//! What a lab asks, and how an observation is written.

use std::time::Duration;

use super::choices::speaks_of;
use super::expect::{Expect, Expected};
use crate::names::{Errno, FdFlags, PollEvents};
use crate::os::system::System;

/// One prediction: the question before the deciding call, and the answer on each system.
#[derive(Clone, Copy, Debug)]
pub struct Prediction {
    /// The question: "What does the peer's recv give?" No two questions of a lab have the same words.
    pub asks: &'static str,
    /// The choices, values or ranges ([`choices`](super::choices)); exactly one of them is right on Linux. None: any
    /// words.
    pub choices: &'static [&'static str],
    /// The answer.
    pub expect: Expect,
}

impl Prediction {
    /// The same prediction, with another answer on these systems, for this reason.
    #[must_use]
    pub const fn but(self, on: &'static [System], expected: Expected, why: &'static str) -> Self {
        Self { expect: self.expect.but(on, expected, why), ..self }
    }

    /// The choices on a system where this is expected: if none of the lab's choices covers the expectation, it is
    /// inserted among them, at a place that does not give it away.
    pub fn choices_for(&self, expected: Expected) -> Vec<String> {
        let mut choices: Vec<String> = self.choices.iter().map(ToString::to_string).collect();
        let Some(right) = expected.example().filter(|_| !choices.is_empty()) else {
            return choices;
        };
        let is_offered = |right: &str| self.choices.iter().any(|choice| speaks_of(choice, right));
        let agrees = |choice: &&str| expected.agrees(choice) == Some(true);
        let missing: Vec<String> = match expected {
            // Another system's answer depends on its release; on Linux the lab chooses what it offers.
            Expected::OneOf(any) if expected != self.expect.on_this_machine() => {
                any.iter().filter(|one| !is_offered(one)).map(ToString::to_string).collect()
            }
            _ if is_offered(&right) || self.choices.iter().any(agrees) => Vec::new(),
            _ => vec![expected.to_string()],
        };
        let place = self.asks.len() % (choices.len() + 1);
        choices.splice(place..place, missing);
        choices
    }
}

/// A value that can be observed, and how it is written: a number as itself, a failure as its errno's name, a success
/// without a number as "success", flags by their names, a time in milliseconds.
pub trait Observed {
    /// The words that are compared with [`Expected`].
    fn words(&self) -> String;
}

impl<T: Observed> Observed for Result<T, Errno> {
    fn words(&self) -> String {
        match self {
            Ok(value) => value.words(),
            Err(errno) => errno.words(),
        }
    }
}

impl<T: Observed + ?Sized> Observed for &T {
    fn words(&self) -> String {
        (**self).words()
    }
}

impl Observed for Errno {
    fn words(&self) -> String {
        self.name().map_or_else(|| self.number().to_string(), str::to_string)
    }
}

impl Observed for () {
    fn words(&self) -> String {
        "success".to_string()
    }
}

impl Observed for bool {
    fn words(&self) -> String {
        if *self { "yes" } else { "no" }.to_string()
    }
}

impl Observed for usize {
    fn words(&self) -> String {
        self.to_string()
    }
}

impl Observed for i32 {
    fn words(&self) -> String {
        self.to_string()
    }
}

impl Observed for u32 {
    fn words(&self) -> String {
        self.to_string()
    }
}

impl Observed for str {
    fn words(&self) -> String {
        self.to_string()
    }
}

impl Observed for String {
    fn words(&self) -> String {
        self.clone()
    }
}

impl Observed for Duration {
    fn words(&self) -> String {
        format!("{} ms", self.as_millis())
    }
}

impl Observed for PollEvents {
    fn words(&self) -> String {
        self.to_string()
    }
}

impl Observed for FdFlags {
    fn words(&self) -> String {
        self.to_string()
    }
}

impl Observed for crate::sys::Fd {
    fn words(&self) -> String {
        "a descriptor".to_string()
    }
}

impl<A: Observed, B> Observed for (A, B) {
    /// What C returns; not what it fills in.
    fn words(&self) -> String {
        self.0.words()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{POLLIN, POLLOUT};

    #[test]
    fn what_was_observed_has_words() {
        assert_eq!((POLLIN | POLLOUT).words(), "POLLIN|POLLOUT");
        assert_eq!(Ok::<usize, Errno>(3).words(), "3");
        assert_eq!(Err::<(), Errno>(Errno::ECONNRESET).words(), "ECONNRESET");
        assert_eq!(Duration::from_millis(203).words(), "203 ms");
    }

    #[test]
    fn the_right_answer_is_always_among_the_choices() {
        let prediction = Prediction {
            asks: "What does it give?",
            choices: &["EPIPE", "ENOTCONN", "0"],
            expect: Expect::on_linux(Expected::Is("EPIPE")),
        };
        assert_eq!(prediction.choices_for(Expected::Is("EPIPE")), prediction.choices);
        assert_eq!(prediction.choices_for(Expected::NotChecked), prediction.choices);
        let by_release = prediction.choices_for(Expected::OneOf(&["EINVAL", "EPIPE", "EIO"]));
        assert_eq!(by_release.len(), prediction.choices.len() + 2, "{by_release:?}");
        assert!(by_release.contains(&"EIO".to_string()), "{by_release:?}");
        let elsewhere = prediction.choices_for(Expected::Is("EINVAL"));
        assert!(elsewhere.len() == 4 && elsewhere.contains(&"EINVAL".to_string()), "{elsewhere:?}");
    }
}
