//! The ladder for a terminal: a line for each call.

pub use super::gutter::{ASCII, Pens, UNICODE};
use super::gutter::{Gutter, WIDTH};
use super::short::shortened;
use super::{Ladder, LadderStep, Side};
use crate::values::SocketState;

/// A call does not fit into fewer characters.
const NARROWEST_COLUMN: usize = 12;

/// The ladder as text of this width. (Fewer than 40 columns are not enough for two sides and the gutter.)
pub fn draw(ladder: &Ladder, pens: &Pens, columns: usize) -> String {
    // The gutter has a margin on each side.
    let room = (columns.saturating_sub(WIDTH + 2) / 2).max(NARROWEST_COLUMN);
    let dots = pens.dots;
    let mut out = String::new();
    line(
        &mut out,
        room,
        &fit(&ladder.who(Side::Left), room, dots),
        &" ".repeat(WIDTH),
        &fit(&ladder.who(Side::Right), room, dots),
    );
    out.push_str(&format!("({})\n\n", ladder.about_the_order()));
    let mut gutter = Gutter::new(ladder, pens);
    let packets = |out: &mut String, gutter: &Gutter<'_>, place| {
        for one in ladder.packets_at(place) {
            let gist = fit(&format!("  {}", one.gist()), room, dots);
            beside(out, room, one.side, &gist, &gutter.across(one));
        }
    };
    packets(&mut out, &gutter, 0);
    for (number, step) in ladder.steps.iter().enumerate() {
        let tag = ladder.tag(step.source);
        let call = shortened(&step.call, room.saturating_sub(tag.len()), dots);
        let row = gutter.row(number);
        beside(&mut out, room, step.side, &format!("{tag}{call}"), &row);
        if let Some(state) = state(step) {
            let passing: String = gutter.passing().iter().collect();
            beside(&mut out, room, step.side, &fit(&format!("    {state}"), room, dots), &passing);
        }
        packets(&mut out, &gutter, number + 1);
    }
    legend(&mut out, ladder, pens);
    out
}

/// Writes a line with text in one column.
fn beside(out: &mut String, room: usize, side: Side, text: &str, gutter: &str) {
    match side {
        Side::Left => line(out, room, text, gutter, ""),
        Side::Right => line(out, room, "", gutter, text),
    }
}

fn line(out: &mut String, room: usize, left: &str, gutter: &str, right: &str) {
    let begin = out.len();
    out.push_str(left);
    out.extend(std::iter::repeat_n(' ', room.saturating_sub(left.chars().count())));
    out.push_str(&format!(" {gutter} {right}"));
    out.truncate(begin + out[begin..].trim_end().len());
    out.push('\n');
}

fn fit(text: &str, room: usize, dots: &str) -> String {
    if text.chars().count() <= room {
        return text.to_string();
    }
    let room = room.saturating_sub(dots.chars().count());
    text.chars().take(room).chain(dots.chars()).collect()
}

/// The state of a connection after a call, or before its close, if it is not the ordinary one.
fn state(step: &LadderStep) -> Option<String> {
    let states = &step.call.states;
    let (state, was) = match (&states.before, &states.after) {
        (_, Some(after)) => (after, ""),
        (Some(before), None) => (before, "was "),
        (None, None) => return None,
    };
    let idle = |bytes: Option<u64>| bytes.unwrap_or(0) == 0;
    let is_telling = step.is_on_connection()
        && (state.state.to_string() != "ESTABLISHED"
            || !idle(state.unread)
            || !idle(state.unacknowledged));
    is_telling.then(|| format!("{was}{}", in_words(state, Zeros::LeftOut)))
}

/// Whether counts that are 0 are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Zeros {
    Told,
    LeftOut,
}

/// `ESTABLISHED, 5 unread, 0 unacknowledged`
pub(super) fn in_words(state: &SocketState, zeros: Zeros) -> String {
    let mut words = state.state.to_string();
    for (count, what) in [(state.unread, "unread"), (state.unacknowledged, "unacknowledged")] {
        if let Some(count) = count.filter(|count| zeros == Zeros::Told || *count > 0) {
            words.push_str(&format!(", {count} {what}"));
        }
    }
    words
}

/// Explains the lines that not every reader can guess.
fn legend(out: &mut String, ladder: &Ladder, pens: &Pens) {
    let open = |arrived: bool| {
        ladder.drawn_arrows().any(|arrow| match arrived {
            true => arrow.from.is_none(),
            false => arrow.to.is_none(),
        })
    };
    let Pens { from_nowhere: came, to_nowhere: went, .. } = pens;
    let is_uncaused = ladder.packets().any(|one| !one.is_caused());
    if open(true) || open(false) || is_uncaused {
        out.push('\n');
    }
    if is_uncaused {
        out.push_str(&format!(
            "{came}  a packet that no call in these traces caused at that moment\n"
        ));
    }
    if open(true) {
        out.push_str(&format!("{came}  came from a peer without a trace here\n"));
    }
    if open(false) {
        out.push_str(&format!("{went}  went, and no call in these traces received it\n"));
    }
    if ladder.connections.len() > 1 {
        out.push('\n');
        for (number, connection) in (1..).zip(&ladder.connections) {
            out.push_str(&format!("#{number}  {}\n", connection.name));
        }
    }
}
