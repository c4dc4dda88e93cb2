//! Holding a trace against the real strace: the same calls, in the same order, with the same words.
//!
//! [`fold`] is the whole difference that is allowed between the two notations, [`lines`] turns strace's file
//! into calls, and [`compare`] walks both.

pub(crate) mod call;
pub(crate) mod fold;
pub(crate) mod lines;
mod musl;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use call::Call;
use lines::Seen;

use crate::support::skipped;

/// What was compared.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// How many calls were equal.
    pub(crate) calls: usize,
    /// The different (call, form of the arguments, outcome) among them.
    pub(crate) distinct: BTreeSet<String>,
    /// Both lines of each call that were equal, strace's first, and the rules that strace's took.
    pub(crate) pairs: Vec<(String, String, Vec<&'static str>)>,
    /// How many of our lines have no counterpart, because the kernel saw no such call: (refused) and (libc).
    pub(crate) not_made: usize,
    /// How many lines stand for a function of the library, whatever that did inside.
    pub(crate) library: usize,
    /// The rules of the fold that were needed.
    pub(crate) rules: BTreeSet<&'static str>,
    /// How many calls of strace's were left out because they are not of the subject, by name.
    pub(crate) left_out: BTreeMap<String, usize>,
}

/// What a session does on purpose without telling it to its trace.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Untold<'a> {
    /// Beginnings of strace's lines: `write(1, "listening`.
    pub(crate) beginnings: &'a [&'a str],
}

/// A strace command that runs `program` and writes what it sees to `to`. `-f` follows threads, which strace
/// tells apart by their number.
pub(crate) fn strace(to: &Path, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("strace");
    command.arg("-f").arg("-o").arg(to).arg("--").arg(program);
    command
}

/// Whether strace can be used here. If not, says why the test is skipped; with `CI` set it fails instead.
pub(crate) fn strace_is_usable() -> bool {
    let works = cfg!(target_os = "linux")
        && Command::new("strace")
            .args(["-o", "/dev/null", "true"])
            .output()
            .is_ok_and(|out| out.status.success());
    if !works {
        assert!(std::env::var_os("CI").is_none(), "CI is set, and strace cannot be used here");
        skipped("strace is not installed, or may not trace here");
    }
    works
}

/// Compares what strace saw of a program with the trace that the program wrote to `trace_file`, from the moment when
/// it opened that file to its close or its end.
///
/// Functions of the library can only be compared if the trace was written line by line (`--trace-sync`): the
/// writes are then seen between the calls, and what stands before the line of a library function is its own.
///
/// # Errors
/// The first difference, with what stands around it.
pub(crate) fn compare(
    strace_text: &str,
    our_text: &str,
    trace_file: &Path,
    untold: Untold<'_>,
) -> Result<Report, String> {
    let mut left_out = BTreeMap::new();
    let seen = lines::seen(strace_text, trace_file, untold, &mut left_out)?;
    Ok(Report { left_out, ..walk(&seen, our_text)? })
}

/// The comparison itself: both in step, from the first call to the last.
///
/// # Errors
/// As [`compare`].
pub(crate) fn walk(seen: &[Seen], our_text: &str) -> Result<Report, String> {
    let mut report = Report::default();
    let ours: Vec<&str> = our_text.lines().collect();
    // How far we are in `seen`, and how many lines of the trace have been written before that.
    let (mut at, mut written) = (0, 0);
    for (number, line) in ours.iter().enumerate() {
        let Some(call) = Call::parse(line) else {
            return Err(format!("our line {} cannot be read as a call: {line}", number + 1));
        };
        if fold::has_no_counterpart(&call) {
            report.not_made += 1;
            continue;
        }
        while written < number && matches!(seen.get(at), Some(Seen::WroteTrace)) {
            (at, written) = (at + 1, written + 1);
        }
        if call.result.ends_with(" (library)") {
            if written < number {
                return Err(format!("written in one go, so it is unknown what belongs to {line}"));
            }
            report.library += 1;
            at += seen[at..].iter().take_while(|seen| !matches!(seen, Seen::WroteTrace)).count();
            continue;
        }
        let mut our_call = fold::ours(&call);
        let (theirs, of_it) = next_of_straces(&our_call, &seen[at..]);
        let their_fold = match theirs {
            Some((theirs, raw)) => {
                let (folded, taken) = fold::strace(&theirs);
                fold::without_what_is_untold(&mut our_call, &folded);
                report.rules.extend(&taken);
                report.pairs.push((raw, (*line).to_string(), taken));
                folded.to_string()
            }
            None => "(strace has no call here)".to_string(),
        };
        let our_fold = our_call.to_string();
        if our_fold != their_fold {
            return Err(difference(&ours, number, &seen[at..], &our_fold, &their_fold));
        }
        report.calls += 1;
        report.distinct.insert(our_call.form());
        at += of_it;
    }
    match seen[at..].iter().find(|seen| matches!(seen, Seen::Call(..))) {
        Some(Seen::Call(_, raw)) => {
            Err(format!("our trace ends, and strace saw another call: {raw}"))
        }
        _ => Ok(report),
    }
}

/// strace's next call and its line, and how many of strace's calls it is.
fn next_of_straces(ours: &Call, seen: &[Seen]) -> (Option<(Call, String)>, usize) {
    if musl::is_here()
        && let Some((whole, sent)) = musl::sent_one_by_one(ours, seen)
    {
        let line = whole.to_string();
        return (Some((whole, line)), sent);
    }
    match seen.first() {
        Some(Seen::Call(call, line)) => (Some((call.clone(), line.clone())), 1),
        _ => (None, 1),
    }
}

/// Both lines, as written and as folded, and what stands around them.
fn difference(
    ours: &[&str],
    number: usize,
    seen: &[Seen],
    our_fold: &str,
    their_fold: &str,
) -> String {
    let mut text = format!("our line {} differs from strace's\n  before:\n", number + 1);
    for line in &ours[number.saturating_sub(4)..number] {
        let _ = writeln!(text, "    {line}");
    }
    let _ = writeln!(text, "  ours:           {}", ours[number]);
    let _ = writeln!(text, "  ours, folded:   {our_fold}");
    let _ = writeln!(text, "  strace, folded: {their_fold}\n  strace from there on:");
    let raw = seen.iter().filter_map(|seen| match seen {
        Seen::Call(_, raw) => Some(raw),
        Seen::WroteTrace => None,
    });
    for raw in raw.take(5) {
        let _ = writeln!(text, "    {raw}");
    }
    text
}
