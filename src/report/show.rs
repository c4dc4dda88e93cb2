//! The report as text for a terminal.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};

use super::Reported;
use super::advice;
use super::findings::{Certainty, Finding};
use super::story::{ConnectionStory, Story};
use super::summary::CallTable;
use crate::os::output::Colors;
use crate::services::printable;
use crate::trace::wrapping::paragraph;

const HEADING: Style = Style::new().bold();
const CERTAIN: Style = AnsiColor::Red.on_default().bold();
const PERHAPS: Style = AnsiColor::Yellow.on_default();
const LABEL: Style = AnsiColor::Cyan.on_default();

struct ReportPage {
    out: String,
    colors: Colors,
    columns: usize,
}

impl Reported {
    /// The report as text, for a terminal of this width.
    pub fn text(&self, colors: Colors, columns: usize) -> String {
        let mut page = ReportPage { out: String::new(), colors, columns };
        page.story(&self.story);
        page.summary(&self.summary);
        page.advice(self);
        page.out
    }

    /// The whole report as one JSON object.
    ///
    /// # Errors
    /// None is known: texts and numbers can always be written.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

impl ReportPage {
    fn line(&mut self, text: fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(text);
        self.out.push('\n');
    }

    fn styled(&mut self, style: Style, text: &str) {
        self.out.push_str(&self.colors.paint(style, text));
    }

    fn heading(&mut self, text: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.styled(HEADING, text);
        self.out.push('\n');
    }

    fn paragraph(&mut self, label: &str, text: &str, indent: usize) {
        let _ = write!(
            self.out,
            "{:width$}",
            "",
            width = indent - label.len() - usize::from(!label.is_empty())
        );
        if !label.is_empty() {
            self.styled(LABEL, label);
            self.out.push(' ');
        }
        self.wrapped(text, indent, indent);
    }

    /// Wraps words: the first line begins at `column`, the others are indented.
    fn wrapped(&mut self, text: &str, column: usize, indent: usize) {
        self.out.push_str(&paragraph(text, self.columns, column, indent));
        self.out.push('\n');
    }

    /// A line of the story, indented; its continuation by four more.
    fn told(&mut self, indent: usize, text: &str) {
        let _ = write!(self.out, "{:indent$}", "");
        self.wrapped(text, indent, indent + 4);
    }

    fn story(&mut self, story: &Story) {
        let Story { connections, listeners, datagrams, further } = story;
        if listeners.is_empty() && connections.is_empty() && datagrams.is_empty() {
            self.heading("No socket calls");
            return;
        }
        if !listeners.is_empty() {
            self.heading("Listeners");
        }
        for one in listeners {
            let local = one.local.as_deref().unwrap_or("an address that the log does not show");
            let reach = one.reach.as_ref().map(|reach| format!(" ({reach})")).unwrap_or_default();
            self.told(2, &format!("{local}{reach}"));
            let clients = counted(one.clients, "client");
            self.told(
                4,
                &format!(
                    "descriptor {} of {}{}, queue {}: {clients}",
                    one.fd,
                    process(one.pid),
                    at_line(one.line),
                    one.backlog
                ),
            );
        }
        if !connections.is_empty() {
            self.heading("Connections");
            self.told(2, "(this end and its peer, the descriptor, lines, when; bytes and calls each way, which side finished first)");
        }
        for one in connections {
            self.connection(one);
        }
        if further.connections > 0 {
            self.told(
                2,
                &format!(
                    "and {} more: {} in, {} out",
                    further.connections,
                    bytes(further.bytes_in),
                    bytes(further.bytes_out)
                ),
            );
        }
        if !datagrams.is_empty() {
            self.heading("Datagrams");
        }
        for one in datagrams {
            let local = one.local.as_deref().unwrap_or("without a name");
            let peer = one.peer.as_ref().map(|peer| format!(" -> {peer}")).unwrap_or_default();
            self.told(
                2,
                &format!(
                    "{local}{peer}, descriptor {} of {}{}",
                    one.fd,
                    process(one.pid),
                    at_line(one.line)
                ),
            );
            self.told(
                4,
                &format!(
                    "in {} ({}), out {} ({})",
                    counted(one.received, "datagram"),
                    bytes(one.bytes_in),
                    counted(one.sent, "datagram"),
                    bytes(one.bytes_out)
                ),
            );
        }
    }

    fn connection(&mut self, one: &ConnectionStory) {
        let arrow = if one.role == "accepted" { "<-" } else { "->" };
        let end = |name: &Option<String>| name.clone().unwrap_or_else(|| "?".into());
        let name = format!("{} {arrow} {}", end(&one.local), end(&one.peer));
        let lines = match (one.opened_line, one.closed_line) {
            (Some(from), Some(to)) => format!(", lines {from}-{to}"),
            (Some(from), None) => format!(", from line {from} on"),
            (None, to) => at_line(to),
        };
        let when = one.opened_ns.map(|ns| format!(", at {}", seconds(ns))).unwrap_or_default();
        self.told(2, &format!("{name}, {}{}{lines}{when}", one.fd, of_process(one.pid)));
        let errno = one.errno.unwrap_or("an error");
        let end = match (one.end, one.ended_by) {
            ("open", _) => "still open".to_string(),
            ("failed", _) => format!("it failed: {errno}"),
            ("reset", Some("peer")) => format!("the peer ended it: {errno}"),
            ("reset", _) => "this side reset it".to_string(),
            ("killed", _) => "its process was killed".to_string(),
            (_, Some("peer")) => "the peer finished".to_string(),
            _ => "this side finished".to_string(),
        };
        let lasted = one.lasted_ns.map(|ns| format!(" after {}", seconds(ns))).unwrap_or_default();
        self.told(
            4,
            &format!(
                "in {} ({}), out {} ({}); {end}{lasted}",
                bytes(one.bytes_in),
                grouped(one.receives),
                grouped(one.bytes_out),
                grouped(one.sends)
            ),
        );
    }

    fn summary(&mut self, summary: &CallTable) {
        self.heading("Calls");
        let widest = summary.calls.iter().map(|row| row.call.len()).max().unwrap_or(0).max(4);
        let _ = writeln!(
            self.out,
            "  {:widest$} {:>9} {:>10} {:>13}  errors",
            "call", "calls", "seconds", "bytes"
        );
        for row in &summary.calls {
            let took = row.took_ns.map(|ns| format!("{:.6}", ns as f64 / 1e9)).unwrap_or_default();
            let moved = if row.bytes > 0 { grouped(row.bytes) } else { String::new() };
            let mut errors: Vec<_> =
                row.errors.iter().map(|(name, count)| format!("{count} {name}")).collect();
            if row.unfinished > 0 {
                errors.push(format!("{} not returned", row.unfinished));
            }
            let numbers = format!("  {:widest$} {:>9} {took:>10} {moved:>13}", row.call, row.calls);
            if errors.is_empty() {
                self.line(format_args!("{}", numbers.trim_end()));
                continue;
            }
            let column = numbers.chars().count() + 2;
            self.out.push_str(&numbers);
            self.out.push_str("  ");
            self.wrapped(&errors.join(", "), column, column);
        }
        self.line(format_args!("  {:widest$} {:>9}", "total", summary.total));
    }

    fn advice(&mut self, reported: &Reported) {
        let findings = &reported.advice;
        if findings.is_empty() {
            self.heading("Nothing stands out");
            return;
        }
        self.heading("Advice");
        let mut told: Vec<&str> = Vec::new();
        for first in findings {
            if told.contains(&first.advice) {
                continue;
            }
            told.push(first.advice);
            let same = findings.iter().filter(|finding| finding.advice == first.advice);
            for (number, finding) in same.enumerate() {
                self.finding(finding, number == 0);
            }
            let more = reported.more.iter().find(|(name, _)| *name == first.advice);
            if let Some((_, more)) = more {
                self.line(format_args!("    and {more} more of this kind"));
            }
            self.explanation(first.advice);
        }
    }

    fn finding(&mut self, finding: &Finding, is_first: bool) {
        if is_first {
            self.out.push('\n');
            self.out.push_str("  ");
            let style = if finding.certainty == Certainty::Perhaps { PERHAPS } else { CERTAIN };
            self.styled(style, finding.advice);
            self.line(format_args!(" ({})", finding.certainty.word()));
        }
        let fd = finding.fd.map(|fd| format!("descriptor {fd} of ")).unwrap_or_default();
        self.paragraph("", &format!("{fd}{}: {}", process(finding.pid), finding.says), 4);
        for evidence in &finding.evidence {
            // The log may be from anywhere, and has what others sent to the program.
            let text: String = printable(&evidence.text).chars().take(400).collect();
            self.paragraph("", &format!("line {}: {text}", evidence.line), 6);
            self.paragraph("", &format!("({})", evidence.shows), 10);
        }
    }

    fn explanation(&mut self, name: &str) {
        let Some(advice) = advice::find(name) else { return };
        self.paragraph("means", advice.means, 10);
        self.paragraph("do", advice.remedy, 10);
        self.paragraph("see", &format!("baresock lab {}; baresock explain {name}", advice.lab), 10);
        if !advice.exercise.is_empty() {
            self.paragraph("try", advice.exercise, 10);
        }
    }
}

fn process(pid: u32) -> String {
    if pid == 0 { "the process".into() } else { format!("process {pid}") }
}

fn of_process(pid: u32) -> String {
    if pid == 0 { String::new() } else { format!(" of {pid}") }
}

fn at_line(line: Option<u64>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

fn counted(count: u64, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(count))
}

/// A number with a comma between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        let is_between = at > 0 && (digits.len() - at).is_multiple_of(3);
        text.push_str(if is_between { "," } else { "" });
        text.push(digit);
    }
    text
}

fn bytes(count: u64) -> String {
    counted(count, "byte")
}

fn seconds(ns: u64) -> String {
    match ns {
        0..1_000_000 => format!("{} us", ns / 1_000),
        1_000_000..1_000_000_000 => format!("{}.{} ms", ns / 1_000_000, ns / 100_000 % 10),
        _ => format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000),
    }
}
