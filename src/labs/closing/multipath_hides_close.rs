//! The peer has closed. Does send fail over multipath TCP, as it does over TCP?
//!
//! Not for a minute. Over TCP the first send provokes a reset, and the second fails. Over multipath TCP the reset ends
//! one path, and the connection waits for another path: sends continue to succeed, and poll reports neither POLLERR nor
//! POLLHUP. Only recv tells at once: it returns the end of file.

use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{loopback, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::multipath::MULTIPATH_TCP;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "multipath-hides-close",
    claim: "Over multipath TCP sends to a peer that has closed succeed for a minute.",
    question: "Does send fail after the peer has closed, if the connection is multipath TCP?",
    explanation: "A multipath TCP connection outlives its paths: a client may lose one network and come back through \
        another. So the kernel does not report a reset, which ends one path, until net.mptcp.close_timeout has passed \
        (60 s); only then does send fail with EPIPE. Servers in Go listen with multipath TCP by default since 1.24. So \
        receive as well, act on the end of file, and let the peer acknowledge what must arrive.",
    elsewhere: "Linux has had multipath TCP since 5.6; macOS offers it through other calls.",
    sources: &[
        "Linux, Documentation/networking/mptcp.rst and mptcp-sysctl.rst (close_timeout)",
        "RFC 8684, 3.3 and 3.4",
        "Go 1.24 release notes, net",
    ],
    related: &["write-after-fin", "silent-death", "half-close"],
    words: &["IPPROTO_MPTCP", "EPIPE", "POLLHUP", "POLLERR"],
    minutes: 3,
    predictions: &[&TCP_SENDS, &SENDS, &POLLED, &RECEIVED],
    spoiled_by: "send:EPIPE@20",
    run,
    ..Lab::ORDINARY
};

const HOW_MANY: &[&str] = &["0", "1", "30"];

const TCP_SENDS: Prediction = Prediction {
    asks: "TCP: the peer has closed. How many of 30 sends succeed, with 5 ms between them?",
    choices: HOW_MANY,
    expect: Expect::on_linux(Expected::Is("1")),
};

const SENDS: Prediction = Prediction {
    asks: "Multipath TCP: the same. How many succeed?",
    choices: HOW_MANY,
    expect: Expect::on_linux(Expected::Is("30")),
};

const POLLED: Prediction = Prediction {
    asks: "Asked for POLLIN and POLLOUT, what does poll say now?",
    choices: &["POLLIN|POLLOUT", "POLLIN|POLLOUT|POLLERR", "POLLIN|POLLOUT|POLLHUP", "POLLOUT"],
    expect: Expect::on_linux(Expected::Is("POLLIN|POLLOUT")),
};

const RECEIVED: Prediction = Prediction {
    asks: "And what does recv give?",
    choices: &["0", "EAGAIN", "ECONNRESET"],
    expect: Expect::on_linux(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let l = MULTIPATH_TCP.ok_or(Errno::EPROTONOSUPPORT);
    let l = l.and_then(|protocol| socket(AF_INET, SOCK_STREAM, protocol)).map_err(|errno| {
        Stop::skipped(format_args!("multipath TCP is not available here: {errno}"))
    })?;
    let multipath = MULTIPATH_TCP.unwrap_or_default();
    drop(l);

    lab.part("TCP");
    let ours = left_alone(Protocol::default())?;
    lab.predict(&TCP_SENDS);
    lab.observe(sends_that_succeed(&ours)?);

    lab.part("Multipath TCP");
    lab.say("A byte goes to and fro first, so that both ends have agreed on it.");
    let ours = left_alone(multipath)?;
    lab.predict(&SENDS);
    lab.observe(sends_that_succeed(&ours)?);
    lab.predict(&POLLED);
    let mut rows = [PollFd::new(ours.as_fd(), POLLIN | POLLOUT)];
    let polled = poll(&mut rows, 0);
    lab.observe(polled.map(|_| rows[0].revents()));
    lab.predict(&RECEIVED);
    lab.observe(recv(&ours, &mut [0; 8], MSG_DONTWAIT));
    Ok(())
}

/// A connection whose peer has closed, after the FIN has arrived here.
fn left_alone(protocol: Protocol) -> Result<Fd> {
    let l = socket(AF_INET, SOCK_STREAM, protocol)?;
    bind(&l, &loopback(0))?;
    listen(&l, 1)?;
    let c = socket(AF_INET, SOCK_STREAM, protocol)?;
    connect(&c, &getsockname(&l)?)?;
    let (a, _peer) = accept(&l)?;
    let mut byte = [0];
    send(&c, b"x", MSG_NOSIGNAL)?;
    recv(&a, &mut byte, MsgFlags::NONE)?;
    send(&a, b"y", MSG_NOSIGNAL)?;
    recv(&c, &mut byte, MsgFlags::NONE)?;
    close(a)?;
    wait_for(&c, POLLIN)?;
    Ok(c)
}

/// How many of 30 sends succeed before one fails. A pause after each send gives the peer's answer
/// time to arrive.
fn sends_that_succeed(fd: &Fd) -> Result<usize> {
    for sent in 0..30 {
        if send(fd, b"z", MSG_NOSIGNAL).is_err() {
            return Ok(sent);
        }
        poll(&mut [], 5)?;
    }
    Ok(30)
}
