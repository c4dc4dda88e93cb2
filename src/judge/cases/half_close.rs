//! A client that has closed its half still wants the answer.

use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "half-close",
    question: "Does the whole answer arrive if the client closes its half first?",
    of: &[Role::Echo, Role::LineEcho, Role::Relay, Role::Discard],
    points: 2,
    lab: "half-close",
    causes: &[
        Cause {
            when: Symptom::Ended,
            because: "recv returned 0 and the connection was closed at once, with answers still to be sent",
            remedy: "send what is pending first, and then close",
        },
        Cause {
            when: Symptom::Silent,
            because: "recv returned 0, which means that the client has finished, and the program went on waiting, or forgot to close its descriptor",
            remedy: "when recv returns 0, send what is pending and close the connection",
        },
    ],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        let mut line = String::new();
        for _ in 0..2000 {
            line.push_str(&format!("{} and some more\n", bench.token()));
        }
        peer.send(line.as_bytes())?;
        peer.finish()?;
        if bench.role != Role::Discard {
            peer.expect(line.as_bytes())?;
        }
        peer.expect_end()
    },
    ..JudgeCase::ORDINARY
};
