//! A message may come in as many pieces as it has bytes.

use crate::judge::dialogue::{hears, meet};
use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "one-byte-at-a-time",
    question: "Is a message put together that comes byte by byte?",
    of: &[Role::Echo, Role::LineEcho, Role::Relay, Role::Chat],
    points: 2,
    lab: "header-splits",
    causes: &[Cause {
        when: Symptom::Wrong,
        because: "each recv is taken for a whole message",
        remedy: "collect what comes in a buffer for each client until the message is complete",
    }],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        let mut listener = None;
        if bench.role == Role::Chat {
            let mut other = bench.connect("a listener")?;
            let token = bench.token();
            meet(bench, &mut peer, &mut other, &token)?;
            listener = Some(other);
        }
        let word = bench.token();
        let line = format!("{word}\n");
        for byte in line.bytes() {
            peer.send(&[byte])?;
            bench.pause(1);
        }
        match &mut listener {
            Some(listener) => hears(&peer, listener, &word),
            None => peer.expect(line.as_bytes()),
        }
    },
    ..JudgeCase::ORDINARY
};
