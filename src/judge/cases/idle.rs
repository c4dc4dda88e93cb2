//! Waiting must not use the processor.

use crate::judge::{JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "idle",
    question: "Does it use no processor time while its clients are silent?",
    points: 2,
    lab: "always-ready",
    run: |bench| {
        // These services send nothing to a silent client, or close.
        let stays = !matches!(bench.role, Role::Chargen | Role::Daytime | Role::Time | Role::Http);
        let mut peers = Vec::new();
        for number in 0..3 {
            let mut peer = bench.connect(&format!("client {number}"))?;
            if stays {
                bench.ask(&mut peer)?;
            }
            peers.push(peer);
        }
        if bench.role == Role::Chargen {
            // By then every buffer is full.
            bench.pause(300);
        }
        bench.expect_idle("three clients are connected and silent")
    },
    ..JudgeCase::ORDINARY
};
