//! Servers that misbehave: a client must end, and report an error.

use std::time::Duration;

use super::play::{INPUT, Play};
use crate::judge::site::pattern;
use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};
use crate::names::SIGTERM;

pub(super) const TOO_MUCH: JudgeCase = JudgeCase {
    name: "too-much",
    question: "Does it survive a mebibyte more than it asked for?",
    of: Role::OF_CLIENTS,
    points: 2,
    lab: "no-message-boundaries",
    leaves_it_running: false,
    causes: &[Cause {
        when: Symptom::Died,
        because: "what came was written beyond a buffer: into an array of fixed size, or with a zero byte behind it",
        remedy: "give recv the room that is left, one less where a zero byte follows",
    }],
    run: |bench| {
        let mut play = Play::start(bench, INPUT)?;
        let mut peer = play.accept()?;
        play.serve(&mut peer, |peer, piece| peer.send(piece))?;
        // The client may have closed before everything was sent, which is right.
        peer.push(&pattern(1 << 20), 1 << 20, 300)?;
        drop(peer.finish());
        play.expect_output("the answer, and a mebibyte more", &play.wanted())
    },
    ..JudgeCase::ORDINARY
};

pub(super) const RESET: JudgeCase = JudgeCase {
    name: "reset",
    question: "Does it end and report an error if the server resets in the middle of the answer?",
    of: Role::OF_CLIENTS,
    points: 2,
    lab: "linger-zero",
    leaves_it_running: false,
    causes: &[Cause {
        when: Symptom::ClaimsSuccess,
        because: "recv gave ECONNRESET (-1), which was taken for the end of the answer",
        remedy: "0 is the end, -1 is a failure: say so, and exit with another status than 0",
    }],
    run: |bench| {
        let mut play = Play::start(bench, INPUT)?;
        let mut peer = play.accept()?;
        if bench.role != Role::Daytime {
            peer.receive(1)?;
        }
        let answer = play.answer();
        peer.send(&answer[..answer.len() / 3])?;
        bench.pause(50);
        peer.reset()?;
        play.expect_complaint("a third of the answer, and then a reset")
    },
    ..JudgeCase::ORDINARY
};

pub(super) const REFUSED: JudgeCase = JudgeCase {
    name: "refused",
    question: "Does it end and report an error if no server listens?",
    of: Role::OF_CLIENTS,
    points: 2,
    lab: "nb-connect-refused",
    leaves_it_running: false,
    causes: &[Cause {
        when: Symptom::Stays,
        because: "it tries again and again, or goes on with a socket that is not connected",
        remedy: "look at what connect returns; say so and exit, after some tries at most",
    }],
    run: |bench| {
        let mut play = Play::start_refused(bench, INPUT)?;
        play.expect_complaint("connect was refused")
    },
    ..JudgeCase::ORDINARY
};

pub(super) const NEVER_ANSWERED: JudgeCase = JudgeCase {
    name: "never-answered",
    question: "Does it wait without using the processor, and can it be ended?",
    of: Role::OF_CLIENTS,
    points: 2,
    lab: "always-ready",
    leaves_it_running: false,
    causes: &[Cause {
        when: Symptom::Spins,
        because: "a non-blocking recv is called again and again, or room to send is asked for where nothing is to be sent",
        remedy: "wait in select or poll for what is wanted",
    }],
    run: |bench| {
        let mut play = Play::start(bench, INPUT)?;
        let peer = play.accept()?;
        bench.pause(200);
        let mut works = None;
        for _ in 0..3 {
            // A client that has given up uses no processor time.
            if play.client().ended().is_some() {
                return Ok(());
            }
            works = bench.works_for(Duration::from_millis(400))?;
            if works.is_none() {
                break;
            }
        }
        if let Some(came) = works {
            return Err(play.failed(
                Symptom::Spins,
                "the connection was accepted, and never answered",
                "it waits",
                came,
            ));
        }
        play.client().signal(SIGTERM);
        play.end("SIGTERM while it waits")?;
        drop(peer);
        Ok(())
    },
    ..JudgeCase::ORDINARY
};
