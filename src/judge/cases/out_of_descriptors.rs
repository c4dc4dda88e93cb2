//! Without a free descriptor accept fails, and the connection stays in the queue: ready again and again.

use std::time::Duration;

use crate::judge::peer::JudgePeer;
use crate::judge::verdict::{CaseFailure, CaseStop, Symptom};
use crate::judge::{Cause, JudgeCase, Needs};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "out-of-descriptors",
    question: "With 32 descriptors and 40 clients: does it survive, wait, and recover?",
    points: 3,
    lab: "emfile-accept-spin",
    needs: Needs::Descriptors(32),
    causes: &[
        Cause {
            when: Symptom::Died,
            because: "accept failed with EMFILE, or open or fdopen gave nothing, and that was taken for the server's end",
            remedy: "after EMFILE stop asking about the listener until a client has left",
        },
        Cause {
            when: Symptom::Spins,
            because: "accept fails with EMFILE, the connection stays in the queue, and select or poll reports the listener at once \
                again",
            remedy: "after EMFILE leave the listener out of the question until a descriptor is free",
        },
    ],
    run: |bench| {
        let mut peers: Vec<JudgePeer> = Vec::new();
        for number in 0..40 {
            match bench.connect(&format!("client {number}")) {
                Ok(peer) => peers.push(peer),
                // A short queue is full, which is not a failure.
                Err(CaseStop::Failed(failure)) if failure.symptom == Symptom::Silent => break,
                Err(stop) => return Err(stop),
            }
        }
        bench.pause(100);
        if bench.has_ended() {
            return Err(bench.died("it lives with what it has"));
        }
        match bench.works_for(Duration::from_millis(400)) {
            // Chargen is busy with the connected clients until their buffers are full.
            Ok(Some(_)) => {
                if let Some(came) = bench.works_for(Duration::from_millis(1200))? {
                    let sent = "40 clients connected to a program that may have 32 descriptors, and waited";
                    let expected =
                        "it waits until a descriptor is free, which uses no processor time";
                    return Err(CaseFailure::new(Symptom::Spins, sent, expected, came).into());
                }
            }
            // Its resources cannot be observed here, but whether it runs can.
            Ok(_) | Err(CaseStop::NotAsked(_)) => {}
            Err(stop) => return Err(stop),
        }
        drop(peers);
        bench.pause(50);
        bench.serves_again("another client, when they have left")
    },
    ..JudgeCase::ORDINARY
};
