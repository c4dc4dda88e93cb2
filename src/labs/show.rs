//! How a lab is written down: as text for a terminal, and as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::run::{Event, Stop};
use super::{Lab, Prediction, find, group_of, source_of};
use crate::os::system::this_system;
use crate::trace::text::wrapped;

const HEADLINE: Style = AnsiColor::Green.on_default().bold();
const QUESTION: Style = AnsiColor::Yellow.on_default();
const REMARK: Style = AnsiColor::Cyan.on_default();
const DIFFERS: Style = AnsiColor::Red.on_default().bold();

/// How wide prose is.
const COLUMNS: usize = 80;

/// How a lab ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// So many observations agreed with their prediction.
    pub agreed: usize,
    /// What differed, in words.
    pub differed: Vec<String>,
    /// So many could not be held against anything, because nobody has looked on this system.
    pub not_checked: usize,
    /// Why it cannot run here.
    pub skipped: Option<String>,
    /// What was predicted last.
    expected: String,
}

impl Verdict {
    /// Takes note of an event.
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::Predicted { expected, .. } => self.expected.clone_from(expected),
            Event::Observed { agrees: Some(true), .. } => self.agreed += 1,
            Event::Observed { agrees: Some(false), observed } => {
                self.differed.push(format!("{observed}, not {}", self.expected));
            }
            Event::Observed { agrees: None, .. } => self.not_checked += 1,
            Event::Stopped(Stop::Skipped(why)) => self.skipped = Some(why.clone()),
            Event::Stopped(Stop::Failed(why)) => self.differed.push(why.clone()),
            Event::Left { what } => self.differed.push(format!("left behind: {what}")),
            _ => {}
        }
    }

    /// Whether nothing differed.
    pub fn holds(&self) -> bool {
        self.differed.is_empty()
    }

    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self { differed, .. } if !differed.is_empty() => "differs",
            Self { skipped: Some(_), .. } => "skipped",
            Self { agreed: 0, .. } => "not checked",
            _ => "as predicted",
        }
    }

    /// In a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self { differed, .. } if !differed.is_empty() => {
                format!("DIFFERS: {}", differed.join("; "))
            }
            Self { skipped: Some(why), .. } => format!("skipped: {why}"),
            Self { agreed: 0, not_checked, .. } => {
                format!("not checked on {}: {not_checked} observations", this_system().name())
            }
            Self { agreed, not_checked: 0, .. } => format!("as predicted, {agreed} of {agreed}"),
            Self { agreed, not_checked, .. } => {
                format!("as predicted, {agreed} of {agreed}; not checked here: {not_checked}")
            }
        }
    }
}

/// The form of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines for a terminal, with or without colours.
    Text {
        /// Whether to colour.
        color: bool,
    },
    /// Markdown: prose, and the trace in blocks of code.
    Markdown,
}

/// Writes a lab down, event by event.
#[derive(Debug)]
pub struct Writer {
    form: Form,
    /// Whether a block of code is open, in Markdown.
    in_code: bool,
}

impl Writer {
    /// A writer of this form.
    pub const fn new(form: Form) -> Self {
        Self { form, in_code: false }
    }

    /// What stands before the first call.
    pub fn head(&mut self, lab: &Lab) -> String {
        let mut out = String::new();
        match self.form {
            Form::Markdown => {
                let _ = writeln!(out, "# {}\n\n**{}**\n\n{}\n", lab.name, lab.question, lab.claim);
            }
            Form::Text { .. } => {
                out.push_str(&self.styled(HEADLINE, lab.name));
                let group = group_of(lab).map_or("", |group| group.title);
                let minutes = if lab.minutes == 1 { "minute" } else { "minutes" };
                let _ = writeln!(out, "   ({group}; {} {minutes})", lab.minutes);
                self.prose(&mut out, lab.question, "");
            }
        }
        out
    }

    /// One event.
    pub fn event(&mut self, event: &Event) -> String {
        let mut out = String::new();
        match event {
            Event::Part { title } => match self.form {
                Form::Markdown => self.in_prose(&mut out, &format!("## {title}")),
                Form::Text { .. } => {
                    let _ = writeln!(out, "\n{}", self.styled(HEADLINE, title));
                }
            },
            Event::Said { text } => self.in_prose(&mut out, text),
            Event::Predicted { asks, expected, on, .. } => {
                self.beside_code(&mut out, QUESTION, &format!("? {asks}"));
                self.beside_code(&mut out, QUESTION, &format!("  prediction: {expected}"));
                out.push_str(&self.elsewhere(on, expected));
            }
            Event::Called { line, .. } => {
                self.open_code(&mut out);
                let _ = writeln!(out, "    {line}");
            }
            Event::Remarked { text } => {
                for line in text.lines() {
                    self.beside_code(&mut out, REMARK, &format!("        {}", line.trim()));
                }
            }
            Event::Observed { observed, agrees } => {
                let (style, verdict) = match agrees {
                    Some(true) => (QUESTION, "as predicted"),
                    Some(false) => (DIFFERS, "this DIFFERS from the prediction"),
                    None => (QUESTION, "nobody has checked this system"),
                };
                self.beside_code(&mut out, style, &format!("= {observed}: {verdict}"));
            }
            Event::Stopped(Stop::Skipped(why)) => {
                self.in_prose(&mut out, &format!("Skipped: {why}"));
            }
            Event::Stopped(Stop::Failed(why)) => {
                self.in_prose(&mut out, &format!("It ended early: {why}"));
            }
            Event::Left { what } => self.in_prose(&mut out, &format!("Left behind: {what}")),
        }
        out
    }

    /// What is expected on other systems, in a line, if it is something else there.
    pub fn elsewhere(&mut self, on: &BTreeMap<String, Option<String>>, expected: &str) -> String {
        let mut systems: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut not_checked = Vec::new();
        for (system, there) in on {
            match there.as_deref() {
                Some(there) if there == expected => {}
                Some(there) => systems.entry(there).or_default().push(system),
                None => not_checked.push(system.as_str()),
            }
        }
        let mut out = String::new();
        if systems.is_empty() {
            return out;
        }
        let mut told: Vec<String> = systems
            .iter()
            .map(|(there, systems)| format!("{} {there}", systems.join(", ")))
            .collect();
        if !not_checked.is_empty() {
            told.push(format!("{} not checked", not_checked.join(", ")));
        }
        self.beside_code(&mut out, QUESTION, &format!("  elsewhere: {}", told.join("; ")));
        out
    }

    /// What stands after the last call.
    pub fn tail(&mut self, lab: &Lab, verdict: &Verdict) -> String {
        let mut out = String::new();
        self.close_code(&mut out);
        let style = if verdict.holds() { HEADLINE } else { DIFFERS };
        let _ = writeln!(out, "\n{}\n", self.styled(style, &verdict.sentence()));
        self.prose(&mut out, lab.explanation, "");
        if self.form != Form::Markdown {
            out.push('\n');
        }
        if !lab.elsewhere.is_empty() {
            self.prose(&mut out, lab.elsewhere, "Elsewhere: ");
        }
        let all = lab.predictions.len();
        let checked = |one: &&&Prediction| one.expect.is_checked_beyond_linux();
        let unchecked = all - lab.predictions.iter().filter(checked).count();
        if unchecked > 0 {
            let counts = format!("{unchecked} of {all} predictions");
            self.prose(&mut out, &counts, "Not checked on macOS and the BSDs: ");
        }
        self.prose(&mut out, &lab.sources.join("; "), "Sources: ");
        let related: Vec<&str> =
            lab.related.iter().copied().filter(|name| find(name).is_some()).collect();
        let listed = [("Labs: ", &related[..]), ("Words, for baresock explain: ", lab.words)];
        for (before, names) in listed.into_iter().filter(|(_, names)| !names.is_empty()) {
            self.prose(&mut out, &names.join(", "), before);
        }
        self.prose(&mut out, &source_of(lab), "Source: ");
        out
    }

    /// A line of prose between calls.
    fn in_prose(&mut self, out: &mut String, text: &str) {
        self.close_code(out);
        let before = if self.form == Form::Markdown { "" } else { "  " };
        self.prose(out, text, before);
    }

    /// A line that belongs to the calls around it.
    fn beside_code(&mut self, out: &mut String, style: Style, text: &str) {
        self.open_code(out);
        for (at, line) in wrapped(text.trim_start(), COLUMNS - 8).into_iter().enumerate() {
            let indent = text.len() - text.trim_start().len() + if at == 0 { 2 } else { 4 };
            let _ = writeln!(out, "{:indent$}{}", "", self.styled(style, line));
        }
    }

    fn prose(&self, out: &mut String, text: &str, before: &str) {
        if self.form == Form::Markdown {
            let _ = writeln!(out, "{before}{text}\n");
            return;
        }
        let hanging = before.len() - before.trim_start().len();
        for line in wrapped(&format!("{}{text}", before.trim_start()), COLUMNS - hanging) {
            let _ = writeln!(out, "{:hanging$}{line}", "");
        }
    }

    fn open_code(&mut self, out: &mut String) {
        if self.form == Form::Markdown && !self.in_code {
            out.push_str("```\n");
        }
        self.in_code = true;
    }

    fn close_code(&mut self, out: &mut String) {
        if self.form == Form::Markdown && self.in_code {
            out.push_str("```\n\n");
        }
        self.in_code = false;
    }

    fn styled(&self, style: Style, text: &str) -> String {
        match self.form {
            Form::Text { color: true } => format!("{style}{text}{style:#}"),
            _ => text.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differed_is_told_with_what_was_predicted() {
        let mut verdict = Verdict::default();
        let predicted = |expected: &str| Event::Predicted {
            asks: String::new(),
            choices: Vec::new(),
            expected: expected.to_string(),
            on: BTreeMap::new(),
        };
        let observed = |observed: &str, agrees| Event::Observed {
            observed: observed.to_string(),
            agrees: Some(agrees),
        };
        verdict.hear(&predicted("0"));
        verdict.hear(&observed("0", true));
        verdict.hear(&predicted("30 to 179 ms"));
        verdict.hear(&observed("EAGAIN", false));
        assert_eq!(verdict.agreed, 1);
        assert_eq!(verdict.sentence(), "DIFFERS: EAGAIN, not 30 to 179 ms");
    }
}
