//! The answers of other systems: one lab as a system answers it, and a matrix of all labs and systems. Nothing is run.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use baresock::labs::systems::{Answer, AnswerCount, Provenance, answer, answer_on_wire};
use baresock::labs::{Lab, Prediction, group_of};
use baresock::os::output::Colors;
use baresock::os::system::System;
use baresock::trace::wrapping::wrapped;
use serde_json::{Value, json};

use super::ListForm;
use crate::commands::columns::{columns_of_prose, fitted_to_output, width_of_output};

const HEADLINE: Style = AnsiColor::Green.on_default().bold();
const QUESTION: Style = AnsiColor::Yellow.on_default();

/// The columns of the matrix: a lab's name, and one for each system.
const NAME_COLUMNS: usize = 24;
const CELL_COLUMNS: usize = 8;

/// The systems other than Linux, and their names above the columns.
const BESIDE: [(System, &str); 7] = [
    (System::FreeBsd, "FreeBSD"),
    (System::NetBsd, "NetBSD"),
    (System::OpenBsd, "OpenBSD"),
    (System::MacOs, "macOS"),
    (System::GVisor, "gVisor"),
    (System::LinuxMusl, "musl"),
    (System::Linux32, "32-bit"),
];

/// Labs as this system answers them.
pub(super) fn told_on(labs: &[&Lab], system: System, form: ListForm) -> String {
    let mut out = String::new();
    for (at, lab) in labs.iter().enumerate() {
        let ListForm::Text(colors) = form else {
            for (prediction, there) in answers(lab, system) {
                let _ = writeln!(out, "{}", object(lab, prediction, there, system));
            }
            continue;
        };
        if at > 0 {
            out.push('\n');
        }
        story(&mut out, lab, system, colors);
    }
    out
}

/// The answers of a system to a lab's predictions, and to those about packets.
fn answers(lab: &Lab, system: System) -> Vec<(&'static Prediction, Answer)> {
    let of_calls = lab.predictions.iter().map(|one| (*one, answer(lab.name, one, system)));
    let on_wire = lab.on_wire.iter().map(|one| (&one.asked, answer_on_wire(&one.asked, system)));
    of_calls.chain(on_wire).collect()
}

fn object(lab: &Lab, prediction: &Prediction, there: Answer, system: System) -> Value {
    json!({
        "lab": lab.name,
        "asks": prediction.asks,
        "system": system.name(),
        "expected": there.expected.example().map(|_| there.expected.to_string()),
        "answered": there.answered,
        "known": there.known.word(),
        "how": there.known.in_full(),
        "differs": there.differs,
        "why": there.why,
        "linux": prediction.expect.on_little_endian().to_string(),
    })
}

/// A lab's questions with the answers of a system; below each, the answer of Linux if it differs.
fn story(out: &mut String, lab: &Lab, system: System, colors: Colors) {
    let name = system.name();
    let title = format!("{}, as {name} answers", lab.name);
    let group = group_of(lab).map_or("", |group| group.title);
    let line = format!("{}   ({group})\n", colors.paint(HEADLINE, title));
    out.push_str(&fitted_to_output(line));
    prose(out, lab.question, "", 0);
    out.push('\n');
    prose(out, &how_known(lab, system), "", 0);
    for (prediction, there) in answers(lab, system) {
        out.push('\n');
        let asks = format!("? {}", prediction.asks);
        for (at, line) in wrapped(&asks, columns_of_prose() - 4).into_iter().enumerate() {
            let indent = if at == 0 { 2 } else { 4 };
            let _ = writeln!(out, "{:indent$}{}", "", colors.paint(QUESTION, line));
        }
        match there.known {
            Provenance::NotLookedAt => prose(out, "not checked", "= ", 2),
            known => {
                let why = if there.why.is_empty() { "" } else { ": " };
                let told = format!("{} ({}){why}{}", there.words(), known.in_full(), there.why);
                prose(out, &told, "= ", 2);
            }
        }
        if there.differs {
            let linux = prediction.expect.on_little_endian();
            prose(out, &format!("Linux: {linux}"), "", 4);
        }
    }
    if !lab.elsewhere.is_empty() {
        out.push('\n');
        prose(out, lab.elsewhere, "", 0);
    }
    out.push('\n');
    prose(out, &format!("To run it here: baresock lab {}", lab.name), "", 0);
}

/// How many of a lab's answers are known, and how.
fn how_known(lab: &Lab, system: System) -> String {
    let mut count = AnswerCount::of([lab], system);
    let on_wire = lab.on_wire.iter().map(|one| answer_on_wire(&one.asked, system));
    on_wire.for_each(|there| count.add(there));
    let name = system.name();
    let AnswerCount { ran, read, walked_through, documented, not_known, .. } = count;
    let counted = [
        (ran, format!("run on {name}")),
        (read, format!("read in the source of {name}")),
        (
            walked_through,
            format!("walked through in the source of {name}, without a note of the place"),
        ),
        (documented, "documented".to_string()),
        (not_known, "not checked".to_string()),
    ];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let counted: Vec<String> = counted.map(|(count, how)| format!("{count} {how}")).collect();
    format!("This does not run the lab. Its answers: {}.", counted.join("; "))
}

fn prose(out: &mut String, text: &str, before: &str, indent: usize) {
    let text = format!("{before}{text}");
    for (at, line) in
        wrapped(&text, columns_of_prose() - indent - before.len()).into_iter().enumerate()
    {
        let indent = if at == 0 { indent } else { indent + before.len() };
        let _ = writeln!(out, "{:indent$}{line}", "");
    }
}

/// The matrix of labs and systems: how many predictions have another answer than on Linux, and how many are unknown.
pub(super) fn matrix(labs: &[&Lab], form: ListForm) -> String {
    let mut out = String::new();
    let of =
        |labs: &[&Lab]| BESIDE.map(|(system, _)| AnswerCount::of(labs.iter().copied(), system));
    if form == ListForm::Json {
        for lab in labs {
            let _ =
                writeln!(out, "{}", json!({ "lab": lab.name, "systems": objects(&of(&[lab])) }));
        }
        let predictions: usize = labs.iter().map(|lab| lab.predictions.len()).sum();
        let _ = writeln!(
            out,
            "{}",
            json!({ "labs": labs.len(), "predictions": predictions, "systems": objects(&of(labs)) })
        );
        return out;
    }
    let legend =
        "=: every answer is the same as on Linux; 2/6: two of six differ; ?1: one is unknown";
    prose(&mut out, legend, "", 0);
    // On a terminal too narrow for all systems, the matrix is split into blocks.
    let room = width_of_output()
        .map_or(BESIDE.len(), |width| width.saturating_sub(NAME_COLUMNS) / CELL_COLUMNS);
    for (at, systems) in BESIDE.chunks(room.max(1)).enumerate() {
        if at > 0 {
            out.push('\n');
        }
        block(&mut out, labs, systems);
    }
    out
}

/// A block of the matrix for these systems.
fn block(out: &mut String, labs: &[&Lab], systems: &[(System, &str)]) {
    let of = |labs: &[&Lab]| -> Vec<AnswerCount> {
        systems.iter().map(|(system, _)| AnswerCount::of(labs.iter().copied(), *system)).collect()
    };
    let names = || systems.iter().map(|(_, name)| name.to_string());
    row(out, "lab", names());
    for lab in labs {
        row(out, lab.name, of(&[lab]).iter().map(cell));
    }
    let counts = of(labs);
    let all = counts.first().map_or(0, AnswerCount::all);
    out.push('\n');
    row(out, &format!("{all} predictions"), names());
    for (name, part) in PARTS {
        row(out, &format!("  {name}"), counts.iter().map(|count| part(count).to_string()));
    }
    out.push('\n');
    let means = "ran: also where the lab found that a question cannot be asked there; read: at a place of the source that \
        --on names; walked through: the calls were followed through the source, and no place was noted";
    prose(out, means, "", 0);
}

type Part = (&'static str, fn(&AnswerCount) -> usize);

const PARTS: [Part; 7] = [
    ("as on Linux", |count| count.same),
    ("otherwise", |count| count.differ),
    ("not known", |count| count.not_known),
    ("ran", |count| count.ran),
    ("read", |count| count.read),
    ("walked through", |count| count.walked_through),
    ("documented", |count| count.documented),
];

fn row(out: &mut String, name: &str, cells: impl Iterator<Item = String>) {
    let _ = write!(out, "{name:NAME_COLUMNS$}");
    for cell in cells {
        let _ = write!(out, "{cell:>CELL_COLUMNS$}");
    }
    out.push('\n');
}

fn cell(count: &AnswerCount) -> String {
    let AnswerCount { differ, not_known, .. } = *count;
    match (differ, not_known) {
        (0, 0) => "=".to_string(),
        (_, unknown) if unknown == count.all() => "?".to_string(),
        (0, unknown) => format!("= ?{unknown}"),
        (differ, 0) => format!("{differ}/{}", count.all()),
        (differ, unknown) => format!("{differ}/{}?{unknown}", count.all()),
    }
}

/// The counts of the systems, by name.
fn objects(counts: &[AnswerCount; 7]) -> Value {
    let of_each = BESIDE.iter().zip(counts).map(|((system, _), count)| {
        let object = json!({
            "same": count.same,
            "differ": count.differ,
            "not_known": count.not_known,
            "ran": count.ran,
            "read": count.read,
            "walked_through": count.walked_through,
            "documented": count.documented,
        });
        (system.name().to_string(), object)
    });
    Value::Object(of_each.collect())
}
