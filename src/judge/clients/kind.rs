//! Servers that do nothing wrong, each in a way that is rarely seen on one's own machine.

use super::play::{INPUT, Play, drain, response};
use crate::judge::site::lines;
use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

const PIECES: &[Cause] = &[
    Cause {
        when: Symptom::Wrong,
        because: "one recv is taken for the whole answer",
        remedy: "receive until the answer is complete: a newline, the length that was announced, or 0",
    },
    Cause {
        when: Symptom::Reset,
        because: "one recv is taken for the whole answer, and the connection closed before the rest has come",
        remedy: "receive until the answer is complete: a newline, the length that was announced, or 0",
    },
];

const ENDS: Cause = Cause {
    when: Symptom::Stays,
    because: "recv returned 0, which means that the server has finished, and the client goes on waiting",
    remedy: "end when recv returns 0",
};

pub(super) const ANSWERED: JudgeCase = JudgeCase {
    name: "answers",
    question: "Does it ask, write the answer to standard output, and end?",
    of: Role::OF_CLIENTS,
    points: 2,
    lab: "half-close",
    leaves_it_running: false,
    causes: &[ENDS],
    run: |bench| {
        let mut play = Play::start(bench, INPUT)?;
        let mut peer = play.accept()?;
        play.serve(&mut peer, |peer, piece| peer.send(piece))?;
        peer.finish()?;
        play.expect_output("the answer, and then the end", &play.wanted())
    },
    ..JudgeCase::ORDINARY
};

pub(super) const DRIBBLED: JudgeCase = JudgeCase {
    name: "dribbled",
    question: "Does it put together an answer that arrives byte by byte?",
    of: Role::OF_CLIENTS,
    points: 3,
    lab: "header-splits",
    leaves_it_running: false,
    causes: PIECES,
    run: |bench| {
        let mut play = Play::start(bench, INPUT)?;
        let mut peer = play.accept()?;
        let scene = bench.scene.clone();
        play.serve(&mut peer, |peer, piece| {
            piece.iter().try_for_each(|byte| {
                scene.pause(3);
                peer.send(&[*byte])
            })
        })?;
        peer.finish()?;
        play.expect_output("the answer, byte by byte, and then the end", &play.wanted())
    },
    ..JudgeCase::ORDINARY
};

pub(super) const WITH_THE_ACCEPT: JudgeCase = JudgeCase {
    name: "with-the-accept",
    question: "Does it handle an answer that arrives at once, before its question?",
    of: Role::OF_CLIENTS,
    lab: "names-appear-late",
    leaves_it_running: false,
    causes: &[ENDS],
    run: |bench| {
        let mut play = Play::start(bench, INPUT)?;
        let mut peer = play.accept()?;
        peer.send(&play.answer())?;
        drain(&bench.scene, &mut peer, 300)?;
        peer.finish()?;
        play.expect_output("the answer at once, and the end a moment later", &play.wanted())
    },
    ..JudgeCase::ORDINARY
};

pub(super) const FINISHED_FIRST: JudgeCase = JudgeCase {
    name: "finished-first",
    question: "Does it take the answer of a server that closes its half first?",
    of: Role::OF_CLIENTS,
    points: 2,
    lab: "half-close",
    leaves_it_running: false,
    causes: &[ENDS],
    run: |bench| {
        let mut play = Play::start(bench, INPUT)?;
        let mut peer = play.accept()?;
        peer.send(&play.answer())?;
        peer.finish()?;
        drain(&bench.scene, &mut peer, 100)?;
        play.expect_output("the answer and the end in one, at once", &play.wanted())
    },
    ..JudgeCase::ORDINARY
};

pub(super) const LARGE: JudgeCase = JudgeCase {
    name: "large",
    question: "Do sixteen mebibytes arrive in both directions?",
    of: &[Role::Echo, Role::LineEcho, Role::Http],
    points: 3,
    timeout_s: 8,
    lab: "partial-send",
    leaves_it_running: false,
    causes: &[
        Cause {
            when: Symptom::Ended,
            because: "a short send was taken for a whole one",
            remedy: "send what send did not take",
        },
        Cause {
            when: Symptom::Silent,
            because: "everything is sent before anything is received: the answers fill the buffers of both sides, and both wait",
            remedy: "send and receive in turn: non-blocking, with select or poll on both",
        },
        Cause {
            when: Symptom::Wrong,
            because: "a short send was taken for a whole one, or one recv for the whole answer",
            remedy: "send what send did not take; receive until the answer is complete",
        },
    ],
    run: |bench| {
        // More than the kernels hold for both sides, as far as their buffers grow.
        const COUNT: usize = 16 << 20;
        let bytes = lines(COUNT);
        let mut play = Play::start(bench, &bytes)?;
        let mut peer = play.accept()?;
        if bench.role == Role::Http {
            play.hear_request(&mut peer)?;
            peer.send(&response(&bytes))?;
            peer.finish()?;
            return play.expect_output("an answer of 16 MiB", &bytes);
        }
        // Like an echo server that sends each piece back before it receives the next.
        let mut heard = 0;
        while heard < COUNT {
            if !peer.receive(1)? {
                let expected = "the client sends its standard input, 16 MiB, and takes the answer";
                return Err(play.failed(
                    peer.symptom(),
                    "every piece was echoed as it came",
                    expected,
                    format!("{heard} bytes"),
                ));
            }
            let piece = peer.take_received();
            heard += piece.len();
            let sent = peer.push(
                &piece,
                piece.len(),
                i32::try_from(bench.scene.limit().as_millis()).unwrap_or(i32::MAX),
            )?;
            if sent < piece.len() {
                let expected = "the client takes what comes while it sends";
                let came = format!(
                    "it took {} bytes of the answer, and then no more",
                    heard - piece.len() + sent
                );
                return Err(play.failed(
                    Symptom::Silent,
                    format!("{heard} bytes came and were echoed"),
                    expected,
                    came,
                ));
            }
        }
        peer.finish()?;
        play.expect_output("16 MiB, echoed as they came", &bytes)
    },
    ..JudgeCase::ORDINARY
};
