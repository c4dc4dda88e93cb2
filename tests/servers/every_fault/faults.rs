//! The calls of a session, and the faults that can be injected into each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use baresock::trace::Function;
use baresock::trace::page::Effect;
use serde_json::Value;

use super::expected::{Expected, Phase, expected};
use crate::support::{DocumentedErrors, Kind};

/// A call of the server, from its JSON trace.
#[derive(Debug)]
pub(crate) struct Call {
    /// The function, and of `fcntl` and `setsockopt` which command or option.
    pub(crate) name: String,
    function: Function,
    option: Option<String>,
    /// Its name to the program that makes the faults: `pselect6` to strace.
    made_as: String,
    /// Which call of that name it is, from 1.
    number: usize,
    phase: Phase,
    fd: Option<i64>,
    /// The addresses of its connection, the peer's first.
    pub(crate) ends: Option<[String; 2]>,
    pub(crate) injected: bool,
}

/// Reads a trace. The signal that ends a bare server may come while it writes: a last line that was cut off is none.
pub(crate) fn calls_in(trace: &str) -> Vec<Call> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut phase = Phase::Starting;
    let mut calls = Vec::new();
    for line in trace.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let call: Value = serde_json::from_str(line).unwrap();
        let made_as = call["call"].as_str().unwrap();
        let function = function_of(made_as);
        if function.page().waits_for_many() {
            phase = Phase::Serving;
        }
        let arguments = &call["arguments"];
        let option = ["cmd", "optname"].iter().find_map(|name| arguments[*name].as_str());
        let number = numbers.entry(made_as.to_string()).or_default();
        *number += 1;
        calls.push(Call {
            name: option.map_or(made_as.to_string(), |option| format!("{made_as} {option}")),
            function,
            option: option.map(Into::into),
            made_as: made_as.to_string(),
            number: *number,
            phase,
            fd: ["fd", "sockfd"].iter().find_map(|name| arguments[*name].as_i64()),
            ends: ends(&call["connection"]),
            injected: call["mark"] == "injected",
        });
    }
    calls
}

/// The function of C that the kernel has under another name.
#[track_caller]
fn function_of_kernel(name: &str) -> Function {
    let found = Function::all().find(|function| function.page().kernel.contains(&name));
    found.unwrap_or_else(|| panic!("{name} is on no page"))
}

#[track_caller]
fn function_of(name: &str) -> Function {
    Function::from_name(name).unwrap_or_else(|| panic!("{name} has no page"))
}

fn ends(connection: &Value) -> Option<[String; 2]> {
    Some([connection["peer"].as_str()?.to_string(), connection["local"].as_str()?.to_string()])
}

impl Call {
    /// Whether it was made on a connection that relay makes, or is about to make: on a descriptor that a `socket` of
    /// the serving server made, or that `socket` itself.
    pub(crate) fn is_of_relay(&self, traced: &[Self]) -> bool {
        let connects =
            |call: &Self| call.function.effect() == Effect::Connects && call.fd == self.fd;
        self.phase == Phase::Serving
            && (matches!(self.function.effect(), Effect::MakesSocket | Effect::Commands)
                || self.name == "setsockopt SO_SNDBUF"
                || traced.iter().any(connects))
    }

    /// The wrapper that made it.
    fn wrapper(&self) -> String {
        match self.name.split_once(" F_") {
            Some((function, command)) => format!("{function}_{}", command.to_lowercase()),
            None => self.function.name().to_string(),
        }
    }
}

/// Reads what strace wrote of a server over this call. What comes before the self-pipe is made is not the server's.
pub(crate) fn calls_in_strace(log: &str, via: &str) -> Vec<Call> {
    let wait = if via == "select" { "pselect6" } else { "poll" };
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let (mut phase, mut is_of_server) = (Phase::Starting, false);
    let mut calls = Vec::new();
    for line in log.lines() {
        let Some((made_as, arguments)) = line.split_once('(') else { continue };
        is_of_server |= made_as == "pipe2";
        if is_of_server && made_as == wait {
            phase = Phase::Serving;
        }
        let number = numbers.entry(made_as.to_string()).or_default();
        *number += 1;
        // Rust's library asks so whether a descriptor is open, before it closes it.
        if !is_of_server || arguments.contains(", F_GETFD)") {
            continue;
        }
        let argument = |place| arguments.split([',', ')']).nth(place).unwrap_or_default().trim();
        // The names by which the wrappers know them.
        let has_no_address =
            [", NULL, NULL)", ", NULL, 0)"].iter().any(|end| arguments.contains(end));
        let function = match Function::from_name(made_as) {
            Some(function) if !(function.page().is_for_datagrams() && has_no_address) => function,
            _ => function_of_kernel(made_as),
        };
        let option = match function.effect() {
            Effect::Commands => Some(argument(1)),
            Effect::SetsOption | Effect::TellsOption => Some(argument(2)),
            _ => None,
        };
        calls.push(Call {
            name: option.map_or(function.to_string(), |option| format!("{function} {option}")),
            function,
            option: option.map(Into::into),
            made_as: made_as.to_string(),
            number: *number,
            phase,
            fd: argument(0).parse().ok(),
            ends: None,
            injected: line.contains("(INJECTED)"),
        });
    }
    calls
}

/// A fault at one call.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The call: [`Call::name`], [`Call::made_as`] and [`Call::number`].
    name: String,
    made_as: String,
    number: usize,
    pub(crate) phase: Phase,
    /// What happens to it: an errno by name, `short=1`.
    pub(crate) errno: String,
    pub(crate) expected: Expected,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { made_as, errno, number, .. } = self;
        write!(f, "{made_as}:{errno}@{number} ({}, {:?})", self.name, self.expected)
    }
}

impl Fault {
    /// As flags.
    pub(crate) fn rules(&self) -> Vec<String> {
        let Self { made_as, errno, number, .. } = self;
        vec!["--inject".into(), format!("{made_as}:{errno}@{number}")]
    }

    /// As a program that does it from outside.
    pub(crate) fn strace(&self, log: &str, straced: &str) -> Vec<String> {
        let Self { made_as, errno, number, .. } = self;
        let what = if errno.starts_with('E') { format!("error={errno}") } else { errno.clone() };
        let fault = format!("inject={made_as}:{what}:when={number}");
        [strace_alone(log, straced), vec!["-e".into(), fault]].concat()
    }
}

/// What strace is to look at: every call of a session that was traced but `close`. (strace does not make a call that it has fail. What
/// is not closed is left open, which no system does, and which is what is looked for.)
pub(crate) fn straced(traced: &[Call]) -> String {
    let made = traced.iter().map(|call| call.function);
    let looked_at =
        made.filter(|function| function.effect() != Effect::Closes && !function.page().is_library);
    let pages = looked_at.map(Function::page);
    let names = pages.flat_map(|page| std::iter::once(&page.name).chain(page.kernel));
    let names: BTreeSet<_> = names.map(|name| format!("?{name}")).collect();
    format!("trace={}", names.into_iter().collect::<Vec<_>>().join(","))
}

/// strace without a fault.
pub(crate) fn strace_alone(log: &str, straced: &str) -> Vec<String> {
    ["strace", "-o", log, "-e", straced].map(Into::into).to_vec()
}

/// At how many calls of a kind strace makes what `--inject` makes at all of them.
const OF_EACH: usize = 3;

/// The faults for strace: of each kind of call every errno of its table, at the places where it is made in turn; and the
/// results that can be given without the call.
///
/// Left out, besides `close`: each errno at each call, which would take many minutes, for strace starts slowly. A count
/// that is short, but not of nothing: strace cannot change how much is asked for, and to say that a byte was sent which
/// was not is to lose it. False readiness: if strace skips the call, the sets are not filled in.
pub(crate) fn for_strace(calls: &[Call], kind: Kind) -> Vec<Fault> {
    let errors = DocumentedErrors::read();
    let mut kinds: BTreeMap<_, Vec<&Call>> = BTreeMap::new();
    for call in calls {
        kinds.entry((call.phase, &call.name)).or_default().push(call);
    }
    let mut faults = Vec::new();
    for ((phase, name), places) in kinds {
        // Nothing was sent; the time is up.
        let result: &[&str] = match places[0].function.effect() {
            Effect::Sends if places[0].function != Function::SENDFILE => &["retval=0"],
            Effect::Selects | Effect::Polls => &["retval=0"],
            _ => &[],
        };
        let errnos = errors.of(&places[0].wrapper()).into_iter();
        let results = result.iter().map(ToString::to_string);
        for (at, errno) in errnos.chain(results).enumerate() {
            let expected = match errno.starts_with('E') {
                true => expected_of(places[0], &errno, kind),
                false => Some(Expected::Unnoticed),
            };
            let Some(expected) = expected else { continue };
            // Each begins a little later than the one before; a part of the session lies between its places.
            let often = OF_EACH.min(places.len());
            for part in 0..often {
                let call = places[(at + part * places.len() / often) % places.len()];
                faults.push(Fault {
                    name: name.clone(),
                    made_as: call.made_as.clone(),
                    number: call.number,
                    phase,
                    errno: errno.clone(),
                    expected,
                });
            }
        }
    }
    faults
}

/// What is expected of an errno at a call; nothing where that depends on who is connected at the time.
fn expected_of(call: &Call, errno: &str, kind: Kind) -> Option<Expected> {
    if call.function.page().waits_for_many() && call.phase == Phase::Serving {
        match (kind.is_bare(), errno) {
            // It has no other policy: the loop in 80 lines ends.
            (true, "ENOMEM") => return Some(Expected::ServerEnds),
            // The newest client is refused, or the loop ends if there is none: a test of the loop shows both.
            (false, "EINVAL") if kind.via == "poll" => return None,
            _ => {}
        }
    }
    // Where shutdown finds no connection, the next receive finds its end, or the reset. On a connection that is there the
    // fault alone cannot be: a test of the loop makes both.
    if call.function.effect() == Effect::ShutsDown && errno == "ENOTCONN" && !kind.is_bare() {
        return None;
    }
    let expected = expected(call.phase, call.function, call.option.as_deref(), errno);
    Some(expected.unwrap_or_else(|| panic!("{} gives {errno}: no row says what then", call.name)))
}

/// What can be done to each of these calls.
pub(crate) fn all(calls: &[Call], kind: Kind) -> Vec<Fault> {
    let errors = DocumentedErrors::read();
    let mut faults = Vec::new();
    for call in calls {
        let fault = |errno: String, expected| Fault {
            name: call.name.clone(),
            made_as: call.made_as.clone(),
            number: call.number,
            phase: call.phase,
            errno,
            expected,
        };
        for errno in errors.of(&call.wrapper()) {
            let Some(expected) = expected_of(call, &errno, kind) else { continue };
            faults.push(fault(errno, expected));
        }
        let lengths: &[&str] = match call.function.effect() {
            // A datagram is not sent or received in parts.
            _ if call.function.page().is_for_datagrams() => &[],
            // (Of none it says that the file has become shorter.)
            Effect::Sends if call.function == Function::SENDFILE => &["short=1"],
            Effect::Sends => &["short=1", "short=0"],
            Effect::Receives => &["chunk=1"],
            Effect::Selects | Effect::Polls => &["spurious"],
            _ => &[],
        };
        faults.extend(lengths.iter().map(|what| fault((*what).into(), Expected::Unnoticed)));
    }
    faults
}
