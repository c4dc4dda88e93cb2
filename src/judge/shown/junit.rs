//! The report in JUnit's XML format, which CI systems read.

use std::fmt::Write;

use super::flakiness;
use crate::judge::verdict::{JudgeReport, Verdict};

/// The whole report.
pub fn junit(report: &JudgeReport) -> String {
    let score = report.score();
    let time: f64 = report.cases.iter().map(|judged| judged.took.as_secs_f64()).sum();
    let name = escaped(&format!("{}: {}", report.judged_as, report.subject));
    let errors = u32::from(report.not_judged.is_some());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let _ = writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"{errors}\" skipped=\"{}\" time=\"{time:.3}\">",
        report.cases.len() as u32 + errors,
        score.failed,
        score.not_asked
    );
    if let Some(why) = &report.not_judged {
        let _ = writeln!(
            out,
            "    <testcase classname=\"{}\" name=\"start\" time=\"0\"><error message=\"{}\"/></testcase>",
            escaped(&report.judged_as),
            escaped(why)
        );
    }
    for judged in &report.cases {
        let _ = write!(
            out,
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escaped(&report.judged_as),
            judged.case.name,
            judged.took.as_secs_f64()
        );
        match &judged.verdict {
            Verdict::Passed => out.push_str("/>\n"),
            Verdict::NotAsked(why) => {
                let _ = writeln!(out, "><skipped message=\"{}\"/></testcase>", escaped(why));
            }
            Verdict::Failed(explained) => {
                let failure = &explained.failure;
                let message = format!("expected {}; came {}", failure.expected, failure.came);
                let flaky = flakiness(judged).map_or(String::new(), |flaky| format!("{flaky}\n"));
                let body = format!(
                    "{flaky}sent: {}\nexpected: {}\ncame: {}\n\n{}\n\nusual cause: {}\nwhat to do: {}\nsee: baresock lab {}\n{}",
                    failure.sent,
                    failure.expected,
                    failure.came,
                    explained.ladder.join("\n"),
                    explained.because,
                    explained.remedy,
                    judged.case.lab,
                    explained.output
                );
                let _ = writeln!(
                    out,
                    "><failure type=\"{}\" message=\"{}\">{}</failure></testcase>",
                    failure.symptom.word(),
                    escaped(&message),
                    escaped(&body)
                );
            }
        }
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// Text between tags or quotes. Characters that XML 1.0 does not allow are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_in_a_text_is_markup_or_no_character_of_xml() {
        assert_eq!(super::escaped("<a b=\"c\">&\u{1}"), "&lt;a b=&quot;c&quot;&gt;&amp;\u{fffd}");
    }
}
