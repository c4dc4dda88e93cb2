//! The report as Markdown, to hand back to a student.

use std::fmt::Write;

use super::flakiness;
use crate::judge::verdict::{JudgeReport, Verdict};

/// The whole report.
pub fn markdown(report: &JudgeReport) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# {}: `{}`\n", report.judged_as, report.subject);
    if let Some(why) = &report.not_judged {
        let _ = writeln!(out, "It could not be judged: {why}");
        return out;
    }
    let score = report.score();
    let _ = writeln!(
        out,
        "**{} of {} points**: {} passed, {} failed, {} not asked.\n",
        score.points, score.of, score.passed, score.failed, score.not_asked
    );
    out.push_str("| case | question | verdict | points |\n|---|---|---|---|\n");
    for judged in &report.cases {
        let verdict = match &judged.verdict {
            Verdict::NotAsked(why) => format!("not asked: {}", cell(why)),
            verdict => verdict.word().to_string(),
        };
        let got = if matches!(judged.verdict, Verdict::Passed) { judged.points } else { 0 };
        let _ = writeln!(
            out,
            "| `{}` | {} | {verdict} | {got} of {} |",
            judged.case.name, judged.case.question, judged.points
        );
    }
    for judged in &report.cases {
        let Verdict::Failed(explained) = &judged.verdict else { continue };
        let failure = &explained.failure;
        let _ = writeln!(out, "\n## {}\n\n{}\n", judged.case.name, judged.case.question);
        if let Some(flaky) = flakiness(judged) {
            let _ = writeln!(out, "*{flaky}*\n");
        }
        for (label, text) in
            [("Sent", &failure.sent), ("Expected", &failure.expected), ("Came", &failure.came)]
        {
            let _ = writeln!(out, "- {label}: {}", cell(text));
        }
        let _ = writeln!(out, "\n```text\n{}\n```\n", explained.ladder.join("\n"));
        let _ = writeln!(out, "Usual cause: {}.\n", explained.because);
        let _ = writeln!(out, "What to do: {}.\n", explained.remedy);
        let _ = writeln!(out, "See: `baresock lab {}`", judged.case.lab);
        for advice in &explained.advice {
            let _ = writeln!(out, "\nIts calls: {}", cell(advice));
        }
        if !explained.output.trim().is_empty() {
            let shown = explained.output.trim_end().replace("```", "'''");
            let _ = writeln!(out, "\nIt wrote:\n\n```text\n{shown}\n```");
        }
    }
    out
}

/// Text in which no character is Markdown.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push(' '),
            '|' | '*' | '_' | '`' | '<' | '[' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}
