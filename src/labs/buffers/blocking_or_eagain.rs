//! Does recv wait when no data has arrived?
//!
//! It depends on the socket. `socket` makes a blocking one, on which `recv` waits until the peer sends. With
//! `O_NONBLOCK` the same call on the same socket returns at once with `EAGAIN`: "nothing now, try again". A program
//! that retries in a loop burns the processor (busy waiting); one that calls `select` first sleeps until bytes have
//! come, and then calls `recv` once.

use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::labs::peers::Peer;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{millis, only, set_nonblocking, tcp_pair};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "blocking-or-eagain",
    claim: "recv waits on a blocking socket, and fails with EAGAIN on a non-blocking one.",
    question: "Does recv wait when no data has arrived?",
    explanation: "Blocking is a property of the open socket; MSG_DONTWAIT overrides it for one call. A blocking recv \
        puts the process to sleep until bytes arrive, so a server that waits for one client cannot serve the others. A \
        non-blocking recv returns at once. That helps only together with a call that waits for many sockets at a time: \
        select or poll.",
    elsewhere: "On NetBSD and macOS send does not heed MSG_DONTWAIT and waits on a blocking socket; recv heeds it on every \
        system.",
    sources: &[
        "recv(2)",
        "fcntl(2)",
        "POSIX recv (EAGAIN)",
        "Python Socket HOWTO, Non-blocking Sockets",
    ],
    related: &["nonblock-is-shared", "rcvtimeo-not-poll", "readiness-is-a-hint"],
    words: &["recv", "EAGAIN", "O_NONBLOCK", "select"],
    predictions: &[&WAITS, &AT_ONCE, &ONCE],
    spoiled_by: "recv:ECONNRESET@2",
    run,
    ..Lab::ORDINARY
};

/// When the peer sends, after the call.
const LATER: Duration = Duration::from_millis(200);

const WAITS: Prediction = Prediction {
    asks: "The socket is blocking; the peer sends a byte in 200 ms. How long does recv take?",
    choices: &["200 ms or more", "no time"],
    expect: Expect::everywhere(Expected::Is("200 ms or more")),
};

const AT_ONCE: Prediction = Prediction {
    asks: "The socket is non-blocking, and no data has arrived. What does recv give?",
    choices: &["0", "1", "EAGAIN", "EINPROGRESS"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const ONCE: Prediction = Prediction {
    asks: "select says that it is readable. What does the first recv after it give?",
    choices: &["0", "1", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("1")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (c, a) = tcp_pair()?;
    let mut buf = [0; 64];

    lab.part("Blocking: recv waits");
    lab.say("The peer, a thread, sends one byte after 200 ms.");
    lab.predict(&WAITS);
    let begun = Instant::now();
    let peer = sends_a_byte_later(c);
    recv(&a, &mut buf, MsgFlags::NONE)?;
    let took = begun.elapsed();
    lab.observe(if took >= LATER { "200 ms or more" } else { "no time" });
    let c = peer.done()?;

    lab.part("Non-blocking: recv answers at once");
    set_nonblocking(&a)?;
    lab.predict(&AT_ONCE);
    lab.observe(recv(&a, &mut buf, MsgFlags::NONE));

    lab.part("Non-blocking, and select does the waiting");
    lab.say("The peer does the same again.");
    let peer = sends_a_byte_later(c);
    let mut readable = only(&a)?;
    select(readable.nfds(), Some(&mut readable), None, None, Some(&mut millis(5000)))?;
    lab.predict(&ONCE);
    lab.observe(recv(&a, &mut buf, MsgFlags::NONE));
    let _c = peer.done()?;
    Ok(())
}

fn sends_a_byte_later(end: Fd) -> Peer {
    Peer::with(end, |stream| {
        sleep(LATER);
        stream.write_all(b"x")
    })
}
