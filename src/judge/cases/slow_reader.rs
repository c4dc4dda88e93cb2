//! A client that reads slowly causes short writes.

use crate::judge::bench::Bench;
use crate::judge::dialogue::get;
use crate::judge::http;
use crate::judge::site::{LARGE, LARGE_BYTES, lines, pattern};
use crate::judge::verdict::{CaseOutcome, Symptom};
use crate::judge::{Cause, JudgeCase, Role};

const COUNT: usize = 16 << 20;

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "slow-reader",
    question: "Does a client that reads slowly get everything (16 MiB)?",
    of: &[Role::Echo, Role::LineEcho, Role::Relay, Role::Http],
    points: 3,
    timeout_s: 8,
    lab: "partial-send",
    needs: crate::judge::Needs::Fresh,
    causes: &[
        Cause {
            when: Symptom::Wrong,
            because: "send took less than it was given, a short send, and the rest was forgotten",
            remedy: "look at what send returns, keep the rest, and send it when there is room (POLLOUT)",
        },
        Cause {
            when: Symptom::Silent,
            because: "a short send or EAGAIN, and what was left was never sent",
            remedy: "keep what send did not take, and ask for POLLOUT until it is gone",
        },
        Cause {
            when: Symptom::Reset,
            because: "EAGAIN from send is taken for an error, and the connection closed",
            remedy: "EAGAIN means later: keep the bytes and wait for POLLOUT",
        },
        Cause {
            when: Symptom::Ended,
            because: "EAGAIN from send is taken for an error, and the connection closed",
            remedy: "EAGAIN means later: keep the bytes and wait for POLLOUT",
        },
    ],
    run: |bench| match bench.role {
        Role::Http => file(bench),
        _ => echo(bench),
    },
    ..JudgeCase::ORDINARY
};

fn echo(bench: &mut Bench<'_>) -> CaseOutcome {
    let mut peer = bench.connect("client")?;
    let bytes = lines(COUNT);
    // Sent until no more is taken: every buffer is full then.
    let taken = peer.push(&bytes, COUNT, 150)?;
    bench.pause(100);
    // A few small receives, and then the rest.
    let mut seen = 0;
    for _ in 0..10 {
        peer.receive_what_is_there()?;
        let sip = peer.received().len().min(taken - seen);
        peer.expect(&bytes[seen..seen + sip])?;
        seen += sip;
        bench.pause(5);
    }
    peer.send(&bytes[taken..])?;
    peer.expect(&bytes[seen..])
}

fn file(bench: &mut Bench<'_>) -> CaseOutcome {
    let mut peer = bench.connect("client")?;
    let request = get(bench, LARGE, "Connection: close\r\n");
    peer.send(request.as_bytes())?;
    bench.pause(200);
    for _ in 0..10 {
        peer.receive_what_is_there()?;
        bench.pause(5);
    }
    let response = http::receive(&mut peer, "GET")?;
    if response.body == pattern(LARGE_BYTES) {
        return Ok(());
    }
    let came = format!("status {}, a body of {} bytes", response.status, response.body.len());
    Err(peer.failed(Symptom::Wrong, format!("the file of {LARGE_BYTES} bytes"), Some(came)))
}
