//! The cases themselves: name, points, question.

use std::fmt::Write;

use super::filled;
use crate::judge::JudgeCase;

/// A line or two for each, in 80 columns.
pub fn listing(cases: &[(&'static JudgeCase, u32)]) -> String {
    let mut out = String::new();
    for (case, points) in cases {
        let _ = writeln!(out, "{:22} {points}  {}", case.name, filled(case.question, 26, 80));
    }
    out
}
