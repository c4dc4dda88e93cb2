//! The peer's machine has lost its power. When do I notice?
//!
//! Never, by waiting: nobody is left to send a FIN, and silence is no event. Only a question finds out: keepalive, when
//! nothing was to be sent; a limit for acknowledgements, when something was. (It takes three seconds, because keepalive counts
//! in whole ones.)

use std::time::{Duration, Instant};

use crate::labs::run::{Outcome, Run, Stop};
use crate::labs::scene::{set_nonblocking, tcp_pair};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::keepalive::keep_alive;
use crate::sys::wild::network::{cut_network, own_network};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "silent-death",
    claim: "A peer that vanishes without a FIN is not noticed, unless one asks.",
    question: "The network is cut, or the peer has lost its power. Does recv tell me?",
    explanation: "A connection is what two systems remember; no wire is watched. A peer that vanishes leaves us with \
        ESTABLISHED and silence, for ever. Keepalive asks after a time, by default of two hours, here of one second, and \
        ends the connection with ETIMEDOUT if nobody answers. A server that must know sooner asks in its own protocol.",
    elsewhere: "The options that tune keepalive have other names on other systems: TCP_KEEPALIVE is TCP_KEEPIDLE on macOS; \
        OpenBSD has sysctl only. TCP_USER_TIMEOUT, for bytes that are not acknowledged, is Linux's (RFC 5482).",
    sources: &[
        "tcp(7), TCP_KEEPIDLE",
        "RFC 9293, 3.8.4",
        "RFC 1122, 4.2.3.6",
        "the Python HOWTO, When Sockets Die",
    ],
    related: &["half-close", "send-is-a-copy"],
    words: &["SO_KEEPALIVE", "ETIMEDOUT"],
    minutes: 3,
    predictions: &[&SILENCE, &ASKED, &ENDED],
    spoiled_by: "recv:ECONNRESET",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const SILENCE: Prediction = Prediction {
    asks: "The network is cut, and half a second passes. What does recv give, without waiting?",
    choices: &["0", "EAGAIN", "ECONNRESET", "ETIMEDOUT"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const ASKED: Prediction = Prediction {
    asks: "With keepalive: after 1 s, each second, twice. How long does poll wait (at most 6 s)?",
    choices: &["less than 1000 ms", "1000 to 5500 ms", "at least 5501 ms"],
    expect: Expect::on_linux(Expected::Between(1000, 5500, "ms")),
};

const ENDED: Prediction = Prediction {
    asks: "And what does recv give?",
    choices: &["0", "EAGAIN", "ECONNRESET", "ETIMEDOUT"],
    expect: Expect::on_linux(Expected::Is("ETIMEDOUT")),
};

fn run(lab: &mut Run<'_>) -> Outcome {
    own_network(lab.wild()).map_err(|errno| {
        Stop::skipped(format_args!(
            "a network of its own, to be cut, is not to be had here: {errno}"
        ))
    })?;
    let mut buf = [0; 64];

    lab.part("Waiting");
    let (ours, _peer) = tcp_pair()?;
    let (asking, _other_peer) = tcp_pair()?;
    set_nonblocking(&ours)?;
    set_nonblocking(&asking)?;
    cut_network(lab.wild())?;
    lab.say(
        "The network of this process is cut. Nothing that is sent arrives, and nobody says so.",
    );
    lab.predict(&SILENCE);
    poll(&mut [PollFd::new(ours.as_fd(), POLLIN)], 500)?;
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));

    lab.part("Asking");
    lab.predict(&ASKED);
    // From here on keepalive counts.
    keep_alive(&asking, Duration::from_secs(1), Duration::from_secs(1), 2)?;
    let began = Instant::now();
    poll(&mut [PollFd::new(asking.as_fd(), POLLIN)], 6000)?;
    lab.observe(began.elapsed());
    lab.predict(&ENDED);
    lab.observe(recv(&asking, &mut buf, MsgFlags::NONE));
    Ok(())
}
