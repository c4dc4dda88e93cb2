//! The calls of a page: a row for each, with its time, and what it sent or received between the columns.

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;

use super::arrows::{Arrow, Crossing};
use super::folds::folds;
use super::html::escaped;
use super::short::whole;
use super::{Ladder, LadderStep, Side};
use crate::trace::arg::Note;

/// A shorter pause is not shown.
const SHORTEST_PAUSE_NS: u64 = 1_000_000;

/// Pauses have a height for each number of zeros that follow the millisecond: 1 ms has none, 100 s has five, and a longer pause is
/// not drawn higher. `ladder.css` has the heights, because a book's pages allow no style in the page itself.
const MOST_ZEROS_OF_A_PAUSE: u32 = 5;

/// A longer result may be broken into lines.
const LONGEST_UNBROKEN: usize = 24;

/// These steps as a list. Of many rounds that are alike all but the first are folded.
pub(super) fn list(ladder: &Ladder, steps: Range<usize>) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let rows = RowWriter::new(ladder);
    let mut out = format!("<ol start=\"{}\">\n", steps.start + 1);
    let mut next = steps.start;
    for fold in folds(ladder, steps.clone()) {
        (next..fold.steps.start).for_each(|step| rows.row(&mut out, step));
        let rounds = fold.rounds;
        let calls = fold.steps.len();
        let first = fold.steps.start + 1;
        let what = match rounds == calls {
            true => format!("{calls} more calls like these"),
            false => format!("{rounds} more rounds like these: {calls} calls"),
        };
        let _ = writeln!(
            out,
            "<li class=\"fold\"><details><summary>{what}</summary>\n<ol start=\"{first}\">"
        );
        fold.steps.clone().for_each(|step| rows.row(&mut out, step));
        out.push_str("</ol></details></li>\n");
        next = fold.steps.end;
    }
    (next..steps.end).for_each(|step| rows.row(&mut out, step));
    out + "</ol>\n"
}

/// Writes rows.
struct RowWriter<'a> {
    ladder: &'a Ladder,
    /// What leaves each step, and what arrives there from calls that are not in the trace.
    marks: HashMap<usize, [Vec<&'a Arrow>; 2]>,
}

impl<'a> RowWriter<'a> {
    fn new(ladder: &'a Ladder) -> Self {
        let mut marks: HashMap<usize, [Vec<&Arrow>; 2]> = HashMap::new();
        for arrow in ladder.drawn_arrows() {
            let (step, kind) = match (arrow.from, arrow.to) {
                (Some(from), _) => (from, 0),
                (None, Some(to)) => (to, 1),
                (None, None) => continue,
            };
            marks.entry(step).or_default()[kind].push(arrow);
        }
        Self { ladder, marks }
    }

    fn row(&self, out: &mut String, number: usize) {
        if number == 0 {
            self.packets(out, 0);
        }
        self.call_row(out, number);
        self.packets(out, number + 1);
    }

    /// The packets behind this many calls.
    fn packets(&self, out: &mut String, place: usize) {
        for one in self.ladder.packets_at(place) {
            let [side, to] = match one.side {
                Side::Left => ["left", "to the server"],
                Side::Right => ["right", "to the client"],
            };
            let uncaused = if one.is_caused() { "" } else { " uncaused" };
            let begin = self.ladder.begins.first().copied().unwrap_or(0);
            let time = duration(one.packet.time_ns.saturating_sub(begin));
            let number = match one.connection {
                Some(number) if self.ladder.connections.len() > 1 => format!("#{} ", number + 1),
                _ => String::new(),
            };
            let class = one.class();
            let label = escaped(&one.label());
            let gist = escaped(&one.gist());
            let _ = writeln!(
                out,
                "<li class=\"packet {side} {class}{uncaused}\"><time>{time}</time>\
                 <span class=\"gist\"><span class=\"unseen\">{to}: </span>{gist}</span>\
                 <span class=\"wire\" aria-hidden=\"true\"><span>{number}{label}</span></span></li>"
            );
        }
    }

    fn call_row(&self, out: &mut String, number: usize) {
        let step = &self.ladder.steps[number];
        self.pause(out, number);
        let side = if step.side == Side::Left { "left" } else { "right" };
        let failed = if step.call.errno().is_some() || matches!(step.call.note, Note::Code(..)) {
            " failed"
        } else {
            ""
        };
        let call = self.call(step);
        let time = duration(self.ladder.time_of(step));
        let mark = self.mark(number);
        let place = number + 1;
        let _ = writeln!(
            out,
            "<li class=\"row {side}{failed}\" id=\"step-{place}\"><time>{time}</time>\
             <a class=\"call\" href=\"#step={place}\">{call}</a><span class=\"mark\">{mark}</span></li>"
        );
    }

    /// The call, with a short result in one piece.
    fn call(&self, step: &LadderStep) -> String {
        let call = format!("{}{}", self.ladder.tag(step.source), whole(&step.call));
        match call.rsplit_once(") = ") {
            Some((before, result)) if result.len() <= LONGEST_UNBROKEN => {
                format!("{}<span>) = {}</span>", escaped(before), escaped(result))
            }
            _ => escaped(&call),
        }
    }

    /// Room for the time that passed before a step: the longer the time, the higher the class.
    fn pause(&self, out: &mut String, number: usize) {
        let ladder = self.ladder;
        let Some(before) = number.checked_sub(1).filter(|_| ladder.clocks <= 1) else { return };
        let [before, here] = [before, number].map(|step| ladder.steps[step].call.moment_ns());
        let passed = here.saturating_sub(before);
        if passed >= SHORTEST_PAUSE_NS {
            let zeros = (passed / SHORTEST_PAUSE_NS).ilog10().min(MOST_ZEROS_OF_A_PAUSE);
            let passed = duration(passed);
            let _ =
                writeln!(out, "<li class=\"pause zeros-{zeros}\"><span>{passed} pass</span></li>");
        }
    }

    fn mark(&self, number: usize) -> String {
        let mut out = String::new();
        for arrows in self.marks.get(&number).into_iter().flatten() {
            let Some(first) = arrows.first() else { continue };
            let label = escaped(&label(self.ladder, arrows));
            let [before, behind] = match first.side {
                Side::Left => ["", "<b> →</b>"],
                Side::Right => ["<b>← </b>", ""],
            };
            let class = class(first.what);
            let to = match arrows.iter().filter_map(|arrow| arrow.to).min() {
                Some(to) if to != number => {
                    format!("<span class=\"unseen\"> to step {}</span>", to + 1)
                }
                _ => String::new(),
            };
            let _ = write!(out, "<i class=\"{class}\">{before}{label}{behind}{to}</i>");
        }
        out
    }
}

/// `25 µs`, `7.2 ms`, `1.204 s`
pub(super) fn duration(ns: u64) -> String {
    match ns {
        0..1_000_000 => format!("{} µs", ns / 1_000),
        1_000_000..1_000_000_000 => {
            format!("{}.{} ms", ns / 1_000_000, ns / 100_000 % 10)
        }
        _ => format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000),
    }
}

fn label(ladder: &Ladder, arrows: &[&Arrow]) -> String {
    let connection = arrows[0].connection;
    let bytes: u64 = arrows
        .iter()
        .map(|arrow| if let Crossing::Bytes(bytes) = arrow.what { bytes } else { 0 })
        .sum();
    let word = match bytes {
        0 => arrows[0].what.word(ladder.connections[connection].is_local).to_string(),
        1 => "1 byte".into(),
        bytes => format!("{bytes} bytes"),
    };
    match ladder.connections.len() {
        1 => word,
        _ => format!("#{} {word}", connection + 1),
    }
}

pub(super) const fn class(what: Crossing) -> &'static str {
    match what {
        Crossing::Connection => "connection",
        Crossing::Bytes(_) => "bytes",
        Crossing::End => "end",
        Crossing::Reset => "reset",
    }
}

/// Where the script draws the arrows, with a head and a line to copy. A head cannot take over the colour of its line, so
/// there is one for each class.
pub(super) fn lines() -> String {
    let kinds = [Crossing::Connection, Crossing::Bytes(0), Crossing::End, Crossing::Reset];
    let heads: String = kinds.into_iter().map(|what| head(class(what))).collect();
    format!("<svg class=\"lines\" aria-hidden=\"true\"><defs>{heads}<g><line/></g></defs></svg>\n")
}

fn head(class: &str) -> String {
    format!(
        "<marker id=\"head-{class}\" class=\"{class}\" viewBox=\"0 0 9 8\" refX=\"9\" refY=\"4\" markerWidth=\"9\" \
         markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0 9 4 0 8z\"/></marker>"
    )
}

impl Ladder {
    /// When a step counts, since the first that counts on its clock.
    fn time_of(&self, step: &LadderStep) -> u64 {
        let clock = self.sources[step.source].clock;
        step.call.moment_ns().saturating_sub(self.begins.get(clock).copied().unwrap_or(0))
    }

    /// The columns that have nothing to show, each with its class.
    pub(super) fn empty_columns(&self) -> [(bool, &'static str); 3] {
        let has_packets = |side| self.packets().any(|one| one.side == side);
        let has = |side| self.steps.iter().any(|step| step.side == side) || has_packets(side);
        [
            (!has(Side::Left), "no-left"),
            (!has(Side::Right), "no-right"),
            (self.arrows.is_empty() && self.packets().next().is_none(), "no-arrows"),
        ]
    }

    /// The heads of the two columns. Where one program plays both ends, it need not be named twice; where nothing connects,
    /// no end is a client or a server.
    pub(super) fn heads(&self) -> [String; 2] {
        let sides = [Side::Left, Side::Right];
        let is_of_datagrams = self.arrows.is_empty() && self.speakers(Side::Left).is_empty();
        if self.connections.is_empty() || is_of_datagrams {
            return [String::new(), "calls".to_string()];
        }
        match self.speakers(Side::Left) == self.speakers(Side::Right) {
            true => sides.map(|side| side.name().to_string()),
            false => sides.map(|side| self.who(side)),
        }
    }
}
