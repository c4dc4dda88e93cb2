//! The result expected on each system: Linux first, then the systems that differ, and why.

use std::fmt;

use super::choices::{number, speaks_of};
use crate::os::system::{System, is_big_endian};

/// The expected observation, in the words of [`Observed`](super::prediction::Observed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Exactly this.
    Is(&'static str),
    /// One of these: the result depends on timing.
    OneOf(&'static [&'static str]),
    /// A number from the first to the second, with its unit ("" if it has none).
    Between(i64, i64, &'static str),
    /// At least this number.
    AtLeast(i64, &'static str),
    /// Not checked on that system: the lab shows what it observed, and does not count it.
    NotChecked,
}

/// A different answer than on Linux.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The systems.
    pub on: &'static [System],
    /// What is expected there.
    pub expected: Expected,
    /// The reason, in a clause.
    pub why: &'static str,
}

/// How many different answers fit beside that of Linux.
const MOST_DIFFERENCES: usize = 5;

/// What is expected on each system.
///
/// A lab states the answer of Linux, and the differences that teach something, each with its reason. The tables of
/// [`systems`](super::systems) have the other differences, and how each answer is known.
#[derive(Clone, Copy, Debug)]
pub struct Expect {
    linux: Expected,
    /// POSIX or an RFC requires it: "documented" on systems where it was neither run nor read.
    is_required: bool,
    others: [Option<Difference>; MOST_DIFFERENCES],
    /// The answer on big-endian machines, whatever the system.
    big_endian: Option<Expected>,
}

impl Expect {
    /// The same everywhere: POSIX or an RFC says so, and the lab names the place.
    pub const fn everywhere(expected: Expected) -> Self {
        Self { is_required: true, ..Self::on_linux(expected) }
    }

    /// The answer on Linux, where it was observed.
    pub const fn on_linux(linux: Expected) -> Self {
        Self { linux, is_required: false, others: [None; MOST_DIFFERENCES], big_endian: None }
    }

    /// Adds a different answer on these systems, for this reason.
    #[must_use]
    pub const fn but(
        mut self,
        on: &'static [System],
        expected: Expected,
        why: &'static str,
    ) -> Self {
        let mut free = 0;
        while self.others[free].is_some() {
            free += 1;
        }
        self.others[free] = Some(Difference { on, expected, why });
        self
    }

    /// Sets the answer on big-endian machines.
    #[must_use]
    pub const fn big_endian(self, expected: Expected) -> Self {
        Self { big_endian: Some(expected), ..self }
    }

    /// What is expected on Linux, where the least significant byte comes first.
    pub const fn on_little_endian(&self) -> Expected {
        self.linux
    }

    /// What is expected on Linux on this machine.
    pub fn on_this_machine(&self) -> Expected {
        self.big_endian.filter(|_| is_big_endian()).unwrap_or(self.linux)
    }

    /// The expected answer on big-endian machines, if it differs.
    pub const fn on_big_endian(&self) -> Option<Expected> {
        self.big_endian
    }

    /// The different answer of a system and its reason, if the lab states one.
    pub fn difference(&self, system: System) -> Option<&Difference> {
        let is_other_order = is_big_endian() && self.big_endian.is_some();
        self.others.iter().flatten().find(|one| !is_other_order && one.on.contains(&system))
    }

    /// Whether POSIX or an RFC requires it of every system.
    pub const fn is_required(&self) -> bool {
        self.is_required
    }
}

impl Expected {
    /// Whether this was expected; none if it was never checked on this system.
    pub fn agrees(&self, observed: &str) -> Option<bool> {
        match *self {
            Self::Is(expected) => Some(observed == expected),
            Self::OneOf(expected) => Some(expected.contains(&observed)),
            Self::Between(..) | Self::AtLeast(..) => Some(speaks_of(&self.to_string(), observed)),
            Self::NotChecked => None,
        }
    }

    /// An expectation as written in a table: a value, or a range as displayed.
    pub fn written(words: &'static str) -> Self {
        Self::range(words).unwrap_or(Self::Is(words))
    }

    fn range(words: &'static str) -> Option<Self> {
        if let Some(least) = words.strip_prefix("at least ") {
            let (least, unit) = number(least)?;
            return Some(Self::AtLeast(least, unit));
        }
        let (least, most) = words.split_once(" to ")?;
        let (most, unit) = number(most)?;
        Some(Self::Between(least.parse().ok()?, most, unit))
    }

    /// One observation that would agree; none if this was never checked on the system.
    pub fn example(&self) -> Option<String> {
        match *self {
            Self::Is(expected) => Some(expected.to_string()),
            Self::OneOf(expected) => expected.first().map(ToString::to_string),
            Self::Between(least, _, unit) | Self::AtLeast(least, unit) => {
                Some(format!("{least} {unit}").trim_end().to_string())
            }
            Self::NotChecked => None,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Is(expected) => f.write_str(expected),
            Self::OneOf(expected) => f.write_str(&expected.join(" or ")),
            Self::Between(least, most, "") => write!(f, "{least} to {most}"),
            Self::Between(least, most, unit) => write!(f, "{least} to {most} {unit}"),
            Self::AtLeast(least, "") => write!(f, "at least {least}"),
            Self::AtLeast(least, unit) => write!(f, "at least {least} {unit}"),
            Self::NotChecked => f.write_str("not checked here"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::prediction::Observed;
    use crate::names::Errno;
    use std::time::Duration;

    #[test]
    fn what_was_observed_is_held_against_what_was_expected() {
        assert_eq!(Expected::Is("0").agrees(&Ok::<usize, Errno>(0).words()), Some(true));
        let reset: Result<usize, Errno> = Err(Errno::ECONNRESET);
        assert_eq!(Expected::Is("0").agrees(&reset.words()), Some(false));
        assert_eq!(Expected::OneOf(&["EPIPE", "ECONNRESET"]).agrees(&reset.words()), Some(true));
        let took = Duration::from_millis(203).words();
        assert_eq!(Expected::Between(150, 250, "ms").agrees(&took), Some(true));
        assert_eq!(Expected::Between(150, 200, "ms").agrees(&took), Some(false));
        assert_eq!(Expected::AtLeast(204, "ms").agrees(&took), Some(false));
        assert_eq!(Expected::AtLeast(1, "").agrees("EAGAIN"), Some(false));
        assert_eq!(Expected::AtLeast(1, "ms").agrees("203 %"), Some(false));
        assert_eq!(Expected::NotChecked.agrees("whatever"), None);
    }

    #[test]
    fn what_is_written_in_a_table_is_a_value_or_a_range() {
        let ranges = [
            Expected::Between(0, 500, "ms"),
            Expected::AtLeast(100, ""),
            Expected::Between(-1, 3, ""),
        ];
        for range in ranges {
            let words: &'static str = range.to_string().leak();
            assert_eq!(Expected::written(words), range);
            assert_eq!(range.agrees(&range.example().unwrap_or_default()), Some(true), "{range}");
        }
        for value in ["POLLIN|POLLOUT; rw", "not told", "4, the second", "200 ms or more"] {
            assert_eq!(Expected::written(value), Expected::Is(value));
        }
    }

    #[test]
    fn each_system_and_each_byte_order_has_its_own() {
        let expect = Expect::on_linux(Expected::Is("a"))
            .but(&[System::FreeBsd], Expected::Is("b"), "it is another system")
            .big_endian(Expected::Is("c"));
        assert_eq!(expect.on_little_endian(), Expected::Is("a"));
        assert_eq!(expect.on_big_endian(), Some(Expected::Is("c")));
        assert!(expect.difference(System::MacOs).is_none());
        let differs = expect.difference(System::FreeBsd).map(|one| one.expected);
        assert_eq!(differs, Some(Expected::Is("b")).filter(|_| !is_big_endian()));
    }
}
