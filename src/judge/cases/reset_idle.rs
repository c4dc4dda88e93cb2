//! A reset from a client is not an error of the server.

use crate::judge::bench::Bench;
use crate::judge::verdict::CaseOutcome;
use crate::judge::{JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "reset-idle",
    question: "Does it survive a reset by an idle client, and serve others?",
    of: &[Role::Echo, Role::LineEcho, Role::Relay, Role::Discard, Role::Chat, Role::Http],
    lab: "linger-zero",
    tcp_only: true,
    run: |bench| {
        let mut bystander = bench.connect("a bystander")?;
        for number in 0..5 {
            let mut peer = bench.connect(&format!("client {number}"))?;
            if bench.role != Role::Http {
                bench.ask(&mut peer)?;
            }
            bench.pause(10);
            peer.reset()?;
        }
        bench.pause(20);
        goes_on(bench, &mut bystander)
    },
    ..JudgeCase::ORDINARY
};

/// Asserts that an uninvolved client is still answered.
pub(super) fn goes_on(
    bench: &mut Bench<'_>,
    bystander: &mut crate::judge::peer::JudgePeer,
) -> CaseOutcome {
    bystander.take_received();
    bench.ask(bystander)
}
