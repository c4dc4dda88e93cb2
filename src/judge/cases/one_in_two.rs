//! The second half of a message may come much later.

use crate::judge::dialogue::{hears, listener_to};
use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "one-in-two",
    question: "Does it put together a message whose second half arrives later?",
    of: &[Role::LineEcho, Role::Chat],
    points: 2,
    lab: "header-splits",
    causes: &[
        Cause {
            when: Symptom::TooMuch,
            because: "each recv is taken for a whole message, and so half of one is answered",
            remedy: "collect what comes in a buffer for each client until a newline is in it",
        },
        Cause {
            when: Symptom::Silent,
            because: "half a message is thrown away when no newline is in it",
            remedy: "keep what is not complete for the next recv",
        },
    ],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        let mut listener = match bench.role {
            Role::Chat => Some(listener_to(bench, &mut peer)?),
            _ => None,
        };
        let word = format!("{}-in-two-halves", bench.token());
        let (first, second) = word.split_at(word.len() / 2);
        peer.send(first.as_bytes())?;
        bench.pause(120);
        peer.receive_what_is_there()?;
        if listener.is_none() && !peer.received().is_empty() {
            return Err(peer.failed(Symptom::TooMuch, "nothing before the line is complete", None));
        }
        peer.send(second.as_bytes())?;
        peer.send(b"\n")?;
        match &mut listener {
            Some(listener) => hears(&peer, listener, &word),
            None => peer.expect(format!("{word}\n").as_bytes()),
        }
    },
    ..JudgeCase::ORDINARY
};
