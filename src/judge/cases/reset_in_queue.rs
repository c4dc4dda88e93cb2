//! A connection may be reset before accept takes it from the queue.

use super::many::ConnectPace;
use crate::judge::Cause;
use crate::judge::JudgeCase;
use crate::judge::verdict::{CaseStop, Symptom};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "reset-in-queue",
    question: "Does it survive resets of connections that wait to be accepted?",
    lab: "accept-after-rst",
    tcp_only: true,
    causes: &[Cause {
        when: Symptom::Died,
        because: "a connection that was reset in the queue makes accept, or the first call on what it returns (getpeername, \
            setsockopt, recv, send), fail, and that was taken for the server's end",
        remedy: "go on after ECONNABORTED, ECONNRESET, ENOTCONN and EPIPE of one client",
    }],
    run: |bench| {
        let mut pace = ConnectPace::default();
        let is_stopped = bench.stop();
        // No more than fit into the shortest queue while nothing takes them out.
        for number in 0..if is_stopped { 4 } else { 100 } {
            let mut peer = match pace.connect(bench, &format!("client {number}")) {
                // The queue is full, and while the program is stopped it cannot make room.
                Err(CaseStop::Failed(failure))
                    if is_stopped && number > 0 && failure.symptom == Symptom::Silent =>
                {
                    break;
                }
                connected => connected?,
            };
            if number % 2 == 1 {
                peer.push(b"gone\n", 5, 0)?;
            }
            peer.reset()?;
        }
        if is_stopped {
            bench.go_on();
        }
        bench.serves("another client")
    },
    ..JudgeCase::ORDINARY
};
