//! A send to a peer that is gone causes EPIPE, and SIGPIPE.

use crate::judge::dialogue::get;
use crate::judge::site::{LARGE, SEND_AND_CLOSE, lines};
use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "gone-while-answered",
    question: "Does it survive clients that leave or reset while it sends to them?",
    points: 3,
    lab: "sigpipe-or-not",
    causes: &[Cause {
        when: Symptom::Died,
        because: "send to a client that was gone failed (EPIPE, ECONNRESET; BrokenPipeError in Python), which ended the server",
        remedy: "catch what send gives, and close that client's connection",
    }],
    run: |bench| {
        for number in 0..6 {
            // The stopped program finds that a client which asked for much has gone: the first send is answered by a
            // reset, the second gives EPIPE.
            let is_stopped = number < 3 && bench.stop();
            let mut peer = bench.connect(&format!("client {number}"))?;
            match bench.role {
                Role::Http => peer.send(get(bench, LARGE, "").as_bytes())?,
                Role::Relay if number == 0 => peer.send(SEND_AND_CLOSE)?,
                Role::Chargen | Role::Daytime | Role::Time => {}
                // More than one send is still to be made when the client is gone.
                _ => drop(peer.push(&lines(64 * 1024), 64 * 1024, 20)?),
            }
            if !is_stopped {
                bench.pause([0, 10, 30][number % 3]);
            }
            match (number % 2, &bench.scene.address) {
                (1, crate::addr::Address::V4(_) | crate::addr::Address::V6(_)) => peer.reset()?,
                _ => peer.leave(),
            }
            if is_stopped {
                bench.go_on();
            }
            bench.pause(10);
        }
        bench.serves("another client")
    },
    ..JudgeCase::ORDINARY
};
