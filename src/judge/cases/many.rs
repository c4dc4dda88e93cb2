//! Many clients at once: fifty, nine hundred, and more than an fd_set has bits.

use std::time::{Duration, Instant};

use crate::judge::bench::Bench;
use crate::judge::dialogue::meet;
use crate::judge::peer::JudgePeer;
use crate::judge::verdict::{CaseOutcome, CaseStop, Symptom};
use crate::judge::{Cause, JudgeCase, Needs, Role};
use crate::os::limits::descriptor_limits;

/// Somewhat more than FD_SETSIZE, including what a server has open besides.
const BEYOND: usize = 1100;
/// How many of judge's own descriptors are not connections.
const OWN: u64 = 60;

pub(super) const FIFTY: JudgeCase = JudgeCase {
    name: "fifty-at-once",
    question: "Does it serve fifty clients that are connected at once?",
    lab: "one-slow-client",
    run: |bench| at_once(bench, 50),
    ..JudgeCase::ORDINARY
};

pub(super) const NINE_HUNDRED: JudgeCase = JudgeCase {
    name: "nine-hundred-at-once",
    question: "Does it serve nine hundred clients that are connected at once?",
    // In a chat each client would hear each other, and a relay needs two descriptors for each.
    of: WITH_ONE_DESCRIPTOR_EACH,
    points: 2,
    timeout_s: 8,
    lab: "backlog-n-plus-1",
    needs: Needs::ManyDescriptors(4096),
    causes: &[
        Cause {
            when: Symptom::Died,
            because: "there are fewer places for clients than clients, and nothing checks it",
            remedy: "refuse, or leave in the queue, the clients beyond that number",
        },
        Cause {
            when: Symptom::Ended,
            because: "there are fewer places for clients than clients, and those beyond are closed",
            remedy: "let the number of clients be limited by descriptors alone",
        },
        Cause {
            when: Symptom::Reset,
            because: "there are fewer places for clients than clients, and those beyond are closed",
            remedy: "let the number of clients be limited by descriptors alone",
        },
        Cause {
            when: Symptom::Silent,
            because: "clients beyond a fixed number are never looked at, or one at a time is served",
            remedy: "let the number of clients be limited by descriptors alone, or refuse those that are too many",
        },
    ],
    run: |bench| at_once(bench, 900),
    ..JudgeCase::ORDINARY
};

const WITH_ONE_DESCRIPTOR_EACH: &[Role] = &[
    Role::Echo,
    Role::LineEcho,
    Role::Discard,
    Role::Chargen,
    Role::Daytime,
    Role::Time,
    Role::Http,
];

pub(super) const BEYOND_FD_SETSIZE: JudgeCase = JudgeCase {
    name: "beyond-fd-setsize",
    question: "With more clients than an fd_set has bits, is no other client harmed?",
    points: 2,
    timeout_s: 8,
    lab: "fdsetsize-overflow",
    needs: Needs::ManyDescriptors(4096),
    causes: &[Cause {
        when: Symptom::Died,
        because: "FD_SET was given a descriptor of 1024 or more: it wrote beyond the fd_set (_FORTIFY_SOURCE ends the program \
            then, Python raises ValueError); or, if that did not happen, one of many clients that left was taken for its end",
        remedy: "close a client whose descriptor is not below FD_SETSIZE, or wait with poll",
    }],
    run: beyond,
    ..JudgeCase::ORDINARY
};

/// Makes connections one after the other, more slowly if a server is slow to accept: a queue that overflows makes a
/// client wait for a second and more, and the length of the queue is not the question.
#[derive(Debug, Default)]
pub(super) struct ConnectPace {
    rest: Duration,
}

impl ConnectPace {
    pub(super) fn connect(&mut self, bench: &Bench<'_>, who: &str) -> Result<JudgePeer, CaseStop> {
        const SLOW: Duration = Duration::from_millis(500);
        let began = Instant::now();
        let peer = bench.connect(who)?;
        if began.elapsed() > SLOW {
            self.rest = (self.rest * 2).clamp(Duration::from_millis(2), Duration::from_millis(8));
        }
        if !self.rest.is_zero() {
            std::thread::sleep(self.rest);
        }
        Ok(peer)
    }
}

fn at_once(bench: &mut Bench<'_>, count: usize) -> CaseOutcome {
    room_for(count)?;
    let mut pace = ConnectPace::default();
    let mut peers = Vec::new();
    let mut since = Vec::new();
    for number in 0..count {
        since.push(Instant::now());
        peers.push(pace.connect(bench, &format!("client {number}"))?);
    }
    if bench.role == Role::Chat {
        // Each member would be heard by each: one writes, and one listens.
        let (mut last, mut first) = (peers.pop(), peers.pop());
        let token = bench.token();
        return match (&mut first, &mut last) {
            (Some(from), Some(to)) => meet(bench, from, to, &token),
            _ => Ok(()),
        };
    }
    // The last one first, because it may be the one without a place.
    for (peer, since) in peers.iter_mut().zip(since).rev() {
        unless_silent_too_long(bench.role, since, bench.ask(peer))?;
    }
    Ok(())
}

/// An HTTP server may close a connection without requests: one that was silent for a while proves nothing.
fn unless_silent_too_long(role: Role, since: Instant, outcome: CaseOutcome) -> CaseOutcome {
    const A_WHILE: Duration = Duration::from_secs(2);
    match outcome {
        Err(CaseStop::Failed(failure))
            if role == Role::Http
                && since.elapsed() > A_WHILE
                && matches!(failure.symptom, Symptom::Ended | Symptom::Reset) =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}

fn beyond(bench: &mut Bench<'_>) -> CaseOutcome {
    // The other ends of a relay's connections are judge's, too.
    room_for(if bench.role == Role::Relay { 2 * BEYOND } else { BEYOND })?;
    let since = Instant::now();
    let mut early = bench.connect("an early client")?;
    let mut listener = bench.connect("another early client")?;
    let mut pace = ConnectPace::default();
    let mut peers = Vec::new();
    for number in 0..BEYOND {
        match pace.connect(bench, &format!("client {number}")) {
            Ok(mut peer) => {
                // Bytes from one of them may make the server harm others.
                if bench.role != Role::Chat {
                    peer.push(b"x\n", 2, 0)?;
                }
                peers.push(peer);
            }
            // It may refuse more connections. It must not stop listening.
            Err(CaseStop::Failed(failure)) if failure.symptom == Symptom::Silent => break,
            Err(stop) => return Err(stop),
        }
    }
    bench.settle();
    early.receive_what_is_there()?;
    match bench.role {
        // They got their answer when they connected.
        Role::Daytime | Role::Time => {}
        Role::Chat => {
            let token = bench.token();
            meet(bench, &mut early, &mut listener, &token)?;
        }
        _ => {
            early.take_received();
            unless_silent_too_long(bench.role, since, bench.ask(&mut early))?;
        }
    }
    drop(peers);
    bench.pause(50);
    // They have left, so there is room again.
    bench.serves_again("another client, when they have left")
}

/// judge itself needs the descriptors.
fn room_for(count: usize) -> CaseOutcome {
    let limit = descriptor_limits()?.soft;
    if limit < count as u64 + OWN {
        return Err(CaseStop::not_asked(format_args!(
            "judge may have {limit} descriptors only (ulimit -n)"
        )));
    }
    Ok(())
}
