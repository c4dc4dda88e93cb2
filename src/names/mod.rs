//! Constants and their names on this system: the trace prints these names instead of numbers, and programs write them.
//!
//! Every family of constants has a type of its own, so that `AF_INET` cannot stand where `SOCK_STREAM` belongs; C takes
//! an `int` for both, and the error shows only when the program runs. The names are those of C. Each type knows all its
//! names on the system that this was compiled for ([`Constant`]), and prints itself as strace does:
//! `MSG_PEEK|MSG_DONTWAIT`, `0x2a /* AF_??? */`.

mod errno;
mod files;
mod interfaces;
mod messages;
mod options;
mod resolver;
mod signals;
pub mod slips;
mod sockets;
mod tcp;

use std::fmt;

pub use errno::*;
pub use files::*;
pub use interfaces::*;
pub use messages::*;
pub use options::*;
pub use resolver::*;
pub use signals::*;
pub use sockets::*;
pub use tcp::*;

/// A constant: its name in C, its value on this system, and a short description.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    /// The name in C.
    pub name: &'static str,
    /// The value on this system.
    pub value: i64,
    /// Its short description.
    pub gist: &'static str,
}

/// A constant or set of flags without its type: what the trace needs to print it.
#[derive(Clone, Copy)]
pub struct Named {
    /// The value.
    pub value: i64,
    /// The constants that it may be or consist of.
    pub family: &'static Family,
}

/// Constants of one kind: their names, and how to print them.
#[derive(Debug)]
pub struct Family {
    /// The names of this kind.
    pub names: &'static [Constant],
    /// The label of an unknown value: `AF_???`. Without a label it is printed as a plain number.
    pub unknown: &'static str,
    /// Whether a value is a set of flags, joined with `|`, instead of one constant.
    pub flags: bool,
    /// How 0 is printed in a set of flags: the constant with that value, or the digit.
    pub zero: &'static str,
}

/// The name of the constant that is 0, or the digit.
const fn name_of_zero(names: &[Constant]) -> &'static str {
    let mut at = 0;
    while at < names.len() {
        if names[at].value == 0 {
            return names[at].name;
        }
        at += 1;
    }
    "0"
}

/// The value of a text that [`Named`] printed: a name, names joined with `|`, or a number. `None` if a name is unknown.
pub fn value_of(text: &str, names: &[Constant]) -> Option<i64> {
    let noted = text.split_once(' ').filter(|(_, note)| note.starts_with("/*"));
    let text = noted.map_or(text, |(names, _)| names);
    text.split('|').try_fold(0, |value, part| Some(value | value_of_one(part, names)?))
}

fn value_of_one(text: &str, names: &[Constant]) -> Option<i64> {
    let known = names.iter().find(|known| known.name == text);
    known.map(|known| known.value).or_else(|| match text.strip_prefix("0x") {
        // Printed as an unsigned int, as in C.
        Some(digits) => Some((u32::from_str_radix(digits, 16).ok()? as i32).into()),
        None => text.parse::<i32>().ok().map(i64::from),
    })
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_to(f)
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        let kind = |Self { family, .. }: &Self| (family.unknown, family.flags, family.names.len());
        self.value == other.value && kind(self) == kind(other)
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Named {
    /// Whether it would be printed as a number.
    fn has_no_name(&self) -> bool {
        !self
            .family
            .names
            .iter()
            .any(|known| known.value != 0 && self.value & known.value == known.value)
    }

    /// Writes the name, or the names joined with `|`. (The trace writes into a string, without a formatter.)
    pub(crate) fn write_to(&self, f: &mut impl fmt::Write) -> fmt::Result {
        if self.family.flags { self.write_flags(f) } else { self.write_one(f) }
    }

    fn write_one(&self, f: &mut impl fmt::Write) -> fmt::Result {
        match self.family.names.iter().find(|known| known.value == self.value) {
            Some(known) => f.write_str(known.name),
            None if self.family.unknown.is_empty() => write!(f, "{}", self.value),
            None => write!(f, "{:#x} /* {} */", self.value as i32, self.family.unknown),
        }
    }

    fn write_flags(&self, f: &mut impl fmt::Write) -> fmt::Result {
        if self.value == 0 {
            return f.write_str(self.family.zero);
        }
        if let Some(whole) = self.family.names.iter().find(|known| known.value == self.value) {
            return f.write_str(whole.name);
        }
        let mut rest = self.value as i32;
        let mut separator = "";
        for known in self.family.names {
            let bits = known.value as i32;
            if bits != 0 && rest & bits == bits {
                f.write_str(separator)?;
                f.write_str(known.name)?;
                rest &= !bits;
                separator = "|";
            }
        }
        match (rest, separator) {
            (0, _) => Ok(()),
            (_, "") => write!(f, "{rest:#x} /* {} */", self.family.unknown),
            _ => write!(f, "|{rest:#x}"),
        }
    }
}

/// Defines a type for one family of constants, the constants themselves, and the table of their names.
///
/// `one` makes values that exclude each other, `flags` makes bits that are joined with `|`. Flags are printed in the
/// order of the list. A constant that a system lacks carries a `#[cfg(…)]`.
macro_rules! constants {
    (@struct $(#[$meta:meta])* $Type:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $Type(libc::c_int);
    };
    (@flags one $Type:ident) => {};
    (@flags flags $Type:ident) => {
        impl $Type {
            /// No flags.
            pub const NONE: Self = Self(0);

            /// Whether every bit of `other` is set in this value.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any bit of `other` is set in this value.
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// This value with the bits of `other` cleared.
            #[must_use]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// This value with the bits of `other` set: `|` where a constant is needed.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl std::ops::BitOr for $Type {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                self.union(other)
            }
        }

        impl std::ops::BitOrAssign for $Type {
            fn bitor_assign(&mut self, other: Self) {
                *self = self.union(other);
            }
        }
    };
    (@is_flags one) => { false };
    (@is_flags flags) => { true };
    (
        $(#[$meta:meta])*
        $kind:ident $Type:ident, $unknown:literal {
            $( $(#[$condition:meta])* $NAME:ident $(= $value:expr)?, $gist:literal; )*
        }
    ) => {
        crate::names::constants!(@struct $(#[$meta])* $Type);
        crate::names::constants!(@flags $kind $Type);

        $(
            $(#[$condition])*
            #[doc = concat!("`", stringify!($NAME), "`: ", $gist, ".")]
            pub const $NAME: $Type = $Type(crate::names::constants!(@value $NAME $(= $value)?));
        )*

        impl $Type {
            /// Every constant of this type on this system, in the order in which flags are printed.
            pub const CONSTANTS: &'static [crate::names::Constant] = &[$(
                $(#[$condition])*
                crate::names::Constant {
                    name: stringify!($NAME),
                    value: $NAME.0 as i64,
                    gist: $gist,
                },
            )*];

            /// The value in C.
            pub const fn bits(self) -> libc::c_int {
                self.0
            }

            /// A value that C returned, whether or not it has a name here.
            pub const fn from_bits(bits: libc::c_int) -> Self {
                Self(bits)
            }

            const FAMILY: &'static crate::names::Family = &crate::names::Family {
                names: Self::CONSTANTS,
                unknown: $unknown,
                flags: crate::names::constants!(@is_flags $kind),
                zero: crate::names::name_of_zero(Self::CONSTANTS),
            };

            /// The value with its names, without its type.
            pub const fn named(self) -> crate::names::Named {
                crate::names::Named { value: self.0 as i64, family: Self::FAMILY }
            }
        }

        impl std::fmt::Display for $Type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.named().fmt(f)
            }
        }

        impl std::fmt::Debug for $Type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.named().fmt(f)
            }
        }
    };
    (@value $NAME:ident) => { libc::$NAME as libc::c_int };
    (@value $NAME:ident = $value:expr) => { $value as libc::c_int };
}

pub(crate) use constants;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_print_as_strace_prints_them() {
        assert_eq!((MSG_PEEK | MSG_DONTWAIT).to_string(), "MSG_PEEK|MSG_DONTWAIT");
        assert_eq!(MsgFlags::NONE.to_string(), "0");
        assert_eq!(MsgFlags::from_bits(0x0800_0000).to_string(), "0x8000000 /* MSG_??? */");
        assert_eq!(
            MsgFlags::from_bits(MSG_PEEK.bits() | 0x0800_0000).to_string(),
            "MSG_PEEK|0x8000000"
        );
    }

    #[test]
    fn what_is_printed_can_be_read() {
        for value in [0, -1, 1, 0x40, 0x4000, 0x0800_0000] {
            let shown = MsgFlags::from_bits(value).to_string();
            assert_eq!(value_of(&shown, MsgFlags::CONSTANTS), Some(value.into()), "{shown}");
        }
        for value in [AF_INET.bits(), 4242] {
            let shown = Domain::from_bits(value).to_string();
            assert_eq!(value_of(&shown, Domain::CONSTANTS), Some(value.into()), "{shown}");
        }
        assert_eq!(value_of("MSG_PEEK|MSG_NOTHING", MsgFlags::CONSTANTS), None);
        assert_eq!(value_of("", MsgFlags::CONSTANTS), None);
    }

    #[test]
    fn one_of_several_prints_its_name_or_its_number() {
        assert_eq!(AF_INET.to_string(), "AF_INET");
        assert_eq!(Domain::from_bits(4242).to_string(), "0x1092 /* AF_??? */");
    }
}
