//! The arrows between two columns of text. Everything that leaves a call goes down a lane of its own until all of it
//! has arrived.

use std::collections::HashMap;
use std::ops::Range;

use super::arrows::{Arrow, Crossing, EndPair};
use super::wire::LadderPacket;
use super::{Ladder, Side};

/// The number of characters between the columns.
pub(super) const WIDTH: usize = 14;

/// The characters that a ladder is drawn with.
#[derive(Debug)]
pub struct Pens {
    line: char,
    /// For an arrow whose other call is in no trace.
    faint: char,
    lane: char,
    /// Heads: arrived; sent and never received.
    right: [char; 2],
    left: [char; 2],
    /// From a call into a lane: from the left, from the right.
    into: [char; 2],
    /// Out of a lane that ends: to the right, to the left; and out of one that continues.
    out: [char; 2],
    branch: [char; 2],
    /// Out of a lane that ends where another line passes.
    joining: char,
    /// Where a text was cut.
    pub(super) dots: &'static str,
    /// In the legend: an arrow from a call in no trace, and one to such a call.
    pub(super) from_nowhere: &'static str,
    pub(super) to_nowhere: &'static str,
}

/// Line-drawing characters.
pub const UNICODE: Pens = Pens {
    line: '─',
    faint: '┄',
    lane: '│',
    right: ['▶', '▷'],
    left: ['◀', '◁'],
    into: ['┐', '┌'],
    out: ['└', '┘'],
    branch: ['├', '┤'],
    joining: '┴',
    dots: "…",
    from_nowhere: "┄┄▶",
    to_nowhere: "┄┄▷",
};

/// Characters that every terminal has.
pub const ASCII: Pens = Pens {
    line: '-',
    faint: '.',
    lane: '|',
    right: ['>', ')'],
    left: ['<', '('],
    into: ['+', '+'],
    out: ['+', '+'],
    branch: ['+', '+'],
    joining: '+',
    dots: "...",
    from_nowhere: "...>",
    to_nowhere: "...)",
};

/// What leaves one call.
#[derive(Debug)]
struct Lane {
    side: Side,
    /// How many arrows left together.
    arrows: usize,
    /// Where they arrive, the last first.
    arrivals: Vec<usize>,
}

/// The gutter, from step to step.
#[derive(Debug)]
pub(super) struct Gutter<'a> {
    connections: &'a [EndPair],
    pens: &'a Pens,
    /// The lane of each column, if an arrow is in it.
    lanes: [Option<Lane>; WIDTH],
    /// The arrows without a lane, by their origin.
    tagged: HashMap<usize, char>,
    next_tag: u8,
    by_place: HashMap<usize, Vec<&'a Arrow>>,
}

impl<'a> Gutter<'a> {
    pub(super) fn new(ladder: &'a Ladder, pens: &'a Pens) -> Self {
        let mut by_place: HashMap<usize, Vec<&Arrow>> = HashMap::new();
        for arrow in ladder.drawn_arrows() {
            for place in [arrow.from, arrow.to].into_iter().flatten() {
                by_place.entry(place).or_default().push(arrow);
            }
        }
        let lanes = std::array::from_fn(|_| None);
        Self {
            connections: &ladder.connections,
            pens,
            lanes,
            tagged: HashMap::new(),
            next_tag: 0,
            by_place,
        }
    }

    /// The gutter beside a step.
    pub(super) fn row(&mut self, step: usize) -> String {
        let arrows = self.by_place.remove(&step).unwrap_or_default();
        let mut cells = self.passing();
        let (leaving, arriving): (Vec<&Arrow>, Vec<&Arrow>) =
            arrows.iter().partition(|arrow| arrow.from == Some(step));
        if let Some(first) = arriving.first() {
            self.arrive(&mut cells, step, first.side, &arriving);
        }
        if let Some(first) = leaving.first() {
            self.leave(&mut cells, step, first.side, &leaving);
        }
        cells.iter().collect()
    }

    /// The gutter beside a further line of a step.
    pub(super) fn passing(&self) -> [char; WIDTH] {
        std::array::from_fn(|at| if self.lanes[at].is_some() { self.pens.lane } else { ' ' })
    }

    /// The gutter beside a packet: an arrow all the way across, faint if no call of these traces caused it.
    pub(super) fn across(&self, one: &LadderPacket) -> String {
        let mut cells = self.passing();
        let pen = if one.is_caused() { self.pens.line } else { self.pens.faint };
        self.draw(&mut cells, 0, WIDTH, pen);
        self.head(&mut cells, one.side, 0);
        let label = match one.connection {
            Some(number) if self.connections.len() > 1 => {
                format!("#{} {}", number + 1, one.label())
            }
            _ => one.label(),
        };
        write(&mut cells, 1..WIDTH - 1, &label, self.pens.lane);
        cells.iter().collect()
    }

    fn leave(&mut self, cells: &mut [char; WIDTH], step: usize, side: Side, arrows: &[&Arrow]) {
        let mut arrivals: Vec<_> = arrows.iter().filter_map(|arrow| arrow.to).collect();
        arrivals.sort_unstable_by(|one, other| other.cmp(one));
        arrivals.dedup();
        let label = self.label_of_leaving(arrows);
        if arrivals.is_empty() {
            return self.open(cells, side, &label, 1);
        }
        let Some(at) = self.free_lane(side) else {
            let tag = char::from(b'a' + self.next_tag % 26);
            self.next_tag = self.next_tag.wrapping_add(1);
            self.tagged.insert(step, tag);
            return self.open(cells, side, &format!("{label} ({tag})"), 1);
        };
        self.lanes[at] = Some(Lane { side, arrows: arrows.len(), arrivals });
        match side {
            Side::Left => self.draw(cells, 0, at, self.pens.line),
            Side::Right => self.draw(cells, at + 1, WIDTH, self.pens.line),
        }
        cells[at] = self.pens.into[usize::from(side == Side::Right)];
        let middle = if side == Side::Left { 0..at } else { at + 1..WIDTH };
        write(cells, middle, &label, self.pens.lane);
    }

    fn arrive(&mut self, cells: &mut [char; WIDTH], step: usize, side: Side, arrows: &[&Arrow]) {
        let from_lane = |lane: &Lane| lane.arrivals.last() == Some(&step);
        let mut lanes: Vec<_> = (0..WIDTH)
            .filter(|at| {
                self.lanes[*at].as_ref().is_some_and(|lane| lane.side == side && from_lane(lane))
            })
            .collect();
        if side == Side::Right {
            lanes.reverse();
        }
        let Some(first) = lanes.first().copied() else {
            let tag = arrows.iter().find_map(|arrow| self.tagged.get(&arrow.from?));
            let label = self.label_of_arriving(arrows);
            let label = tag.map_or(label.clone(), |tag| format!("({tag}) {label}"));
            return self.open(cells, side, &label, 0);
        };
        match side {
            Side::Left => self.draw(cells, first, WIDTH, self.pens.line),
            Side::Right => self.draw(cells, 0, first, self.pens.line),
        }
        self.head(cells, side, 0);
        let mirrored = usize::from(side == Side::Right);
        let mut left_together = 0;
        for at in &lanes {
            let Some(mut lane) = self.lanes[*at].take() else { continue };
            lane.arrivals.pop();
            left_together += lane.arrows;
            cells[*at] = match (lane.arrivals.is_empty(), *at == first) {
                (false, _) => self.pens.branch[mirrored],
                (true, true) => self.pens.out[mirrored],
                (true, false) => self.pens.joining,
            };
            self.lanes[*at] = Some(lane).filter(|lane| !lane.arrivals.is_empty());
        }
        let last = lanes.last().copied().unwrap_or(first);
        let middle = if side == Side::Left { last + 1..WIDTH - 1 } else { 1..last };
        // Where everything arrives that left, one label is enough.
        if left_together != arrows.len() {
            write(cells, middle, &self.label_of_arriving(arrows), self.pens.lane);
        }
    }

    /// A line across, without a lane.
    fn open(&self, cells: &mut [char; WIDTH], side: Side, label: &str, head: usize) {
        self.draw(cells, 0, WIDTH, self.pens.faint);
        self.head(cells, side, head);
        write(cells, 1..WIDTH - 1, label, self.pens.lane);
    }

    fn head(&self, cells: &mut [char; WIDTH], side: Side, head: usize) {
        match side {
            Side::Left => cells[WIDTH - 1] = self.pens.right[head],
            Side::Right => cells[0] = self.pens.left[head],
        }
    }

    /// Draws a line that passes below the lanes that it crosses.
    fn draw(&self, cells: &mut [char; WIDTH], from: usize, to: usize, pen: char) {
        for cell in &mut cells[from..to] {
            if *cell == ' ' {
                *cell = pen;
            }
        }
    }

    /// Arrows from the left go down on the right, so that there is room for their label; and the other way round.
    fn free_lane(&self, side: Side) -> Option<usize> {
        const FROM_THE_LEFT: [usize; 8] = [10, 12, 8, 11, 9, 7, 6, 5];
        let mut columns = FROM_THE_LEFT.into_iter().map(|column| match side {
            Side::Left => column,
            Side::Right => WIDTH - 1 - column,
        });
        columns.find(|column| self.lanes[*column].is_none())
    }

    /// The label for everything that left a call.
    fn label_of_leaving(&self, arrows: &[&Arrow]) -> String {
        let bytes = |arrow: &&&Arrow| match arrow.what {
            Crossing::Bytes(bytes) => Some(bytes),
            _ => None,
        };
        let all: u64 = arrows.iter().filter_map(|arrow| bytes(&arrow)).sum();
        let arrived: u64 = arrows
            .iter()
            .filter(|arrow| arrow.to.is_some())
            .filter_map(|arrow| bytes(&arrow))
            .sum();
        let label = match arrows.first() {
            Some(_) if all > 0 && (arrived == all || arrived == 0) => format!("{all} B"),
            Some(_) if all > 0 => format!("{arrived}/{all} B"),
            // A close can end the stream, and its socket can later send a reset.
            Some(first) if arrows.iter().all(|arrow| arrow.what == first.what) => self.word(first),
            Some(_) => self.word(
                arrows.iter().find(|arrow| arrow.what == Crossing::End).unwrap_or(&arrows[0]),
            ),
            None => String::new(),
        };
        self.with_number(arrows, label)
    }

    fn label_of_arriving(&self, arrows: &[&Arrow]) -> String {
        let bytes = arrows.iter().filter_map(|arrow| match arrow.what {
            Crossing::Bytes(bytes) => Some(bytes),
            _ => None,
        });
        let label = match (bytes.sum::<u64>(), arrows.first()) {
            (0, Some(first)) => self.word(first),
            (bytes, _) => format!("{bytes} B"),
        };
        self.with_number(arrows, label)
    }

    fn word(&self, arrow: &Arrow) -> String {
        let is_local = self.connections[arrow.connection].is_local;
        arrow.what.word(is_local).to_string()
    }

    /// The label with the number of the connection, if there are several.
    fn with_number(&self, arrows: &[&Arrow], label: String) -> String {
        match arrows.first() {
            Some(arrow) if self.connections.len() > 1 => {
                format!("#{} {label}", arrow.connection + 1)
            }
            _ => label,
        }
    }
}

/// Writes a label into the middle of a line, or beside the middle if a lane passes there. A label that is too long is
/// cut.
fn write(cells: &mut [char; WIDTH], into: Range<usize>, label: &str, lane: char) {
    let label: Vec<char> = label.chars().take(into.len()).collect();
    let middle = into.start + (into.len() - label.len()) / 2;
    let mut begins: Vec<_> = (into.start..=into.end - label.len()).collect();
    begins.sort_by_key(|begin| begin.abs_diff(middle));
    let is_free = |begin: &&usize| !cells[**begin..**begin + label.len()].contains(&lane);
    let begin = begins.iter().find(is_free).copied().unwrap_or(middle);
    cells[begin..begin + label.len()].copy_from_slice(&label);
}
