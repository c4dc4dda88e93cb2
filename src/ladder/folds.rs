//! Rounds that are alike: of many, a page shows the first two and folds the others.

use std::ops::Range;

use super::Ladder;
use super::short::whole;

/// The most calls in a round.
const LONGEST_ROUND: usize = 12;
/// Fewer rounds than this are all shown.
const FEWEST_ROUNDS: usize = 5;
/// How many rounds are shown before the others are folded.
const SHOWN_ROUNDS: usize = 2;
/// Fewer calls than this are not worth a fold.
const FEWEST_FOLDED: usize = 6;

/// Calls that repeat the calls before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fold {
    /// The folded steps.
    pub(super) steps: Range<usize>,
    /// How many rounds they are.
    pub(super) rounds: usize,
}

/// The folds among these steps, in order.
pub(super) fn folds(ladder: &Ladder, among: Range<usize>) -> Vec<Fold> {
    let shapes: Vec<String> = among.clone().map(|step| shape(ladder, step)).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < shapes.len() {
        let best = (1..=LONGEST_ROUND)
            .map(|length| (length, rounds(&shapes[at..], length)))
            .filter(|(length, rounds)| {
                *rounds >= FEWEST_ROUNDS && (rounds - SHOWN_ROUNDS) * length >= FEWEST_FOLDED
            })
            // Of equally many calls, the shortest round.
            .max_by_key(|(length, rounds)| (length * rounds, std::cmp::Reverse(*length)));
        let Some((length, rounds)) = best else {
            at += 1;
            continue;
        };
        let first = among.start + at + SHOWN_ROUNDS * length;
        at += rounds * length;
        found.push(Fold { steps: first..among.start + at, rounds: rounds - SHOWN_ROUNDS });
    }
    found
}

/// How many rounds of this length the steps begin with.
fn rounds(shapes: &[String], length: usize) -> usize {
    let alike = shapes.iter().zip(shapes.iter().skip(length)).take_while(|(one, two)| one == two);
    match alike.count() {
        0 => 0,
        alike => alike / length + 1,
    }
}

/// What a call has in common with those that are like it: all but the numbers.
fn shape(ladder: &Ladder, step: usize) -> String {
    let step = &ladder.steps[step];
    let mut shape = format!("{:?} {} ", step.side, step.source);
    let mut is_number = false;
    for c in whole(&step.call).chars() {
        if !c.is_ascii_digit() {
            shape.push(c);
        } else if !is_number {
            shape.push('#');
        }
        is_number = c.is_ascii_digit();
    }
    shape
}
