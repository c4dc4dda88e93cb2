//! The ladder: what both ends of a connection did, side by side, and what travelled between them.
//!
//! It is drawn from JSON traces. `connection_ends` finds the speakers, and which descriptor is which connection's end; `arrows`
//! matches the two ends by their addresses, and sent bytes with received bytes by their position in the stream, never
//! by time; `order` puts all calls into one order. `wire` puts packets between the calls, if they were captured. [`text`] and
//! [`html`] draw it; [`of_lab`] is the ladder of a lab.

mod arrows;
mod connection_ends;
mod details;
mod folds;
mod gutter;
pub mod html;
pub mod of_lab;
mod order;
mod page_data;
mod rows;
mod short;
mod speaker;
pub mod text;
mod under_way;
mod wire;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::logs::reader::{LogEvent, LogPlace, LogReader};
use crate::packets::Packet;
use crate::packets::json::is_packet;
use crate::trace::page::Effect;
use crate::trace::{Event, Outcome};
use arrows::{Arrow, EndPair};
use connection_ends::LadderFacts;
use speaker::Speaker;
use wire::LadderWire;

/// A column: the connecting side is on the left, the accepting side on the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Side {
    /// The name of the side: server, client, or that of the file.
    const fn name(self) -> &'static str {
        match self {
            Self::Left => "client",
            Self::Right => "server",
        }
    }
}

/// The calls of one file or recording, in order.
#[derive(Debug, Default)]
pub struct LadderTrace {
    /// Its name in the text that goes with the ladder, such as "client A"; without one, its process.
    pub name: Option<&'static str>,
    /// The calls.
    pub calls: Vec<Event<'static>>,
}

/// Calls in one order, in two columns, with what travelled between them.
#[derive(Debug)]
pub struct Ladder {
    /// From top to bottom.
    steps: Vec<LadderStep>,
    sources: Vec<Speaker>,
    connections: Vec<EndPair>,
    /// From step to step.
    arrows: Vec<Arrow>,
    /// What went over the wire, if it was captured.
    wire: LadderWire,
    /// How many different clocks the times come from.
    clocks: usize,
    /// The first time on each clock.
    begins: Vec<u64>,
    /// Calls that occurred before.
    repeated: usize,
    /// Whether a column has the calls of several threads, so that each call has to name its own.
    is_crowded: bool,
}

/// One call in its place.
#[derive(Debug)]
struct LadderStep {
    call: Event<'static>,
    source: usize,
    side: Side,
    /// The number of its connection, from 0.
    connection: Option<usize>,
    /// The changes of descriptors: what each is now, or closed.
    descriptors: Vec<(i32, Option<String>)>,
}

impl LadderStep {
    /// Whether the call is on the connection's own descriptor: `accept` makes one, but is a call on the listener.
    fn is_on_connection(&self) -> bool {
        let is_accept = self.call.callee.effect() == Effect::Accepts;
        self.connection.is_some() && !is_accept
    }
}

/// Why a file is not a trace: one line for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTrace(String);

impl fmt::Display for BadTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadTrace {}

/// The content of a file.
#[derive(Debug, Default)]
pub struct Trace {
    /// The calls, in order.
    pub calls: Vec<Event<'static>>,
    /// The packets, if the trace was made with `--packets`.
    pub packets: Vec<Packet>,
    /// What was left out, one sentence each.
    pub remarks: Vec<String>,
}

/// The prefix of the program's own messages. On standard error they stand among the calls.
const OF_THE_PROGRAM: &[u8] = b"baresock: ";

/// Reads a trace or a log; `number` is its number among the files drawn together. A JSON trace is read by
/// [`read_json`]; anything else by [`logs`](crate::logs), which also reads our text traces.
///
/// # Errors
/// As [`read_json`]; or the file contains no call.
pub fn read(trace: &[u8], number: usize) -> Result<Trace, BadTrace> {
    let first = trace
        .split(|byte| *byte == b'\n')
        .map(|line| without_mark(line).trim_ascii_start())
        .find(|line| !line.is_empty() && !line.starts_with(OF_THE_PROGRAM));
    if first.is_none_or(|line| line.starts_with(b"{")) {
        read_json(trace)
    } else {
        read_log(trace, number)
    }
}

/// The line without the byte order mark that some editors put at the beginning of a text.
fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line)
}

/// Reads a log. If it has no times, its calls get a clock of their own: the line numbers.
fn read_log(trace: &[u8], number: usize) -> Result<Trace, BadTrace> {
    let mut read = Trace::default();
    let lines: Arc<str> = format!("lines of log {}", number + 1).into();
    let day: Arc<str> = "time of day".into();
    let mut reader = LogReader::new([(trace, 0)]);
    let mut take = |told: &LogEvent<'_>, place: &LogPlace<'_>| {
        let LogEvent::Call(event) = told else { return };
        if event.function().is_none() || event.outcome == Outcome::Unknown {
            return;
        }
        let mut call = (*event).clone().into_owned();
        if call.pid == 0 {
            // Another log may have the same process id.
            (call.pid, call.tid) = (number as u32, number as u64);
        }
        if call.begin_ns == 0 {
            (call.begin_ns, call.end_ns) = (place.begun, place.line);
            call.clock = Some(lines.clone());
        } else {
            call.clock = Some(day.clone());
        }
        read.calls.push(call);
    };
    reader.read_all(&mut take).map_err(|error| BadTrace(error.to_string()))?;
    let left_out = reader.counts().not_understood;
    if read.calls.is_empty() {
        return Err(BadTrace("no call is in it: neither a JSON trace nor a log of strace".into()));
    }
    if left_out > 0 {
        read.remarks.push(format!("lines that do not belong to a log, skipped: {left_out}"));
    }
    Ok(read)
}

/// Reads a JSON trace. It leaves out messages of the program to its user, and a last line that was cut off because the
/// program was killed or its disk was full.
///
/// # Errors
/// Another line is not a call, or there is no call at all.
pub fn read_json(trace: &[u8]) -> Result<Trace, BadTrace> {
    let mut read = Trace::default();
    let mut said = 0;
    let lines = trace.split_inclusive(|byte| *byte == b'\n').zip(1..);
    let lines = lines.map(|(line, number)| (without_mark(line), number));
    for (line, number) in lines.filter(|(line, _)| !line.trim_ascii().is_empty()) {
        if line.starts_with(OF_THE_PROGRAM) {
            said += 1;
            continue;
        }
        let parsed = std::str::from_utf8(line)
            .map_err(|_| "not JSON: the line is not UTF-8".to_string())
            .and_then(|line| match is_packet(line) {
                true => Packet::from_json(line).map(|packet| read.packets.push(packet)),
                false => Event::from_json(line)
                    .map(|call| read.calls.push(call))
                    .map_err(|why| why.to_string()),
            });
        match parsed {
            Ok(()) => {}
            Err(_) if !line.ends_with(b"\n") && number > 1 => {
                read.remarks.push(format!("line {number}, the last, was cut off: it is left out"));
            }
            Err(why) => return Err(BadTrace(format!("line {number}: {why}"))),
        }
    }
    if said > 0 {
        read.remarks.push(format!("lines that are the program's own messages, left out: {said}"));
    }
    if read.calls.is_empty() {
        return Err(BadTrace("empty: there is no call in it".into()));
    }
    Ok(read)
}

impl Ladder {
    /// Merges traces, each of which has the calls of one file in order.
    pub fn of(traces: Vec<Vec<Event<'static>>>) -> Self {
        let unnamed = traces.into_iter().map(|calls| LadderTrace { name: None, calls });
        Self::of_named(unnamed.collect())
    }

    /// Merges traces, each of which may have a name.
    pub fn of_named(traces: Vec<LadderTrace>) -> Self {
        let (calls, ends) = LadderFacts::find(traces);
        let repeated = ends.repeated;
        let connections = arrows::connections(&ends);
        let arrows = arrows::find(&calls, &ends, &connections);
        let clocks = ends.clocks();
        let order = order::order(&calls, &ends, &arrows, clocks);
        let mut places = vec![0; calls.len()];
        for (place, call) in order.iter().enumerate() {
            places[*call] = place;
        }
        let arrows = arrows.into_iter().flat_map(|arrow| arrow.placed(&places)).collect();
        let mut calls: Vec<_> = calls.into_iter().map(Some).collect();
        let LadderFacts { sources, mut of_calls, ends, .. } = ends;
        let of_end = arrows::of_ends(&connections, ends.len());
        let steps = order.into_iter().filter_map(|at| {
            let of_call = std::mem::take(&mut of_calls[at]);
            Some(LadderStep {
                call: calls[at].take()?,
                source: of_call.source,
                side: of_call.side(&sources),
                connection: of_call.end.and_then(|end| of_end[end]),
                descriptors: of_call.descriptors,
            })
        });
        let steps: Vec<_> = steps.collect();
        let begins = begins(&steps, &sources, clocks);
        let is_crowded = false;
        let wire = LadderWire::default();
        let mut ladder = Self {
            steps,
            sources,
            connections,
            arrows,
            wire,
            clocks,
            begins,
            repeated,
            is_crowded,
        };
        let is_crowded = |side| ladder.speakers(side).len() > 1;
        ladder.is_crowded = is_crowded(Side::Left) || is_crowded(Side::Right);
        ladder
    }

    /// How many duplicate calls are drawn once, because a file was given twice.
    pub const fn repeated(&self) -> usize {
        self.repeated
    }

    /// What the reader should know about the order.
    fn about_the_order(&self) -> &'static str {
        match self.clocks {
            0 | 1 => "one clock: the order is that of time",
            2 => "two clocks: order across the columns is a guess, but for the arrows",
            _ => "several clocks: order across the columns is a guess, but for the arrows",
        }
    }

    /// The speaker on a side.
    fn who(&self, side: Side) -> String {
        const MOST: usize = 3;
        let speakers = self.speakers(side);
        let tagged = |one: &usize| match self.sources[*one].name {
            Some(name) => name.to_string(),
            None => format!("{}{}", self.tag(*one), self.sources[*one]),
        };
        let names: Vec<_> = speakers.iter().take(MOST).map(tagged).collect();
        let more = if speakers.len() > MOST { ", ..." } else { "" };
        match names.is_empty() {
            true => format!("{} (no trace)", side.name()),
            // A name says which side it is.
            false if speakers.iter().all(|one| self.sources[*one].name.is_some()) => {
                format!("{}{more}", names.join(", "))
            }
            false => format!("{}: {}{more}", side.name(), names.join(", ")),
        }
    }

    fn speakers(&self, side: Side) -> BTreeSet<usize> {
        let calls = self.steps.iter().filter(|step| step.side == side);
        calls.map(|step| step.source).collect()
    }

    /// What stands before the calls of a source, where a column has those of several: `B `.
    fn tag(&self, source: usize) -> String {
        if let Some(name) = self.sources[source].name {
            // Of "client B", what distinguishes it from another client.
            return name.rsplit_once(' ').map(|(_, of)| format!("{of} ")).unwrap_or_default();
        }
        match u8::try_from(source) {
            _ if !self.is_crowded => String::new(),
            Ok(number @ 0..26) => format!("{} ", char::from(b'A' + number)),
            _ => format!("{source} "),
        }
    }
}

/// The first time on each clock.
fn begins(steps: &[LadderStep], sources: &[Speaker], clocks: usize) -> Vec<u64> {
    let mut begins = vec![u64::MAX; clocks];
    for step in steps {
        let begin = &mut begins[sources[step.source].clock];
        *begin = step.call.moment_ns().min(*begin);
    }
    begins
}
