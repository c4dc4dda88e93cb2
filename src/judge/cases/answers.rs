//! Does the server do its job at all?

use crate::judge::verdict::Symptom;
use crate::judge::{JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "answers",
    question: "Does it answer a single ordinary client?",
    points: 2,
    lab: "drop-closes",
    run: |bench| {
        if Role::ECHOING.contains(&bench.role) {
            let mut peer = bench.connect("client")?;
            bench.ask(&mut peer)?;
            bench.pause(50);
            peer.receive_what_is_there()?;
            if !peer.received().is_empty() {
                return Err(peer.failed(Symptom::TooMuch, "the answer, and nothing more", None));
            }
        }
        bench.serves("client")
    },
    ..JudgeCase::ORDINARY
};
