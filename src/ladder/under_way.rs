//! How many bytes are on their way on each connection: sent, and not yet received. Where the trace does not have all calls
//! of the receiving end, only what was sent can be told.

use super::arrows::Crossing;
use super::{Ladder, LadderStep, Side};
use crate::trace::page::Effect;

/// The bytes that each connection has moved so far.
#[derive(Debug)]
pub(super) struct BytesUnderWay {
    connections: Vec<ConnectionBytes>,
    /// For each step, what leaves or arrives by it.
    moves: Vec<Vec<BytesMove>>,
}

/// To the server, and to the client.
type ConnectionBytes = [HalfBytes; 2];

/// One direction of a connection.
#[derive(Clone, Copy, Debug, Default)]
struct HalfBytes {
    sent: u64,
    received: u64,
    /// Whether the trace has the calls that receive them.
    is_received_in_view: bool,
}

#[derive(Clone, Copy, Debug)]
struct BytesMove {
    to_client: usize,
    bytes: u64,
    has_arrived: bool,
}

impl BytesUnderWay {
    pub(super) fn new(ladder: &Ladder) -> Self {
        let mut connections = vec![ConnectionBytes::default(); ladder.connections.len()];
        for step in &ladder.steps {
            if let (Some(connection), Effect::Receives) =
                (step.connection, step.call.callee.effect())
            {
                let to_client = usize::from(step.side == Side::Left);
                connections[connection][to_client].is_received_in_view = true;
            }
        }
        let mut moves = vec![Vec::new(); ladder.steps.len()];
        for arrow in &ladder.arrows {
            let Crossing::Bytes(bytes) = arrow.what else { continue };
            let to_client = usize::from(arrow.side == Side::Right);
            if arrow.from.is_none() {
                // The sender makes calls that are not in the trace, so it may also receive by such calls.
                connections[arrow.connection][1 - to_client].is_received_in_view = false;
            }
            for (step, has_arrived) in [(arrow.from, false), (arrow.to, true)] {
                if let Some(step) = step {
                    moves[step].push(BytesMove { to_client, bytes, has_arrived });
                }
            }
        }
        Self { connections, moves }
    }

    /// What can be said of this step's connection after it, one sentence a line.
    pub(super) fn after(&mut self, number: usize, step: &LadderStep) -> Option<Vec<String>> {
        let halves = self.connections.get_mut(step.connection?)?;
        for BytesMove { to_client, bytes, has_arrived } in &self.moves[number] {
            let half = &mut halves[*to_client];
            let count = if *has_arrived { &mut half.received } else { &mut half.sent };
            *count = count.saturating_add(*bytes);
        }
        let mut said = Vec::new();
        let names = ["to the server", "to the client"];
        let in_view = halves.iter().zip(names).filter(|(half, _)| half.is_received_in_view);
        let waiting: Vec<_> = in_view
            .map(|(half, to)| format!("{} {to}", half.sent.saturating_sub(half.received)))
            .collect();
        if !waiting.is_empty() {
            said.push(format!("sent and not yet received: {}", waiting.join(", ")));
        }
        for (half, to) in halves.iter().zip(names) {
            if !half.is_received_in_view && half.sent > 0 {
                let sent = half.sent;
                said.push(format!("sent {to}: {sent}; the trace does not have what it received"));
            }
        }
        (!said.is_empty()).then_some(said)
    }
}
