//! How a lab is printed: as text for a terminal, and as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::run::{LabEvent, SystemAnswer};
use super::systems::AnswerCount;
use super::verdict::LabVerdict;
use super::{Lab, find, group_of, source_of};
use crate::os::output::Colors;
use crate::os::system::{System, this_system};
use crate::trace::wrapping::wrapped;

const HEADLINE: Style = AnsiColor::Green.on_default().bold();
const QUESTION: Style = AnsiColor::Yellow.on_default();
const PACKET: Style = AnsiColor::Magenta.on_default();
const REMARK: Style = AnsiColor::Cyan.on_default();
const DIFFERS: Style = AnsiColor::Red.on_default().bold();

/// The output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines for a terminal.
    Text(Colors),
    /// Markdown: prose, and the trace in blocks of code.
    Markdown,
    /// The same without the answers, for a class to fill in.
    Worksheet,
}

impl Form {
    const fn is_markdown(self) -> bool {
        matches!(self, Self::Markdown | Self::Worksheet)
    }
}

/// The blank on a worksheet, in place of an answer.
const BLANK: &str = "________";

/// Prints a lab, event by event.
#[derive(Debug)]
pub struct EventWriter {
    form: Form,
    /// The width of prose.
    columns: usize,
    /// Whether a block of code is open, in Markdown.
    in_code: bool,
    /// Whether a prediction waits for its observation: on a worksheet the calls in between do not show their results.
    is_asking: bool,
}

impl EventWriter {
    /// A writer of this form, with prose of this width.
    pub const fn new(form: Form, columns: usize) -> Self {
        Self { form, columns, in_code: false, is_asking: false }
    }

    /// The text before the first call.
    pub fn head(&mut self, lab: &Lab) -> String {
        self.head_on(this_system(), lab)
    }

    fn head_on(&mut self, system: System, lab: &Lab) -> String {
        let mut out = String::new();
        match self.form {
            Form::Markdown => {
                let _ = writeln!(out, "# {}\n\n**{}**\n\n{}\n", lab.name, lab.question, lab.claim);
            }
            Form::Worksheet => {
                let _ = writeln!(out, "# {}\n\n**{}**\n", lab.name, lab.question);
            }
            Form::Text(_) => {
                out.push_str(&self.styled(HEADLINE, lab.name));
                let group = group_of(lab).map_or("", |group| group.title);
                let minutes = if lab.minutes == 1 { "minute" } else { "minutes" };
                let beside = format!("({group}; {} {minutes})", lab.minutes);
                if lab.name.len() + 3 + beside.len() <= self.columns {
                    let _ = writeln!(out, "   {beside}");
                } else {
                    out.push('\n');
                    self.prose(&mut out, &beside, "");
                }
                self.prose(&mut out, lab.question, "");
            }
        }
        if system == System::GVisor {
            let whose = "gVisor's kernel answers here, not Linux's: differences are marked.";
            self.prose(&mut out, whose, "");
        }
        out
    }

    /// One event.
    pub fn event(&mut self, event: &LabEvent) -> String {
        if self.form == Form::Worksheet
            && let Some(text) = self.without_answer(event)
        {
            return text;
        }
        let mut out = String::new();
        match event {
            LabEvent::Part { title } => match self.form {
                Form::Markdown | Form::Worksheet => self.in_prose(&mut out, &format!("## {title}")),
                Form::Text(_) => {
                    out.push('\n');
                    self.headline(&mut out, HEADLINE, title);
                }
            },
            LabEvent::Predicted { asks, expected, on, .. } => {
                self.beside_code(&mut out, QUESTION, &format!("? {asks}"));
                self.beside_code(&mut out, QUESTION, &format!("  prediction: {expected}"));
                out.push_str(&self.elsewhere(on));
            }
            LabEvent::NotAsked { asks, why } if !self.form.is_markdown() => {
                self.beside_code(&mut out, QUESTION, &format!("? {asks} ({why})"));
            }
            LabEvent::NotAsked { .. } | LabEvent::LooksAtWire { .. } => {}
            LabEvent::Calling { line, .. } => {
                self.open_code(&mut out);
                let _ = write!(out, "    {line}");
            }
            LabEvent::Called { line, .. } => {
                self.open_code(&mut out);
                let _ = writeln!(out, "    {line}");
            }
            LabEvent::Crossed { line, means, packet } => {
                self.open_code(&mut out);
                // What a call caused hangs at it; the rest stands between the calls.
                let indent = if packet.cause.is_some() { 8 } else { 4 };
                let _ = writeln!(out, "{:indent$}{}", "", self.styled(PACKET, line));
                if let Some(means) = means {
                    self.beside_code(&mut out, REMARK, &format!("{:indent$}{means}", ""));
                }
            }
            LabEvent::Remarked { text } => {
                for line in text.lines() {
                    self.beside_code(&mut out, REMARK, &format!("        {}", line.trim()));
                }
            }
            LabEvent::Drawn { line } => {
                self.open_code(&mut out);
                let _ = writeln!(out, "        {}", self.styled(REMARK, line));
            }
            LabEvent::Overdue { seconds, .. } => {
                let told = format!(
                    "The call had not returned after {seconds} s; an alarm ended its wait."
                );
                self.beside_code(&mut out, DIFFERS, &format!("        {told}"));
            }
            LabEvent::Observed { observed, agrees } => {
                let (style, verdict) = match agrees {
                    Some(true) => (QUESTION, "as predicted"),
                    Some(false) => (DIFFERS, "this DIFFERS from the prediction"),
                    None => (QUESTION, "not checked on this system"),
                };
                self.beside_code(&mut out, style, &format!("= {observed}: {verdict}"));
            }
            LabEvent::Said { .. } | LabEvent::Stopped(_) | LabEvent::Left { .. } => {
                self.in_prose(&mut out, &event.sentence().unwrap_or_default());
            }
        }
        out
    }

    /// An event from which a worksheet leaves out the answer.
    fn without_answer(&mut self, event: &LabEvent) -> Option<String> {
        let mut out = String::new();
        match event {
            LabEvent::Predicted { asks, choices, .. } => {
                self.is_asking = true;
                self.beside_code(&mut out, QUESTION, &format!("? {asks}"));
                for (letter, choice) in ('a'..).zip(choices) {
                    self.beside_code(&mut out, QUESTION, &format!("    {letter}) {choice}"));
                }
                self.beside_code(&mut out, QUESTION, &format!("  my prediction: {BLANK}"));
            }
            LabEvent::Called { call, line } if self.is_asking => {
                self.open_code(&mut out);
                let fd = call.fd().map_or(String::new(), |_| format!("{}, ", first_argument(line)));
                let _ = writeln!(out, "    {}({fd}...) = {BLANK}", call.callee);
            }
            // It may mention the call's result.
            LabEvent::Remarked { .. } | LabEvent::Crossed { .. } if self.is_asking => {}
            LabEvent::Observed { .. } => {
                self.is_asking = false;
                self.beside_code(&mut out, QUESTION, &format!("= {BLANK}"));
            }
            _ => return None,
        }
        Some(out)
    }

    /// The answers of other systems, if one of them differs: the value, the systems, how it is known, and why.
    pub fn elsewhere(&mut self, on: &BTreeMap<String, SystemAnswer>) -> String {
        let mut out = String::new();
        let mut told: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        let mut not_looked_at = Vec::new();
        for (system, there) in on {
            match there.expected.as_deref() {
                Some(expected) if there.differs => told
                    .entry((expected, &there.why))
                    .or_default()
                    .push(format!("{system} ({})", there.known)),
                None => not_looked_at.push(system.as_str()),
                _ => {}
            }
        }
        for (at, ((expected, why), systems)) in told.iter().enumerate() {
            let before = if at == 0 { "elsewhere: " } else { "" };
            let because = if why.is_empty() { String::new() } else { format!(": {why}") };
            let line = format!("  {before:11}{expected} on {}{because}", systems.join(", "));
            self.beside_code(&mut out, QUESTION, &line);
        }
        if !told.is_empty() && !not_looked_at.is_empty() {
            let line = format!("{:13}not checked: {}", "", not_looked_at.join(", "));
            self.beside_code(&mut out, QUESTION, &line);
        }
        out
    }

    /// The text after the last call.
    pub fn tail(&mut self, lab: &Lab, verdict: &LabVerdict) -> String {
        let mut out = String::new();
        self.close_code(&mut out);
        if self.form == Form::Worksheet {
            self.prose(&mut out, &format!("In my own words: {BLANK}"), "");
            return out;
        }
        let style = if verdict.holds() { HEADLINE } else { DIFFERS };
        out.push('\n');
        self.headline(&mut out, style, &verdict.sentence());
        out.push('\n');
        self.prose(&mut out, lab.explanation, "");
        if !self.form.is_markdown() {
            out.push('\n');
        }
        if !lab.elsewhere.is_empty() {
            self.prose(&mut out, lab.elsewhere, "Elsewhere: ");
        }
        let not_looked_at = not_looked_at(lab);
        if !not_looked_at.is_empty() {
            self.prose(&mut out, &not_looked_at, "Not checked on: ");
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
        let before = if self.form.is_markdown() { "" } else { "  " };
        self.prose(out, text, before);
    }

    /// A line that belongs to the calls around it.
    fn beside_code(&mut self, out: &mut String, style: Style, text: &str) {
        self.open_code(out);
        // Where there is little room, the indentation must not take most of it.
        let before = (text.len() - text.trim_start().len()).min(self.columns / 5);
        let columns = self.columns.saturating_sub(6 + before);
        for (at, line) in wrapped(text.trim_start(), columns).into_iter().enumerate() {
            let indent = before + if at == 0 { 2 } else { 4 };
            let _ = writeln!(out, "{:indent$}{}", "", self.styled(style, line));
        }
    }

    fn prose(&self, out: &mut String, text: &str, before: &str) {
        if self.form.is_markdown() {
            let _ = writeln!(out, "{before}{text}\n");
            return;
        }
        let hanging = before.len() - before.trim_start().len();
        for line in
            wrapped(&format!("{}{text}", before.trim_start()), self.columns.saturating_sub(hanging))
        {
            let _ = writeln!(out, "{:hanging$}{line}", "");
        }
    }

    /// A highlighted line of its own, or several if it is longer than the width of prose.
    fn headline(&self, out: &mut String, style: Style, text: &str) {
        let lines = match self.form {
            Form::Markdown | Form::Worksheet => vec![text],
            Form::Text(_) => wrapped(text, self.columns),
        };
        for line in lines {
            let _ = writeln!(out, "{}", self.styled(style, line));
        }
    }

    fn open_code(&mut self, out: &mut String) {
        if self.form.is_markdown() && !self.in_code {
            out.push_str("```\n");
        }
        self.in_code = true;
    }

    fn close_code(&mut self, out: &mut String) {
        if self.form.is_markdown() && self.in_code {
            out.push_str("```\n\n");
        }
        self.in_code = false;
    }

    fn styled(&self, style: Style, text: &str) -> String {
        match self.form {
            Form::Text(colors) => colors.paint(style, text),
            _ => text.to_string(),
        }
    }
}

/// The first argument of a call's line: a descriptor, and perhaps which end it is.
fn first_argument(line: &str) -> &str {
    let arguments = line.split_once('(').map_or("", |(_, arguments)| arguments);
    arguments.split([',', ')']).next().unwrap_or_default()
}

/// How many predictions of a lab were not checked, by system.
fn not_looked_at(lab: &Lab) -> String {
    let count = |system: &System| (system.name(), AnswerCount::of([lab], *system));
    let some = System::ALL.iter().map(count).filter(|(_, count)| count.not_known > 0);
    let some: Vec<String> = some
        .map(|(name, count)| format!("{name} {} of {} predictions", count.not_known, count.all()))
        .collect();
    some.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_in_gvisor_says_whose_kernel_answers() {
        let lab = find("half-close").unwrap();
        for form in [Form::Text(Colors::Plain), Form::Markdown, Form::Worksheet] {
            let head = |system| EventWriter::new(form, 80).head_on(system, lab);
            assert!(head(System::GVisor).contains("gVisor's kernel answers here, not Linux's"));
            assert!(!head(System::LinuxGlibc).contains("gVisor"));
        }
    }
}
