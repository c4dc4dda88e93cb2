//! `lab --ask`: asks before the deciding call, and keeps the answers in a plain file.
//!
//! The file is `baresock/answers` in the XDG state directory, with a line for each answer: the day, the lab, `right` or
//! `wrong`, and the question.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use baresock::labs::choices::{is_right, speaks_of};
use baresock::labs::run::LabEvent;
use baresock::labs::show::EventWriter;
use baresock::labs::{Lab, all};
use serde_json::json;

use super::{Failure, ListForm};
use crate::commands::columns::fitted_to_output;
use crate::commands::messages::print;

/// The answers to one lab.
pub(super) struct Answers {
    lab: &'static str,
    /// The open prediction, and the answer to it.
    open: Option<(LabEvent, Option<String>)>,
    given: Vec<(String, bool)>,
}

impl Answers {
    pub(super) fn of(lab: &'static Lab) -> Self {
        Self { lab: lab.name, open: None, given: Vec::new() }
    }

    /// Asks if the event is a prediction; says whether the answer was right if it is the observation. Returns the text
    /// to print instead of the event.
    pub(super) fn hear(&mut self, event: &LabEvent, writer: &mut EventWriter) -> Option<String> {
        match event {
            LabEvent::Predicted { asks, choices, .. } => {
                let answer = ask(asks, choices);
                self.open = Some((event.clone(), answer));
                Some("\n".to_string())
            }
            LabEvent::Observed { observed, agrees } => {
                let (predicted, answer) = self.open.take()?;
                let LabEvent::Predicted { asks, choices, expected, on } = predicted else {
                    return None;
                };
                let mut text = format!("= {observed}");
                if let Some(answer) = answer {
                    let is_right = is_right(&answer, &choices, &expected, observed);
                    let _ = match is_right {
                        true => write!(text, ": you were right"),
                        false => write!(text, ": you answered {}", answer.escape_debug()),
                    };
                    self.given.push((asks, is_right));
                }
                if *agrees == Some(false) {
                    text.push_str(" (this DIFFERS from what the lab expects)");
                }
                let text = fitted_to_output(format!("  {text}\n"));
                Some(text + &writer.elsewhere(&on))
            }
            _ => None,
        }
    }

    /// A line that says how many predictions were right.
    pub(super) fn score(&self) -> Option<String> {
        let right = self.given.iter().filter(|(_, is_right)| *is_right).count();
        let all = self.given.len();
        (all > 0).then(|| format!("\nOf your predictions, {right} of {all} were right.\n"))
    }

    /// Appends the answers to those of earlier days.
    pub(super) fn keep(&self) -> Result<(), Failure> {
        if self.given.is_empty() {
            return Ok(());
        }
        let path = file()?;
        let failed =
            |error: io::Error| Failure::from_std(path.display().to_string().escape_debug(), &error);
        let day = httpdate::fmt_http_date(SystemTime::now());
        let mut lines = String::new();
        for (question, is_right) in &self.given {
            let how = if *is_right { "right" } else { "wrong" };
            let _ = writeln!(lines, "{day}\t{}\t{how}\t{question}", self.lab);
        }
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        file.write_all(lines.as_bytes()).map_err(failed)
    }
}

/// Asks on standard output, and reads a line from standard input; asks again if the answer is none of the choices.
/// `None` if there was no answer.
fn ask(question: &str, choices: &[String]) -> Option<String> {
    let mut text = format!("  ? {question}\n");
    for (letter, choice) in ('a'..).zip(choices) {
        let _ = writeln!(text, "      {letter}) {choice}");
    }
    let mut text = fitted_to_output(text);
    loop {
        text.push_str("    your answer (Enter to see): ");
        // If the question cannot be shown, an answer to it means nothing.
        print(text.as_bytes()).ok()?;
        let mut line = String::new();
        io::stdin().read_line(&mut line).ok()?;
        let said = line.trim();
        if said.is_empty() {
            return None;
        }
        match chosen(said, choices) {
            Some(answer) => return Some(answer.to_string()),
            None => {
                text =
                    "    That is none of the choices: a letter or the words, please.\n".to_string()
            }
        }
    }
}

/// The choice that an answer means: by its letter (`a`, `A`, `a)`), by its words, or by a value in it. Without choices,
/// the answer itself.
fn chosen<'a>(said: &'a str, choices: &'a [String]) -> Option<&'a str> {
    let letter = said.trim_matches(['(', ')', '.']);
    let by_letter =
        ('a'..).zip(choices).find(|(of, _)| letter.eq_ignore_ascii_case(&of.to_string()));
    if let Some((_, choice)) = by_letter {
        return Some(choice);
    }
    let is_meant = choices.is_empty() || choices.iter().any(|choice| speaks_of(choice, said));
    is_meant.then_some(said)
}

/// The answers so far, by lab.
pub(super) fn progress(form: ListForm) -> Result<String, Failure> {
    let path = file()?;
    let kept = match fs::read_to_string(&path) {
        Ok(kept) => kept,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(Failure::from_std(path.display().to_string().escape_debug(), &error));
        }
    };
    let answers: Vec<(&str, bool)> = kept
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t').skip(1);
            Some((fields.next()?, fields.next()? == "right"))
        })
        .collect();
    let mut out = String::new();
    let mut labs = 0;
    for lab in all() {
        let of_lab: Vec<bool> =
            answers.iter().filter(|(name, _)| *name == lab.name).map(|(_, right)| *right).collect();
        if !of_lab.is_empty() {
            labs += 1;
            let right = of_lab.iter().filter(|right| **right).count();
            let _ = match form == ListForm::Json {
                true => {
                    let object =
                        json!({ "lab": lab.name, "answered": of_lab.len(), "right": right });
                    writeln!(out, "{object}")
                }
                false => writeln!(out, "  {:24} {right} of {} right", lab.name, of_lab.len()),
            };
        }
    }
    let of = all().count();
    let file = path.display().to_string();
    let _ = match form == ListForm::Json {
        true => writeln!(out, "{}", json!({ "labs": labs, "of": of, "file": file })),
        false => writeln!(out, "{labs} of {of} labs answered; kept in {file}"),
    };
    Ok(if form == ListForm::Json { out } else { fitted_to_output(out) })
}

/// The file of the answers.
fn file() -> Result<PathBuf, Failure> {
    let state =
        std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let home = || home.map(|home| PathBuf::from(home).join(".local/state"));
    let state = state.or_else(home).ok_or_else(|| {
        Failure::new("lab: set XDG_STATE_HOME or HOME, so that there is a place for your answers")
    })?;
    Ok(state.join("baresock").join("answers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_meant_by_its_letter_its_words_or_a_value_of_its_range() {
        let choices = ["EAGAIN", "30 to 179 ms", "0"].map(str::to_string);
        for (said, meant) in [
            ("a", "EAGAIN"),
            ("A", "EAGAIN"),
            ("b)", "30 to 179 ms"),
            ("(C)", "0"),
            ("eagain", "eagain"),
            ("40", "40"),
            ("40 ms", "40 ms"),
        ] {
            assert_eq!(chosen(said, &choices), Some(meant), "{said}");
        }
        for said in ["d", "EPIPE", "200 ms", ")"] {
            assert_eq!(chosen(said, &choices), None, "{said}");
        }
        assert_eq!(chosen("anything", &[]), Some("anything"));
    }
}
