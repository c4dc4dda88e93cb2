//! The report as text for a terminal of 80 columns.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::{filled, flakiness};
use crate::judge::verdict::{Explained, JudgeReport, Judged, Verdict};
use crate::os::output::Colors;

const WIDTH: usize = 80;
const PASSED: Style = AnsiColor::Green.on_default();
const FAILED: Style = AnsiColor::Red.on_default().bold();
const FAINT: Style = Style::new().dimmed();
const LABEL: Style = AnsiColor::Cyan.on_default();
/// The column where the text after a label begins.
const INDENT: usize = 17;

/// The whole report.
pub fn text(report: &JudgeReport, colors: Colors) -> String {
    let mut page = TextReport { out: String::new(), colors };
    let _ = writeln!(page.out, "{}: {}\n", report.judged_as, report.subject);
    if let Some(why) = &report.not_judged {
        let _ = writeln!(page.out, "it could not be judged: {why}");
        return page.out;
    }
    report.cases.iter().for_each(|judged| page.case(judged));
    page.summary(report);
    page.out
}

struct TextReport {
    out: String,
    colors: Colors,
}

impl TextReport {
    fn styled(&mut self, style: Style, text: &str) {
        self.out.push_str(&self.colors.paint(style, text));
    }

    fn case(&mut self, judged: &Judged) {
        let (word, style) = match &judged.verdict {
            Verdict::Passed => ("pass", PASSED),
            Verdict::Failed(_) => ("FAIL", FAILED),
            Verdict::NotAsked(_) => ("not asked", FAINT),
        };
        self.styled(style, &format!("{word:9}"));
        let _ = write!(self.out, "  {:22}", judged.case.name);
        match &judged.verdict {
            Verdict::Passed => {
                let _ = writeln!(self.out, " {}", judged.points);
            }
            Verdict::Failed(explained) => {
                let _ = writeln!(self.out, " 0 of {}", judged.points);
                self.failure(judged, explained);
            }
            Verdict::NotAsked(why) => {
                let _ = writeln!(self.out, " {}", filled(why, 34, WIDTH));
            }
        }
    }

    fn labelled(&mut self, label: &str, text: &str) {
        self.out.push_str("  ");
        self.styled(LABEL, &format!("{label:13}"));
        let _ = writeln!(self.out, "  {}", filled(text, INDENT, WIDTH));
    }

    fn failure(&mut self, judged: &Judged, explained: &Explained) {
        self.labelled("question", judged.case.question);
        if let Some(flaky) = flakiness(judged) {
            self.labelled("", &flaky);
        }
        self.labelled("sent", &explained.failure.sent);
        self.labelled("expected", &explained.failure.expected);
        self.labelled("came", &explained.failure.came);
        self.out.push('\n');
        for line in &explained.ladder {
            let _ = writeln!(self.out, "    {line}");
        }
        self.out.push('\n');
        self.labelled("usual cause", &explained.because);
        self.labelled("what to do", &explained.remedy);
        self.labelled("see", &format!("baresock lab {}", judged.case.lab));
        for advice in &explained.advice {
            self.labelled("its calls", advice);
        }
        if !explained.output.trim().is_empty() {
            self.labelled("its output", "");
            for line in explained.output.trim_end().lines() {
                let _ = writeln!(self.out, "    | {line}");
            }
        }
        self.out.push('\n');
    }

    fn summary(&mut self, report: &JudgeReport) {
        let score = report.score();
        let _ = writeln!(
            self.out,
            "\n{} passed, {} failed, {} not asked: {} of {} points",
            score.passed, score.failed, score.not_asked, score.points, score.of
        );
        if report.slowness > 1.5 {
            let _ = writeln!(
                self.out,
                "this machine was busy: time limits were {:.1} times as long",
                report.slowness
            );
        }
    }
}
