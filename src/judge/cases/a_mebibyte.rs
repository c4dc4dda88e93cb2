//! A mebibyte is more than any recv returns.

use crate::judge::site::lines;
use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

const COUNT: usize = 1 << 20;

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "a-mebibyte",
    question: "Does a mebibyte that is sent at once arrive completely?",
    of: &[Role::Echo, Role::LineEcho, Role::Relay, Role::Discard],
    points: 2,
    lab: "partial-send",
    causes: &[Cause {
        when: Symptom::Wrong,
        because: "send took less than it was given, a short send, and the rest was forgotten",
        remedy: "look at what send returns, keep the rest, and send it when there is room (POLLOUT)",
    }],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        let bytes = lines(COUNT);
        peer.send(&bytes)?;
        match bench.role {
            Role::Discard => {
                peer.finish()?;
                peer.expect_end()
            }
            _ => peer.expect(&bytes),
        }
    },
    ..JudgeCase::ORDINARY
};
