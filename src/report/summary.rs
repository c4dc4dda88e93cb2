//! The table by call: how often, which errors, how long it waited, how many bytes.

use std::collections::HashMap;

use serde::Serialize;

use crate::names::Errno;
use crate::trace::page::Returns;
use crate::trace::{Arg, Event, Function, Outcome};

/// The table.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CallTable {
    /// A row for each function, the most frequent first.
    pub calls: Vec<CallSummary>,
    /// All calls.
    pub total: u64,
}

/// A function's row.
#[derive(Clone, Debug, Serialize)]
pub struct CallSummary {
    /// Its name.
    pub call: String,
    /// How often it was called.
    pub calls: u64,
    /// How often it failed, by errno.
    #[serde(serialize_with = "super::as_object")]
    pub errors: Vec<(String, u64)>,
    /// How long all calls took together, in nanoseconds; `None` if the log does not show it.
    pub took_ns: Option<u64>,
    /// Bytes moved.
    pub bytes: u64,
    /// Calls that had not returned when the log ended.
    pub unfinished: u64,
}

/// Counts calls.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Few functions are used, and a used one is found early.
    known: Vec<(Function, TallyRow)>,
    others: HashMap<Box<str>, TallyRow>,
    total: u64,
}

#[derive(Debug, Default)]
struct TallyRow {
    calls: u64,
    errors: Vec<(Errno, u64)>,
    took_ns: u64,
    bytes: u64,
    unfinished: u64,
}

/// How many names are distinguished, because a log may contain any number.
const MOST_NAMES: usize = 1_000;

impl Tally {
    /// Counts a call.
    pub(super) fn count(&mut self, event: &Event<'_>) {
        self.total += 1;
        let row = match event.function() {
            Some(function) => {
                let at = self.known.iter().position(|(known, _)| *known == function);
                let at = at.unwrap_or_else(|| {
                    self.known.push((function, TallyRow::default()));
                    self.known.len() - 1
                });
                &mut self.known[at].1
            }
            None => {
                let name = event.callee.name();
                if !self.others.contains_key(name) {
                    if self.others.len() >= MOST_NAMES {
                        return;
                    }
                    self.others.insert(name.into(), TallyRow::default());
                }
                let Some(row) = self.others.get_mut(name) else { return };
                row
            }
        };
        row.calls += 1;
        row.took_ns += event.end_ns.saturating_sub(event.begin_ns);
        match event.outcome {
            Outcome::Value(value) if moves_bytes(event) => {
                row.bytes += event.bytes_moved(value).unwrap_or_default();
            }
            Outcome::Value(_) => {}
            // exit never returns.
            Outcome::Unknown if event.callee.name().starts_with("exit") => {}
            Outcome::Unknown => row.unfinished += 1,
            Outcome::Error(errno) => match row.errors.iter_mut().find(|(known, _)| *known == errno)
            {
                Some((_, count)) => *count += 1,
                None => row.errors.push((errno, 1)),
            },
        }
    }

    pub(super) fn finish(self) -> CallTable {
        let known = self.known.into_iter().map(|(function, row)| (function.name().into(), row));
        let all = known.chain(self.others).filter(|(_, row)| row.calls > 0);
        let mut calls: Vec<_> = all.map(|(name, row)| summary(&name, row)).collect();
        calls.sort_by(|one, other| (other.calls, &one.call).cmp(&(one.calls, &other.call)));
        CallTable { calls, total: self.total }
    }
}

fn summary(name: &str, row: TallyRow) -> CallSummary {
    let mut errors: Vec<_> = row
        .errors
        .into_iter()
        .map(|(errno, count)| {
            let number = || format!("errno {}", errno.number());
            (errno.name().map_or_else(number, str::to_string), count)
        })
        .collect();
    errors.sort_by(|(one, ones), (other, others)| (others, one).cmp(&(ones, other)));
    CallSummary {
        call: name.to_string(),
        calls: row.calls,
        errors,
        took_ns: Some(row.took_ns).filter(|ns| *ns > 0),
        bytes: row.bytes,
        unfinished: row.unfinished,
    }
}

fn moves_bytes(event: &Event<'_>) -> bool {
    match event.function() {
        Some(function) => match function.page().returns {
            Returns::Bytes => true,
            Returns::Messages => event.args.iter().any(|arg| matches!(arg, Arg::Messages(_))),
            _ => false,
        },
        None => matches!(event.callee.name(), "pread64" | "pwrite64"),
    }
}
