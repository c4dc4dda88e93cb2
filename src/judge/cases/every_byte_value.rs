//! A socket carries bytes of every value, zero included.

use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "every-byte-value",
    question: "Does it handle bytes of every value, including zero?",
    of: &[Role::Echo, Role::LineEcho, Role::Relay, Role::Discard],
    points: 2,
    lab: "no-message-boundaries",
    causes: &[
        Cause {
            when: Symptom::Ended,
            because: "what was received is decoded as text, and a byte that is no UTF-8 ends the connection",
            remedy: "leave the bytes as they are",
        },
        Cause {
            when: Symptom::Wrong,
            because: "what was received is taken for a string: strlen, strcpy, printf and fputs stop at the first zero byte",
            remedy: "pass on the count that recv returned, and use memcpy and send",
        },
        Cause {
            when: Symptom::Silent,
            because: "what was received is taken for a string, which ends at its first zero byte (or text is decoded, and a byte \
                that is no UTF-8 ends it)",
            remedy: "pass on the count that recv returned; leave the bytes as they are",
        },
    ],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        // For services that answer lines: a newline at the end, and nowhere else.
        let mut bytes: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').collect();
        bytes.push(b'\n');
        peer.send(&bytes)?;
        if bench.role == Role::Discard {
            return bench.ask(&mut peer);
        }
        peer.expect(&bytes)
    },
    ..JudgeCase::ORDINARY
};
