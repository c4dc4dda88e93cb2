//! A relay's client must see what the server behind it does.

use crate::judge::site::{RESET, SEND_AND_CLOSE, SENT_AT_THE_END, pattern};
use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

pub(super) const TARGET_CLOSES: JudgeCase = JudgeCase {
    name: "target-closes",
    question: "Does the client get everything and end of file when the server behind the relay closes?",
    of: &[Role::Relay],
    points: 2,
    lab: "half-close",
    causes: &[Cause {
        when: Symptom::Silent,
        because: "the end of one connection is not passed on to the other",
        remedy: "when one side has finished, send what is pending and shutdown(SHUT_WR) the other side",
    }],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        peer.send(SEND_AND_CLOSE)?;
        peer.expect(&pattern(SENT_AT_THE_END))?;
        peer.expect_end()
    },
    ..JudgeCase::ORDINARY
};

pub(super) const TARGET_RESETS: JudgeCase = JudgeCase {
    name: "target-resets",
    question: "Does the client's connection end when the server behind the relay resets?",
    of: &[Role::Relay],
    lab: "linger-zero",
    run: |bench| {
        let mut peer = bench.connect("client")?;
        bench.ask(&mut peer)?;
        peer.send(RESET)?;
        peer.receive(1)?;
        match peer.end() {
            Some(_) => Ok(()),
            None => {
                Err(peer.failed(Symptom::Silent, "the end of the connection, or a reset", None))
            }
        }
    },
    ..JudgeCase::ORDINARY
};
