//! Where do the 40 ms come from?
//!
//! From two sound optimisations that wait for each other. Nagle's algorithm holds back a small segment while an earlier
//! one is unacknowledged; the peer delays its acknowledgement (a delayed ACK), because an answer could carry it. A
//! message that is sent in two pieces runs into both.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::labs::peers::Peer;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::tcp_pair;
use crate::labs::wire::WireFact;
use crate::labs::{Expect, Expected, Lab, Prediction, WirePrediction};
use crate::os::corking::{cork, uncork};
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "nagle-40ms",
    claim: "send, send, recv costs 40 ms each time; one send, or TCP_NODELAY, costs none.",
    question: "My requests take 40 ms on an idle machine. Where does the time go?",
    explanation: "The first piece goes out at once. The second piece waits for the acknowledgement of the first \
        (Nagle's algorithm). The peer cannot answer half a request, and delays its acknowledgement by 40 ms in the \
        hope of sending it with an answer. So send a message with one call. TCP_NODELAY turns Nagle's algorithm off. \
        TCP_CORK is the opposite: it holds back every partial segment until you clear the option, or 200 ms have \
        passed. With --packets the late acknowledgement stands between the calls, for no call sends it.",
    elsewhere: "The delay of the acknowledgement differs; RFC 1122 allows up to 500 ms. FreeBSD, OpenBSD and macOS have \
        TCP_NOPUSH in place of TCP_CORK, without a limit of 200 ms; clearing it sends what waits, but not on macOS. NetBSD has \
        neither.",
    sources: &[
        "tcp(7), TCP_NODELAY and TCP_CORK",
        "macOS (xnu-11417.101.15), bsd/netinet/tcp_usrreq.c: TCP_NOPUSH",
        "RFC 896 (Nagle)",
        "RFC 1122, 4.2.3.2 and 4.2.3.4",
    ],
    related: &["no-message-boundaries", "header-splits"],
    words: &["TCP_NODELAY", "TCP_CORK", "TCP_NOPUSH", "TCP_QUICKACK"],
    minutes: 3,
    predictions: &[&NAGLE, &ONE_SEND, &NODELAY, &CORKED, &UNCORKED],
    on_wire: &[&SEGMENTS],
    spoiled_by: "setsockopt:EINVAL@1",
    run,
    ..Lab::ORDINARY
};

const TIMES: &[&str] = &["less than 30 ms", "30 to 179 ms", "at least 180 ms"];

const NAGLE: Prediction = Prediction {
    asks: "A request in two sends, then a recv of the answer, thirty times. How long does one take?",
    choices: TIMES,
    expect: Expect::on_linux(Expected::Between(30, 179, "ms"))
        .but(
            &[NetBsd],
            Expected::Between(180, 400, "ms"),
            "the acknowledgement is delayed by up to 200 ms there",
        )
        .but(&[GVisor], Expected::Is("0 ms"), "two sends cost no wait there"),
};

const ONE_SEND: Prediction = Prediction {
    asks: "The same request in one send. How long?",
    choices: TIMES,
    expect: Expect::on_linux(Expected::Between(0, 29, "ms")),
};

const NODELAY: Prediction = Prediction {
    asks: "In two sends again, with TCP_NODELAY. How long?",
    choices: TIMES,
    expect: Expect::on_linux(Expected::Between(0, 29, "ms")),
};

const CORKED: Prediction = Prediction {
    asks: "In two sends, with TCP_CORK, which is never cleared. How long?",
    choices: TIMES,
    expect: Expect::on_linux(Expected::AtLeast(180, "ms")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("ENOPROTOOPT"),
        "TCP_CORK exists on Linux only; TCP_NOPUSH is similar",
    ),
};

const UNCORKED: Prediction = Prediction {
    asks: "TCP_CORK is set before the two sends and cleared after them. How long?",
    choices: TIMES,
    expect: Expect::on_linux(Expected::Between(0, 29, "ms")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("ENOPROTOOPT"),
        "TCP_CORK exists on Linux only; TCP_NOPUSH is similar",
    ),
};

/// Often enough to rule out chance, and rarely enough that the lab stays below two seconds.
const ROUNDS: usize = 30;

const SEGMENTS: WirePrediction = WirePrediction {
    asked: Prediction {
        asks: "A request in three sends, with Nagle's algorithm. How many segments carry it?",
        choices: &["1", "2", "3"],
        expect: Expect::on_linux(Expected::Is("2")),
    },
    fact: WireFact::SegmentsWithBytes,
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (ours, theirs) = tcp_pair()?;
    let server = Peer::with(theirs, answer);
    lab.say("The peer is a thread: it reads until it has all eight bytes of a request, and answers with one.");

    lab.part("The broken way: two sends");
    lab.say("The first request does not count: at the start of a connection Linux acknowledges at once.");
    in_two(&ours)?;
    lab.predict(&NAGLE);
    lab.observe(typical(|| in_two(&ours)));

    lab.predict_on_wire(&SEGMENTS);
    ask(&ours, &[b"he", b"ad", b"body"])?;
    lab.observe_on_wire();

    lab.part("The right way: one send");
    lab.predict(&ONE_SEND);
    lab.observe(typical(|| ask(&ours, &[b"headbody"])));

    lab.part("Another right way: TCP_NODELAY");
    // If it cannot be set, the time below says so.
    setsockopt(&ours, SOL_TCP, TCP_NODELAY, &1).ok();
    lab.predict(&NODELAY);
    lab.observe(typical(|| in_two(&ours)));

    lab.part("TCP_CORK");
    setsockopt(&ours, SOL_TCP, TCP_NODELAY, &0).ok();
    lab.predict(&CORKED);
    let began = Instant::now();
    let corked = cork(&ours).and_then(|()| in_two(&ours));
    lab.observe(corked.map(|()| began.elapsed()));
    lab.predict(&UNCORKED);
    lab.observe(typical(|| corked_while_sending(&ours)));
    close(ours)?;
    drop(server.done()?);
    Ok(())
}

/// How long this takes: the fifth shortest of several runs, because other processes use the processor, too, and make a run
/// longer, never shorter.
fn typical(round: impl Fn() -> Result<()>) -> Result<Duration> {
    let mut took = [Duration::ZERO; ROUNDS];
    for took in &mut took {
        let began = Instant::now();
        round()?;
        *took = began.elapsed();
    }
    took.sort();
    Ok(took[4])
}

fn in_two(fd: &Fd) -> Result<()> {
    ask(fd, &[b"head", b"body"])
}

fn corked_while_sending(fd: &Fd) -> Result<()> {
    cork(fd)?;
    send(fd, b"head", MSG_NOSIGNAL)?;
    send(fd, b"body", MSG_NOSIGNAL)?;
    uncork(fd)?;
    recv(fd, &mut [0; 64], MsgFlags::NONE).map(drop)
}

/// Sends a request in these pieces, and waits for the answer.
fn ask(fd: &Fd, pieces: &[&[u8]]) -> Result<()> {
    for piece in pieces {
        send(fd, piece, MSG_NOSIGNAL)?;
    }
    recv(fd, &mut [0; 64], MsgFlags::NONE).map(drop)
}

/// What the peer does, until the client closes.
fn answer(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut request = [0; 8];
    loop {
        match stream.read_exact(&mut request) {
            Ok(()) => stream.write_all(b"!")?,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
