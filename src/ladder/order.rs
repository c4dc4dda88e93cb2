//! One order for the calls of several traces.

use std::collections::{BTreeSet, VecDeque};

use super::arrows::Arrow;
use super::connection_ends::LadderFacts;
use crate::trace::Event;

/// The calls from top to bottom.
///
/// With one clock, the order is that of time. With several clocks it is a guess: the clocks are shifted so that bytes
/// are sent before they are received, as far as possible; where the clocks differ in speed, a call waits for the calls
/// that led to it.
pub(super) fn order(
    calls: &[Event<'_>],
    ends: &LadderFacts,
    arrows: &[Arrow],
    clocks: usize,
) -> Vec<usize> {
    if clocks <= 1 {
        let mut order: Vec<_> = (0..calls.len()).collect();
        // The sort is stable: of two calls at the same moment, the first in the files stays first.
        order.sort_by_key(|at| calls[*at].moment_ns());
        return order;
    }
    let shifts = shifts(calls, ends, arrows, clocks);
    let moments: Vec<_> = calls
        .iter()
        .zip(&ends.of_calls)
        .map(|(call, of)| i128::from(call.moment_ns()) + shifts[ends.sources[of.source].clock])
        .collect();
    merged(&moments, ends, arrows)
}

/// What to add to the times of each clock. An arrow from one clock to another limits the shift on one side.
fn shifts(calls: &[Event<'_>], ends: &LadderFacts, arrows: &[Arrow], clocks: usize) -> Vec<i128> {
    let clock = |call: usize| ends.sources[ends.of_calls[call].source].clock;
    let time = |call: usize| i128::from(calls[call].moment_ns());
    let mut between: Vec<Vec<(usize, usize)>> = vec![Vec::new(); clocks];
    for (from, to) in arrows.iter().filter_map(|arrow| arrow.from.zip(arrow.to)) {
        if clock(from) != clock(to) {
            between[clock(from)].push((from, to));
            between[clock(to)].push((from, to));
        }
    }
    let mut first = vec![i128::MAX; clocks];
    for call in 0..calls.len() {
        first[clock(call)] = first[clock(call)].min(time(call));
    }
    let mut shifts: Vec<Option<i128>> = vec![None; clocks];
    for start in 0..clocks {
        if shifts[start].is_some() {
            continue;
        }
        // No arrow leads here from earlier clocks: all begin together.
        shifts[start] = Some(first[0] - first[start]);
        let mut known = VecDeque::from([start]);
        while let Some(from_here) = known.pop_front() {
            for (from, to) in &between[from_here] {
                let next = if clock(*from) == from_here { clock(*to) } else { clock(*from) };
                if shifts[next].is_none() {
                    shifts[next] = Some(shift(&between[next], next, &shifts, clock, time));
                    known.push_back(next);
                }
            }
        }
    }
    shifts.into_iter().map(Option::unwrap_or_default).collect()
}

/// The middle of what the arrows allow, as far as the other clocks are known.
fn shift(
    arrows: &[(usize, usize)],
    clock: usize,
    shifts: &[Option<i128>],
    clock_of: impl Fn(usize) -> usize,
    time: impl Fn(usize) -> i128,
) -> i128 {
    let (mut least, mut most) = (None::<i128>, None::<i128>);
    for (from, to) in arrows {
        if clock_of(*to) == clock {
            // Bytes arrive here after they were sent there.
            let Some(known) = shifts[clock_of(*from)] else { continue };
            let bound = time(*from) + known - time(*to);
            least = Some(least.map_or(bound, |least| least.max(bound)));
        } else {
            let Some(known) = shifts[clock_of(*to)] else { continue };
            let bound = time(*to) + known - time(*from);
            most = Some(most.map_or(bound, |most| most.min(bound)));
        }
    }
    match (least, most) {
        (Some(least), Some(most)) => i128::midpoint(least, most),
        (one, other) => one.or(other).unwrap_or(0),
    }
}

/// The sources merged by time, each in its own order, a call never before the calls that led to it. (In an invented
/// trace calls may lead to each other; then the earliest goes first.)
fn merged(moments: &[i128], ends: &LadderFacts, arrows: &[Arrow]) -> Vec<usize> {
    let mut left: Vec<VecDeque<usize>> = vec![VecDeque::new(); ends.sources.len()];
    for (call, of) in ends.of_calls.iter().enumerate() {
        left[of.source].push_back(call);
    }
    let mut waits_for = vec![0usize; moments.len()];
    let mut leads_to: Vec<Vec<usize>> = vec![Vec::new(); moments.len()];
    for (from, to) in arrows.iter().filter_map(|arrow| arrow.from.zip(arrow.to)) {
        leads_to[from].push(to);
        waits_for[to] += 1;
    }
    let mut ready = BTreeSet::new();
    let mut blocked = BTreeSet::new();
    let mut order = Vec::with_capacity(moments.len());
    let heads: Vec<_> = left.iter_mut().filter_map(VecDeque::pop_front).collect();
    for head in heads {
        let queue = if waits_for[head] == 0 { &mut ready } else { &mut blocked };
        queue.insert((moments[head], head));
    }
    while let Some((_, call)) = ready.pop_first().or_else(|| blocked.pop_first()) {
        order.push(call);
        for to in &leads_to[call] {
            waits_for[*to] = waits_for[*to].saturating_sub(1);
            if waits_for[*to] == 0 && blocked.remove(&(moments[*to], *to)) {
                ready.insert((moments[*to], *to));
            }
        }
        if let Some(head) = left[ends.of_calls[call].source].pop_front() {
            let queue = if waits_for[head] == 0 { &mut ready } else { &mut blocked };
            queue.insert((moments[head], head));
        }
    }
    order
}
