//! The resources of a connection are released.

use super::many::ConnectPace;
use crate::judge::bench::Bench;
use crate::judge::verdict::{CaseFailure, CaseOutcome, CaseStop, Symptom};
use crate::judge::{JudgeCase, Needs, Role};
use crate::os::children::Use;

/// This many connections to warm up, and this many that are measured.
const HALF: usize = 1000;
/// Threads and children may need a moment to end.
const SOME_DESCRIPTORS: usize = 8;
/// A page for every second connection is a leak; the occasional allocation of an allocator is not.
const SOME_BYTES: u64 = 3 << 20;

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "descriptors-flat",
    question: "Are descriptors and memory the same after 2,000 connections?",
    points: 3,
    timeout_s: 8,
    lab: "drop-closes",
    needs: Needs::Fresh,
    run,
    ..JudgeCase::ORDINARY
};

fn run(bench: &mut Bench<'_>) -> CaseOutcome {
    let first = bench.used()?;
    half(bench)?;
    let middle = settled(bench, first.descriptors + SOME_DESCRIPTORS)?;
    half(bench)?;
    let last = settled(bench, first.descriptors + SOME_DESCRIPTORS)?;
    bench.says(format!(
        "descriptors: {}, {}, {}",
        first.descriptors, middle.descriptors, last.descriptors
    ));
    bench.says(format!(
        "memory: {} KiB, {} KiB, {} KiB",
        first.resident_bytes >> 10,
        middle.resident_bytes >> 10,
        last.resident_bytes >> 10
    ));
    let sent = format!("{} connections, one after the other, each asked and closed", 2 * HALF);
    if last.descriptors > first.descriptors + SOME_DESCRIPTORS
        && last.descriptors > middle.descriptors
    {
        let expected = format!("{} descriptors, as in the beginning", first.descriptors);
        let came = format!("{} descriptors", last.descriptors);
        return Err(CaseFailure::new(Symptom::Leaks, sent, expected, came).into());
    }
    let grown = last.resident_bytes.saturating_sub(middle.resident_bytes);
    if grown > SOME_BYTES {
        let expected = "the second thousand needs no more memory than the first";
        let came = format!("it grew by {} KiB with the second thousand", grown >> 10);
        return Err(CaseFailure::new(Symptom::Grows, sent, expected, came).into());
    }
    Ok(())
}

fn half(bench: &mut Bench<'_>) -> CaseOutcome {
    let mut pace = ConnectPace::default();
    for number in 0..HALF {
        let mut peer = pace.connect(bench, &format!("client {number}"))?;
        let result = match bench.role {
            // A second client for each would be another case.
            Role::Chat => peer.send(b"hello\n"),
            _ => bench.ask(&mut peer),
        };
        match result {
            // A process that runs out of descriptors because it leaks them stops answering: then its descriptors are
            // counted.
            Err(CaseStop::Failed(_)) if leaks(bench) => return Ok(()),
            result => result?,
        }
    }
    Ok(())
}

fn leaks(bench: &mut Bench<'_>) -> bool {
    bench.used().is_ok_and(|used| used.descriptors > HALF / 4)
}

/// The resources in use once a connection's resources are released, or after one time limit.
fn settled(bench: &mut Bench<'_>, descriptors: usize) -> Result<Use, CaseStop> {
    let mut used = bench.used()?;
    for _ in 0..40 {
        if used.descriptors <= descriptors {
            break;
        }
        bench.pause(50);
        used = bench.used()?;
    }
    Ok(used)
}
