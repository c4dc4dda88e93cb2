//! The peer's machine has lost its power. When do I notice?
//!
//! Never, if you only wait: a dead machine sends no FIN, and silence is not an event. You must probe: with keepalive
//! when the connection is idle, with a limit for acknowledgements when bytes were sent. (The lab takes more than three
//! seconds, because keepalive counts in whole seconds.)

use std::time::{Duration, Instant};

use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{set_nonblocking, tcp_pair};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::keepalive::{keep_alive, limit_unacknowledged};
use crate::sys::wild::network::{cut_network, own_network};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "silent-death",
    claim: "A peer that vanishes without a FIN goes unnoticed unless you probe it.",
    question: "The network is cut, or the peer has lost its power. Does recv tell me?",
    explanation: "A TCP connection is state in two kernels; neither watches the wire. If the peer vanishes, our socket \
        stays ESTABLISHED and silent forever. Keepalive probes the peer after an idle time, two hours by default, one \
        second here, and ends the connection with ETIMEDOUT if no answer comes. Unacknowledged bytes are retransmitted \
        for a quarter of an hour, unless TCP_USER_TIMEOUT sets a limit. A server that must know sooner sends its own \
        heartbeat.",
    elsewhere: "The options that tune keepalive have other names on other systems: TCP_KEEPIDLE is TCP_KEEPALIVE on \
        macOS; OpenBSD has only sysctl. TCP_USER_TIMEOUT, for bytes that are not acknowledged, exists on Linux (RFC \
        5482).",
    sources: &[
        "tcp(7), TCP_KEEPIDLE, TCP_USER_TIMEOUT, tcp_retries2",
        "RFC 9293, 3.8.4",
        "RFC 1122, 4.2.3.6",
        "the Python HOWTO, When Sockets Die",
    ],
    related: &["half-close", "send-is-a-copy"],
    words: &["SO_KEEPALIVE", "TCP_USER_TIMEOUT", "ETIMEDOUT"],
    minutes: 3,
    predictions: &[&SILENT, &SILENCE, &UNACKNOWLEDGED, &ASKED, &ENDED],
    spoiled_by: "recv:ECONNRESET",
    run,
    own_network: true,
    loopback: false,
    ..Lab::ORDINARY
};

const SILENT: Prediction = Prediction {
    asks: "The network is cut. What does a poll of 300 ms return?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const SILENCE: Prediction = Prediction {
    asks: "And what does recv give, without waiting?",
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

/// Which retransmission notices that the time is up depends on the machine.
const UNACKNOWLEDGED: Prediction = Prediction {
    asks: "A byte was sent, with TCP_USER_TIMEOUT of 500 ms. How long does poll wait (at most 6 s)?",
    choices: &["less than 400 ms", "400 to 3000 ms", "at least 3001 ms"],
    expect: Expect::on_linux(Expected::Between(400, 3000, "ms")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    own_network(lab.wild()).map_err(|errno| {
        Stop::skipped(format_args!(
            "this lab needs a network namespace of its own, which is not available here: {errno}"
        ))
    })?;
    let mut buf = [0; 64];

    lab.part("Waiting");
    let [(ours, _peer), (sending, _sent_to), (asking, _asked)] =
        [tcp_pair()?, tcp_pair()?, tcp_pair()?];
    for fd in [&ours, &sending, &asking] {
        set_nonblocking(fd)?;
    }
    cut_network(lab.wild())?;
    lab.say(
        "The network of this process is cut. Nothing that is sent arrives, and no error reports that.",
    );
    lab.predict(&SILENT);
    lab.observe(poll(&mut [PollFd::new(ours.as_fd(), POLLIN)], 300));
    lab.predict(&SILENCE);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));

    lab.part("Sending, with a limit for unacknowledged bytes");
    lab.predict(&UNACKNOWLEDGED);
    limit_unacknowledged(&sending, Duration::from_millis(500))?;
    send(&sending, b"x", MSG_NOSIGNAL)?;
    let began = Instant::now();
    poll(&mut [PollFd::new(sending.as_fd(), POLLIN)], 6000)?;
    lab.observe(began.elapsed());
    lab.predict(&ENDED);
    lab.observe(recv(&sending, &mut buf, MsgFlags::NONE));

    lab.part("Asking: keepalive");
    lab.predict(&ASKED);
    // Keepalive starts counting here.
    keep_alive(&asking, Duration::from_secs(1), Duration::from_secs(1), 2)?;
    let began = Instant::now();
    poll(&mut [PollFd::new(asking.as_fd(), POLLIN)], 6000)?;
    lab.observe(began.elapsed());
    lab.predict(&ENDED);
    lab.observe(recv(&asking, &mut buf, MsgFlags::NONE));
    Ok(())
}
