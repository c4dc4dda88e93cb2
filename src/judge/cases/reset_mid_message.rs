//! Half a message, and then a reset.

use crate::judge::dialogue::get;
use crate::judge::site::HELLO;
use crate::judge::{JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "reset-mid-message",
    question: "Does it survive a reset in the middle of a message, and serve others?",
    of: &[Role::Echo, Role::LineEcho, Role::Relay, Role::Discard, Role::Chat, Role::Http],
    lab: "linger-zero",
    tcp_only: true,
    run: |bench| {
        let mut bystander = bench.connect("a bystander")?;
        for number in 0..5 {
            // When the stopped program continues, it finds both: half a message, and the reset after it.
            let is_stopped = number % 2 == 1 && bench.stop();
            let mut peer = bench.connect(&format!("client {number}"))?;
            let half = match bench.role {
                Role::Http => get(bench, HELLO, "")[..20].to_string(),
                _ => "half a li".to_string(),
            };
            peer.send(half.as_bytes())?;
            if !is_stopped {
                bench.pause(10);
            }
            peer.reset()?;
            if is_stopped {
                bench.go_on();
                bench.pause(10);
            }
        }
        bench.pause(20);
        super::reset_idle::goes_on(bench, &mut bystander)
    },
    ..JudgeCase::ORDINARY
};
