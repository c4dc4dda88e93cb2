//! The report as one JSON object. `tests/judge.schema.json` describes it.

use serde_json::{Value, json};

use crate::judge::verdict::{JudgeReport, Judged, Verdict};

/// The whole report in one line.
pub fn json(report: &JudgeReport) -> String {
    let score = report.score();
    let whole = json!({
        "schema": 1,
        "as": report.judged_as,
        "subject": report.subject,
        "not_judged": report.not_judged,
        "slowness": report.slowness,
        "passed": score.passed,
        "failed": score.failed,
        "not_asked": score.not_asked,
        "points": score.points,
        "of": score.of,
        "cases": report.cases.iter().map(case).collect::<Vec<_>>(),
    });
    whole.to_string()
}

fn case(judged: &Judged) -> Value {
    let mut object = json!({
        "name": judged.case.name,
        "question": judged.case.question,
        "verdict": judged.verdict.word(),
        "points": if matches!(judged.verdict, Verdict::Passed) { judged.points } else { 0 },
        "of": judged.points,
        "lab": judged.case.lab,
        "runs": judged.runs,
        "failed_runs": judged.failed_runs,
        "flaky": judged.is_flaky(),
        "seconds": judged.took.as_secs_f64(),
    });
    match &judged.verdict {
        Verdict::Passed => {}
        Verdict::NotAsked(why) => object["why"] = json!(why),
        Verdict::Failed(explained) => {
            let failure = &explained.failure;
            object["failure"] = json!({
                "symptom": failure.symptom.word(),
                "sent": failure.sent,
                "expected": failure.expected,
                "came": failure.came,
                "signal": failure.signal,
                "cause": explained.because,
                "remedy": explained.remedy,
                "ladder": explained.ladder,
                "advice": explained.advice,
                "output": explained.output,
            });
            if let Some(drawn) = &explained.packets {
                object["failure"]["packets"] = json!(drawn.packets);
                object["failure"]["packets_left_out"] = json!(drawn.left_out);
            }
        }
    }
    object
}
