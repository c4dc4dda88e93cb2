//! What judge's peers and the program did, in order, and a small ladder of it.

use std::fmt::Write;

use super::crossed::{CrossedPacket, PacketsBetween};
use crate::packets::Packet;

/// How many characters of a string are shown.
const MOST_SHOWN: usize = 24;
/// So many steps are drawn at most; of more, the first and the last.
const MOST_DRAWN: usize = 20;
const FIRST_DRAWN: usize = 8;
/// The width of judge's column.
pub(super) const LEFT: usize = 36;

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
    /// The packets from its beginning on, until the next step began.
    packets: PacketsBetween,
}

/// Everything that happened in a case.
#[derive(Clone, Debug, Default)]
pub struct CaseSteps {
    steps: Vec<Step>,
    /// How many steps in the middle were left out, so that a case with thousands of steps needs little memory.
    left_out: u32,
    /// The packets before the first step.
    before: PacketsBetween,
    /// How many packets belonged to steps that were left out.
    packets_left_out: u64,
    /// How many packets came faster than they could be looked at.
    packets_missing: u64,
}

/// The packets of a ladder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrawnPackets {
    /// Those that are drawn.
    pub packets: Vec<Packet>,
    /// How many more there were.
    pub left_out: u64,
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
        let packets = PacketsBetween::default();
        self.steps.push(Step { who: who.to_string(), way, what, times: 1, packets });
        if self.steps.len() > MOST_DRAWN {
            let removed = self.steps.remove(FIRST_DRAWN);
            self.left_out += 1;
            self.packets_left_out += removed.packets.count();
        }
    }

    /// Adds packets that came after the last step had begun.
    pub fn cross(&mut self, packets: Vec<CrossedPacket>) {
        let place = self.steps.last_mut().map_or(&mut self.before, |last| &mut last.packets);
        place.add(packets);
    }

    /// Adds packets that could not be looked at.
    pub const fn miss(&mut self, packets: u64) {
        self.packets_missing += packets;
    }

    /// The packets of the ladder.
    pub fn packets(&self) -> DrawnPackets {
        let places =
            || std::iter::once(&self.before).chain(self.steps.iter().map(|step| &step.packets));
        let packets: Vec<Packet> = places()
            .flat_map(PacketsBetween::drawn)
            .map(|crossed| crossed.packet.clone())
            .collect();
        let all: u64 = places().map(PacketsBetween::count).sum();
        let undrawn = all - packets.len() as u64;
        DrawnPackets { packets, left_out: undrawn + self.packets_left_out + self.packets_missing }
    }

    /// The ladder: judge's column on the left, the program's on the right.
    pub fn draw(&self, program: &str) -> DrawnSteps {
        let mut lines = vec![format!("{:LEFT$}     {program}", "judge")];
        lines.extend(self.before.lines());
        for (at, step) in self.steps.iter().enumerate() {
            if at == FIRST_DRAWN && self.left_out > 0 {
                let packets = match self.packets_left_out {
                    0 => String::new(),
                    count => format!(", with {count} packets"),
                };
                lines.push(format!("  … {} more{packets} …", self.left_out));
            }
            lines.push(step.line());
            lines.extend(step.packets.lines());
        }
        if self.packets_missing > 0 {
            lines.push(format!(
                "{} packets are missing: they came faster than judge could look at them",
                self.packets_missing
            ));
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
