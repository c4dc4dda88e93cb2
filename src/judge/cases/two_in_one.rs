//! Two messages may arrive with one recv.

use crate::judge::dialogue::{hears, listener_to};
use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "two-in-one",
    question: "Does it answer two messages that arrive in one segment?",
    of: &[Role::Echo, Role::LineEcho, Role::Relay, Role::Chat],
    points: 2,
    lab: "no-message-boundaries",
    causes: &[
        Cause {
            when: Symptom::Silent,
            because: "after each recv one message is handled, and what follows it in the buffer is thrown away or left lying",
            remedy: "handle every complete message that is in the buffer before waiting again",
        },
        Cause {
            when: Symptom::Wrong,
            because: "what follows the first message in the buffer is thrown away",
            remedy: "handle every complete message that is in the buffer, and keep what is left of it",
        },
    ],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        if bench.role == Role::Chat {
            let mut listener = listener_to(bench, &mut peer)?;
            let (first, second) = (bench.token(), bench.token());
            peer.send(format!("{first}.\n{second}.\n").as_bytes())?;
            hears(&peer, &mut listener, &format!("{first}."))?;
            return hears(&peer, &mut listener, &format!("{second}."));
        }
        let both = format!("{}\n{}\n", bench.token(), bench.token());
        peer.send(both.as_bytes())?;
        peer.expect(both.as_bytes())
    },
    ..JudgeCase::ORDINARY
};
