//! What a lab predicts, for each system, and whether what was observed agrees.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::choices::speaks_of;
use crate::names::{Errno, PollEvents};
use crate::os::system::{System, is_big_endian, this_system};

/// One prediction: the question before the call that decides, and the answer by system.
#[derive(Clone, Copy, Debug)]
pub struct Prediction {
    /// What a student is asked: "What does the peer's recv give?"
    pub asks: &'static str,
    /// What one might answer, values or ranges ([`choices`](super::choices)); exactly one of them is right. None: any words.
    pub choices: &'static [&'static str],
    /// The answer.
    pub expect: Expect,
}

/// What is expected to be observed, in the words of [`Observed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Exactly this.
    Is(&'static str),
    /// One of these: it depends on moments.
    OneOf(&'static [&'static str]),
    /// A number from the first to the second, with its unit ("" if it has none).
    Between(i64, i64, &'static str),
    /// At least this number.
    AtLeast(i64, &'static str),
    /// Nobody has looked on that system: whatever is observed is shown, and does not count.
    NotChecked,
}

/// What is expected on each system.
#[derive(Clone, Copy, Debug)]
pub struct Expect {
    glibc: Expected,
    musl: Expected,
    macos: Expected,
    freebsd: Expected,
    openbsd: Expected,
    netbsd: Expected,
    /// Where the most significant byte comes first, whatever the system.
    big_endian: Option<Expected>,
}

impl Expect {
    /// The same everywhere: POSIX or an RFC says so, and the lab names the place.
    pub const fn everywhere(expected: Expected) -> Self {
        Self {
            glibc: expected,
            musl: expected,
            macos: expected,
            freebsd: expected,
            openbsd: expected,
            netbsd: expected,
            big_endian: None,
        }
    }

    /// This on Linux, where it was observed; elsewhere nobody has looked, until the methods below say otherwise.
    pub const fn on_linux(expected: Expected) -> Self {
        Self { glibc: expected, musl: expected, ..Self::everywhere(Expected::NotChecked) }
    }

    /// Something else with musl.
    #[must_use]
    pub const fn musl(self, musl: Expected) -> Self {
        Self { musl, ..self }
    }

    /// On macOS.
    #[must_use]
    pub const fn macos(self, macos: Expected) -> Self {
        Self { macos, ..self }
    }

    /// On FreeBSD.
    #[must_use]
    pub const fn freebsd(self, freebsd: Expected) -> Self {
        Self { freebsd, ..self }
    }

    /// On OpenBSD.
    #[must_use]
    pub const fn openbsd(self, openbsd: Expected) -> Self {
        Self { openbsd, ..self }
    }

    /// On NetBSD.
    #[must_use]
    pub const fn netbsd(self, netbsd: Expected) -> Self {
        Self { netbsd, ..self }
    }

    /// On machines whose most significant byte comes first.
    #[must_use]
    pub const fn big_endian(self, expected: Expected) -> Self {
        Self { big_endian: Some(expected), ..self }
    }

    /// What is expected on a system, on a machine of this byte order.
    pub const fn on(&self, system: System, big_endian: bool) -> Expected {
        if let (true, Some(expected)) = (big_endian, self.big_endian) {
            return expected;
        }
        match system {
            System::LinuxGlibc => self.glibc,
            System::LinuxMusl => self.musl,
            System::MacOs => self.macos,
            System::FreeBsd => self.freebsd,
            System::OpenBsd => self.openbsd,
            System::NetBsd => self.netbsd,
        }
    }

    /// What is expected on each system, by name, and on big-endian machines if that is said; none where nobody has looked.
    pub fn by_system(&self) -> BTreeMap<String, Option<String>> {
        let words = |expected| match expected {
            Expected::NotChecked => None,
            expected => Some(expected.to_string()),
        };
        let of = |system: System| (system.name(), words(self.on(system, is_big_endian())));
        let big_endian = self.big_endian.map(|expected| ("big-endian machines", words(expected)));
        let all = System::ALL.into_iter().map(of).chain(big_endian);
        all.map(|(name, expected)| (name.to_string(), expected)).collect()
    }

    /// Whether anybody has looked on another system than Linux.
    pub fn is_checked_beyond_linux(&self) -> bool {
        let others = [System::MacOs, System::FreeBsd, System::OpenBsd, System::NetBsd];
        others.iter().any(|system| self.on(*system, is_big_endian()) != Expected::NotChecked)
    }

    /// What is expected here.
    pub const fn here(&self) -> Expected {
        self.on(this_system(), is_big_endian())
    }
}

impl Expected {
    /// Whether this is what was expected; none where nobody has looked.
    pub fn agrees(&self, observed: &str) -> Option<bool> {
        match *self {
            Self::Is(expected) => Some(observed == expected),
            Self::OneOf(expected) => Some(expected.contains(&observed)),
            Self::Between(..) | Self::AtLeast(..) => Some(speaks_of(&self.to_string(), observed)),
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

/// What can be observed, and how it is written: a number as itself, a failure as its errno's name, a success without
/// a number as "success", flags by their names, a time in milliseconds.
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
        assert_eq!((POLLIN | POLLOUT).words(), "POLLIN|POLLOUT");
    }

    #[test]
    fn each_system_and_each_byte_order_has_its_own() {
        let expect = Expect::on_linux(Expected::Is("a"))
            .freebsd(Expected::Is("b"))
            .big_endian(Expected::Is("c"));
        assert_eq!(expect.on(System::LinuxMusl, false), Expected::Is("a"));
        assert_eq!(expect.on(System::FreeBsd, false), Expected::Is("b"));
        assert_eq!(expect.on(System::MacOs, false), Expected::NotChecked);
        assert_eq!(expect.on(System::LinuxGlibc, true), Expected::Is("c"));
    }
}
