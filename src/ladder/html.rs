//! The ladder as one page that a person steps through. It loads nothing, and can be read without scripts: then it is
//! the picture alone.
//!
//! The page contains bytes from hostile peers. They get into the page in two ways only: as text of an element, through
//! `escaped`, and as JSON in a script element of a non-executable type, through `json_in_html`; the page's own script
//! turns the JSON into text and never into markup.

use std::fmt::Write;

use serde::Serialize;

use super::arrows::{Arrow, Crossing};
use super::details::DetailsTeller;
use super::short::shortened;
use super::text::{Zeros, in_words};
use super::{Ladder, LadderStep, Side};
use crate::trace::arg::Note;
use crate::trace::json::printable;

/// The page, with marks where content is inserted.
const TEMPLATE: &str = include_str!("page.html");

/// The height of a row and the width of the gutter, in pixels; the style sheet has the same numbers.
const ROW: usize = 26;
const GUTTER: usize = 180;
/// Enough room between the head of an arrow and the call.
const MARGIN: usize = 8;

/// How many characters of a call are shown in its row.
const ROOM: usize = 60;

/// The page.
pub fn page(ladder: &Ladder) -> String {
    let [client, server] = [Side::Left, Side::Right].map(|side| ladder.who(side));
    let steps = serde_json::to_string(&steps(ladder)).unwrap_or_default();
    let connections: Vec<_> =
        ladder.connections.iter().map(|connection| &connection.name).collect();
    let connections = serde_json::to_string(&connections).unwrap_or_default();
    let data = format!("{{\"connections\":{connections},\"steps\":{steps}}}");
    let parts = [
        ("clocks", escaped(ladder.about_the_order())),
        ("client", escaped(&client)),
        ("server", escaped(&server)),
        ("rows", rows(ladder)),
        ("arrows", arrows(ladder)),
        ("data", json_in_html(&data)),
    ];
    // In the order of the marks, each once: inserted content is not searched for marks.
    let mut page = String::new();
    let mut rest = TEMPLATE;
    for (mark, text) in parts {
        let Some((before, behind)) = rest.split_once(&format!("<!--{mark}-->")) else { continue };
        page.push_str(before);
        page.push_str(&text);
        rest = behind;
    }
    page + rest
}

/// Text of an element or of an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// JSON that can neither end its element nor begin another one, and without the two line separators that JavaScript
/// does not allow in strings. All of these can only occur in strings.
fn json_in_html(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

fn rows(ladder: &Ladder) -> String {
    let mut out = String::new();
    for step in &ladder.steps {
        let side = if step.side == Side::Left { "left" } else { "right" };
        let failed = if step.call.errno().is_some() || matches!(step.call.note, Note::Code(..)) {
            " failed"
        } else {
            ""
        };
        let tag = ladder.tag(step.source);
        let call = escaped(&format!("{tag}{}", shortened(&step.call, ROOM, "...")));
        let _ = writeln!(out, "<li class=\"{side}{failed}\">{call}</li>");
    }
    out
}

fn arrows(ladder: &Ladder) -> String {
    let height = ladder.steps.len() * ROW;
    let kinds = [Crossing::Connection, Crossing::Bytes(0), Crossing::End, Crossing::Reset];
    let heads: String = kinds.into_iter().map(|what| head(class(what))).collect();
    let mut out = format!(
        "<svg width=\"{GUTTER}\" height=\"{height}\" aria-hidden=\"true\">\n<defs>{heads}</defs>\n"
    );
    for arrow in &ladder.arrows {
        let _ = writeln!(out, "{}", drawn(ladder, arrow));
    }
    out + "</svg>"
}

/// The head of an arrow. It cannot take over the colour of its line, so there is one for each class.
fn head(class: &str) -> String {
    format!(
        "<marker id=\"{class}\" class=\"{class}\" viewBox=\"0 0 9 8\" refX=\"9\" refY=\"4\" markerWidth=\"9\" \
         markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0 9 4 0 8z\"/></marker>"
    )
}

const fn class(what: Crossing) -> &'static str {
    match what {
        Crossing::Connection => "connection",
        Crossing::Bytes(_) => "bytes",
        Crossing::End => "end",
        Crossing::Reset => "reset",
    }
}

fn drawn(ladder: &Ladder, arrow: &Arrow) -> String {
    let middle = |step: usize| step * ROW + ROW / 2;
    // If one end of an arrow is missing, it is drawn at the height of the other.
    let from_y = middle(arrow.from.or(arrow.to).unwrap_or(0));
    let to_y = middle(arrow.to.or(arrow.from).unwrap_or(0));
    let (left, right) = (MARGIN, GUTTER - MARGIN);
    let (mut from_x, mut to_x) =
        if arrow.side == Side::Left { (left, right) } else { (right, left) };
    if arrow.from.is_none() {
        from_x = GUTTER / 2;
    } else if arrow.to.is_none() {
        to_x = GUTTER / 2;
    }
    let class = class(arrow.what);
    let open = if arrow.from.and(arrow.to).is_none() { " open" } else { "" };
    let (x, y) = ((from_x + to_x) / 2, (from_y + to_y) / 2 - 4);
    let label = escaped(&label(ladder, arrow));
    let ends = [("from", arrow.from), ("to", arrow.to)];
    let mut data = String::new();
    for (name, step) in ends {
        if let Some(step) = step {
            let _ = write!(data, " data-{name}=\"{step}\"");
        }
    }
    format!(
        "<g class=\"{class}{open}\"{data}><line x1=\"{from_x}\" y1=\"{from_y}\" x2=\"{to_x}\" y2=\"{to_y}\" \
         marker-end=\"url(#{class})\"/><text x=\"{x}\" y=\"{y}\">{label}</text></g>"
    )
}

fn label(ladder: &Ladder, arrow: &Arrow) -> String {
    let connection = &ladder.connections[arrow.connection];
    let word = match arrow.what {
        Crossing::Bytes(1) => "1 byte".into(),
        Crossing::Bytes(bytes) => format!("{bytes} bytes"),
        what => what.word(connection.is_local).to_string(),
    };
    match ladder.connections.len() {
        1 => word,
        _ => format!("#{} {word}", arrow.connection + 1),
    }
}

/// The data of a step for the page's script.
#[derive(Debug, Serialize)]
struct OnPage {
    side: &'static str,
    who: String,
    call: String,
    when: String,
    about: Vec<String>,
    drawing: Vec<String>,
    /// The changes of descriptors: number, and what it is now; null if it was closed.
    fds: Vec<(i32, Option<String>)>,
    /// The source that the descriptors belong to.
    source: usize,
    connection: Option<usize>,
    /// What the kernel reported about this end of the connection.
    kernel: Option<String>,
    /// How many bytes are on their way to the server and to the client: sent, and not yet received by any call.
    under_way: Option<[u64; 2]>,
}

fn steps(ladder: &Ladder) -> Vec<OnPage> {
    let mut teller = DetailsTeller::default();
    let mut moved = BytesUnderWay::new(ladder);
    let mut first: Vec<Option<u64>> = vec![None; ladder.clocks];
    let step = |(number, step): (usize, &LadderStep)| {
        let details = teller.details(step);
        let source = &ladder.sources[step.source];
        let begin = *first[source.clock].get_or_insert(step.call.begin_ns);
        let since_us = i128::from(step.call.begin_ns) / 1_000 - i128::from(begin) / 1_000;
        OnPage {
            side: step.side.name(),
            who: source.to_string(),
            call: details.in_full,
            when: format!(
                "{}{}.{:06} s",
                if since_us < 0 { "-" } else { "+" },
                since_us.abs() / 1_000_000,
                since_us.abs() % 1_000_000
            ),
            about: details.about,
            drawing: details.drawing,
            fds: step.descriptors.clone(),
            source: step.source,
            connection: step.connection,
            kernel: kernel(step),
            under_way: moved.after(number, step),
        }
    };
    ladder.steps.iter().enumerate().map(step).collect()
}

/// What the kernel reported after the call, if the trace was made with `--state`.
fn kernel(step: &LadderStep) -> Option<String> {
    let states = &step.call.states;
    let closed = || states.before.is_some().then(|| "closed".to_string());
    let told = || states.after.as_ref().map(|state| in_words(state, Zeros::Told)).or_else(closed);
    step.is_on_connection().then(told).flatten()
}

/// The bytes that each connection has moved so far, if both of its ends are in the traces.
struct BytesUnderWay {
    /// To the server and to the client: sent, and received.
    connections: Vec<Option<[[u64; 2]; 2]>>,
    leaving: Vec<Vec<(usize, u64, bool)>>,
}

impl BytesUnderWay {
    fn new(ladder: &Ladder) -> Self {
        let has_both = |ends: &[Option<usize>; 2]| ends.iter().all(Option::is_some);
        let connections =
            ladder.connections.iter().map(|one| has_both(&one.ends).then_some([[0; 2]; 2]));
        let connections = connections.collect();
        let mut leaving = vec![Vec::new(); ladder.steps.len()];
        for arrow in &ladder.arrows {
            let Crossing::Bytes(bytes) = arrow.what else { continue };
            let to_client = usize::from(arrow.side == Side::Right);
            for (step, has_arrived) in [(arrow.from, false), (arrow.to, true)] {
                if let Some(step) = step {
                    leaving[step].push((to_client, bytes, has_arrived));
                }
            }
        }
        Self { connections, leaving }
    }

    /// The bytes that are on their way on this step's connection, after it.
    fn after(&mut self, number: usize, step: &LadderStep) -> Option<[u64; 2]> {
        let moved = self.connections.get_mut(step.connection?)?.as_mut()?;
        for (direction, bytes, has_arrived) in &self.leaving[number] {
            let count = &mut moved[*direction][usize::from(*has_arrived)];
            *count = count.saturating_add(*bytes);
        }
        Some(moved.map(|[sent, received]| sent.saturating_sub(received)))
    }
}
