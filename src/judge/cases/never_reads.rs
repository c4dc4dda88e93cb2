//! A client that never reads must not delay others, and may use only a bounded part of the server's memory.

use crate::judge::dialogue::get;
use crate::judge::site::{LARGE, lines};
use crate::judge::steps::in_bytes;
use crate::judge::verdict::{CaseFailure, CaseStop, Symptom};
use crate::judge::{Cause, JudgeCase, Needs, Role};

/// The most bytes that judge sends.
const MOST_SENT: usize = 64 << 20;
/// The most that a server may keep for one client, apart from the kernel's buffers.
const MOST_KEPT: u64 = 24 << 20;

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "never-reads",
    question: "While a client sends and never reads, are others served, and is memory bounded?",
    of: &[Role::Echo, Role::LineEcho, Role::Relay, Role::Chargen, Role::Http],
    points: 3,
    timeout_s: 8,
    lab: "writable-hysteresis",
    needs: Needs::Fresh,
    causes: &[Cause {
        when: Symptom::Grows,
        because: "what the client does not take is kept without a limit, while more and more is received",
        remedy: "stop receiving from a client while much is pending for it (backpressure), or drop it",
    }],
    run: |bench| {
        let before = bench.used();
        let mut peer = bench.connect("a client that never reads")?;
        let mut most = 0;
        let mut sent = 0;
        let requests = get(bench, LARGE, "").repeat(40).into_bytes();
        let chunk = match bench.role {
            Role::Http => requests,
            _ => lines(1 << 20),
        };
        if bench.role == Role::Chargen {
            bench.pause(300);
        }
        while bench.role != Role::Chargen && sent < MOST_SENT && peer.end().is_none() {
            let taken = peer.push(&chunk, chunk.len(), 100)?;
            sent += taken;
            if let Ok(used) = bench.used() {
                most = most.max(used.resident_bytes);
            }
            if taken < chunk.len() {
                break;
            }
        }
        bench.serves_while("a client sends and never reads", "client")?;
        let (Ok(before), Ok(after)) = (before, bench.used()) else { return Ok(()) };
        let grown = most.max(after.resident_bytes).saturating_sub(before.resident_bytes);
        bench.says(format!("memory has grown by {} KiB", grown >> 10));
        if grown <= MOST_KEPT {
            return Ok(());
        }
        let sent = format!("{}, and read nothing", in_bytes(sent));
        let limit = in_bytes(MOST_KEPT as usize);
        let expected = format!("it keeps at most {limit} for one client");
        let came = format!("its memory has grown by {} MiB", grown >> 20);
        Err(CaseStop::from(CaseFailure::new(Symptom::Grows, sent, expected, came)))
    },
    ..JudgeCase::ORDINARY
};
