//! What judge's peers and the program did, in order, and a small ladder of it.

use std::fmt::Write;

/// How many characters of a string are shown.
const MOST_SHOWN: usize = 24;
/// So many steps are drawn at most; of more, the first and the last.
const MOST_DRAWN: usize = 20;
const FIRST_DRAWN: usize = 8;
/// The width of judge's column.
const LEFT: usize = 36;

/// The direction of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From judge to the program.
    Out,
    /// From the program to judge.
    In,
    /// No message: judge waited, or looked at something.
    Beside,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    who: String,
    way: Way,
    what: String,
    /// How often it was repeated, directly one after the other.
    times: u32,
}

/// Everything that happened in a case.
#[derive(Clone, Debug, Default)]
pub struct CaseSteps {
    steps: Vec<Step>,
    /// How many steps in the middle were left out, so that a case with thousands of steps needs little memory.
    left_out: u32,
}

/// The ladder, line by line.
pub type DrawnSteps = Vec<String>;

impl CaseSteps {
    /// Adds a step.
    pub fn push(&mut self, who: &str, way: Way, what: String) {
        if let Some(last) = self.steps.last_mut()
            && last.way == way
            && last.what == what
            && kind(&last.who) == kind(who)
        {
            last.times += 1;
            return;
        }
        self.steps.push(Step { who: who.to_string(), way, what, times: 1 });
        if self.steps.len() > MOST_DRAWN {
            self.steps.remove(FIRST_DRAWN);
            self.left_out += 1;
        }
    }

    /// The ladder: judge's column on the left, the program's on the right.
    pub fn draw(&self, program: &str) -> DrawnSteps {
        let mut lines = vec![format!("{:LEFT$}     {program}", "judge")];
        for (at, step) in self.steps.iter().enumerate() {
            if at == FIRST_DRAWN && self.left_out > 0 {
                lines.push(format!("  … {} more …", self.left_out));
            }
            lines.push(step.line());
        }
        lines
    }
}

impl Step {
    fn line(&self) -> String {
        let times = if self.times > 1 { format!(" ({} times)", self.times) } else { String::new() };
        let who = if self.who.is_empty() { String::new() } else { format!("{}: ", self.who) };
        match self.way {
            Way::Out => {
                let left = format!("{who}{}{times} ", self.what);
                let fill = LEFT.saturating_sub(left.chars().count());
                format!("{left}{}──▶", "─".repeat(fill))
            }
            Way::In => {
                let left = format!("{who} ");
                let fill = LEFT.saturating_sub(left.chars().count() + 1);
                format!("{left}◀{}─── {}{times}", "─".repeat(fill), self.what)
            }
            Way::Beside => format!("{who}{}{times}", self.what),
        }
    }
}

/// "client 17" is of the kind "client".
fn kind(who: &str) -> &str {
    who.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// Bytes for a person: escaped, cut, with their number.
pub fn shown(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    let mut told = 0;
    for byte in bytes {
        // A byte may take four characters.
        if text.len() > MOST_SHOWN {
            break;
        }
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => {
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
        told += 1;
    }
    text.push('"');
    if told < bytes.len() {
        text.push('…');
    }
    match bytes.len() {
        1 => text.push_str(" (1 byte)"),
        len => {
            let _ = write!(text, " ({len} bytes)");
        }
    }
    text
}

/// A number of bytes in words.
pub fn in_bytes(count: usize) -> String {
    match count {
        0 => "nothing".to_string(),
        1 => "1 byte".to_string(),
        _ if count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        _ => format!("{count} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_untrusted_is_escaped_and_short() {
        assert_eq!(shown(b"a\"\x1b\n"), "\"a\\\"\\x1b\\n\" (4 bytes)");
        assert!(shown(&[b'x'; 100]).ends_with("x\"… (100 bytes)"));
    }

    #[test]
    fn a_ladder_folds_what_repeats_and_leaves_out_the_middle() {
        let mut steps = CaseSteps::default();
        for number in 0..500 {
            steps.push(&format!("client {number}"), Way::Out, "connect".to_string());
        }
        let drawn = steps.draw("server");
        assert_eq!(drawn.len(), 2, "{drawn:?}");
        assert!(drawn[1].contains("(500 times)"));
        for number in 0..100 {
            steps.push("client", Way::In, format!("{number}"));
        }
        let drawn = steps.draw("server");
        assert!(drawn.len() <= MOST_DRAWN + 2, "{drawn:?}");
        assert!(drawn.iter().any(|line| line.contains("more")), "{drawn:?}");
    }
}
