//! An urgent byte is an exceptional condition, not an error.

use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "urgent-byte",
    question: "Does the stream stay intact around an urgent byte?",
    of: &[Role::Echo, Role::LineEcho, Role::Relay, Role::Discard],
    lab: "oob-one-byte",
    tcp_only: true,
    causes: &[
        Cause {
            when: Symptom::Ended,
            because: "a descriptor in exceptfds, or POLLPRI, was taken for an error, and the client was thrown out",
            remedy: "ask about errors by receiving; exceptfds is about urgent data",
        },
        Cause {
            when: Symptom::Reset,
            because: "a descriptor in exceptfds, or POLLPRI, was taken for an error, and the client was thrown out",
            remedy: "ask about errors by receiving; exceptfds is about urgent data",
        },
    ],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        bench.ask(&mut peer)?;
        peer.send(b"before ")?;
        peer.send_urgent(b'!')?;
        peer.send(b"after\n")?;
        if bench.role == Role::Discard {
            bench.pause(20);
            return bench.ask(&mut peer);
        }
        // With SO_OOBINLINE the urgent byte is part of the stream; otherwise it is not.
        let is_whole = |bytes: &[u8]| bytes.ends_with(b"after\n");
        if peer.receive_until(is_whole)?
            && [&b"before after\n"[..], b"before !after\n"].contains(&peer.received())
        {
            peer.take_received();
            return bench.ask(&mut peer);
        }
        let symptom =
            if peer.received().ends_with(b"\n") { Symptom::Wrong } else { peer.symptom() };
        Err(peer.failed(symptom, "\"before after\\n\", or with the urgent byte in it", None))
    },
    ..JudgeCase::ORDINARY
};
