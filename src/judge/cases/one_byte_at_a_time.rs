//! A message may come in as many pieces as it has bytes.

use crate::judge::dialogue::{hears, listener_to};
use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "one-byte-at-a-time",
    question: "Does it put together a message that arrives byte by byte?",
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
        let mut listener = match bench.role {
            Role::Chat => Some(listener_to(bench, &mut peer)?),
            _ => None,
        };
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
