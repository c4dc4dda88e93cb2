//! Faults on demand: a rule makes a chosen call behave in a way that is rare on a real system.
//!
//! ```text
//! send:short=5            send takes at most 5 bytes
//! recv:chunk=1            recv gives at most 1 byte
//! recv:EINTR@3            the third recv fails
//! accept:EMFILE@2+        the second, and all after it; accept4 is accept, too
//! poll:spurious@every:5   each fifth poll says that everything asked for is ready
//! connect:delay=200ms     connect begins late
//! accept:hang             accept waits forever; only a signal ends its wait, with EINTR
//! recv:EINTR@2-5          the second to the fifth
//! send:EAGAIN%10:seed=7   one send in ten, the same ones each time
//! ```
//!
//! An error is reported instead of making the call, except that `close` closes first. A shorter length is passed to the
//! real call. Trace lines of changed calls end in `(INJECTED)`.

use std::fmt;
use std::time::Duration;

use super::page::{Effect, Function};
use crate::names::Errno;
use crate::names::slips::near;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InjectRule {
    /// The rule as written.
    text: String,
    function: Function,
    fault: Fault,
    when: When,
    /// How many calls of the function there were, and how many of them the rule changed.
    seen: u64,
    struck: u64,
    /// Whether the rule wants the present call to be shorter. The rule has changed the call only if the call would be
    /// longer.
    wants_less: bool,
    /// How often it wanted that.
    wanted_less: u64,
    /// Another function that does the same work, if one was called instead.
    instead: Option<Function>,
}

/// What the rule does to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Error(Errno),
    /// Limits the length to this many bytes.
    AtMost(usize),
    Delay(Duration),
    /// Waits until a signal comes, like a call for which nothing ever happens.
    Hang,
    /// Reports everything in the question as ready.
    Spurious,
}

/// Which of the function's calls the rule changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    /// This call, counted from 1.
    At(u64),
    /// This call and all after it.
    From(u64),
    /// The first to the second of these calls.
    Between(u64, u64),
    /// Every Nth call.
    Every(u64),
    /// This many in a hundred, chosen by a random generator that starts from the seed.
    Percent {
        percent: u64,
        state: u64,
    },
}

/// What all rules say about one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) error: Option<Errno>,
    at_most: Option<usize>,
    /// Whether the call got a smaller length because of that.
    is_shortened: bool,
    pub(crate) delay: Option<Duration>,
    pub(crate) hangs: bool,
    pub(crate) spurious: bool,
}

impl Plan {
    /// The length to make the call with.
    pub(crate) fn length(&mut self, len: usize) -> usize {
        let at_most = self.at_most.unwrap_or(len);
        self.is_shortened |= at_most < len;
        len.min(at_most)
    }

    /// Whether a rule changed the call.
    pub(crate) fn has_interfered(&self) -> bool {
        self.error.is_some()
            || self.is_shortened
            || self.delay.is_some()
            || self.hangs
            || self.spurious
    }
}

/// What a rule says, and what it could say instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRule(String);

impl fmt::Display for BadRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadRule {}

impl fmt::Display for InjectRule {
    /// As written, for another process.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl InjectRule {
    /// Reads `CALL:FAULT[WHEN]`.
    ///
    /// # Errors
    /// What is wrong with the text, and what can be written instead.
    pub fn parse(text: &str) -> Result<Self, BadRule> {
        let shown = text.escape_debug();
        let (call, rest) = text
            .split_once(':')
            .ok_or_else(|| BadRule(format!("'{shown}': write CALL:FAULT, as in recv:EINTR@3")))?;
        let function = injectable()
            .find(|function| call.eq_ignore_ascii_case(function.name()))
            .ok_or_else(|| no_such_call(call))?;
        let at = rest.find(['@', '%']).unwrap_or(rest.len());
        let (fault, when) = rest.split_at(at);
        let fault = Fault::parse(function, fault)?;
        let when = When::parse(when)?;
        if fault == Fault::AtMost(0)
            && matches!(when, When::Always | When::From(_) | When::Every(1))
        {
            return Err(BadRule(format!(
                "'{shown}': a program retries a send of 0 bytes forever; say when, as in {call}:short=0@3"
            )));
        }
        Ok(Self {
            text: text.to_string(),
            function,
            fault,
            when,
            seen: 0,
            struck: 0,
            wants_less: false,
            wanted_less: 0,
            instead: None,
        })
    }

    /// The function whose calls the rule changes.
    pub const fn function(&self) -> Function {
        self.function
    }

    /// Whether the rule is about this function. On most systems a server accepts with `accept4`, so a rule for `accept`
    /// includes it.
    fn is_about(&self, function: Function) -> bool {
        self.function == function || function.page().extends == Some(self.function.name())
    }

    /// A sentence about the rule if it has changed no call.
    pub(super) fn idle(&self) -> Option<String> {
        let rule = self.text.escape_debug();
        let call = self.function;
        let at_most = self.at_most().filter(|_| self.wanted_less > 0);
        let what = match (self.struck, self.seen, self.instead) {
            (1.., ..) => return None,
            (0, ..) if at_most.is_some() => {
                let bytes = at_most.unwrap_or_default();
                format!("{call} was never called with more than {bytes} bytes then")
            }
            (0, 0, None) => format!("{call} was never called"),
            (0, 0, Some(instead)) => format!("{call} was never called; {instead} was"),
            (0, 1, _) => format!("{call} was called once, and never so"),
            (0, seen, _) => format!("{call} was called {seen} times, never so"),
        };
        Some(format!("--inject {rule}: {what}"))
    }

    /// The length that the rule allows, if the rule limits the length.
    const fn at_most(&self) -> Option<usize> {
        match self.fault {
            Fault::AtMost(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Adds what this rule says about a call to the call's plan.
    fn apply(&mut self, plan: &mut Plan) {
        self.seen += 1;
        if !self.when.is_now(self.seen) {
            return;
        }
        self.wants_less = self.at_most().is_some();
        self.wanted_less += u64::from(self.wants_less);
        self.struck += u64::from(!self.wants_less);
        match self.fault {
            Fault::Error(errno) => plan.error = Some(errno),
            Fault::AtMost(bytes) => {
                plan.at_most = Some(plan.at_most.map_or(bytes, |other| other.min(bytes)))
            }
            Fault::Delay(delay) => plan.delay = Some(delay),
            Fault::Hang => plan.hangs = true,
            Fault::Spurious => plan.spurious = true,
        }
    }
}

/// What all rules say about the next call of a function.
pub(crate) fn plan(rules: &mut [InjectRule], function: Function) -> Plan {
    let mut plan = Plan::default();
    for rule in rules {
        rule.wants_less = false;
        if rule.is_about(function) {
            rule.apply(&mut plan);
        } else if rule.function.is_like(function) {
            rule.instead = Some(function);
        }
    }
    plan
}

/// Counts the rules that shortened a call.
pub(crate) fn count_shortened(rules: &mut [InjectRule], plan: &Plan) {
    if plan.is_shortened {
        rules.iter_mut().for_each(|rule| rule.struck += u64::from(rule.wants_less));
    }
}

/// The functions for which there can be rules.
fn injectable() -> impl Iterator<Item = Function> {
    Function::all().filter(|function| !function.page().is_library)
}

fn no_such_call(call: &str) -> BadRule {
    let known: Vec<_> = injectable().map(Function::name).collect();
    let instead = match near(call, known.iter().copied())[..] {
        [meant, ..] => format!("did you mean {meant}?"),
        [] => format!("calls: {}", known.join(", ")),
    };
    BadRule(format!("'{}' is not a call that baresock wraps; {instead}", call.escape_debug()))
}

impl Fault {
    fn parse(function: Function, text: &str) -> Result<Self, BadRule> {
        let page = function.page();
        let sends = page.has_length() && page.effect == Effect::Sends;
        let receives = page.has_length() && page.effect == Effect::Receives;
        let waits = page.waits_for_many();
        let what_can = || {
            let bytes = if sends { ", short=BYTES" } else { "" };
            let chunk = if receives { ", chunk=BYTES" } else { "" };
            let spurious = if waits { ", spurious" } else { "" };
            let errnos = Errno::CONSTANTS.iter().map(|known| known.name);
            let words = errnos.chain(["hang"]).chain(waits.then_some("spurious"));
            let meant = near(text, words).first().map(|meant| format!(" (did you mean {meant}?)"));
            BadRule(format!(
                "'{}' cannot be injected into {function}{}; what can: an errno by name, delay=200ms, hang{bytes}{chunk}{spurious}",
                text.escape_debug(),
                meant.unwrap_or_default()
            ))
        };
        match text.split_once('=') {
            None if text == "spurious" && waits => Ok(Self::Spurious),
            None if text == "hang" => Ok(Self::Hang),
            None => errno(text).map(Self::Error).ok_or_else(what_can),
            // A length of 0 would look like the peer's end of file.
            Some(("chunk", "0")) if receives => Err(what_can()),
            Some(("short", bytes)) if sends => {
                bytes.parse().map(Self::AtMost).map_err(|_| what_can())
            }
            Some(("chunk", bytes)) if receives => {
                bytes.parse().map(Self::AtMost).map_err(|_| what_can())
            }
            Some(("delay", time)) => parse_time(time).map(Self::Delay).ok_or_else(what_can),
            Some(_) => Err(what_can()),
        }
    }
}

/// An errno by its name, in any case; `EWOULDBLOCK` is another name of `EAGAIN` on all of these systems.
fn errno(name: &str) -> Option<Errno> {
    match &name.to_ascii_uppercase()[..] {
        "EWOULDBLOCK" => Some(Errno::EAGAIN),
        name => Errno::from_name(name),
    }
}

/// `200ms`, `2s`, `50us`.
fn parse_time(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u32 = digits.parse().ok()?;
    match &text[digits.len()..] {
        "us" => Some(Duration::from_micros(number.into())),
        "ms" => Some(Duration::from_millis(number.into())),
        "s" => Some(Duration::from_secs(number.into())),
        _ => None,
    }
}

impl When {
    fn parse(text: &str) -> Result<Self, BadRule> {
        let bad = || {
            let shown = text.escape_debug();
            BadRule(format!(
                "'{shown}': write @3, @3+, @2-5, @every:5, or %10:seed=7 for ten in a hundred"
            ))
        };
        let positive =
            |digits: &str| digits.parse().ok().filter(|number: &u64| *number > 0).ok_or_else(bad);
        if text.is_empty() {
            return Ok(Self::Always);
        }
        if let Some(percent) = text.strip_prefix('%') {
            let (percent, seed) = percent.split_once(":seed=").unwrap_or((percent, "1"));
            let percent = positive(percent).ok().filter(|percent| *percent <= 100);
            return Ok(Self::Percent {
                percent: percent.ok_or_else(bad)?,
                state: seed.parse().map_err(|_| bad())?,
            });
        }
        let place = text.strip_prefix('@').ok_or_else(bad)?;
        // strace writes the interval with two dots.
        if let Some((first, last)) = place.split_once("..").or_else(|| place.split_once('-')) {
            let (first, last) = (positive(first)?, positive(last)?);
            return if first <= last { Ok(Self::Between(first, last)) } else { Err(bad()) };
        }
        match (place.strip_prefix("every:"), place.strip_suffix('+')) {
            (Some(every), _) => positive(every).map(Self::Every),
            (None, Some(from)) => positive(from).map(Self::From),
            (None, None) => positive(place).map(Self::At),
        }
    }

    fn is_now(&mut self, seen: u64) -> bool {
        match self {
            Self::Always => true,
            Self::At(at) => seen == *at,
            Self::From(from) => seen >= *from,
            Self::Between(first, last) => (*first..=*last).contains(&seen),
            Self::Every(every) => seen.is_multiple_of(*every),
            Self::Percent { percent, state } => {
                // Knuth's MMIX generator: the same seed gives the same faults on every machine. Its high bits are good.
                *state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (*state >> 33) % 100 < *percent
            }
        }
    }
}

#[cfg(test)]
mod tests;
