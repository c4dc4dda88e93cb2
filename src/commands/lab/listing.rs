//! Lists: all labs, the questions that people ask, and a line for each lab that ran.

use std::fmt::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use baresock::labs::verdict::LabVerdict;
use baresock::labs::why::QUESTIONS;
use baresock::labs::{GROUPS, Lab, all, find, group_of, source_of};
use baresock::os::output::Colors;
use baresock::trace::wrapping::wrapped;
use serde_json::json;
use strsim::jaro_winkler;

use super::{Failure, ListForm};
use crate::commands::columns::{columns_of_prose, fitted_to_output};

const QUESTION: Style = AnsiColor::Green.on_default().bold();
const DIFFERS: Style = AnsiColor::Red.on_default().bold();

/// The longest name.
const NAME_COLUMNS: usize = 24;
/// If there is less room beside the names, the claims are written below them.
const FEWEST_CLAIM_COLUMNS: usize = 30;
/// From this similarity on, a name is suggested for another.
const LIKENESS: f64 = 0.8;

/// Every lab with its claim, by groups.
pub(super) fn labs(form: ListForm) -> String {
    let mut out = String::new();
    if form == ListForm::Json {
        for lab in all() {
            let object = json!({
                "lab": lab.name,
                "group": group_of(lab).map(|group| group.name),
                "claim": lab.claim,
                "question": lab.question,
                "minutes": lab.minutes,
                "source": source_of(lab),
                "words": lab.words,
                "related": lab.related,
            });
            let _ = writeln!(out, "{object}");
        }
        return out;
    }
    let beside = columns_of_prose().saturating_sub(NAME_COLUMNS + 3);
    for group in GROUPS {
        let minutes: u32 = group.labs.iter().map(|lab| u32::from(lab.minutes)).sum();
        let title = format!("{} ({}; {} min)\n", group.title, group.name, minutes);
        out.push_str(&fitted_to_output(title));
        for lab in group.labs {
            if beside < FEWEST_CLAIM_COLUMNS {
                out.push_str(&fitted_to_output(format!("  {}\n    {}\n", lab.name, lab.claim)));
                continue;
            }
            for (at, line) in wrapped(lab.claim, beside).into_iter().enumerate() {
                let name = if at == 0 { lab.name } else { "" };
                let _ = writeln!(out, "  {name:NAME_COLUMNS$} {line}");
            }
        }
        out.push('\n');
    }
    let minutes: u32 = all().map(|lab| u32::from(lab.minutes)).sum();
    let count = all().count();
    let last = format!("{count} labs, {minutes} minutes. One of them: baresock lab NAME\n");
    out.push_str(&fitted_to_output(last));
    out
}

/// The questions that people ask most, and the labs that answer them.
pub(super) fn questions(form: ListForm) -> String {
    let mut out = String::new();
    let ListForm::Text(colors) = form else {
        for (question, labs) in QUESTIONS {
            let _ = writeln!(out, "{}", json!({ "question": question, "labs": labs }));
        }
        return out;
    };
    for (number, (question, labs)) in (1..).zip(QUESTIONS) {
        let numbered = format!("{number}. {question}");
        let _ = writeln!(out, "{}", colors.paint(QUESTION, numbered));
        for lab in labs.iter().filter_map(|name| find(name)) {
            let _ = writeln!(out, "   baresock lab {:NAME_COLUMNS$} {} min", lab.name, lab.minutes);
        }
    }
    fitted_to_output(out)
}

/// The line of a lab that has run, and below it the claim, or what went wrong.
pub(super) fn line(lab: &Lab, verdict: &LabVerdict, took: Duration, colors: Colors) -> String {
    let word = if verdict.holds() && verdict.skipped.is_none() { "ok" } else { verdict.word() };
    let word = format!("{word:8}");
    let word = if verdict.holds() { word } else { colors.paint(DIFFERS, word) };
    let line = format!("{word} {:NAME_COLUMNS$} {:5.2} s\n", lab.name, took.as_secs_f64());
    let mut out = fitted_to_output(line);
    let detail = if word.starts_with("ok") { lab.claim.to_string() } else { verdict.sentence() };
    for line in wrapped(&detail, columns_of_prose() - 2) {
        let _ = writeln!(out, "  {line}");
    }
    out
}

/// The same as JSON.
pub(super) fn summary(lab: &Lab, verdict: &LabVerdict, took: Option<Duration>) -> String {
    let mut object = json!({
        "lab": lab.name,
        "verdict": verdict.word(),
        "agreed": verdict.agreed,
        "differed": verdict.differed,
        "not_checked": verdict.not_checked,
        "skipped": verdict.skipped,
    });
    if let Some(took) = took {
        object["took_ms"] = json!(took.as_millis() as u64);
    }
    format!("{object}\n")
}

/// There is no lab with this name; suggests one with a similar name.
pub(super) fn not_found(name: &str) -> Failure {
    let shown = name.escape_debug();
    let names = all().map(|lab| lab.name).chain(GROUPS.iter().map(|group| group.name));
    let mut near: Vec<(f64, &str)> = names
        .map(|known| (jaro_winkler(&name.to_lowercase(), known), known))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0));
    match near.first() {
        None => Failure::new(format_args!(
            "lab {shown}: unknown lab; 'baresock lab --list' lists all labs"
        )),
        Some((_, near)) => {
            Failure::new(format_args!("lab {shown}: unknown lab; did you mean {near}?"))
        }
    }
}
