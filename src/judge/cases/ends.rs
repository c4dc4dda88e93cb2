//! A server is stopped, and started again.

use crate::judge::verdict::{CaseFailure, Symptom};
use crate::judge::{JudgeCase, Needs, Role};
use crate::names::{SIGKILL, SIGTERM};

pub(super) const SIGTERM_ENDS: JudgeCase = JudgeCase {
    name: "sigterm-ends",
    question: "Does SIGTERM end it?",
    of: Role::ALL,
    lab: "signal-race",
    leaves_it_running: false,
    run: |bench| {
        bench.program()?;
        if bench.role != Role::EchoUdp {
            bench.serves("client")?;
        }
        if bench.end_with(SIGTERM)? {
            return Ok(());
        }
        let came = format!("it goes on, {:.0} s later", bench.scene.limit().as_secs_f64());
        Err(CaseFailure::new(Symptom::Stays, "SIGTERM", "it ends", came).into())
    },
    ..JudgeCase::ORDINARY
};

pub(super) const RESTART: JudgeCase = JudgeCase {
    name: "restart",
    question: "Can it be started again at once, at the same address?",
    of: Role::ALL,
    points: 2,
    lab: "time-wait-bind",
    needs: Needs::Fresh,
    run: |bench| {
        bench.program()?;
        if bench.role == Role::EchoUdp {
            bench.end_with(SIGTERM)?;
            bench.end_with(SIGKILL)?;
            return bench.start_again();
        }
        // The server closes first, so TIME_WAIT remains on its side.
        let mut peer = bench.connect("client")?;
        if bench.role != Role::Http {
            bench.ask(&mut peer)?;
        }
        bench.end_with(SIGTERM)?;
        bench.end_with(SIGKILL)?;
        peer.receive(usize::MAX).ok();
        peer.leave();
        bench.start_again()?;
        bench.serves("another client")
    },
    ..JudgeCase::ORDINARY
};
