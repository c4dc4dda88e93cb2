//! What other systems answer to the questions of a lab, and how that is known.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::labs::run::SystemAnswer;
use crate::ladder::html::escaped;

/// What each system answers to a question.
type AnswersBySystem = BTreeMap<String, SystemAnswer>;

/// The answers that differ from those of Linux, question by question, and which systems were not checked; nothing if
/// there is neither.
pub(super) fn systems_table<'a>(
    asked: impl Iterator<Item = (&'a str, &'a AnswersBySystem)>,
) -> String {
    let mut rows = String::new();
    let mut unknown = BTreeMap::<&str, usize>::new();
    let mut questions = 0;
    for (asks, on) in asked {
        questions += 1;
        for (system, there) in on {
            match &there.expected {
                None => *unknown.entry(system).or_default() += 1,
                Some(expected) if there.differs => {
                    let cells = [asks, system, expected, &there.known, &there.why].map(escaped);
                    let [asks, system, expected, known, why] = cells;
                    let _ = writeln!(
                        rows,
                        "<tr><td>{asks}</td><th scope=\"row\">{system}</th><td>{expected}</td><td>{known}</td><td>{why}</td></tr>"
                    );
                }
                Some(_) => {}
            }
        }
    }
    let mut out = String::new();
    if !rows.is_empty() {
        let _ = writeln!(
            out,
            "<h2>Where systems differ</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>question</th><th>system</th>\
             <th>answer</th><th>how it is known</th><th>why</th></tr></thead>\n<tbody>\n{rows}</tbody></table></div>"
        );
    } else if questions > 0 {
        out.push_str("<p>No system that was checked answers differently.</p>\n");
    }
    if !unknown.is_empty() {
        let systems: Vec<_> = unknown
            .iter()
            .map(|(system, count)| {
                format!("{} ({count} of {questions} questions)", escaped(system))
            })
            .collect();
        let _ = writeln!(out, "<p>Not checked: {}</p>", systems.join(", "));
    }
    out
}
